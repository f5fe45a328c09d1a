"""The store: whole transactions, one run at a time, one sentence for what is wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from pipeline.errors import PipelineError, UsageError
from pipeline.schema import meta
from pipeline.store import Store


def url(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    store = Store(url(tmp_path / "a.db"))
    with store.writing() as connection:
        store.put(connection, "kept", "1")
    with pytest.raises(RuntimeError), store.writing() as connection:
        store.put(connection, "lost", "1")
        raise RuntimeError
    with store.reading() as connection:
        assert store.get(connection, "kept") == "1"
        assert store.get(connection, "lost") is None


def test_a_second_run_is_refused_while_the_first_lives_and_let_in_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pipeline.store import Store\n"
            "with Store(sys.argv[1]).exclusive():\n    print('held', flush=True); time.sleep(60)",
            url(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    store = Store(url(path))
    with pytest.raises(PipelineError, match="Another run is using the store"), store.exclusive():
        pass
    holder.kill()
    holder.wait()
    with store.exclusive():
        pass


def test_a_database_locked_by_another_program_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = Store(url(path))
    store.engine.dispose()
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(PipelineError, match=r"locked by another program; wait"), store.writing() as connection:
        connection.execute(insert(meta).values(key="x", value="y"))
    other.rollback()
    with store.reading() as connection:
        assert connection.scalar(select(meta.c.value).where(meta.c.key == "x")) is None


def test_what_is_not_a_database_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("this is a letter, not a database, however long it may be " * 40)
    with pytest.raises(PipelineError, match="damaged or not a database"):
        Store(url(path))


def test_another_version_s_store_is_left_alone(tmp_path: Path) -> None:
    store = Store(url(tmp_path / "a.db"))
    with store.writing() as connection:
        store.put(connection, "schema_version", "99")
    store.close()
    with pytest.raises(PipelineError, match="made by another version"):
        Store(url(tmp_path / "a.db"))


@pytest.mark.parametrize("bad", ["nonsense", "oracle+nothing://x", "sqlite:/x"])
def test_a_wrong_url_is_one_sentence(bad: str) -> None:
    with pytest.raises((UsageError, PipelineError)) as caught:
        Store(bad)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PipelineError, match="folder cannot be made"):
        Store(url(tmp_path / "file" / "a.db"))
