"""A filled-in batch taken back: every cell checked, every paragraph found again, all of it entered or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.domain import fingerprint, normalised
from pipeline.errors import PipelineError, UsageError
from pipeline.labelling.batch import (
    SUFFIXES,
    BatchFormat,
    Filled,
    Row,
    checked_annotator,
    is_batch_id,
    is_drawn,
    is_to_settle,
)
from pipeline.labelling.layout import LONGEST_TEXT
from pipeline.labelling.ledger import Entered, Reading, enter
from pipeline.labelling.pool import Candidate, read_pool
from pipeline.store import Store
from pipeline.themes.labels import (
    COLUMNS,
    SETTLED_BY,
    SIMILAR,
    check_labels,
    place_labels,
    read_labels,
    sketch,
    write_labels,
)
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    import pandas as pd

EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes
    ----------
    entered : Entered or None
        None: nothing was written, because of ``faults``.
    rows : int
        Paragraphs in the file; ``unread`` of them have nothing said about them, ``open`` are not settled yet.
    faults : tuple of str
        A sentence for each row or cell that is wrong, with its place.
    notes : tuple of str
        Sentences about what was taken all the same.
    """

    path: Path
    labels_path: Path
    annotator: str
    entered: Entered | None
    rows: int
    unread: int
    open: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def read_filled(path: Path, taxonomy: Taxonomy) -> Filled:
    """Read a batch in the format that its name ends with. Raises :class:`UsageError` if it is not one."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"{path} is none of {', '.join(SUFFIXES)}; save it as one of these.")
    if not path.is_file():
        raise UsageError(f"There is no file {path}; check the name.")
    if kind is BatchFormat.XLSX:
        from pipeline.labelling.workbook_reading import read_workbook

        return read_workbook(path, taxonomy)
    if kind is BatchFormat.CSV:
        from pipeline.labelling.csvs import read_csv

        return read_csv(path, taxonomy)
    if kind is BatchFormat.LABELSTUDIO:
        from pipeline.labelling.labelstudio import read_labelstudio

        return read_labelstudio(path, taxonomy)
    from pipeline.labelling.doccano import read_doccano

    return read_doccano(path, taxonomy)


def import_labels(
    store: Store,
    config: Config,
    path: Path,
    annotator: str | None,
    today: date,
    skip_bad: bool = False,
    settle: bool = False,
) -> Imported:
    """Take a filled-in batch back into the label file of the configuration.

    Parameters
    ----------
    annotator : str or None
        Whose labels they are; None: as the workbook says.
    skip_bad : bool
        Leave out the paragraphs with faults and enter the others; else one fault keeps everything out.
    settle : bool
        The batch holds disagreements; the labels become ``settled by NAME``.

    Raises
    ------
    UsageError
        The file is not a batch, nobody's name is known, a date that cannot be, a batch of the other kind.
    PipelineError
        The label file changed meanwhile or cannot be written; it is then as it was.
    """
    taxonomy = load_taxonomy(config.taxonomy)
    filled = read_filled(path, taxonomy)
    who = _annotator(filled, annotator)
    name = SETTLED_BY + who if settle else who
    day = filled.date or today
    if not EARLIEST <= day <= today:
        raise UsageError(
            f"{path}: the date {day.isoformat()} lies in the future or before {EARLIEST.year}; correct it."
        )
    command = "settle" if not settle else "import"
    if any(is_to_settle(row.batch) is not settle for row in filled.rows if is_batch_id(row.batch)):
        raise UsageError(f"{path} is a batch for `pipeline label {command}`; use that.")
    before = config.labels.read_bytes() if config.labels.exists() else None
    labels = read_labels(config.labels, taxonomy) if before is not None else _no_labels()
    said = [row for row in filled.rows if not row.blank and not row.open]
    readings, faults, notes = _checked(said, name, day, read_pool(store), labels, taxonomy)
    # A row that is not settled is left for later; a cell in it that is wrong is said now.
    faults += [fault for row in filled.rows if row.open for fault in row.faults]
    entered = None
    if skip_bad or not faults:
        entered = enter(labels, readings)
        if entered.changed:
            _write(entered.labels, config, before, taxonomy)
    return Imported(
        path,
        config.labels,
        name,
        entered,
        len(filled.rows),
        sum(row.blank for row in filled.rows),
        sum(bool(row.open) for row in filled.rows),
        tuple(f"{path.name}, {fault}" for fault in faults),
        (*filled.notes, *_added_themes(filled, taxonomy), *notes),
    )


def _annotator(filled: Filled, given: str | None) -> str:
    own = checked_annotator(filled.annotator) if filled.annotator else None
    asked = checked_annotator(given) if given else None
    if own and asked and own.casefold() != asked.casefold():
        raise UsageError(f"{filled.path} was filled in by '{own}', not '{asked}'; correct --annotator or the workbook.")
    name = asked or own
    if name is None:
        raise UsageError(f"{filled.path} does not say who filled it in; give --annotator NAME.")
    return name


def _no_labels() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=list(COLUMNS), dtype="str")


def _added_themes(filled: Filled, taxonomy: Taxonomy) -> list[str]:
    added = [code for code in taxonomy.codes if code not in filled.codes]
    if not added or not filled.rows:
        return []
    return [f"The batch did not ask about {', '.join(added)}: its paragraphs count as without."]


def _checked(
    said: Sequence[Row],
    name: str,
    day: date,
    pool: list[Candidate],
    labels: pd.DataFrame,
    taxonomy: Taxonomy,
) -> tuple[list[Reading], list[str], list[str]]:
    """Readings of the rows that are right, the faults of the others, and notes."""
    codes = {theme.code for theme in taxonomy.all_themes}
    places = _Places(pool, said)
    before = set(zip(labels["fingerprint"], labels["annotator"], labels["batch"], strict=True))
    faults: list[str] = []
    of_paragraph: dict[str, list[tuple[Row, Candidate, bool]]] = {}
    for row in said:
        found = [*row.faults, *_row_faults(row, codes)]
        candidate = places.of(row)
        if isinstance(candidate, str):
            found.append(f"{row.where}: {candidate}")
        else:
            of_paragraph.setdefault(candidate.fingerprint, []).append((row, candidate, not found))
        faults += found
    good: list[tuple[Row, Candidate]] = []
    for (first, candidate, right), *others in of_paragraph.values():
        same = all(row.labels == first.labels for row, *_ in others)
        for row, *_ in others:
            how = "with the same labels" if same else "with other labels"
            faults.append(f"{row.where}: the paragraph of {first.where} a second time, {how}")
        # Said twice the same, the first counts; said twice differently, neither does.
        if right and same and all(also for *_, also in others):
            good.append((first, candidate))
    readings = [_reading(row, candidate, name, day, before) for row, candidate in good]
    notes = [
        f"{row.where}: read a little differently since; found by similarity ({places.similarity[row.fingerprint]:.2f})."
        for row, candidate in good
        if row.fingerprint != candidate.fingerprint
    ]
    return readings, faults, notes


def _reading(row: Row, candidate: Candidate, name: str, day: date, before: set[tuple[str, str, str]]) -> Reading:
    said = (name, row.date or day, row.batch, row.drawn, row.labels)
    if row.fingerprint != candidate.fingerprint and (row.fingerprint, name, row.batch) in before:
        # Imported when the paragraph was cut otherwise: the same reading, not a second one.
        return Reading(row.fingerprint, row.report, int(row.page), row.text, *said)
    return Reading(candidate.fingerprint, candidate.report, candidate.page, candidate.text, *said)


def _row_faults(row: Row, codes: set[str]) -> list[str]:
    faults = [f"{row.where}: the theme '{code}' is not in the taxonomy" for code in row.labels if code not in codes]
    if not is_batch_id(row.batch):
        faults.append(f"{row.where}: the batch '{row.batch[:40]}' is not one that `pipeline label export` made")
    if not is_drawn(row.drawn):
        faults.append(f"{row.where}: it is not said how the paragraph was drawn")
    return faults


class _Places:
    """The paragraph that each row is about."""

    def __init__(self, pool: list[Candidate], rows: Sequence[Row]) -> None:
        self._by_key: dict[str, list[Candidate]] = {}
        for candidate in pool:
            self._by_key.setdefault(candidate.fingerprint, []).append(candidate)
        self.similarity: dict[str, float] = {}
        self._moved: dict[str, Candidate] = {}
        self._lost: dict[str, str] = {}
        self._named = {row.fingerprint for row in rows}
        lost = [row for row in rows if row.fingerprint and row.fingerprint not in self._by_key and row.text]
        lost = [row for row in lost if fingerprint(row.text) == row.fingerprint and row.page.isdigit() and row.report]
        if lost:
            self._search(lost, pool)

    def _search(self, rows: list[Row], pool: list[Candidate]) -> None:
        import pandas as pd

        wanted = [
            dict.fromkeys(COLUMNS, "")
            | {
                "fingerprint": row.fingerprint,
                "report": row.report,
                "page": row.page,
                "sketch": sketch(row.text),
                "text": row.text,
            }
            for row in rows
        ]
        reports = {row.report.casefold() for row in rows}
        # A paragraph that another row names is that row's, however much it looks like this one.
        near = {c.paragraph_id: c for c in pool if c.report.casefold() in reports and c.fingerprint not in self._named}
        paragraphs = pd.DataFrame(
            [(c.paragraph_id, c.report, c.page, c.text) for c in near.values()],
            columns=["paragraph_id", "report", "page", "text"],
        )
        placed = place_labels(pd.DataFrame(wanted), paragraphs)
        columns = ["fingerprint", "paragraph_id", "similarity"]
        for key, paragraph_id, similarity in placed.matched[columns].itertuples(index=False, name=None):
            self._moved[key] = near[paragraph_id]
            self.similarity[key] = similarity
        self._lost = dict(zip(placed.unplaced["fingerprint"], placed.unplaced["reason"], strict=True))

    def of(self, row: Row) -> Candidate | str:
        """The paragraph, or why there is none."""
        if not row.fingerprint:
            return "it has no key; paragraphs cannot be added to a batch"
        same = self._by_key.get(row.fingerprint)
        if same:
            candidate = next((c for c in same if c.report.casefold() == row.report.casefold()), same[0])
            said = fingerprint(row.text)
            if said == row.fingerprint or (said not in self._by_key and _same_text(candidate.text, row.text)):
                return candidate
            return "the text is not that of its key (was a column sorted by itself, or the text changed?)"
        if row.fingerprint in self._moved:
            return self._moved[row.fingerprint]
        if row.fingerprint in self._lost:
            return f"the paragraph is not in the store: {self._lost[row.fingerprint]}"
        return "the paragraph is not in the store, and its text is not that of its key, so it cannot be looked for"


def _same_text(stored: str, said: str) -> bool:
    from rapidfuzz import fuzz

    return fuzz.ratio(normalised(stored[:LONGEST_TEXT]), normalised(said)) >= 100 * SIMILAR


def _write(labels: pd.DataFrame, config: Config, before: bytes | None, taxonomy: Taxonomy) -> None:
    import filelock

    path = config.labels
    check_labels(labels, taxonomy, str(path))
    busy = f"{path} was changed by another program meanwhile; import again, nothing was written."
    try:
        config.corpus.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(config.corpus / "labels.lock", timeout=10):
            if (path.read_bytes() if path.exists() else None) != before:
                raise PipelineError(busy)
            write_labels(labels, path)
    except filelock.Timeout:
        raise PipelineError(busy) from None
    except OSError as error:
        raise PipelineError(f"{path} cannot be written ({error.strerror}); nothing was changed.") from error
