"""How well the model in use does on labels from anywhere, and how much more labels would help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.files import write_text
from pipeline.themes.answers import Answers, answers_of, read_answers
from pipeline.themes.dataset import Labelled, as_arrays, trainable
from pipeline.themes.fitting import cross_calibrated, fit_classifier, fit_topics, processes_for
from pipeline.themes.modelfile import Manifest, load_model
from pipeline.themes.readings import EncoderReadings
from pipeline.themes.registry import current_folder
from pipeline.themes.scores import Scores, score
from pipeline.themes.training import predictions, scored_at_random

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.themes.taxonomy import Taxonomy
    from pipeline.themes.terms import Reading

CURVE_COLUMNS = ("authorities", "paragraphs", "macro_f1", "low", "high", "micro_f1", "tested_on")
"""Columns of a learning curve: what was trained on (fold average), the scores, and the paragraphs scored."""

_SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Evaluation:
    """Scores of the model in use, also on the paragraphs drawn at random alone, and what has to be said beside them."""

    model_id: str
    encoder: bool
    scores: Scores
    at_random: Scores | None
    notes: tuple[str, ...]


def evaluate(
    labelled: pd.DataFrame,
    taxonomy: Taxonomy,
    models: Path,
    encoder: EncoderReadings | None = None,
    seed: int = 0,
) -> Evaluation:
    """Score the model in use on labelled paragraphs, never by what it learned from them.

    A paragraph that it was trained on is scored by the answer kept from when its authority was left out; any other by
    the model itself. With the encoder, paragraphs that the encoder was tuned on are left out, and counted in a note.

    Parameters
    ----------
    labelled : DataFrame
        As for :func:`pipeline.themes.training.train`.
    encoder : EncoderReadings, optional
        Readings of the labelled paragraphs that the encoder has not seen; None scores the model without it.

    Raises
    ------
    UsageError
        Nothing is labelled with a theme that the model knows, or nothing can be scored.
    """
    from pipeline.themes.terms import TermMatcher

    folder = current_folder(models)
    model = load_model(folder)
    stacked = encoder is not None and _joined_with(model.manifest, encoder)
    kept = read_answers(folder, encoder=stacked)
    scored = set(_themes_of(model.manifest, stacked)) & set(kept.codes)
    codes = tuple(code for code in taxonomy.codes if code in scored)
    data = as_arrays(labelled, taxonomy.codes, several=False).columns(codes)
    unheard = set(data.fingerprints) - set(kept.fingerprints)
    if stacked and encoder is not None:
        unheard &= set(encoder.fingerprints)
    fresh = [key for key in data.fingerprints if key in unheard]
    known = [key for key in data.fingerprints if key in set(kept.fingerprints)]
    if not fresh and not known:
        raise UsageError("None of the labelled paragraphs can be scored: the encoder was tuned on all of them.")
    answers = kept.columns(codes).ordered(known)
    if fresh:
        matcher = TermMatcher(taxonomy.themes)
        readings = [matcher.read(text) for text in data.texts]
        later = answers_of(model, data, readings, matcher, fresh, encoder if stacked else None)
        answers = answers.joined(later)
    scores = score(predictions(answers, data), seed)
    notes = [
        f"{len(known)} of {len(data)} paragraphs were among those that the model was trained on; they are scored by "
        f"what it said with their authority left out, the other {len(fresh)} by the model itself."
    ]
    left = len(data) - len(known) - len(fresh)
    if left:
        notes.append(
            f"{left} paragraphs that the encoder was tuned on are left out; `tagging.encoder: off` scores them."
        )
    untrained = [code for code in taxonomy.codes if code not in model.manifest.codes]
    if untrained:
        notes.append(f"Not scored, because the model has no classifier for them: {', '.join(untrained)}.")
    new = [code for code in taxonomy.codes if code not in codes and code not in untrained]
    if new:
        notes.append(f"Not scored, because new to the encoder; `tagging.encoder: off` scores them: {', '.join(new)}.")
    at_random = scored_at_random(labelled, answers, data, seed)
    return Evaluation(model.manifest.model_id, stacked, scores, at_random, tuple(notes))


def _joined_with(manifest: Manifest, encoder: EncoderReadings) -> bool:
    return manifest.stack is not None and manifest.stack.encoder_id == encoder.encoder_id


def _themes_of(manifest: Manifest, stacked: bool) -> Sequence[str]:
    return tuple(manifest.stack.themes) if stacked and manifest.stack else manifest.codes


def learning_curve(
    labelled: pd.DataFrame,
    taxonomy: Taxonomy,
    unlabelled: Sequence[str] = (),
    seed: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Scores of the classifier without the encoder, trained on an eighth, a quarter, half and all of the authorities.

    Every paragraph is scored once for each size, by a model that did not see its authority.

    Returns
    -------
    DataFrame
        :data:`CURVE_COLUMNS`, a row a size.
    """
    import numpy as np
    import pandas as pd

    from pipeline.themes.terms import TermMatcher

    everything = as_arrays(labelled, taxonomy.codes)
    data = everything.columns(trainable(everything))
    matcher = TermMatcher(taxonomy.themes)
    readings = [matcher.read(text) for text in data.texts]
    topics = fit_topics(sorted({*unlabelled, *data.texts}), seed)
    rows = []
    for share in _SHARES:
        report(f"training on {share:.1%} of the authorities")
        scores = np.full(data.labels.shape, -10.0)
        trained_on = []
        for fold in np.unique(data.folds):
            held = data.folds == fold
            some = _some_authorities(data, ~held, share, seed)
            trained_on.append((len(set(data.authorities[some].tolist())), int(some.sum())))
            part = data.rows(some)
            # Small parts may lack a theme altogether; it is then scored as never tagged.
            seen = tuple(code for j, code in enumerate(data.codes) if 0 < part.labels[:, j].sum() < len(part))
            part = part.columns(seen)
            fitted = fit_classifier(part, _chosen(readings, some), matcher, topics, seed, processes_for(part))
            places = [data.codes.index(code) for code in seen]
            given = fitted.scores(_chosen(readings, held), matcher)
            for place, column in zip(places, given.T, strict=True):
                scores[held, place] = column
        probabilities, tagged = cross_calibrated(scores, data.labels, data.folds)
        empty = np.zeros((*data.labels.shape, 3))
        table = score(predictions(Answers.of(data, probabilities, tagged, empty), data), seed).overall
        by = table.set_index("measure")
        authorities, paragraphs = np.mean(trained_on, axis=0)
        macro = by.loc["macro_f1"]
        rows.append(
            (
                round(float(authorities), 1),
                round(float(paragraphs)),
                macro["value"],
                macro["low"],
                macro["high"],
                by.loc["micro_f1", "value"],
                len(data),
            )
        )
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def _chosen(readings: Sequence[Reading], mask: np.ndarray) -> list[Reading]:
    return [reading for reading, wanted in zip(readings, mask.tolist(), strict=True) if wanted]


def _some_authorities(data: Labelled, mask: np.ndarray, share: float, seed: int) -> np.ndarray:
    import numpy as np

    names = np.unique(data.authorities[mask])
    order = np.random.default_rng(seed).permutation(len(names))
    wanted = names[order[: max(2, round(share * len(names)))]]
    chosen: np.ndarray = mask & np.isin(data.authorities, wanted)
    return chosen


def write_evaluation(evaluation: Evaluation, folder: Path, curve: pd.DataFrame | None = None) -> list[Path]:
    """Write the tables as CSV and the pictures as SVG and PNG into ``folder``; gives the files written."""
    from pipeline.themes.pictures import curve_picture, reliability_picture, save_picture, themes_picture

    tables = {
        "overall": evaluation.scores.overall,
        "themes": evaluation.scores.themes,
        "reliability": evaluation.scores.reliability,
    }
    if curve is not None:
        tables["learning_curve"] = curve
    written = []
    for name, table in tables.items():
        path = folder / f"evaluation_{name}.csv"
        write_text(path, table.to_csv(index=False, lineterminator="\n", float_format="%.4f"))
        written.append(path)
    pictures = {
        "themes": themes_picture(evaluation.scores.themes),
        "reliability": reliability_picture(evaluation.scores.reliability),
    }
    if curve is not None:
        pictures["learning_curve"] = curve_picture(curve)
    for name, picture in pictures.items():
        written += save_picture(picture, folder / f"evaluation_{name}")
    return written
