"""The main job as a user runs it: reports in, tables out; with nothing new; with one more; killed; with bad input."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.corpora import REPOSITORY, OwnCorpus

NOT_FOUND = "not a PDF: the publisher's 'Report not found' page"


def truth(name: str) -> list[dict[str, str]]:
    with (REPOSITORY / "corpus" / "sample" / "expected" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def below(source_path: str) -> str:
    """A report's folder and name, whatever its source was called."""
    return "/".join(source_path.split("/")[-2:])


def test_every_report_is_read_or_set_aside_with_its_reason(first_run: tuple[OwnCorpus, dict]) -> None:
    corpus, summary = first_run
    found = {below(row["source_path"]): row for row in corpus.export("reports")}
    expected = {below(row["path"]): row for row in truth("reports.csv")}
    assert set(found) == set(expected)
    for path, row in expected.items():
        for column in ("status", "urn", "framework", "inspection_type", "published", "inspection_start",
                       "inspection_end", "lead_inspector", "authority", "pages"):  # fmt: skip
            if row["status"] == "extracted" or column == "status":
                assert found[path][column] == row[column], (path, column)
    assert {below(aside["source_path"]) for aside in summary["set_aside"]} == {
        path for path, row in expected.items() if row["status"] == "set aside"
    }
    assert NOT_FOUND in {aside["reason"] for aside in summary["set_aside"]}


def test_judgements_are_the_sample_s_own_and_none_is_invented(first_run: tuple[OwnCorpus, dict]) -> None:
    found = {(below(row["source_path"]), row["domain"]): row["grade"] for row in first_run[0].export("judgements")}
    assert found == {(below(row["path"]), row["domain"]): row["grade"] for row in truth("judgements.csv")}


def test_paragraphs_are_the_sample_s_own(first_run: tuple[OwnCorpus, dict]) -> None:
    corpus, _ = first_run
    paths = {row["report_id"]: below(row["source_path"]) for row in corpus.export("reports")}
    found = Counter(
        (paths[row["report_id"]], row["section"], row["text"])
        for row in corpus.export("paragraphs")
        if row["substantive"] == "True"
    )
    expected = Counter((below(row["path"]), row["section"], row["text"]) for row in truth("paragraphs.csv"))
    assert found == expected


def test_the_tables_bases_add_up_and_are_the_tags_own(first_run: tuple[OwnCorpus, dict]) -> None:
    corpus, _ = first_run
    rows = json.loads(corpus.pipeline("tables", "--format", "json").out)
    reports = [row for row in corpus.export("reports") if row["status"] == "extracted"]
    by_theme: dict[str, list[dict]] = {}
    for row in rows:
        by_theme.setdefault(row["theme"], []).append(row)
    assert len(by_theme) == 32
    for cells in by_theme.values():
        assert [cell["band"] for cell in cells] == [
            "outstanding", "good", "requires improvement", "inadequate", "not judged",
        ]  # fmt: skip
        assert sum(cell["of_reports"] for cell in cells) == len(reports)
    tags = corpus.export("tags")
    assert {tag["valence"] for tag in tags} <= {"+", "-", "0"}
    for theme, cells in by_theme.items():
        assert sum(cell["paragraphs"] for cell in cells) == sum(tag["theme"] == theme for tag in tags)
        assert sum(cell["strengths"] + cell["weaknesses"] + cell["mixed"] for cell in cells) == sum(
            cell["paragraphs"] for cell in cells
        )


def test_poor_reports_put_themes_as_weaknesses_more_often_than_good_ones(first_run: tuple[OwnCorpus, dict]) -> None:
    rows = json.loads(first_run[0].pipeline("tables", "--format", "json").out)

    def weak(band: str) -> float:
        cells = [row for row in rows if row["band"] == band]
        return sum(cell["weaknesses"] for cell in cells) / sum(cell["paragraphs"] for cell in cells)

    assert weak("inadequate") > weak("requires improvement") > weak("good") > weak("outstanding")


def test_a_second_run_with_nothing_new_does_nothing_and_says_so(ready: OwnCorpus) -> None:
    before = {path: path.stat().st_mtime_ns for path in ready.output.rglob("*") if path.is_file()}
    ran = ready.pipeline("run")
    assert ran.code == 0
    assert "Nothing new" in ran.out
    assert {path: path.stat().st_mtime_ns for path in ready.output.rglob("*") if path.is_file()} == before
    summary = ready.pipeline("run", "--json").json
    assert summary["nothing_new"]
    assert all(outcome["done"] == 0 for outcome in summary["outcomes"])


def test_one_new_report_is_picked_up_alone_and_what_moved_is_said(
    first_run: tuple[OwnCorpus, dict], tmp_path: Path
) -> None:
    corpus = OwnCorpus(tmp_path)
    originals = sorted((REPOSITORY / "corpus" / "sample" / "reports").rglob("*.pdf"))
    good = [path for path in originals if path.stat().st_size > 50_000][:3]
    for path in good[:2]:
        (corpus.reports / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, corpus.reports / path.parent.name / path.name)
    corpus.configure()
    assert corpus.pipeline("run", "--until", "tables", "--quiet").code == 0
    kept = {row["report_id"]: row for row in corpus.export("reports")}
    (corpus.reports / good[2].parent.name).mkdir(exist_ok=True)
    shutil.copy2(good[2], corpus.reports / good[2].parent.name / good[2].name)
    summary = corpus.pipeline("run", "--until", "tables", "--json").json
    assert [below(new["source_path"]) for new in summary["new_reports"]] == [f"{good[2].parent.name}/{good[2].name}"]
    done = {outcome["stage"]: outcome["done"] for outcome in summary["outcomes"]}
    assert (done["download"], done["extract"], done["tag"]) == (1, 1, 1)
    assert summary["moved"]
    assert all(cell["reports"] - cell["reports_before"] in (0, 1) for cell in summary["moved"])
    after = {row["report_id"]: row for row in corpus.export("reports")}
    assert {key: after[key] for key in kept} == kept


def test_copies_moves_changes_and_losses_of_files_are_told_apart(ready: OwnCorpus) -> None:
    files = sorted(path for path in ready.reports.rglob("*.pdf") if path.stat().st_size > 50_000)
    first, second, third = files[:3]
    rows = {below(row["source_path"]): row for row in ready.export("reports")}

    def row_of(path: Path) -> dict[str, str]:
        return rows[f"{path.parent.name}/{path.name}"]

    shutil.copy2(first, first.with_name("a copy.pdf"))
    moved = second.with_name("another name.pdf")
    second.rename(moved)
    changed_from = third.read_bytes()
    third.write_bytes(files[3].read_bytes() + b"\n")
    files[4].unlink()
    ran = ready.pipeline("run", "--until", "tables", "--json").json
    now = {below(row["source_path"]): row for row in ready.export("reports")}
    assert now[f"{first.parent.name}/a copy.pdf"]["status"] == "duplicate"
    assert now[f"{first.parent.name}/a copy.pdf"]["reason"].startswith("same content as")
    assert now[f"{moved.parent.name}/{moved.name}"]["report_id"] == row_of(second)["report_id"]
    old = next(row for row in ready.export("reports") if row["report_id"] == row_of(third)["report_id"])
    assert old["status"] == "replaced"
    assert now[f"{files[4].parent.name}/{files[4].name}"]["status"] == "extracted"
    assert any("no longer at its source" in note for note in ran["notes"])
    third.write_bytes(changed_from)
    ready.pipeline("run", "--until", "tables", "--quiet")
    again = next(row for row in ready.export("reports") if row["report_id"] == row_of(third)["report_id"])
    assert again["status"] == "extracted"


def test_a_run_killed_anywhere_ends_in_the_same_tables(first_run: tuple[OwnCorpus, dict], tmp_path: Path) -> None:
    whole = first_run[0]
    corpus = OwnCorpus(tmp_path)
    shutil.copytree(whole.reports, corpus.reports)
    corpus.configure()
    for wait in (1.0, 2.5, 5.0):
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "--quiet"],
            cwd=corpus.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        time.sleep(0.2)
    assert corpus.pipeline("run", "--quiet").code in (0, 3)
    for what in ("judgements", "paragraphs", "tags", "frequencies"):
        assert corpus.export(what) == whole.export(what), what
    assert not [path for path in corpus.output.rglob(".*") if path.is_file()]


def test_a_theme_added_split_or_retired_is_retagged_and_said(ready: OwnCorpus) -> None:
    taxonomy = (REPOSITORY / "corpus" / "taxonomy.yaml").read_text(encoding="utf-8")
    added = taxonomy.replace(
        "\nthemes:\n",
        "\nthemes:\n  - code: housing\n    name: Housing\n    definition: Homes for families.\n"
        "    terms: [housing, homeless]\n",
    )
    assert added != taxonomy
    (ready.folder / "own.yaml").write_text(added, encoding="utf-8")
    ready.configure(taxonomy="own.yaml")
    summary = ready.pipeline("run", "--until", "tables", "--json").json
    assert any("housing" in note and "terms" in note for note in summary["notes"])
    assert any("tagged anew" in note for note in summary["notes"])
    tags = ready.export("tags")
    own = [tag for tag in tags if tag["theme"] == "housing"]
    assert own
    assert {tag["model_id"] for tag in own} == {"terms"}
    retired = taxonomy.replace("  - code: camhs\n", "  - code: camhs\n    retired: true\n")
    assert retired != taxonomy
    (ready.folder / "own.yaml").write_text(retired, encoding="utf-8")
    ready.pipeline("run", "--until", "tables", "--quiet")
    assert not [tag for tag in ready.export("tags") if tag["theme"] in ("camhs", "housing")]


def test_stages_after_until_are_left_alone(tmp_path: Path) -> None:
    corpus = OwnCorpus(tmp_path)
    source = next(
        path for path in (REPOSITORY / "corpus" / "sample" / "reports").rglob("*.pdf") if path.stat().st_size > 50_000
    )
    corpus.reports.mkdir()
    shutil.copy2(source, corpus.reports / "any name at all.pdf")
    corpus.configure()
    assert corpus.pipeline("run", "--until", "extract", "--quiet").code == 0
    (row,) = corpus.export("reports")
    assert row["status"] == "extracted"
    assert row["framework"]
    assert row["authority"]  # read from the document: the name says nothing
    assert corpus.export("tags") == []
    assert not corpus.output.exists()
    status = corpus.pipeline("status", "--json").json
    assert status["stale"]["tag"] == 1
    assert status["stale"]["extract"] == 0


def test_imported_files_join_the_next_run(ready: OwnCorpus, tmp_path: Path) -> None:
    source = next(path for path in ready.reports.rglob("*.pdf") if path.stat().st_size > 50_000)
    other = tmp_path / "elsewhere" / "another report.pdf"
    other.parent.mkdir()
    other.write_bytes(source.read_bytes() + b"\n%more\n")
    assert ready.pipeline("import", str(other)).code == 0
    assert "held already" in ready.pipeline("import", str(other.parent)).out
    summary = ready.pipeline("run", "--until", "tables", "--json").json
    assert [Path(new["source_path"]).name for new in summary["new_reports"]] == ["another report.pdf"]
    assert ready.pipeline("import", str(tmp_path / "absent.pdf")).code == 2


def test_a_dry_run_lists_and_changes_nothing(ready: OwnCorpus) -> None:
    (ready.reports / "one more.pdf").write_bytes(b"%PDF-1.4 not much of one")
    plan = ready.pipeline("run", "--dry-run", "--json").json
    assert [Path(path).name for path in plan["listings"]] == ["one more.pdf"]
    assert "one more.pdf" not in {Path(row["source_path"]).name for row in ready.export("reports")}


@pytest.mark.parametrize(
    ("settings", "code", "says"),
    [
        ({"sources": [{"name": "a", "type": "folder", "path": "absent"}]}, 2, "does not exist"),
        ({"sources": [{"name": "a", "type": "folder", "path": "empty"}]}, 2, "no PDF in it"),
        ({"taxonomy": "absent.yaml"}, 2, "absent.yaml"),
        ({"models": "absent"}, 1, "absent"),
        ({"store": "mysql+nodriver://x/y"}, 2, "store"),
        ({"sauces": []}, 2, "unknown key 'sauces'"),
    ],
)
def test_bad_settings_are_one_sentence_and_the_store_stays(
    ready: OwnCorpus, settings: dict[str, object], code: int, says: str
) -> None:
    before = [ready.export(what) for what in ("reports", "tags", "frequencies")]
    (ready.folder / "empty").mkdir()
    ready.configure(**settings)
    ran = ready.pipeline("run")
    assert ran.code == code, ran.err
    assert says in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    ready.configure()
    assert [ready.export(what) for what in ("reports", "tags", "frequencies")] == before


def test_a_doubled_code_and_a_foreign_taxonomy_are_refused(ready: OwnCorpus) -> None:
    taxonomy = (REPOSITORY / "corpus" / "taxonomy.yaml").read_text(encoding="utf-8")
    own = ready.folder / "own.yaml"
    ready.configure(taxonomy="own.yaml")
    own.write_text(taxonomy.replace("  - code: camhs\n", "  - code: health\n", 1), encoding="utf-8")
    ran = ready.pipeline("run")
    assert ran.code == 2
    assert "health" in ran.err
    assert "line" in ran.err
    own.write_text(
        "name: other\nthemes:\n  - {code: tides, name: Tides, definition: The sea., terms: [tide]}\n"
        "  - {code: winds, name: Winds, definition: The air., terms: [wind]}\n",
        encoding="utf-8",
    )
    ran = ready.pipeline("run")
    assert ran.code == 2
    assert "another taxonomy" in ran.err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs the right to mount a small disk")
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    corpus = OwnCorpus(tmp_path)
    shutil.copytree(REPOSITORY / "corpus" / "sample" / "reports", corpus.reports)
    small = tmp_path / "data"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        corpus.configure()
        ran = corpus.pipeline("run")
        assert ran.code == 1
        assert "disk" in ran.err
        assert "full" in ran.err
        assert len(ran.err.strip().splitlines()) == 1
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        assert corpus.pipeline("run", "--quiet").code == 3
        assert len(corpus.export("reports")) == len(truth("reports.csv"))
    finally:
        subprocess.run(["umount", str(small)], check=True)
