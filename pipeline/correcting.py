"""Where labels, the classifier's answers and the tables meet: frequencies corrected for the classifier's errors.

The labels are those drawn at random; the answers are what the classifier said of labelled paragraphs while their
authority was left out of its training; the tables do the arithmetic (:mod:`pipeline.tables.correction`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from pipeline.analysis import read_corpus, section_infos, theme_infos
from pipeline.config import Config
from pipeline.domain import RANDOM_DRAWS
from pipeline.errors import PipelineError
from pipeline.schema import Status, paragraphs, reports
from pipeline.store import Store
from pipeline.tables.columns import SectionInfo, ThemeInfo
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.tables.corpus import Corpus

_ASKED_AT_ONCE = 500  # paragraphs; SQLite takes 999 values in a query

ALL_MEASURES = ("paragraphs", "strengths", "weaknesses")


@dataclass(frozen=True)
class Basis:
    """What a correction rests on, in numbers.

    Attributes
    ----------
    reason : str
        Why nothing can be corrected, in a sentence; empty where something can.
    random, lost, tested, labelled : int
        Labelled paragraphs drawn at random and found in the store; drawn at random and not found; of those found, the
        ones on which the classifier can be tested; and all labelled paragraphs found.
    """

    reason: str = ""
    random: int = 0
    lost: int = 0
    tested: int = 0
    labelled: int = 0

    def in_words(self) -> str:
        """A sentence or two: on what the shares are corrected, or why not."""
        if self.reason:
            return self.reason
        return (
            f"Corrected on {self.random:,} randomly drawn labelled paragraphs ({self.lost:,} more were not found in "
            f"the store), the classifier tested on {self.tested:,} of them while their authority was left out of its "
            "training."
        )


@dataclass(frozen=True)
class Evidence:
    """Labels and answers to correct by.

    Attributes
    ----------
    labels : DataFrame
        :data:`pipeline.tables.columns.LABELS` of the labelled paragraphs that the store has.
    predictions : DataFrame
        ``paragraph_id, theme, valence, comparable`` (see :func:`pipeline.tables.correction.corrected`).
    measures : tuple of str
        What can be corrected: strengths and weaknesses only if the answers have every valence.
    """

    labels: pd.DataFrame
    predictions: pd.DataFrame
    basis: Basis
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corrected:
    """Corrected shares (:data:`pipeline.tables.columns.CORRECTED`) and what they rest on."""

    shares: pd.DataFrame
    basis: Basis


def correct(
    store: Store,
    config: Config,
    taxonomy: Taxonomy,
    by: str = "overall_effectiveness",
    *,
    corpus: Corpus | None = None,
    sections: bool = False,
    theme: str | None = None,
    latest: bool = False,
) -> Corrected:
    """Shares of paragraphs corrected for the classifier's errors, by measure, group and theme or section.

    Parameters
    ----------
    corpus : Corpus, optional
        If it has been read already.
    theme : str, optional
        Only this one's rows.

    Raises
    ------
    UsageError
        The label file is wrong; ``by`` or ``theme`` is unknown.
    """
    import pandas as pd

    from pipeline.tables.columns import CORRECTED, frame_of
    from pipeline.tables.correction import corrected

    read = read_corpus(store, config) if corpus is None else corpus
    evidence = gather_evidence(store, config, taxonomy)
    themes: tuple[ThemeInfo, ...] = theme_infos(taxonomy)
    groups: tuple[SectionInfo, ...] | None = section_infos(taxonomy) if sections else None
    if theme is not None:
        themes = tuple(info for info in themes if info.code == theme)
        groups = tuple(info for info in groups if info.section == theme) if groups is not None else None
    pieces = [
        corrected(
            read,
            evidence.labels,
            evidence.predictions,
            by,
            themes=themes,
            sections=groups,
            latest=latest,
            measure=measure,
        )
        for measure in evidence.measures
    ]
    empty = frame_of(CORRECTED, {field.name: [] for field in CORRECTED})
    return Corrected(pd.concat(pieces, ignore_index=True) if pieces else empty, evidence.basis)


def gather_evidence(store: Store, config: Config, taxonomy: Taxonomy) -> Evidence:
    """The labels found in the store and what the classifier, their authority left out, says of them.

    Raises
    ------
    UsageError
        The label file is wrong.
    """
    from pipeline.themes.labels import current, read_labels

    if not config.labels.is_file():
        return _none(f"there is no label file {config.labels.name}; `pipeline label` makes one")
    read = current(read_labels(config.labels, taxonomy))
    with store.reading() as connection:
        untagged = _tagged_otherwise(connection, config, taxonomy)
        if untagged:
            return _none(untagged)
        placed = _placed(connection, read)
    heads = placed.drop_duplicates("fingerprint")
    lost = read[~read["fingerprint"].isin(heads["fingerprint"])].drop_duplicates("fingerprint")
    random = int(heads["drawn"].isin(RANDOM_DRAWS).sum())
    if not random:
        return _none("no paragraph of the store is among those that were drawn at random and labelled")
    try:
        predictions, complete = _predictions(config, heads)
    except PipelineError as error:
        return _none(f"the model's answers on unseen authorities are missing ({str(error).rstrip('.')})")
    comparable = predictions.loc[predictions["comparable"], "paragraph_id"]
    columns = ["paragraph_id", "theme", "valence", "drawn"]
    return Evidence(
        placed[columns],
        predictions,
        Basis(
            random=random,
            lost=int(lost["drawn"].isin(RANDOM_DRAWS).sum()),
            tested=int((heads["drawn"].isin(RANDOM_DRAWS) & heads["paragraph_id"].isin(comparable)).sum()),
            labelled=len(heads),
        ),
        ALL_MEASURES if complete else ALL_MEASURES[:1],
    )


def answers_file(config: Config) -> Path | None:
    """The file of the answers that a correction would use, if it is there."""
    from pipeline.themes.answers import ANSWERS
    from pipeline.themes.registry import current_folder

    try:
        path = current_folder(config.models) / ANSWERS
    except PipelineError:  # no model in use: the correction says so in words
        return None
    return path if path.is_file() else None


def _none(reason: str) -> Evidence:
    import pandas as pd

    from pipeline.tables.columns import LABELS

    names = [field.name for field in LABELS]
    return Evidence(
        pd.DataFrame(columns=names, dtype="str"),
        pd.DataFrame(columns=[*names[:3], "comparable"], dtype="str"),
        Basis(reason=f"The shares cannot be corrected for the classifier's errors: {reason}."),
    )


def _tagged_otherwise(connection: Connection, config: Config, taxonomy: Taxonomy) -> str:
    """Why the model in use cannot vouch for the store's tags; empty where it can."""
    from pipeline.themes.tagger import tagger_stamp

    stamps = set(
        connection.scalars(select(reports.c.tagged_with).where(reports.c.status == Status.EXTRACTED).distinct())
    )
    if not stamps:
        return "no report has been read yet"
    try:
        stamp = tagger_stamp(config.models, taxonomy, config.tagging.encoder)
    except PipelineError as error:
        return f"the model in use cannot be read ({str(error).rstrip('.')})"
    if stamps != {stamp}:
        return "the reports were tagged by another model, or otherwise, than is now in use; run `pipeline run` first"
    return ""


def _placed(connection: Connection, labels: pd.DataFrame) -> pd.DataFrame:
    """Label rows with the ``paragraph_id`` that each was given to; texts are read only where a fingerprint fails."""
    import pandas as pd

    from pipeline.themes.labels import place_labels, report_key

    columns = [
        paragraphs.c.paragraph_id,
        paragraphs.c.fingerprint,
        reports.c.source_path.label("report"),
        paragraphs.c.page,
        paragraphs.c.substantive,
    ]
    source = paragraphs.join(reports)
    extracted = reports.c.status == Status.EXTRACTED
    rows = connection.execute(
        select(*columns).select_from(source).where(extracted).order_by(paragraphs.c.paragraph_id)
    ).all()
    known = pd.DataFrame(rows, columns=[column.name for column in columns])
    shared = known[known["fingerprint"].isin(labels["fingerprint"])]
    wanted = labels.drop_duplicates("fingerprint").set_index("fingerprint")["report"].map(report_key)
    # The same words can stand in two reports: the label's own first.
    own = shared["report"].map(report_key) == shared["fingerprint"].map(wanted)
    best = shared.assign(_own=own).sort_values(["_own", "paragraph_id"], ascending=[False, True], kind="stable")
    same = best.drop_duplicates("fingerprint").set_index("fingerprint")["paragraph_id"]
    left = labels[~labels["fingerprint"].isin(same.index)]
    heads = left.drop_duplicates("fingerprint")
    pages = {
        (report_key(report), int(page) + shift)
        for report, page in zip(heads["report"], heads["page"], strict=True)
        for shift in (-1, 0, 1)
    }
    held = zip(known["report"].map(report_key), known["page"], strict=True)
    near = known[[place in pages for place in held]]
    near = near.assign(text=_texts(connection, near["paragraph_id"].tolist()))[
        ["paragraph_id", "report", "page", "text"]
    ]
    found = place_labels(left, near).matched
    places = pd.concat([same, found.drop_duplicates("fingerprint").set_index("fingerprint")["paragraph_id"]])
    placed = labels.assign(paragraph_id=labels["fingerprint"].map(places))
    counted = known.loc[known["substantive"].astype(bool), "paragraph_id"]  # only these are what the shares are of
    placed = placed[placed["paragraph_id"].isin(counted)]
    # Two labelled paragraphs can be one in this reading: the first stands, which a fingerprint found.
    first = placed.drop_duplicates("fingerprint").sort_values("paragraph_id", kind="stable")
    exact = first["fingerprint"].isin(same.index)
    kept = pd.concat([first[exact], first[~exact]]).drop_duplicates("paragraph_id")["fingerprint"]
    return placed[placed["fingerprint"].isin(kept)].reset_index(drop=True)


def _texts(connection: Connection, paragraph_ids: list[str]) -> list[str]:
    found: dict[str, str] = {}
    for start in range(0, len(paragraph_ids), _ASKED_AT_ONCE):
        some = paragraph_ids[start : start + _ASKED_AT_ONCE]
        rows = connection.execute(
            select(paragraphs.c.paragraph_id, paragraphs.c.text).where(paragraphs.c.paragraph_id.in_(some))
        )
        found.update((row.paragraph_id, row.text) for row in rows)
    return [found[paragraph_id] for paragraph_id in paragraph_ids]


def _predictions(config: Config, heads: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """What the classifier says of labelled paragraphs whose authority it had not learned from, one row a theme.

    Where the store was tagged with the encoder, its answers are for the authorities kept from it alone; for the others
    those of the classifier without it stand in, marked as not comparable.
    """
    import pandas as pd

    from pipeline.themes.answers import read_answers
    from pipeline.themes.registry import current_folder
    from pipeline.themes.tagger import joins_encoder

    folder = current_folder(config.models)
    joined = config.tagging.encoder and joins_encoder(config.models)
    ids = heads.set_index("fingerprint")["paragraph_id"]
    pieces: list[pd.DataFrame] = []
    complete = True
    for encoder in (True, False) if joined else (False,):
        answers = read_answers(folder, encoder)
        complete &= answers.has_all_valences
        frame = answers.frame()
        frame["paragraph_id"] = frame["fingerprint"].map(ids)
        frame = frame[frame["paragraph_id"].notna()]
        if pieces:
            frame = frame[~frame["paragraph_id"].isin(pieces[0]["paragraph_id"])]
        # A paragraph in which no theme is found has a row with an empty theme.
        bare = frame[~frame["paragraph_id"].isin(frame.loc[frame["tagged"], "paragraph_id"])]
        bare = bare.drop_duplicates("paragraph_id").assign(theme="", valence="")
        rows = pd.concat([frame[frame["tagged"]], bare])
        pieces.append(rows[["paragraph_id", "theme", "valence"]].assign(comparable=encoder == joined))
    return pd.concat(pieces, ignore_index=True), complete
