"""The same store on a real PostgreSQL, where a team shares it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpora import REPOSITORY, OwnCorpus

pytest.importorskip("psycopg", reason="needs the PostgreSQL driver: pip install '.[postgresql]'")


def binaries() -> Path | None:
    """The folder of PostgreSQL's own programs."""
    for folder in [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root; the prefix that makes it another user's process."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={name}", "--clear-groups", "--"]
    return pytest.skip("there is no user to run PostgreSQL as")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of an empty database on a server of our own."""
    found = binaries()
    if found is None:
        pytest.skip("needs PostgreSQL's server programs, which are not installed here")
    # Not below pytest's folder, which only its owner can enter.
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    prefix = unprivileged()
    if prefix:
        shutil.chown(folder, prefix[1].partition("=")[2])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subprocess.run(
        [*prefix, str(found / "initdb"), "-D", f"{folder}/base", "-U", "team", "-A", "trust", "-E", "UTF8",
         "--no-sync"], check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    server = subprocess.Popen(
        [*prefix, str(found / "postgres"), "-D", f"{folder}/base", "-p", str(port), "-k", str(folder),
         "-h", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    try:
        import psycopg

        for _ in range(100):
            try:
                psycopg.connect(host="127.0.0.1", port=port, user="team", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        else:
            pytest.fail("PostgreSQL did not start")
        yield f"postgresql+psycopg://team@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # its fast shutdown; SIGTERM would wait for every client
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_main_job_gives_the_same_tables_as_sqlite(database: str, tmp_path: Path) -> None:
    chosen = sorted((REPOSITORY / "corpus" / "sample" / "reports").rglob("*.pdf"))[:5]
    exports = []
    for name, store in (("lite", "sqlite:///data/pipeline.db"), ("team", database)):
        corpus = OwnCorpus(tmp_path / name)
        for path in chosen:
            (corpus.reports / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, corpus.reports / path.parent.name / path.name)
        corpus.configure(store=store)
        ran = corpus.pipeline("run", "--until", "tables", "--quiet")
        assert ran.code in (0, 3), ran.err
        again = corpus.pipeline("run", "--until", "tables", "--json").json
        assert again["nothing_new"]
        exports.append([corpus.export(what) for what in ("judgements", "paragraphs", "tags", "frequencies")])
        assert corpus.pipeline("paragraphs", "--search", "PANEL", "--format", "csv").rows
    assert exports[0] == exports[1]


def test_two_runs_on_one_server_do_not_meet(database: str, tmp_path: Path) -> None:
    from pipeline.store import Store

    corpus = OwnCorpus(tmp_path)
    corpus.reports.mkdir()
    (corpus.reports / "a.pdf").write_bytes(b"not one")
    corpus.configure(store=database)
    store = Store(database)
    with store.exclusive():
        ran = corpus.pipeline("run")
    store.close()
    assert ran.code == 1
    assert "Another run is using the store" in ran.err


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    corpus = OwnCorpus(tmp_path)
    corpus.configure(store="postgresql+psycopg://team@127.0.0.1:1/base")
    ran = corpus.pipeline("status")
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "127.0.0.1" in ran.err
