"""Stand-off labels: made from readings, checked, and found again when a page is cut differently."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.domain import RANDOM_DRAWS, fingerprint
from pipeline.errors import UsageError
from pipeline.themes.dataset import folder_of
from pipeline.themes.labels import (
    COLUMNS,
    SETTLED_BY,
    current,
    import_readings,
    place_labels,
    read_labels,
    rekey,
    resemblance,
    sketch,
    write_labels,
)
from pipeline.themes.readings import read_held_out
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

CORPUS = Path(__file__).parents[2] / "corpus"

VISITS = (
    "Most children see the same social worker every fortnight, and the workers we met knew what their children like. "
    "Supervision happens monthly but its record rarely says what should be done next, or by when."
)
COURT = (
    "Letters before proceedings are clear and go out on time. Judges told us that the statements "
    "they read have become shorter and better argued since the spring."
)
AREA = "Eastmarch lies on the coast and has nineteen primary schools, two of them on the island of Hare."


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(CORPUS / "taxonomy.yaml")


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    path = tmp_path / "readings.jsonl"
    report = "pdf/900001_eastmarch/inspection - 01 june 2024.pdf"
    rows = [
        {"report": report, "page": 3, "drawn": "random", "reader": "second", "text": VISITS,
         "labels": {"social_work_practice": "+", "supervision": "-"}, "earlier_labels": {"supervision": "0"}},
        {"report": report, "page": 4, "drawn": "uncertain", "reader": "first", "text": COURT, "labels": {"legal": "+"}},
        {"report": report, "page": 10, "drawn": "random", "reader": "first", "text": AREA, "labels": {}},
    ]  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def paragraphs(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"paragraph_id": f"p{i}", "report": report, "page": page, "text": text, "urn": "900001"}
            for i, (report, page, text) in enumerate(rows)
        ],
        columns=["paragraph_id", "report", "page", "text", "urn"],
    )


REPORT = "C:\\reports\\pdf\\900001_Eastmarch\\Inspection - 01 June 2024.pdf"


def test_readings_become_rows_without_text_and_come_back(readings: Path, taxonomy: Taxonomy, tmp_path: Path) -> None:
    frame = import_readings(readings, taxonomy, batch="b", date="2024-06-30")
    target = tmp_path / "labels.csv"
    write_labels(frame, target)
    back = read_labels(target, taxonomy)
    pd.testing.assert_frame_equal(back, frame[list(COLUMNS)], check_dtype=False)
    assert "fortnight" not in target.read_text(encoding="utf-8")
    assert back["page"].tolist() == ["3", "3", "3", "4", "10"]
    assert back.loc[back["fingerprint"] == fingerprint(AREA), "theme"].tolist() == [""]


def test_the_later_reading_counts_and_the_earlier_one_is_kept(readings: Path, taxonomy: Taxonomy) -> None:
    frame = import_readings(readings, taxonomy, batch="b")
    now = current(frame)
    mine = now[now["fingerprint"] == fingerprint(VISITS)]
    assert dict(zip(mine["theme"], mine["valence"], strict=True)) == {"social_work_practice": "+", "supervision": "-"}
    assert len(frame) == len(now) + 1


def test_a_reading_of_a_later_date_counts_wherever_it_stands_in_the_file(readings: Path, taxonomy: Taxonomy) -> None:
    frame = import_readings(readings, taxonomy, batch="b", date="2024-06-30")
    officer = frame[frame["theme"] == "legal"].assign(annotator="officer", date="2025-01-01", theme="learning")
    now = current(pd.concat([officer, frame], ignore_index=True))
    assert now.loc[now["fingerprint"] == fingerprint(COURT), "theme"].tolist() == ["learning"]


def test_a_paragraph_is_found_by_its_words_whatever_its_typography(readings: Path, taxonomy: Taxonomy) -> None:
    labels = import_readings(readings, taxonomy, batch="b")[list(COLUMNS)]
    placed = place_labels(labels, paragraphs((REPORT, 9, VISITS.upper()), (REPORT, 4, COURT), (REPORT, 10, AREA)))
    assert placed.unplaced.empty
    assert set(placed.matched["similarity"]) == {1.0}
    assert set(placed.matched["paragraph_id"]) == {"p0", "p1", "p2"}
    assert set(placed.matched["urn"]) == {"900001"}


@pytest.mark.parametrize("with_text", [True, False])
def test_a_paragraph_cut_a_little_differently_is_found_on_its_page_and_no_further(
    readings: Path, taxonomy: Taxonomy, with_text: bool
) -> None:
    labels = import_readings(readings, taxonomy, batch="b")
    labels = labels if with_text else labels[list(COLUMNS)]
    longer = f"12 {VISITS} See"
    near = place_labels(labels, paragraphs((REPORT, 4, longer), (REPORT, 4, COURT), (REPORT, 10, AREA)))
    assert near.unplaced.empty
    moved = near.matched[near.matched["fingerprint"] == fingerprint(VISITS)]
    assert set(moved["paragraph_id"]) == {"p0"}
    assert 0.9 <= moved["similarity"].iloc[0] < 1
    far = place_labels(labels, paragraphs((REPORT, 7, longer), (REPORT, 4, COURT), (REPORT, 10, AREA)))
    assert far.unplaced["fingerprint"].tolist() == [fingerprint(VISITS)]
    assert "no paragraph near page 3 is similar enough" in far.unplaced["reason"].iloc[0]


@pytest.mark.parametrize("with_text", [True, False])
def test_a_merely_similar_paragraph_is_not_taken_for_the_labelled_one(
    readings: Path, taxonomy: Taxonomy, with_text: bool
) -> None:
    labels = import_readings(readings, taxonomy, batch="b")
    labels = labels if with_text else labels[list(COLUMNS)]
    half = VISITS[: len(VISITS) // 2] + COURT
    placed = place_labels(labels, paragraphs((REPORT, 3, half), ("x/other.pdf", 4, COURT), (REPORT, 10, AREA)))
    assert placed.unplaced["fingerprint"].tolist() == [fingerprint(VISITS)]
    assert "similar enough" in placed.unplaced["reason"].iloc[0]


def test_a_report_that_is_not_in_the_store_is_said(readings: Path, taxonomy: Taxonomy) -> None:
    labels = import_readings(readings, taxonomy, batch="b")
    elsewhere = place_labels(labels, paragraphs((REPORT, 20, "A heading")))
    assert elsewhere.unplaced["reason"].iloc[0] == "nothing was read on page 3 of its report"
    placed = place_labels(labels, paragraphs())
    assert placed.matched.empty
    assert set(placed.unplaced["reason"]) == {"its report is not in the store"}


def test_rekeyed_labels_are_found_by_fingerprint_the_next_time(readings: Path, taxonomy: Taxonomy) -> None:
    labels = import_readings(readings, taxonomy, batch="b")[list(COLUMNS)]
    store = paragraphs((REPORT, 3, VISITS + " See"), (REPORT, 4, COURT))
    again = rekey(labels, place_labels(labels, store))
    assert len(again) == len(labels)
    placed = place_labels(again, store)
    assert set(placed.matched["similarity"]) == {1.0}
    assert placed.unplaced["fingerprint"].tolist() == [fingerprint(AREA)]


def test_a_sketch_tells_how_alike_two_paragraphs_are_and_holds_no_text() -> None:
    assert resemblance(sketch(VISITS), VISITS) == 1
    assert resemblance(sketch(VISITS), COURT) < 0.4
    assert resemblance(sketch(VISITS), VISITS + " " + COURT) < 0.75
    assert resemblance(sketch(""), VISITS) == 0
    assert len(sketch(VISITS * 10)) <= 60


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("theme", "weather", "line 2: the theme 'weather' is not in the taxonomy"),
        ("valence", "good", "line 2: the valence of supervision is 'good', not one of"),
        ("fingerprint", "=cmd()", "line 2: the fingerprint '=cmd()' is not 12 hex digits"),
        ("page", "three", "line 2: the page 'three' is not a number"),
        ("sketch", "9:zz", "line 2: the sketch '9:zz' is not one"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(
    readings: Path, taxonomy: Taxonomy, tmp_path: Path, column: str, value: str, said: str
) -> None:
    frame = import_readings(readings, taxonomy, batch="b")
    frame.loc[0, column] = value
    write_labels(frame, tmp_path / "wrong.csv")
    with pytest.raises(UsageError, match=r"wrong\.csv") as caught:
        read_labels(tmp_path / "wrong.csv", taxonomy)
    assert said in str(caught.value)


def test_doubled_and_contradictory_rows_are_refused(readings: Path, taxonomy: Taxonomy, tmp_path: Path) -> None:
    frame = import_readings(readings, taxonomy, batch="b")
    write_labels(pd.concat([frame, frame.iloc[[3]]]), tmp_path / "twice.csv")
    with pytest.raises(UsageError, match=r"line 7: language model, first reading gives \w+ the theme 'legal' a second"):
        read_labels(tmp_path / "twice.csv", taxonomy)
    write_labels(pd.concat([frame, frame.iloc[[3]].assign(theme="", valence="")]), tmp_path / "both.csv")
    with pytest.raises(UsageError, match="says both that"):
        read_labels(tmp_path / "both.csv", taxonomy)


def test_a_file_that_is_missing_or_lacks_a_column_is_named(tmp_path: Path, taxonomy: Taxonomy) -> None:
    with pytest.raises(UsageError, match=r"labels\.csv does not exist"):
        read_labels(tmp_path / "labels.csv", taxonomy)
    (tmp_path / "labels.csv").write_text("fingerprint,theme\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no column `report`"):
        read_labels(tmp_path / "labels.csv", taxonomy)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"text": "a"}', "the field 'report' is missing"),
        ('{"text":"a","report":"r","page":1,"drawn":"x","reader":"first","labels":["legal"]}', "must be an object"),
        ('{"text":"a","report":"r","page":1,"drawn":"x","reader":"first","labels":{"sport":"+"}}', "'sport' is not in"),
    ],
)
def test_a_wrong_reading_is_named_with_its_line(tmp_path: Path, taxonomy: Taxonomy, line: str, said: str) -> None:
    (tmp_path / "r.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(UsageError, match=r"r\.jsonl") as caught:
        import_readings(tmp_path / "r.jsonl", taxonomy, batch="b")
    assert said in str(caught.value)


def test_the_first_shipped_labels_are_what_the_importer_makes_of_the_shared_readings(
    shared: Path, taxonomy: Taxonomy, tmp_path: Path
) -> None:
    made = import_readings(shared / "labels" / "labels.jsonl", taxonomy, batch="first labels")
    shipped = read_labels(CORPUS / "labels.csv", taxonomy)
    write_labels(shipped[shipped["batch"] == "first labels"], tmp_path / "shipped.csv")
    write_labels(made, tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_bytes() == (tmp_path / "shipped.csv").read_bytes()
    assert made["fingerprint"].nunique() == 7280
    given = [json.loads(line) for line in (shared / "labels" / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {fingerprint(row["text"]) for row in given} == set(made["fingerprint"])
    assert sum(len(row["labels"]) for row in given) == (current(made)["theme"] != "").sum()


def test_the_later_shipped_labels_are_of_other_paragraphs_and_estimate_no_prevalence(taxonomy: Taxonomy) -> None:
    shipped = read_labels(CORPUS / "labels.csv", taxonomy)
    first = shipped["batch"] == "first labels"
    later = shipped[~first]
    read = later[~later["annotator"].str.startswith(SETTLED_BY)]
    assert not set(read["fingerprint"]) & set(shipped.loc[first, "fingerprint"])
    assert read.drop_duplicates(["fingerprint", "annotator"])["fingerprint"].is_unique
    assert set(read["drawn"]) == {"uncertain", "unlabelled, at random"}
    # Settled where models contradicted a label: what estimates prevalence must not be read again for that reason.
    assert not set(later["drawn"]) & RANDOM_DRAWS
    assert set(later["report"].str.split("/").str[0]) <= set(shipped.loc[first, "report"].str.split("/").str[0])
    # The authorities that the encoder is measured on keep out of what it learns from.
    measured = shipped["fingerprint"].isin(read_held_out(CORPUS.parent / "models" / "encoder").fingerprints)
    assert not set(later["report"].map(folder_of)) & set(shipped.loc[measured, "report"].map(folder_of))
