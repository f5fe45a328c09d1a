"""Labels that are likely to be wrong: those that a model trained on other authorities' labels doubts most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError, UsageError
from pipeline.themes.answers import Answers, read_answers
from pipeline.themes.registry import current_folder

if TYPE_CHECKING:
    import pandas as pd


def doubts(labels: pd.DataFrame, models: Path, theme: str | None = None) -> dict[str, float]:
    """How much the model in use doubts each labelled paragraph's reading, by fingerprint: 0 not at all, 1 wholly.

    A theme labelled is doubted by 1 - p, one not labelled by p, where p is the calibrated probability from when the
    paragraph's authority was left out of the training (self-confidence of confident learning: Northcutt, Jiang and
    Chuang 2021, "Confident learning: estimating uncertainty in dataset labels"). A paragraph is as doubtful as its most
    doubtful theme.

    Parameters
    ----------
    labels : DataFrame
        ``fingerprint, theme``: one reading a paragraph.
    theme : str, optional
        That one's doubt alone.

    Raises
    ------
    UsageError
        The model does not know the theme.
    PipelineError
        The model in use has no answers beside it.
    """
    import numpy as np

    carried = set(zip(labels["fingerprint"], labels["theme"], strict=True))
    read = set(labels["fingerprint"])
    found: dict[str, float] = {}
    for answers in _answers(current_folder(models)):
        codes = answers.codes if theme is None else (theme,)
        if theme is not None and theme not in answers.codes:
            raise UsageError(f"The model in use does not know the theme {theme}; run `pipeline train` first.")
        some = answers.columns(codes)
        for key, row in zip(some.fingerprints, some.probabilities, strict=True):
            if key in read:
                there = np.array([(key, code) in carried for code in codes])
                found[key] = float(np.where(there, 1 - row, row).max())
    return found


def _answers(folder: Path) -> list[Answers]:
    """Without the encoder, of all labelled paragraphs; then with it, of those that it had not seen."""
    kept = [read_answers(folder, encoder=False)]
    try:
        kept.append(read_answers(folder, encoder=True))
    except PipelineError:
        # A model trained without an encoder has none of that kind.
        return kept
    return kept
