"""config.yaml: what is wrong is said in one sentence that names the key and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import find_config, load_config
from pipeline.domain import Band, Grade
from pipeline.errors import UsageError

GOOD = """\
corpus: data
sources:
  - name: reports
    type: folder
    path: pdfs
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    config = load_config(written(tmp_path, GOOD + "store: sqlite:///data/own.db\noutput: ../out\n"))
    assert config.corpus == tmp_path / "data"
    assert config.store == f"sqlite:///{(tmp_path / 'data' / 'own.db').as_posix()}"
    assert config.output == tmp_path.parent / "out"
    assert config.output.is_absolute()


def test_a_server_s_url_is_left_as_it_is(tmp_path: Path) -> None:
    url = "postgresql+psycopg://someone@host/base"
    assert load_config(written(tmp_path, GOOD + f"store: {url}\n")).store == url


def test_adequate_counts_as_requires_improvement_unless_said_otherwise(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, GOOD)).band_of(Grade.ADEQUATE) is Band.REQUIRES_IMPROVEMENT
    other = load_config(written(tmp_path, GOOD + "bands:\n  adequate: not judged\n"))
    assert other.band_of(Grade.ADEQUATE) is Band.NOT_JUDGED
    assert other.band_of(Grade.GOOD) is Band.GOOD


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("corpus: data\n", ""), ["'corpus' is missing"]),
        (GOOD.replace("    path: pdfs\n", ""), ["line 3", "path' is missing"]),
        (GOOD + "ouput: x\n", ["line 6", "unknown key 'ouput'"]),
        (GOOD + "extract:\n  engine: pdfplumber\n  wokers: 3\n", ["line 8", "unknown key 'extract.wokers'"]),
        (GOOD + "extract:\n  engine: word\n", ["line 7", "'extract.engine' is wrong"]),
        (GOOD + "corpus: other\n", ["line 6", "twice"]),
        (GOOD + "extract: [1,\n", ["not valid YAML"]),
        (GOOD.replace("folder", "ftp"), ["line 3", "unknown type", "folder, sample, ofsted"]),
        (GOOD + "  - name: reports\n    type: sample\n", ["two sources are named 'reports'"]),
        ("corpus: data\nsources: []\n", ["line 2", "'sources' is wrong"]),
        ("just a line\n", ["must hold keys and values"]),
        ("", ["must hold keys and values"]),
        (GOOD + "bands:\n  adequate: fine\n", ["line 7", "bands.adequate"]),
        (GOOD + "1: x\n", ["key"]),
        (GOOD + "path: x\n", ["unknown key 'path'"]),
    ],
)
def test_what_is_wrong_is_one_sentence_with_key_and_line(tmp_path: Path, text: str, says: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(written(tmp_path, text))
    message = str(caught.value)
    assert "config.yaml" in message
    assert "\n" not in message
    for part in says:
        assert part in message


def test_the_file_is_chosen_by_option_then_environment_then_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = written(tmp_path, GOOD)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.delenv("PIPELINE_CONFIG", raising=False)
    assert find_config(None) == here
    by_environment = inner / "other.yaml"
    by_environment.write_text(GOOD)
    monkeypatch.setenv("PIPELINE_CONFIG", str(by_environment))
    assert find_config(None) == by_environment
    assert find_config(here) == here
    with pytest.raises(UsageError, match=r"no configuration file .*absent\.yaml"):
        find_config(Path("absent.yaml"))


def test_the_shipped_configuration_is_good(repository: Path) -> None:
    assert load_config(repository / "config.yaml").sources[0].type == "ofsted"
    assert load_config(repository / "corpus" / "sample" / "config.yaml").sources[0].type == "sample"
