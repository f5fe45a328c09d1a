"""``config.yaml``: read, checked, and its relative paths resolved against the file's own folder."""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from pipeline.domain import Band, Grade
from pipeline.errors import UsageError
from pipeline.sources.options import FolderSource, OfstedSource, SampleSource

SHIPPED = Path(__file__).resolve().parent.parent
"""The checkout that holds ``corpus/`` and ``models/``."""

SourceOptions = Annotated[FolderSource | SampleSource | OfstedSource, Field(discriminator="type")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Extract(_Section):
    """How PDFs are read, and what one of them may cost before it is set aside."""

    engine: Literal["pdfium", "pdfplumber"] = "pdfium"
    workers: int = Field(default=0, ge=0, le=256, description="processes; 0: one a core")
    timeout_s: float = Field(default=60, gt=0)
    memory_mb: int = Field(default=2048, ge=256)
    max_pages: int = Field(default=2000, ge=1)

    @property
    def processes(self) -> int:
        """The number of worker processes that this machine gets."""
        return self.workers or os.cpu_count() or 1


class Tagging(_Section):
    """Which tagger is used."""

    encoder: bool = Field(
        default=False, description="on: the tuned sentence encoder joins in; off: the fast linear model"
    )


class Tables(_Section):
    """How frequencies are counted."""

    bootstrap_draws: int = Field(default=1000, ge=0, le=100_000)
    seed: int = 2014


class Config(_Section):
    """Everything that a run is told.

    Attributes
    ----------
    path : Path
        The file that it was read from; relative paths in it are relative to its folder.
    corpus : Path
        Folder of fetched and derived data.
    bands : dict
        The rating band that a grade counts in, where it is not the band of the same name.
    """

    path: Path
    corpus: Path
    models: Path = SHIPPED / "models"
    taxonomy: Path = SHIPPED / "corpus" / "taxonomy.yaml"
    authorities: Path = SHIPPED / "corpus" / "authorities.csv"
    labels: Path = SHIPPED / "corpus" / "labels.csv"
    store: str = ""
    output: Path = Path("output")
    sources: list[SourceOptions] = Field(min_length=1)
    extract: Extract = Extract()
    tagging: Tagging = Tagging()
    tables: Tables = Tables()
    bands: dict[Grade, Band] = {Grade.ADEQUATE: Band.REQUIRES_IMPROVEMENT}

    @field_validator("corpus", "models", "taxonomy", "authorities", "labels", "output")
    @classmethod
    def _beside_the_file(cls, value: Path, info: ValidationInfo) -> Path:
        return resolve(value, info.data.get("path"))

    @field_validator("sources")
    @classmethod
    def _names_are_unique(cls, value: list[Any]) -> list[Any]:
        names = [source.name for source in value]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two sources are named '{doubled[0]}'; give each its own name")
        return value

    @model_validator(mode="after")
    def _store_url(self) -> Config:
        url = self.store or f"sqlite:///{(self.corpus / 'pipeline.db').as_posix()}"
        scheme, separator, rest = url.partition(":///")
        if scheme == "sqlite" and separator and rest and rest != ":memory:":
            url = f"sqlite:///{resolve(Path(rest), self.path).as_posix()}"
        object.__setattr__(self, "store", url)
        return self

    def resolve(self, path: str | Path) -> Path:
        """A path of this configuration as an absolute one."""
        return resolve(Path(path), self.path)

    def band_of(self, grade: Grade) -> Band:
        """The rating band that a grade counts in."""
        return self.bands.get(grade) or Band(grade.value)


def resolve(path: Path, config_file: Path | None) -> Path:
    """``path`` made absolute: relative to the configuration file's folder, ``~`` expanded."""
    path = path.expanduser()
    if path.is_absolute() or config_file is None:
        return path
    return Path(os.path.normpath(config_file.parent / path))


def find_config(given: Path | None) -> Path:
    """The configuration file: ``--config``, else ``PIPELINE_CONFIG``, else ``config.yaml`` here or in a folder above.

    Raises
    ------
    UsageError
        If there is none.
    """
    chosen = given or (Path(os.environ["PIPELINE_CONFIG"]) if os.environ.get("PIPELINE_CONFIG") else None)
    if chosen is not None:
        if not chosen.is_file():
            raise UsageError(f"There is no configuration file {chosen}; check --config or PIPELINE_CONFIG.")
        return chosen.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "config.yaml").is_file():
            return folder / "config.yaml"
    raise UsageError("There is no config.yaml in this folder or one above it; name one with --config.")


def load_config(given: Path | None = None) -> Config:
    """Read and check the configuration.

    Raises
    ------
    UsageError
        If the file is missing, is not YAML, or holds an unknown, missing or wrong key; it names the key and the line.
    """
    path = find_config(given)
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader that also refuses doubled keys
        lines = _lines(yaml.compose(text, Loader=yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); check the file and its encoding (UTF-8).") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}, line {line}: not valid YAML ({error.problem}); mend that line.") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML ({error}); mend it.") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold keys and values, such as 'corpus: data'; it holds none.")
    if "path" in content:
        raise UsageError(f"{path}, line {lines.get(('path',), 1)}: unknown key 'path'; remove it.")
    try:
        return Config(path=path, **content)
    except ValidationError as error:
        raise UsageError(_sentence(path, error, lines)) from error
    except TypeError as error:  # a key that is not text
        raise UsageError(f"{path}: every key must be a word ({error}); mend it.") from error


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a later key silently replace an earlier one; a configuration must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _lines(node: yaml.Node | None, at: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], int]:
    """The line (from 1) of every key and list item."""
    found: dict[tuple[str | int, ...], int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, key.value)
            found[place] = key.start_mark.line + 1
            found |= _lines(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            place = (*at, index)
            found[place] = value.start_mark.line + 1
            found |= _lines(value, place)
    return found


def _sentence(path: Path, error: ValidationError, lines: dict[tuple[str | int, ...], int]) -> str:
    """The first thing that is wrong, with its key and line."""
    problem = error.errors()[0]
    place = problem["loc"]
    if len(place) > 2 and place[0] == "sources":  # pydantic puts the chosen type between the index and the key
        place = (*place[:2], *place[3:])
    line = next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), 1)
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in place)
    at = f"{path}, line {line}"
    kind = problem["type"]
    if kind == "missing":
        return f"{at}: the key '{key}' is missing; add it."
    if kind == "extra_forbidden":
        return f"{at}: unknown key '{key}'; check its spelling against the README or remove it."
    if kind == "union_tag_not_found":
        return f"{at}: '{key}' has no 'type'; give one of folder, sample, ofsted."
    if kind == "union_tag_invalid":
        return f"{at}: '{key}' has an unknown type; give one of folder, sample, ofsted."
    message = problem["msg"].removeprefix("Value error, ")
    return f"{at}: '{key}' is wrong: {message[:1].lower()}{message[1:]}."
