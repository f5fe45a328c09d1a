"""Counts of each theme, or paper section, in each cell: the plain sums that every table starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.domain import VALENCES, Valence
from pipeline.tables.columns import SectionInfo, ThemeInfo
from pipeline.tables.corpus import Corpus, positions_of
from pipeline.tables.grouping import Grouping

_STRENGTH, _WEAKNESS, _MIXED = (VALENCES.index(valence.value) for valence in Valence)
_NONE = 3

MEASURES = ("paragraphs", "strengths", "weaknesses", "reports")
"""Shares of paragraphs that carry the theme, as a strength, as a weakness; and of reports that carry it at all."""


@dataclass(frozen=True)
class Items:
    """What is counted: codes (or section numbers) and the themes that each stands for."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    themes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls, themes: Sequence[ThemeInfo], sections: Sequence[SectionInfo] | None = None, theme: str | None = None
    ) -> Items:
        """Themes, or sections of the paper where those are given; only ``theme`` where that is given."""
        if sections is None:
            rows: list[tuple[str, str, tuple[str, ...]]] = [
                (info.code, info.name, (info.code,)) for info in themes if theme in (None, info.code)
            ]
        else:
            rows = [(info.section, info.title, info.codes) for info in sections if theme in (None, info.section)]
        codes, names, unions = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(codes, names, unions)


@dataclass(frozen=True)
class Counts:
    """Sums by cell.

    Attributes
    ----------
    paragraphs, words, strengths, weaknesses : ndarray of int64, shape (cells, items)
        Paragraphs that carry the item, their words, and those that put it as a strength or a weakness.
    of_paragraphs, of_words : ndarray of int64, shape (cells,)
        All substantive paragraphs of the cell and their words.
    """

    paragraphs: np.ndarray
    words: np.ndarray
    strengths: np.ndarray
    weaknesses: np.ndarray
    of_paragraphs: np.ndarray
    of_words: np.ndarray

    def measured(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """Numerators (cells, items) and bases (cells,) of one of :data:`MEASURES`."""
        if measure == "reports":
            return (self.paragraphs > 0).astype(np.int64), np.ones(len(self.of_paragraphs), dtype=np.int64)
        numerators = {"paragraphs": self.paragraphs, "strengths": self.strengths, "weaknesses": self.weaknesses}
        return numerators[measure], self.of_paragraphs


def count(corpus: Corpus, grouping: Grouping, items: Items) -> Counts:
    """Count paragraphs and words by cell. Time and memory grow in proportion to the tags and to cells x items."""
    words = corpus.paragraphs["words"].to_numpy(dtype=np.int64)
    cell = grouping.paragraph_cell
    inside = cell >= 0
    shape = (len(items.codes), grouping.cells)
    paragraphs, spoken, strengths, weaknesses = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    for place, (carrying, valence) in enumerate(carriers(corpus, items)):
        here = inside[carrying]
        carrying, valence = carrying[here], valence[here]
        cells = cell[carrying]
        paragraphs[place] = np.bincount(cells, minlength=grouping.cells)
        spoken[place] = _sums(cells, words[carrying], grouping.cells)
        strengths[place] = np.bincount(cells[valence == _STRENGTH], minlength=grouping.cells)
        weaknesses[place] = np.bincount(cells[valence == _WEAKNESS], minlength=grouping.cells)
    return Counts(
        paragraphs.T,
        spoken.T,
        strengths.T,
        weaknesses.T,
        np.bincount(cell[inside], minlength=grouping.cells),
        _sums(cell[inside], words[inside], grouping.cells),
    )


def carriers(corpus: Corpus, items: Items) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each item the paragraphs that carry it, each once, and how they put it.

    A paragraph that carries several themes of a section puts the section as a strength if it puts all of them so, as a
    weakness likewise, and as mixed otherwise.

    Returns
    -------
    list of (ndarray of int64, ndarray of int8)
        Positions in ``corpus.paragraphs``, ascending, and positions in :data:`~pipeline.domain.VALENCES`.
    """
    codes = sorted({code for union in items.themes for code in union})
    place_of = positions_of(corpus, codes)
    theme = corpus.tags["theme"].to_numpy()
    order = np.argsort(theme, kind="stable")
    bounds = np.searchsorted(theme[order], np.arange(len(corpus.themes) + 1))
    paragraph, valence = corpus.tags["paragraph"].to_numpy(), corpus.tags["valence"].to_numpy()
    of_code: dict[str, np.ndarray] = {}
    for number, place in enumerate(place_of.tolist()):
        if place >= 0:
            of_code[codes[place]] = order[bounds[number] : bounds[number + 1]]
    found = []
    state = np.full(len(corpus.paragraphs), _NONE, dtype=np.int8)
    for union in items.themes:
        state.fill(_NONE)
        for code in union:
            rows = of_code.get(code, np.empty(0, dtype=np.int64))
            before, now = state[paragraph[rows]], valence[rows]
            state[paragraph[rows]] = np.where((before == _NONE) | (before == now), now, _MIXED)
        carrying = np.flatnonzero(state != _NONE)
        found.append((carrying, state[carrying]))
    return found


def _sums(cells: np.ndarray, values: np.ndarray, minlength: int) -> np.ndarray:
    # bincount adds in double precision: exact for whole numbers up to 2**53.
    return np.bincount(cells, weights=values, minlength=minlength).astype(np.int64)
