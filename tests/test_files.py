"""Files whole or not at all, safe names, cells that are never run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.files import neutralise, neutralised, safe_name, write_text, written_whole


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(RuntimeError), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@given(st.text(max_size=300))
def test_a_safe_name_stays_in_its_folder_on_any_system(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name) <= 105
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert name not in (".", "..")
    assert not name.endswith((".", " "))
    assert Path("folder", name).parent == Path("folder")
    assert name.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "..\\..\\x", "a/../b", "/abs", "~root", "CON", "nul.pdf", 'quo"te', ""]
)
def test_hostile_names_are_tamed(text: str) -> None:
    name = safe_name(text)
    assert ".." not in name
    assert "/" not in name
    assert "\\" not in name


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_neutralised(cell: str) -> None:
    assert neutralised(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["+", "-", "0", "-12.5", "+3%", "plain", "", None, -1, 2.5])
def test_valences_numbers_and_text_are_left_alone(cell: object) -> None:
    assert neutralised(cell) == cell


def test_a_frame_is_neutralised_without_touching_numbers() -> None:
    frame = pd.DataFrame({"name": ["=1", "a"], "n": [-1, 2], "flag": [True, False]})
    safe = neutralise(frame)
    assert safe["name"].tolist() == ["'=1", "a"]
    assert safe["n"].tolist() == [-1, 2]
    assert frame["name"].tolist() == ["=1", "a"]
