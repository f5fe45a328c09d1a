"""The four formats filled in and taken back: what is right is entered once, what is wrong is said with its place."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.labelling import layout
from pipeline.labelling.batch import BatchFormat
from pipeline.labelling.importing import Imported, import_labels
from pipeline.store import Store
from pipeline.themes.labels import read_labels
from pipeline.themes.taxonomy import load_taxonomy
from tests.labelling.building import AUTHORITIES, TODAY, export, fill, recut, remove

CAMHS = "CAMHS and emotional well-being"


def held(config: Config) -> pd.DataFrame:
    return read_labels(config.labels, load_taxonomy(config.taxonomy))


def take(store: Store, config: Config, path: Path, annotator: str | None = None, **options: Any) -> Imported:
    return import_labels(store, config, path, annotator, options.pop("today", TODAY), **options)


def three_rows(sheet: Any, at: dict[str, int]) -> None:
    """Row 2: two themes; row 3: none; row 4: one; the others not read."""
    sheet.cell(2, at[CAMHS]).value = "-"
    sheet.cell(2, at["Workforce stability"]).value = 0
    sheet.cell(3, at[layout.NOTHING]).value = "x"
    sheet.cell(4, at["Adoption"]).value = "+"


@pytest.fixture
def workbook(store: Store, config: Config, tmp_path: Path) -> Path:
    return export(store, config, tmp_path / "batch.xlsx", BatchFormat.XLSX, count=6)


def fill_csv(path: Path, change: Callable[[list[dict[str, str]]], None], **form: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    change(rows)
    with path.open("w", encoding=form.pop("encoding", "utf-8-sig"), newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), **form)
        writer.writeheader()
        writer.writerows(rows)


# --- what is right


def test_a_workbook_comes_back(store: Store, config: Config, workbook: Path) -> None:
    imported = take(store, config, fill(workbook, three_rows))
    assert (imported.faults, imported.rows, imported.unread) == ((), 6, 3)
    labels = held(config)
    rows = load_workbook(workbook)[layout.ROWS_SHEET]
    first, second, third = (rows.cell(row, 1).value for row in (2, 3, 4))
    said = [tuple(row) for row in labels[["fingerprint", "theme", "valence"]].itertuples(index=False)]
    assert sorted(said) == sorted(
        [(first, "camhs", "-"), (first, "workforce", "0"), (second, "", ""), (third, "adoption", "+")]
    )
    assert set(labels["annotator"]) == {"Jo Smith"}
    assert set(labels["drawn"]) == {"random"}
    assert set(labels["date"]) == {TODAY.isoformat()}
    assert set(labels["report"]) <= {f"{n}_made up/report {n}.pdf" for n in (1, 2, 3)}
    assert labels["batch"].str.fullmatch(r"2026-11-24 random [0-9a-f]{6}").all()


def test_importing_twice_changes_nothing_even_on_another_day(store: Store, config: Config, workbook: Path) -> None:
    fill(workbook, three_rows)
    take(store, config, workbook)
    before = config.labels.read_bytes()
    again = take(store, config, workbook, today=TODAY + timedelta(days=3))
    assert again.entered is not None
    assert (len(again.entered.new), len(again.entered.held)) == (0, 3)
    assert config.labels.read_bytes() == before


def test_a_workbook_finished_later_adds_the_rest_and_keeps_what_changed_as_history(
    store: Store, config: Config, workbook: Path
) -> None:
    take(store, config, fill(workbook, three_rows))

    def more(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(4, at["Adoption"]).value = "-"
        sheet.cell(5, at["Complaints"]).value = "0"

    fill(workbook, more)
    same_day = take(store, config, workbook)
    assert same_day.entered is not None
    assert [len(same_day.entered.new), len(same_day.entered.replaced)] == [1, 1]
    assert held(config).query("theme == 'adoption'")["valence"].tolist() == ["-"]
    fill(workbook, lambda sheet, at: sheet.cell(4, at["Adoption"], "0"))
    later = take(store, config, workbook, today=TODAY + timedelta(days=1))
    assert later.entered is not None
    assert len(later.entered.superseded) == 1
    assert held(config).query("theme == 'adoption'")["valence"].tolist() == ["-", "0"]


def test_other_labels_stay_as_they_were_byte_for_byte(store: Store, config: Config, workbook: Path) -> None:
    shipped = (Path(__file__).parents[2] / "corpus" / "labels.csv").read_bytes()
    config.labels.write_bytes(shipped)
    take(store, config, fill(workbook, three_rows))
    after = config.labels.read_bytes()
    assert after.startswith(shipped)
    assert after.count(b"\n") == shipped.count(b"\n") + 4


@pytest.mark.parametrize("typed", ["-", " - ", "−", "–", "'-"])
def test_what_spreadsheets_make_of_a_minus_is_one(store: Store, config: Config, workbook: Path, typed: str) -> None:
    take(store, config, fill(workbook, lambda sheet, at: sheet.cell(2, at[CAMHS], typed)))
    assert held(config)["valence"].tolist() == ["-"]


def test_the_name_and_the_day_stand_in_the_workbook(store: Store, config: Config, workbook: Path) -> None:
    fill(workbook, three_rows, name="Ana Silva")
    book = load_workbook(workbook)
    book[layout.START_SHEET]["B4"] = date(2026, 11, 2)
    book.save(workbook)
    take(store, config, workbook)
    assert set(held(config)["annotator"]) == {"Ana Silva"}
    assert set(held(config)["date"]) == {"2026-11-02"}


def test_moved_and_sorted_is_found_by_headings_and_keys(store: Store, config: Config, workbook: Path) -> None:
    fill(workbook, three_rows)
    book = load_workbook(workbook)
    sheet = book[layout.ROWS_SHEET]
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    order = list(reversed(range(len(head))))
    book.remove(sheet)
    turned = book.create_sheet(layout.ROWS_SHEET)
    for row in [head, *reversed(rows)]:
        turned.append([row[place] for place in order])
    book.save(workbook)
    imported = take(store, config, workbook)
    assert imported.faults == ()
    assert sorted(held(config)["theme"]) == ["", "adoption", "camhs", "workforce"]


def test_csv_comes_back_whatever_excel_did_to_it(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "batch.csv", BatchFormat.CSV)

    def change(rows: list[dict[str, str]]) -> None:
        rows[0]["camhs"] = "+"
        rows[1]["No theme"] = "x"

    fill_csv(path, change, delimiter=";", encoding="cp1252")
    imported = take(store, config, path, "Jo")
    assert imported.faults == ()
    assert held(config)["theme"].tolist() == ["camhs", ""]


def test_label_studio_comes_back(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "batch.json", BatchFormat.LABELSTUDIO, suggestions=True)
    tasks = json.loads(path.read_text("utf-8"))

    def choice(name: str, value: str) -> dict[str, Any]:
        return {"from_name": name, "to_name": "paragraph", "type": "choices", "value": {"choices": [value]}}

    for number, task in enumerate(tasks, start=1):
        task["id"] = number
    day = {"created_at": "2026-11-20T10:00:00.000000Z", "was_cancelled": False, "completed_by": 1}
    tasks[0]["annotations"] = [{**day, "result": [choice("camhs", "-"), choice("legal", "0")]}]
    tasks[1]["annotations"] = [{**day, "result": []}]
    tasks[2]["annotations"] = [{**day, "result": [choice("cse", "+")], "was_cancelled": True}]
    path.write_text(json.dumps(tasks), "utf-8")
    imported = take(store, config, path, "Jo")
    assert (imported.faults, imported.unread) == ((), 4)
    assert any("1 tasks were skipped" in note for note in imported.notes)
    assert sorted(held(config)["theme"]) == ["", "camhs", "legal"]
    assert set(held(config)["date"]) == {"2026-11-20"}
    config_xml = (tmp_path / "batch.config.xml").read_text("utf-8")
    assert config_xml.count("<Choices") == 33


def test_doccano_comes_back_with_its_metadata_spread(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "batch.jsonl", BatchFormat.DOCCANO)
    records = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    for number, record in enumerate(records):
        record |= {"id": number, "data": record.pop("text"), "Comments": []}  # as its export has it
    records[0]["label"] = ["camhs -", "adoption +"]
    records[1]["label"] = ["no theme"]
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    imported = take(store, config, path, "Jo")
    assert (imported.faults, imported.unread) == ((), 4)
    assert sorted(held(config)["theme"]) == ["", "adoption", "camhs"]
    names = {label["text"] for label in json.loads((tmp_path / "batch.labels.json").read_text("utf-8"))}
    assert {"camhs -", "camhs 0", "no theme"} <= names
    assert len(names) == 97


def test_a_paragraph_cut_otherwise_since_is_found_by_similarity(store: Store, config: Config, workbook: Path) -> None:
    text = load_workbook(workbook)[layout.ROWS_SHEET].cell(2, 9).value.removeprefix("'")
    fill(workbook, three_rows)
    take(store, config, workbook)
    before = config.labels.read_bytes()
    recut(store, text, text.replace("ward", "the ward"))
    again = take(store, config, workbook)
    assert again.entered is not None
    assert (len(again.entered.new), len(again.entered.held)) == (0, 3)
    assert any("similarity (0.9" in note for note in again.notes)
    assert config.labels.read_bytes() == before
    config.labels.unlink()
    take(store, config, workbook)
    assert len(held(config)) == 4


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_workbook_saved_by_libreoffice_comes_back(
    store: Store, config: Config, workbook: Path, tmp_path: Path
) -> None:
    fill(workbook, three_rows)
    out = tmp_path / "saved"
    profile = (tmp_path / "profile").as_uri()
    command = [
        "soffice",
        f"-env:UserInstallation={profile}",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(out),
    ]
    subprocess.run([*command, str(workbook)], check=True, capture_output=True, timeout=240)
    imported = take(store, config, out / "batch.xlsx")
    assert (imported.faults, imported.unread) == ((), 3)
    assert sorted(held(config)["theme"]) == ["", "adoption", "camhs", "workforce"]


# --- what goes out


def test_the_workbook_tells_its_reader_everything(store: Store, config: Config, workbook: Path) -> None:
    book = load_workbook(workbook)
    assert book.sheetnames == [layout.START_SHEET, layout.ROWS_SHEET, layout.FACTS_SHEET]
    assert book[layout.FACTS_SHEET].sheet_state == "veryHidden"
    sheet = book[layout.ROWS_SHEET]
    at = {cell.value: cell for cell in sheet[1]}
    themes = load_taxonomy(config.taxonomy).themes
    assert all(theme.definition in at[theme.name].comment.text for theme in themes)
    assert sheet.freeze_panes == "J2"
    hidden = {layout.KEY, layout.REPORT, layout.DRAWN}
    for heading, cell in at.items():
        assert sheet.column_dimensions[cell.column_letter].hidden is (heading in hidden)
    lists = {validation.formula1: str(validation.sqref) for validation in sheet.data_validations.dataValidation}
    assert lists == {'"+,-,0"': "J2:AO7", '"x"': "AP2:AP7"}
    start = "\n".join(str(cell.value) for row in book[layout.START_SHEET] for cell in row if cell.value)
    assert all(theme.name in start and theme.definition in start for theme in themes)
    assert sheet["H2"].hyperlink.location == f"page={sheet['H2'].value}" or "#page=" in sheet["H2"].hyperlink.target


def test_nothing_that_goes_out_can_be_run(store: Store, config: Config, tmp_path: Path) -> None:
    book = export(store, config, tmp_path / "all.xlsx", BatchFormat.XLSX, count=99)
    cells = [cell for sheet in load_workbook(book) for row in sheet for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    authorities = {str(cell.value) for cell in cells if AUTHORITIES[2] in str(cell.value)}
    assert authorities == {f"'{AUTHORITIES[2]}"}
    rows = csv.reader(
        io.StringIO(export(store, config, tmp_path / "all.csv", BatchFormat.CSV, count=99).read_text("utf-8-sig"))
    )
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+", "-"))]


# --- what is wrong


def refused(store: Store, config: Config, path: Path, *said: str, annotator: str | None = None) -> None:
    """Nothing is imported, and the first fault says all of ``said``."""
    imported = take(store, config, path, annotator)
    assert imported.entered is None
    assert not config.labels.exists()
    assert imported.faults
    for words in said:
        assert words in imported.faults[0]


def test_a_cell_that_is_no_sign(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        three_rows(sheet, at)
        sheet.cell(4, at[CAMHS]).value = "yes"

    fill(workbook, change)
    refused(store, config, workbook, "batch.xlsx, sheet 'Paragraphs', cell Z4 (camhs): 'yes' is not one of + - 0")
    skipped = take(store, config, workbook, skip_bad=True)
    assert skipped.entered is not None
    assert len(skipped.entered.new) == 2
    assert len(skipped.faults) == 1
    assert "adoption" not in set(held(config)["theme"])


@pytest.mark.parametrize("typed", [1, True, "++", "=1-1", 0.5])
def test_other_things_that_are_no_sign(store: Store, config: Config, workbook: Path, typed: object) -> None:
    fill(workbook, lambda sheet, at: sheet.cell(2, at[CAMHS], typed))
    refused(store, config, workbook, "(camhs)", "is not one of + - 0")


def test_a_theme_and_no_theme(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(2, at[CAMHS]).value = "+"
        sheet.cell(2, at[layout.NOTHING]).value = "x"

    refused(store, config, fill(workbook, change), "row 2", "both to carry no theme and to carry camhs")


def copy_row(sheet: Any, source: int, target: int) -> None:
    for cell in sheet[source]:
        sheet.cell(target, cell.column).value = cell.value


def test_doubled_rows(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        three_rows(sheet, at)
        copy_row(sheet, 2, 8)

    fill(workbook, change)
    refused(store, config, workbook, "row 8: the paragraph of sheet 'Paragraphs', row 2 a second time, with the same")
    assert len(take(store, config, workbook, skip_bad=True).entered.new) == 3  # type: ignore[union-attr]


def test_contradictory_rows(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        three_rows(sheet, at)
        copy_row(sheet, 2, 8)
        sheet.cell(8, at[CAMHS]).value = "+"

    fill(workbook, change)
    refused(store, config, workbook, "row 8", "a second time, with other labels")
    take(store, config, workbook, skip_bad=True)
    assert sorted(held(config)["theme"]) == ["", "adoption"]


def test_a_paragraph_that_is_gone(store: Store, config: Config, workbook: Path) -> None:
    text = load_workbook(workbook)[layout.ROWS_SHEET].cell(2, 9).value.removeprefix("'")
    remove(store, text)
    fill(workbook, three_rows)
    refused(store, config, workbook, "row 2: the paragraph is not in the store")
    assert len(take(store, config, workbook, skip_bad=True).entered.new) == 2  # type: ignore[union-attr]


def test_a_column_sorted_by_itself(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        three_rows(sheet, at)
        texts = [sheet.cell(row, at[layout.TEXT]).value for row in range(2, 8)]
        for row, text in enumerate([*texts[1:], texts[0]], start=2):
            sheet.cell(row, at[layout.TEXT]).value = text

    refused(store, config, fill(workbook, change), "row 2: the text is not that of its key")


def test_a_row_that_was_added(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(8, at[layout.TEXT]).value = "Somebody's own paragraph."
        sheet.cell(8, at[CAMHS]).value = "+"

    fill(workbook, change)
    refused(store, config, workbook, "row 8")
    assert any("has no key" in fault for fault in take(store, config, workbook).faults)


def test_a_theme_that_the_taxonomy_does_not_have(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "batch.jsonl", BatchFormat.DOCCANO)
    path.write_text(path.read_text("utf-8").replace('"label": []', '"label": ["witchcraft +"]', 1), "utf-8")
    refused(store, config, path, "line 1: the theme 'witchcraft' is not in the taxonomy", annotator="Jo")
    csv_path = export(store, config, tmp_path / "batch.csv", BatchFormat.CSV)
    fill_csv(csv_path, lambda rows: [row.update(witchcraft="+") for row in rows] and None)
    with pytest.raises(UsageError, match="'witchcraft' holds signs, but the taxonomy has no such theme"):
        take(store, config, csv_path, "Jo")


def test_renamed_removed_and_doubled_columns(store: Store, config: Config, workbook: Path, tmp_path: Path) -> None:
    original = workbook.read_bytes()
    renamed = fill(workbook, lambda sheet, at: sheet.cell(1, at["Adoption"], "Adoptions"))
    with pytest.raises(UsageError, match=r"'Adoption' is missing or was renamed \(is it 'Adoptions' in cell W1\?\)"):
        take(store, config, renamed)
    workbook.write_bytes(original)
    removed = fill(workbook, lambda sheet, at: sheet.delete_cols(at["Adoption"]))
    with pytest.raises(UsageError, match="the column 'Adoption' is missing"):
        take(store, config, removed)
    workbook.write_bytes(original)
    doubled = fill(workbook, lambda sheet, at: sheet.cell(1, at["Adoption"], "camhs"))
    with pytest.raises(UsageError, match="is there twice"):
        take(store, config, doubled)
    workbook.write_bytes(original)
    headless = fill(workbook, lambda sheet, _: sheet.delete_rows(1))
    with pytest.raises(UsageError, match="is missing or was renamed"):
        take(store, config, headless)


def test_a_column_of_the_readers_own_is_left_alone_and_said(store: Store, config: Config, workbook: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        three_rows(sheet, at)
        sheet.cell(1, 60).value = "My notes"
        sheet.cell(2, 60).value = "ask Kim"

    imported = take(store, config, fill(workbook, change))
    assert imported.faults == ()
    assert any("'My notes' (cell BH1)" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (None, None, "does not say who"),
        ("Ana", "Kim", "filled in by 'Ana', not 'Kim'"),
        ("=cmd", None, "must begin with a letter"),
        (None, "settled by Kim", "pass for a settled label"),
    ],
)
def test_whose_labels(
    store: Store, config: Config, workbook: Path, name: str | None, given: str | None, said: str
) -> None:
    fill(workbook, three_rows, name=name)
    with pytest.raises(UsageError, match=said):
        take(store, config, workbook, given)
    assert not config.labels.exists()


@pytest.mark.parametrize(("day", "said"), [("soon", "is not a date"), ("2199-01-01", "in the future")])
def test_a_day_that_cannot_be(store: Store, config: Config, workbook: Path, day: str, said: str) -> None:
    fill(workbook, three_rows)
    book = load_workbook(workbook)
    book[layout.START_SHEET]["B4"] = day
    book.save(workbook)
    with pytest.raises(UsageError, match=said):
        take(store, config, workbook)


def test_a_label_studio_task_that_two_people_read_differently(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "batch.json", BatchFormat.LABELSTUDIO)
    tasks = json.loads(path.read_text("utf-8"))
    tasks[0]["annotations"] = [
        {"result": [{"from_name": "camhs", "value": {"choices": [sign]}}], "completed_by": sign} for sign in "+-"
    ]
    path.write_text(json.dumps(tasks), "utf-8")
    refused(store, config, path, "task 1: 2 annotations that differ", annotator="Jo")


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/workbook.xml", "w") as part:
        for _ in range(300):
            part.write(b" " * 2**20)


def entities(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/workbook.xml", '<?xml version="1.0"?>' + " " * 2**20 + '<!DOCTYPE x [<!ENTITY a "b">]><x/>'
        )


def of_somebody_else(path: Path) -> None:
    Workbook().save(path)


def damaged(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (bomb, "unpacks to more than"),
        (entities, "declares entities"),
        (of_somebody_else, "was not made by"),
        (damaged, "cannot be read as a workbook"),
        (lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old"), "old .xls workbook or has a password"),
        (lambda path: path.write_bytes(b"hello"), "is not an .xlsx workbook"),
    ],
)
def test_files_that_are_no_batch(
    store: Store, config: Config, tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "other.xlsx"
    make(path)
    with pytest.raises(UsageError, match=said):
        take(store, config, path, "Jo")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "[" * 100_000, "not JSON"),
        ("a.json", '[{"id": 1, "text": "x"}]', "not JSON-MIN"),
        ("a.jsonl", "[1]", "not a JSON object"),
        ("a.jsonl", "{", "line 1: not JSON"),
        ("a.csv", "", "no headings"),
        ("a.csv", "x,y\n1,2\n", "is missing or was renamed"),
        ("a.txt", "", "is none of"),
    ],
)
def test_other_files_that_are_no_batch(
    store: Store, config: Config, tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=said):
        take(store, config, tmp_path / name, "Jo")


def test_labels_changed_meanwhile_are_not_written_over(
    store: Store, config: Config, workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.labelling import importing

    fill(workbook, three_rows)
    enter = importing.enter

    def meanwhile(*arguments: Any) -> Any:
        config.labels.write_text("somebody else's", "utf-8")
        return enter(*arguments)

    monkeypatch.setattr(importing, "enter", meanwhile)
    with pytest.raises(PipelineError, match="changed by another program meanwhile"):
        take(store, config, workbook)
    assert config.labels.read_text("utf-8") == "somebody else's"
