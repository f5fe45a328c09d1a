"""Which models there are, which is in use, and which were in use before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, UsageError
from pipeline.files import write_text
from pipeline.themes.modelfile import CARD, MANIFEST, METRICS, Manifest, read_manifest

CURRENT = "current"
"""The file that names the model in use on its first line, and below it those that were in use before, latest first."""


@dataclass(frozen=True)
class Listed:
    """One model of the list. ``fault`` says why it cannot be used, if it cannot."""

    model_id: str
    in_use: bool
    manifest: Manifest | None
    metrics: dict[str, Any]
    fault: str | None


def current_id(models: Path) -> str:
    """The model in use.

    Raises
    ------
    PipelineError
        If none is, or the file that says so cannot be read.
    """
    return _history(models)[0]


def current_folder(models: Path) -> Path:
    """The folder of the model in use; raises as :func:`current_id` does."""
    return models / current_id(models)


def list_models(models: Path) -> list[Listed]:
    """Every model in the folder, the one in use first, then by name. A damaged one is listed with its fault."""
    in_use = _history(models)[0] if (models / CURRENT).is_file() else None
    folders = sorted(path.parent for path in models.glob(f"*/{MANIFEST}"))
    return sorted((_listed(folder, in_use) for folder in folders), key=lambda model: (not model.in_use, model.model_id))


def show(models: Path, model_id: str | None = None) -> tuple[Listed, str]:
    """A model (by default the one in use) and the text of its card. Raises :class:`UsageError` if there is none."""
    wanted = model_id or current_id(models)
    _known(models, wanted)
    in_use = _history(models)[0] if (models / CURRENT).is_file() else None
    card = models / wanted / CARD
    return _listed(models / wanted, in_use), card.read_text(encoding="utf-8") if card.is_file() else ""


def promote(models: Path, model_id: str) -> str | None:
    """Put a model to use; gives the one that was in use. The next run retags what the new one may tag differently.

    Raises
    ------
    UsageError
        There is no such model.
    PipelineError
        It is damaged.
    """
    _known(models, model_id)
    read_manifest(models / model_id)
    history = _history(models) if (models / CURRENT).is_file() else []
    if history[:1] == [model_id]:
        return model_id
    _write(models, [model_id, *(earlier for earlier in history if earlier != model_id)])
    return history[0] if history else None


def rollback(models: Path) -> str:
    """Put the model that was in use before back to use; gives its name. Raises :class:`UsageError` if there is none."""
    history = _history(models)
    earlier = [model for model in history[1:] if (models / model / MANIFEST).is_file()]
    if not earlier:
        raise UsageError(f"No model was in use before {history[0]}, so there is nothing to roll back to.")
    read_manifest(models / earlier[0])
    _write(models, earlier)
    return earlier[0]


def _history(models: Path) -> list[str]:
    path = models / CURRENT
    try:
        lines = path.read_text(encoding="utf-8").split()
    except FileNotFoundError:
        raise PipelineError(
            f"No model is in use in {models}: {path} is missing; set `models` in config.yaml, or run `pipeline train`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(
            f"{path} cannot be read ({error}); `pipeline models promote NAME` writes it anew."
        ) from None
    if not lines or any("/" in line or "\\" in line or line.startswith(".") for line in lines):
        raise PipelineError(f"{path} does not name a model; `pipeline models promote NAME` writes it anew.")
    return lines


def _write(models: Path, history: list[str]) -> None:
    write_text(models / CURRENT, "\n".join(history) + "\n")


def _known(models: Path, model_id: str) -> None:
    names = sorted(path.parent.name for path in models.glob(f"*/{MANIFEST}"))
    if model_id not in names:
        raise UsageError(f"There is no model {model_id!r} in {models}; it has {', '.join(names) or 'none'}.")


def _listed(folder: Path, in_use: str | None) -> Listed:
    manifest, fault = None, None
    try:
        manifest = read_manifest(folder)
    except PipelineError as error:
        fault = str(error)
    metrics: dict[str, Any] = {}
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fault = fault or f"Its {METRICS} cannot be read ({error})."
    return Listed(folder.name, folder.name == in_use, manifest, metrics, fault)
