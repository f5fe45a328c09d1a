"""Labels that people and programs gave to paragraphs: kept apart from the text, found again by it.

``labels.csv`` has no text. A paragraph is known by its fingerprint and, should a later reading cut it a little
differently, by its report, its page and a sketch: a few hashed words, from which no sentence can be put together again.

``python -m pipeline.themes.labels READINGS.jsonl LABELS.csv`` makes the file again from labelled paragraphs with text.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import VALENCES, fingerprint, normalised
from pipeline.errors import UsageError
from pipeline.files import write_text
from pipeline.themes.taxonomy import Taxonomy

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("fingerprint", "report", "page", "theme", "valence", "annotator", "date", "batch", "drawn", "sketch")
"""Columns of the label file, all text.

One row a paragraph and theme; a paragraph that was read and carries no theme has one row with an empty theme.
``report`` is ``<folder>/<file>`` of the report, ``date`` is ISO 8601 or empty where it is not known, ``drawn`` says how
the paragraph came to be chosen (``random...`` ones alone estimate prevalence).
"""

SETTLED_BY = "settled by "
"""How the annotator of a settled label begins; a settled reading counts before any other."""

SIMILAR = 0.9
"""A paragraph of the same report and page at least this similar is the one that was labelled."""

_SKETCH_WORDS = 12


@dataclass(frozen=True)
class Placed:
    """Labels with the paragraphs they were given to.

    Attributes
    ----------
    matched : DataFrame
        The label rows placed, with the columns of the paragraphs (``paragraph_id``, ``text`` and whatever else they
        have) and ``similarity`` (1 where the fingerprint is the same).
    unplaced : DataFrame
        One row a paragraph that was not found: ``fingerprint, report, page, reason``.
    """

    matched: pd.DataFrame
    unplaced: pd.DataFrame


def sketch(text: str) -> str:
    """The number of distinct words and the smallest of their 16-bit hashes: enough to know the paragraph again.

    A bottom-k sketch (Broder 1997, "On the resemblance and containment of documents").
    """
    hashes = _hashes(text)
    return f"{len(hashes)}:" + "".join(f"{value:04x}" for value in sorted(hashes)[:_SKETCH_WORDS])


def resemblance(made: str, text: str) -> float:
    """Estimated share of words that a sketched paragraph and ``text`` have in common, from 0 to 1."""
    count, _, digits = made.partition(":")
    kept = [int(digits[i : i + 4], 16) for i in range(0, len(digits), 4)]
    hashes = _hashes(text)
    if not kept or not hashes:
        return 0.0
    size = int(count)
    # No more of its words can be common than the text has.
    common = min(sum(value in hashes for value in kept) / len(kept) * size, len(hashes))
    return common / (size + len(hashes) - common)


def _hashes(text: str) -> frozenset[int]:
    return frozenset(zlib.crc32(word.encode()) & 0xFFFF for word in normalised(text).split())


def import_readings(path: Path, taxonomy: Taxonomy, batch: str, date: str = "") -> pd.DataFrame:
    """Label rows from labelled paragraphs with text, one JSON object a line.

    Each line has ``report``, ``page``, ``drawn``, ``text``, ``labels`` (``{code: valence}``), ``reader`` and, where the
    paragraph was read twice, ``earlier_labels`` of the first reader.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, and ``text``; a paragraph's earlier reading stands before its later one.

    Raises
    ------
    UsageError
        Not JSON, a field missing, a code that the taxonomy does not have, a valence that is none of ``+ - 0``.
    """
    import pandas as pd

    rows: list[dict[str, str]] = []
    seen: dict[str, int] = {}
    for number, reading in _json_lines(path):
        where = f"{path}, line {number}"
        try:
            text, report, page = str(reading["text"]), str(reading["report"]), str(reading["page"])
            drawn, reader, labels = str(reading["drawn"]), str(reading["reader"]), reading["labels"]
        except KeyError as error:
            raise UsageError(f"{where}: the field {error} is missing.") from None
        key = fingerprint(text)
        if key in seen:
            raise UsageError(f"{where}: the same paragraph is already on line {seen[key]}.")
        seen[key] = number
        common = {
            "fingerprint": key,
            "report": report.removeprefix("pdf/"),
            "page": page,
            "date": date,
            "batch": batch,
            "drawn": drawn,
            "sketch": sketch(text),
            "text": text,
        }
        if reading.get("earlier_labels") is not None:
            rows += _rows(reading["earlier_labels"], {**common, "annotator": "language model, first reading"}, where)
        rows += _rows(labels, {**common, "annotator": f"language model, {reader} reading"}, where)
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "text"], dtype="str")
    check_labels(frame, taxonomy, str(path))
    frame = frame.sort_values(["report", "page", "fingerprint"], kind="stable", key=_page_as_number)
    return frame.reset_index(drop=True)


def _page_as_number(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(int) if column.name == "page" else column


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: not JSON ({error}).") from None
        if not isinstance(value, dict):
            raise UsageError(f"{path}, line {number}: not a JSON object.")
        yield number, value


def _rows(labels: object, common: dict[str, str], where: str) -> list[dict[str, str]]:
    if not isinstance(labels, dict):
        raise UsageError(f"{where}: `labels` must be an object of code and valence.")
    pairs = sorted((str(theme), str(valence)) for theme, valence in labels.items())
    return [{**common, "theme": theme, "valence": valence} for theme, valence in pairs or [("", "")]]


def read_labels(path: Path, taxonomy: Taxonomy) -> pd.DataFrame:
    """Read and check a label file.

    Raises
    ------
    UsageError
        One sentence with file and line: not there, a column missing, an unknown theme or valence, a row twice, a
        paragraph said by one annotator to carry no theme and a theme.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"The label file {path} does not exist.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The label file {path} cannot be read: {' '.join(str(error).split())}.") from None
    missing = [column for column in COLUMNS if column not in frame.columns and column != "sketch"]
    if missing:
        raise UsageError(f"The label file {path} has no column `{missing[0]}`; it has {', '.join(frame.columns)}.")
    if "sketch" not in frame.columns:
        frame["sketch"] = ""
    frame["page"] = frame["page"].str.removesuffix(".0")
    check_labels(frame, taxonomy, str(path))
    return frame[list(COLUMNS)]


def check_labels(frame: pd.DataFrame, taxonomy: Taxonomy, name: str) -> None:
    """Refuse label rows that cannot be right: :class:`UsageError` for the first, with its line in the file ``name``."""
    import pandas as pd

    known = {theme.code for theme in taxonomy.all_themes}
    empty = frame["theme"] == ""
    key = ["fingerprint", "annotator", "date", "batch"]
    readings = pd.MultiIndex.from_frame(frame[key])
    both = ~empty & readings.isin(readings[empty])
    faults = (
        (~empty & ~frame["theme"].isin(known), "the theme {theme!r} is not in the taxonomy"),
        (~empty & ~frame["valence"].isin(VALENCES), "the valence of {theme} is {valence!r}, not one of + - 0"),
        (empty & (frame["valence"] != ""), "a valence without a theme"),
        (~frame["fingerprint"].str.fullmatch(r"[0-9a-f]{12}"), "the fingerprint {fingerprint!r} is not 12 hex digits"),
        (~frame["page"].str.fullmatch(r"\d{1,5}"), "the page {page!r} is not a number"),
        (~frame["sketch"].str.fullmatch(r"(\d{1,5}:([0-9a-f]{4})*)?"), "the sketch {sketch!r} is not one"),
        (
            frame.duplicated([*key, "theme"]),
            "{annotator} gives {fingerprint} the theme {theme!r} a second time",
        ),
        (both, "{annotator} says both that {fingerprint} carries no theme and that it carries {theme}"),
    )
    for wrong, message in faults:
        if wrong.any():
            first = int(wrong.to_numpy().argmax())
            said = message.format(**{str(k): v for k, v in frame.iloc[first].items()})
            raise UsageError(f"{name}, line {first + 2}: {said}.")


def write_labels(frame: pd.DataFrame, path: Path) -> None:
    """Write label rows without their text, whole or not at all."""
    write_text(path, frame[list(COLUMNS)].to_csv(index=False, lineterminator="\n"))


def current(labels: pd.DataFrame) -> pd.DataFrame:
    """The reading that counts for each paragraph, whole: a settled one, else the latest (by date, then place).

    Earlier readings and other annotators' stay in the file; agreement is counted on them.
    """
    reading = ["fingerprint", "annotator", "date", "batch"]
    heads = labels[reading].drop_duplicates().reset_index(names="_row")
    heads["_settled"] = heads["annotator"].str.startswith(SETTLED_BY)
    heads = heads.sort_values(["_settled", "date", "_row"], kind="stable")
    last = heads.drop_duplicates("fingerprint", keep="last")[reading]
    return labels.reset_index(names="_row").merge(last, on=reading).sort_values("_row").drop(columns="_row")


def place_labels(labels: pd.DataFrame, paragraphs: pd.DataFrame) -> Placed:
    """Find the paragraph that each label was given to.

    First by fingerprint; then, because another reader may have cut the page differently, the most similar paragraph of
    the same report on the same page or one beside it, if it is at least :data:`SIMILAR`: by edit distance where the
    labels come with ``text``, else by their sketch.

    Parameters
    ----------
    labels : DataFrame
        :data:`COLUMNS`, and ``text`` if known.
    paragraphs : DataFrame
        ``paragraph_id, report, page, text`` and any more columns; ``report`` is a path that ends in the report's folder
        and file name. Columns that labels have too (``report``, ``page``, ``fingerprint``) are the labels' own in the
        result.
    """
    import pandas as pd

    own = paragraphs.assign(
        _key=[fingerprint(text) for text in paragraphs["text"]],
        _report=paragraphs["report"].map(report_key),
        _page=paragraphs["page"].astype(int),
    ).reset_index(drop=True)
    read = labels.drop_duplicates("fingerprint").assign(_report=lambda frame: frame["report"].map(report_key))
    by_key: dict[str, list[int]] = {}
    by_report: dict[str, list[int]] = {}
    for row, (key, report) in enumerate(zip(own["_key"], own["_report"], strict=True)):
        by_key.setdefault(key, []).append(row)
        by_report.setdefault(report, []).append(row)
    found: list[tuple[str, int, float]] = []
    lost: list[dict[str, str]] = []
    for label in read.to_dict("records"):
        same = by_key.get(str(label["fingerprint"]), [])
        if same:
            # The same words can stand in two reports: the label's own first.
            row = next((row for row in same if own["_report"][row] == label["_report"]), same[0])
            found.append((str(label["fingerprint"]), row, 1.0))
            continue
        rows = by_report.get(str(label["_report"]), [])
        page = int(label["page"])
        near = [row for row in rows if abs(int(own["_page"][row]) - page) <= 1]
        best, similarity = _most_similar(label, [(row, str(own["text"][row])) for row in near])
        if best is not None and similarity >= SIMILAR:
            found.append((str(label["fingerprint"]), best, similarity))
            continue
        if not rows:
            reason = "its report is not in the store"
        elif best is None:
            reason = f"nothing was read on page {page} of its report"
        else:
            reason = f"no paragraph near page {page} is similar enough (nearest {similarity:.2f}, needed {SIMILAR})"
        lost.append({**{k: str(label[k]) for k in ("fingerprint", "report", "page")}, "reason": reason})
    places = pd.DataFrame(found, columns=["fingerprint", "_row", "similarity"])
    others = own.drop(columns=[c for c in own.columns if c in labels.columns and c != "text"])
    others = others.drop(columns=["_key", "_report", "_page"])
    matched = labels.drop(columns="text", errors="ignore").merge(places, on="fingerprint")
    matched = matched.merge(others, left_on="_row", right_index=True).drop(columns="_row").reset_index(drop=True)
    unplaced = pd.DataFrame(lost, columns=["fingerprint", "report", "page", "reason"])
    return Placed(matched, unplaced)


def report_key(path: str) -> str:
    """A report's folder and file name in lower case: what stays the same wherever the tree of reports lies."""
    return "/".join(path.replace("\\", "/").lower().rsplit("/", 2)[-2:])


def _most_similar(label: dict[Any, Any], candidates: list[tuple[int, str]]) -> tuple[int | None, float]:
    from rapidfuzz import fuzz

    best: int | None = None
    highest = -1.0
    words = normalised(str(label["text"])) if label.get("text") else None
    for row, text in candidates:
        if words is not None:
            similarity = fuzz.ratio(words, normalised(text)) / 100
        else:
            similarity = resemblance(str(label.get("sketch", "")), text)
        if similarity > highest:
            best, highest = row, similarity
    return best, highest


def rekey(labels: pd.DataFrame, placed: Placed) -> pd.DataFrame:
    """The labels under the fingerprints and sketches of the paragraphs found for them; the unplaced as they were.

    Two labelled paragraphs that turn out to be one in this reading keep the labels of the more similar.
    """
    texts = placed.matched.drop_duplicates("fingerprint").set_index("fingerprint")[["text", "similarity"]]
    new = {key: fingerprint(text) for key, text in texts["text"].items()}
    drawings = {key: sketch(text) for key, text in texts["text"].items()}
    ordered = texts.sort_values("similarity", ascending=False, kind="stable").index
    winners = {new[key]: key for key in reversed(list(ordered))}
    keep = labels["fingerprint"].map(lambda key: key not in new or winners[new[key]] == key)
    kept = labels[keep].copy()
    kept["sketch"] = [drawings.get(key, old) for key, old in zip(kept["fingerprint"], kept["sketch"], strict=True)]
    kept["fingerprint"] = kept["fingerprint"].map(lambda key: new.get(key, key))
    return kept.reset_index(drop=True)


def main(arguments: list[str]) -> int:
    """Make ``labels.csv`` again from readings with text; see the module's text."""
    from pipeline.themes.taxonomy import load_taxonomy

    if len(arguments) != 2:
        print("usage: python -m pipeline.themes.labels READINGS.jsonl LABELS.csv", file=sys.stderr)  # noqa: T201
        return 2
    readings, target = (Path(argument) for argument in arguments)
    try:
        taxonomy = load_taxonomy(target.with_name("taxonomy.yaml"))
        frame = import_readings(readings, taxonomy, batch="first labels")
        write_labels(frame, target)
    except UsageError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    print(f"{frame['fingerprint'].nunique()} paragraphs, {len(frame)} rows -> {target}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
