"""A model's card and its metrics file: what it is, what it was made from, how well it does and on what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.themes.dataset import Labelled
    from pipeline.themes.scores import Difference, Scores
    from pipeline.themes.taxonomy import Taxonomy


def metrics_of(
    scores: Scores,
    with_encoder: Scores | None,
    at_random: Scores | None,
    previous: str | None,
    compared: Difference | None,
) -> dict[str, Any]:
    """What ``metrics.json`` says: the tables of :class:`~pipeline.themes.scores.Scores`, a list of rows each."""
    metrics: dict[str, Any] = {"without_encoder": _tables(scores)}
    if with_encoder is not None:
        metrics["with_encoder"] = _tables(with_encoder)
    if at_random is not None:
        metrics["at_random"] = _tables(at_random)
    if previous is not None and compared is not None:
        metrics["compared"] = {
            "with": previous,
            "macro_f1_difference": round(compared.value, 4),
            "low": round(compared.low, 4),
            "high": round(compared.high, 4),
            "themes": compared.themes,
            "paragraphs": compared.paragraphs,
            "authorities": compared.authorities,
        }
    return metrics


def _tables(scores: Scores) -> dict[str, Any]:
    return {
        name: json.loads(frame.round(4).to_json(orient="records"))
        for name, frame in (
            ("overall", scores.overall),
            ("themes", scores.themes),
            ("reliability", scores.reliability),
        )
    }


def card_text(
    taxonomy: Taxonomy,
    data: Labelled,
    scores: Scores,
    with_encoder: Scores | None,
    at_random: Scores | None,
    previous: str | None,
    compared: Difference | None,
) -> str:
    """The card, in Markdown."""
    authorities = len(set(data.authorities.tolist()))
    parts = [
        "# Model card: themes of inspection report paragraphs",
        f"Taxonomy: {taxonomy.name} ({len(data.codes)} of its {len(taxonomy.codes)} themes have a classifier; any "
        "other is tagged by its terms).",
        f"Trained on {len(data):,} labelled paragraphs of {authorities} authorities with {int(data.labels.sum()):,} "
        "labels. Who labelled them, and how they were drawn, stands in the label file row by row; where that is a "
        "language model, so is the yardstick of every figure below. Paragraphs drawn because a first model was unsure "
        "of them are among them, so accuracy on all paragraphs of a report is likely to be higher.",
        "## How it was tested\n\nEach paragraph was scored by a model that had seen no paragraph of its authority "
        "(five folds of authorities); sigmoids and thresholds were fitted on the other folds too. Intervals are 95 % "
        "percentile intervals of 1,000 bootstrap draws of authorities.",
    ]
    if with_encoder is not None:
        parts.append(_scores_text("With the encoder (on paragraphs that it was not tuned on)", with_encoder))
        parts += [at_random_sentence(at_random)] if at_random is not None else []
    parts.append(_scores_text("Without the encoder (`tagging.encoder: off`)", scores))
    if with_encoder is None and at_random is not None:
        parts.append(at_random_sentence(at_random))
    if previous is not None and compared is not None:
        parts.append(
            f"## Against the model in use before\n\nMacro F1 is {compared.value:+.4f} "
            f"(95 % interval {compared.low:+.4f} to {compared.high:+.4f}) against {previous}, over "
            f"{compared.themes} themes and the same {compared.paragraphs:,} paragraphs of "
            f"{compared.authorities} authorities."
        )
    return "\n\n".join(parts) + "\n"


def at_random_sentence(scores: Scores) -> str:
    """What to expect of all paragraphs of reports: overall measures on those that were drawn at random."""
    rows = {row["measure"]: row for row in scores.overall.to_dict("records")}
    said = [
        f"{name} {rows[measure]['value']:.3f} ({_range(rows[measure]['low'], rows[measure]['high'])})"
        for measure, name in (("macro_f1", "macro F1"), ("micro_f1", "micro F1"), ("valence_accuracy", "valence"))
    ]
    row = rows["micro_f1"]
    return (
        f"On the {row['paragraphs']:,} of them, of {row['authorities']} authorities, that were drawn at random, as "
        f"paragraphs come in reports: {', '.join(said)}."
    )


def _scores_text(title: str, scores: Scores) -> str:
    overall = [
        f"| {row['measure'].replace('_', ' ')} | {row['value']:.3f} | {_range(row['low'], row['high'])} | "
        f"{row['paragraphs']:,} | {row['authorities']} |"
        for row in scores.overall.to_dict("records")
    ]
    themes = [_theme_line(row) for row in scores.themes.sort_values("f1", ascending=False).to_dict("records")]
    return "\n".join(
        [
            f"## {title}\n",
            "| measure | value | 95 % interval | paragraphs | authorities |",
            "| --- | --- | --- | --- | --- |",
            *overall,
            "",
            "| theme | labelled | tagged | precision | recall | F1 | 95 % interval | calibration error | valence |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *themes,
        ]
    )


def _theme_line(row: dict[Any, Any]) -> str:
    shares = [_number(row[name]) for name in ("precision", "recall", "f1")]
    return (
        f"| {row['theme']} | {row['labelled']:.0f} | {row['tagged']:.0f} | {' | '.join(shares)} | "
        f"{_range(row['f1_low'], row['f1_high'])} | {row['calibration_error']:.3f} | "
        f"{row['valence_right']:.0f} of {row['valence_of']:.0f} ({_number(row['valence_accuracy'])}) |"
    )


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"


def _range(low: float, high: float) -> str:
    return "" if low != low else f"{low:.3f} to {high:.3f}"
