"""What the tests share: the real reports where they are at hand, and a corpus of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

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
