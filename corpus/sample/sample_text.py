"""The words of the sample: a bank of sentences by part, theme and valence, and paragraphs composed from it."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain import Grade, Section, Valence, normalised

TEXTS = Path(__file__).resolve().parent / "texts"

# How many of a hundred paragraphs are a strength, mixed, a weakness.
PROFILES: dict[Grade, tuple[int, int, int]] = {
    Grade.OUTSTANDING: (88, 10, 2),
    Grade.GOOD: (64, 26, 10),
    Grade.REQUIRES_IMPROVEMENT: (26, 36, 38),
    Grade.INADEQUATE: (8, 24, 68),
    Grade.NOT_JUDGED: (50, 40, 10),
}
CONNECTORS = ("However,", "Nevertheless,", "Even so,", "At the same time,", "In contrast,", "Despite this,")
ENDING_SHARE = 0.3
SECOND_THEME_SHARE = 0.25

_HEADER = re.compile(r"== ?(.+)")
_CHOICE = re.compile(r"<([^<>#][^<>]*)>")
_NUMBER = re.compile(r"<#(\d+)-(\d+)>")
_FACT = re.compile(r"\{(\w+)\}")
_QUOTED = re.compile(r"(?<!\w)'([^']+)'(?!\w)")


def read_bank(name: str) -> dict[str, list[str]]:
    """Sentences of ``texts/<name>.txt`` by the header above them."""
    bank: dict[str, list[str]] = {}
    header = ""
    for raw in (TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if match := _HEADER.fullmatch(line):
            header = match.group(1)
            bank[header] = []
        else:
            bank[header].append(line)
    return bank


@dataclass(frozen=True)
class Composed:
    """A paragraph and what its sentences were written about."""

    text: str
    themes: dict[str, Valence] = field(default_factory=dict)


class Composer:
    """Composes the paragraphs of one report.

    Parameters
    ----------
    seed : str
    facts : dict
        What ``{name}`` in a sentence stands for in this report.
    used : set
        Normalised paragraphs of the whole sample: none is written twice.
    """

    def __init__(self, seed: str, facts: dict[str, str], used: set[str]) -> None:
        self._random = random.Random(seed)
        self._facts = facts
        self._used = used
        self._proper = tuple(value for value in facts.values() if value[:1].isupper())
        self._left: dict[tuple[str, str], list[str]] = {}
        self._banks: dict[str, dict[str, list[str]]] = defaultdict(dict)

    def _bank(self, name: str) -> dict[str, list[str]]:
        if not self._banks[name]:
            self._banks[name] = read_bank(name)
        return self._banks[name]

    def _sentence(self, bank: str, header: str) -> str | None:
        """A sentence of the bank that this report has not used yet, its slots filled."""
        left = self._left.get((bank, header))
        if left is None:
            left = list(self._bank(bank).get(header, []))
            self._random.shuffle(left)
            self._left[bank, header] = left
        return self.fill(left.pop()) if left else None

    def fill(self, sentence: str) -> str:
        """Choices, numbers and names put in; straight quotation marks made curly."""
        text = _NUMBER.sub(lambda m: f"{self._random.randint(int(m[1]), int(m[2])):,}", sentence)
        text = _CHOICE.sub(lambda m: self._random.choice(m[1].split("|")), text)
        text = _FACT.sub(lambda m: self._facts[m[1]], text)
        text = _QUOTED.sub("‘\\1’", text).replace("'", "’")
        return text[:1].upper() + text[1:]

    def _lowered(self, sentence: str) -> str:
        first = sentence.split(" ")[0]
        keep = sentence.startswith((*self._proper, "Cafcass", "Ofsted")) or first[1:2].isupper()
        return sentence if keep else sentence[:1].lower() + sentence[1:]

    def _chosen(self, grade: Grade) -> Valence:
        strength, mixed, weakness = PROFILES[grade]
        return self._random.choices(
            (Valence.STRENGTH, Valence.MIXED, Valence.WEAKNESS), weights=(strength, mixed, weakness)
        )[0]

    def _claim(self, text: str) -> bool:
        key = normalised(text)
        if key in self._used:
            return False
        self._used.add(key)
        return True

    def paragraph(self, bank: str, theme: str, valence: Valence, sentences: int, others: list[str]) -> Composed | None:
        """Two to four sentences on ``theme``, sometimes one on another theme, sometimes one on what follows.

        Returns ``None`` where the bank has no more sentences for it.
        """
        strong, weak = f"{theme} +", f"{theme} -"
        parts: list[str] = []
        for index in range(sentences):
            if valence is Valence.MIXED:
                turn = weak if index == sentences - 1 else strong
            else:
                turn = strong if valence is Valence.STRENGTH else weak
            sentence = self._sentence(bank, turn)
            if sentence is None:
                continue
            if valence is Valence.MIXED and turn == weak and parts:
                sentence = f"{self._random.choice(CONNECTORS)} {self._lowered(sentence)}"
            parts.append(sentence)
        if not parts:
            return None
        mixed_for_want_of = valence is Valence.MIXED and len(parts) < 2
        if mixed_for_want_of:
            return None
        themes = {theme: valence}
        if others and valence is not Valence.MIXED and self._random.random() < SECOND_THEME_SHARE:
            other = self._random.choice(others)
            sentence = self._sentence(bank, f"{other} {valence.value}")
            if sentence and other != theme:
                parts.append(sentence)
                themes[other] = valence
        if valence is not Valence.MIXED and self._random.random() < ENDING_SHARE:
            ending = self._sentence("endings", f"any {valence.value}")
            if ending:
                parts.append(ending)
        text = " ".join(parts)
        return Composed(text, themes) if self._claim(text) else None

    def part(self, bank: str, grade: Grade, count: int, sentences: tuple[int, int] = (2, 3)) -> list[Composed]:
        """About ``count`` paragraphs of one part of a report, theme by theme, as its grade has it."""
        themes = list(dict.fromkeys(header.rsplit(" ", 1)[0] for header in self._bank(bank)))
        by_theme: dict[str, list[Composed]] = {theme: [] for theme in themes}
        written = 0
        for _ in range(6):
            for theme in themes:
                if written >= count:
                    break
                size = self._random.randint(*sentences)
                composed = self.paragraph(bank, theme, self._chosen(grade), size, themes)
                if composed:
                    by_theme[theme].append(composed)
                    written += 1
        return [composed for theme in themes for composed in by_theme[theme]]

    def opening(self, part: str, bank: str, grade: Grade, sentences: int) -> Composed | None:
        """A paragraph of a summary: the part's opening for the grade, and sentences of the part.

        Returns ``None`` where the bank has too little left.
        """
        header = f"{part} {grade.value}"
        opening = self._sentence("summary", header)
        parts = [opening] if opening else []
        themes = list(dict.fromkeys(key.rsplit(" ", 1)[0] for key in self._bank(bank)))
        self._random.shuffle(themes)
        coded: dict[str, Valence] = {}
        for theme in themes:
            if len(parts) > sentences:
                break
            valence = self._chosen(grade)
            if valence is Valence.MIXED:
                continue
            sentence = self._sentence(bank, f"{theme} {valence.value}")
            if sentence:
                parts.append(sentence)
                coded[theme] = valence
        text = " ".join(parts)
        return Composed(text, coded) if len(parts) > 1 and self._claim(text) else None

    def improvements(self, bank: str, weak: list[str], count: int, suffix: list[str]) -> list[Composed]:
        """Recommendations on the themes in ``weak``; ``suffix`` are the ways one may end ("(paragraph 12)")."""
        chosen: list[Composed] = []
        for theme in weak:
            if len(chosen) == count:
                break
            sentence = self._sentence(bank, theme)
            if sentence is None:
                continue
            for tail in ("", *self._random.sample(suffix, len(suffix))):
                text = f"{sentence.rstrip('.')}{tail}." if tail and not tail.startswith(" (") else f"{sentence}{tail}"
                if self._claim(text):
                    chosen.append(Composed(text, {theme: Valence.WEAKNESS}))
                    break
        return chosen

    def for_children(self, grade: Grade, count: int) -> list[Composed]:
        """Bullets of the summary for children and young people, two sentences each."""
        themes = list(dict.fromkeys(key.rsplit(" ", 1)[0] for key in self._bank("for_children")))
        self._random.shuffle(themes)
        bullets: list[Composed] = []
        while len(themes) > 1 and len(bullets) < count:
            coded: dict[str, Valence] = {}
            parts = []
            for theme in (themes.pop(), themes.pop()):
                good = self._random.randrange(100) < sum(PROFILES[grade][:2]) - PROFILES[grade][1] // 2
                valence = Valence.STRENGTH if good else Valence.WEAKNESS
                sentence = self._sentence("for_children", f"{theme} {valence.value}")
                if sentence:
                    parts.append(sentence)
                    coded[theme] = valence
            if parts and self._claim(" ".join(parts)):
                bullets.append(Composed(" ".join(parts), coded))
        return bullets

    def weakest(self, written: dict[Section, list[Composed]]) -> list[str]:
        """Themes that the paragraphs find fault with, most often first."""
        count: dict[str, int] = defaultdict(int)
        for paragraphs in written.values():
            for paragraph in paragraphs:
                for theme, valence in paragraph.themes.items():
                    count[theme] += {Valence.WEAKNESS: 2, Valence.MIXED: 1, Valence.STRENGTH: 0}[valence]
        return [theme for theme in sorted(count, key=lambda theme: (-count[theme], theme)) if count[theme]]
