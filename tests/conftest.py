"""What the tests share: the real reports where they are at hand, and a corpus of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.corpora import OwnCorpus

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real reports and labels beside the checkout."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "corpus" / "index.csv").is_file():
        pytest.skip("needs the real reports of ../shared, which are not here")
    return folder


@pytest.fixture(scope="session")
def sample_reports() -> Path:
    """The PDFs of the shipped sample."""
    return REPOSITORY / "corpus" / "sample" / "reports"


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[OwnCorpus, dict[str, Any]]:
    """The sample, run once, and the summary; tests that change anything work on a copy (``ready``)."""
    corpus = OwnCorpus(tmp_path_factory.mktemp("first"))
    shutil.copytree(REPOSITORY / "corpus" / "sample" / "reports", corpus.reports)
    corpus.configure()
    ran = corpus.pipeline("run", "--json")
    assert ran.code == 3, ran.err
    return corpus, ran.json


@pytest.fixture
def ready(first_run: tuple[OwnCorpus, dict[str, Any]], tmp_path: Path) -> OwnCorpus:
    """A copy of the sample's corpus as its first run left it."""
    shutil.copytree(first_run[0].folder, tmp_path / "corpus")
    return OwnCorpus(tmp_path / "corpus")
