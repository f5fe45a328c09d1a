"""Training and evaluation on what the store holds: the paragraphs that the label file's labels were given to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from pipeline.config import Config
from pipeline.schema import Status, paragraphs, reports
from pipeline.store import Store
from pipeline.themes.cache import vectors_of
from pipeline.themes.labels import Placed, current, place_labels, read_labels
from pipeline.themes.tagger import ENCODER_FOLDER
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.themes.evaluation import Evaluation
    from pipeline.themes.readings import EncoderReadings
    from pipeline.themes.training import TrainingResult

Report = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """Labels placed in the store, and the store's paragraphs."""

    taxonomy: Taxonomy
    placed: Placed
    substantive: list[str]

    def notes(self) -> list[str]:
        """What could not be placed, in a sentence; the paragraphs themselves are in ``placed.unplaced``."""
        lost = len(self.placed.unplaced)
        if not lost:
            return []
        total = lost + self.placed.matched["fingerprint"].nunique()
        reasons = self.placed.unplaced["reason"].str.replace(r" \(nearest.*|\d+", "", regex=True).value_counts()
        told = "; ".join(f"{count}: {' '.join(str(reason).split())}" for reason, count in reasons.items())
        return [f"{lost} of {total} labelled paragraphs were not found in the store and are left out ({told})."]


def open_bench(config: Config, store: Store, labels: Path | None = None) -> Bench:
    """Read the label file and find its paragraphs in the store.

    Parameters
    ----------
    labels : Path, optional
        Instead of the configured label file.

    Raises
    ------
    UsageError
        The taxonomy or the label file is wrong.
    """
    taxonomy = load_taxonomy(config.taxonomy)
    read = current(read_labels(labels or config.labels, taxonomy))
    with store.reading() as connection:
        known = _paragraphs(connection)
    substantive = known.loc[known["substantive"], "text"].drop_duplicates().tolist()
    return Bench(taxonomy, place_labels(read, known.drop(columns="substantive")), substantive)


def _paragraphs(connection: Connection) -> pd.DataFrame:
    import pandas as pd

    rows = connection.execute(
        select(
            paragraphs.c.paragraph_id,
            reports.c.source_path.label("report"),
            paragraphs.c.page,
            paragraphs.c.text,
            paragraphs.c.substantive,
        )
        .join(reports, reports.c.report_id == paragraphs.c.report_id)
        .where(reports.c.status == Status.EXTRACTED)
        .order_by(paragraphs.c.paragraph_id)
    ).all()
    return pd.DataFrame(rows, columns=["paragraph_id", "report", "page", "text", "substantive"])


def train_models(config: Config, store: Store, seed: int = 0, report: Report = lambda _: None) -> TrainingResult:
    """``pipeline train``: a model from the label file and the store, put to use if it is not worse.

    Raises
    ------
    UsageError
        The taxonomy or the label file is wrong, or too little of it is found in the store.
    PipelineError
        The encoder's folder is damaged.
    """
    import dataclasses

    from pipeline.themes.training import train

    report("finding the labelled paragraphs in the store")
    bench = open_bench(config, store)
    matched = bench.placed.matched
    encoder = encoder_readings_of(config, matched)

    def vectors(fingerprints: Sequence[str]) -> np.ndarray[Any, Any]:
        heads = matched.drop_duplicates("fingerprint")
        text_of = dict(zip(heads["fingerprint"], heads["text"], strict=True))
        return encoder_vectors(config, store, {key: text_of[key] for key in fingerprints})

    result = train(matched, bench.taxonomy, config.models, bench.substantive, seed, encoder, report, vectors)
    return dataclasses.replace(result, notes=(*bench.notes(), *result.notes))


def evaluate_model(config: Config, store: Store, labels: Path | None = None, seed: int = 0) -> Evaluation:
    """``pipeline evaluate``: scores of the model in use on the configured labels or on others.

    Raises
    ------
    UsageError
        The taxonomy or the label file is wrong, or nothing can be scored.
    PipelineError
        A model file is damaged.
    """
    import dataclasses

    from pipeline.themes.evaluation import evaluate

    bench = open_bench(config, store, labels)
    encoder = encoder_readings_of(config, bench.placed.matched) if config.tagging.encoder else None
    evaluation = evaluate(bench.placed.matched, bench.taxonomy, config.models, encoder, seed)
    return dataclasses.replace(evaluation, notes=(*bench.notes(), *evaluation.notes))


def learning_curve_of(config: Config, store: Store, seed: int = 0, report: Report = lambda _: None) -> pd.DataFrame:
    """``pipeline evaluate --learning-curve``; see :func:`pipeline.themes.evaluation.learning_curve`."""
    from pipeline.themes.evaluation import learning_curve

    bench = open_bench(config, store)
    return learning_curve(bench.placed.matched, bench.taxonomy, bench.substantive, seed, report)


def encoder_vectors(config: Config, store: Store, texts: dict[str, str]) -> np.ndarray[Any, Any]:
    """The encoder's vectors (n, size) of texts by fingerprint, from the store where it has them."""
    from pipeline.themes.encoder import Encoder
    from pipeline.themes.stacking import packed, plain_vectors

    encoder = Encoder.load(config.models / ENCODER_FOLDER)
    with store.reading() as connection:
        rows, _ = vectors_of(connection, encoder.encoder_id, texts, lambda some: packed(encoder.encode(some)))
    return plain_vectors(rows, len(encoder.codes))


def encoder_readings_of(config: Config, matched: pd.DataFrame) -> EncoderReadings | None:
    """Readings of the labelled paragraphs that the encoder has not seen; None where there is no encoder.

    Training takes them even where ``tagging.encoder`` is off: they cost little, and it can be switched on later.
    """
    folder = config.models / ENCODER_FOLDER
    from pipeline.themes.encoder import FACTS_FILE, Encoder
    from pipeline.themes.readings import encoder_readings
    from pipeline.themes.stacking import packed

    if not (folder / FACTS_FILE).is_file():
        return None
    encoder = Encoder.load(folder)
    heads = matched.drop_duplicates("fingerprint")
    return encoder_readings(
        folder,
        encoder.encoder_id,
        heads["fingerprint"].tolist(),
        heads["text"].tolist(),
        lambda texts: packed(encoder.encode(texts)),
    )
