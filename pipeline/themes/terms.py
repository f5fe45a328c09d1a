"""The taxonomy's terms found in text: whole words, singular or plural, with space or hyphen, with either apostrophe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import scipy.sparse as sp
    from spacy.tokens import Doc

    from pipeline.themes.taxonomy import Theme

# Same length on both sides: a match's character offsets are those of the text as given.
_SAME_LENGTH = str.maketrans(dict.fromkeys("-‐‑–—/\u00a0", " ") | dict.fromkeys("’‘", "'"))
_NO_PLURALS = frozenset({"this", "plus", "thus", "focus", "bias", "does"})


def singular(word: str) -> str:
    """A word's key: lower case, and for a plural the form without its ending, true word or not."""
    word = word.lower()
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss") or word in _NO_PLURALS:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1]


@dataclass(frozen=True, slots=True)
class Term:
    """A term found in a text: whose evidence it is, and where (characters, end exclusive).

    Attributes
    ----------
    theme : int
        Position of the theme among those that the matcher was made for.
    sentence : int
        Position of the sentence that it begins in.
    """

    theme: int
    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with its sentences (character spans) and the terms found in it, in the order of the text."""

    text: str
    sentences: tuple[tuple[int, int], ...]
    terms: tuple[Term, ...]

    def evidence(self, theme: int) -> str:
        """The sentences that hold a term of the theme; the whole text where none does."""
        held = sorted({term.sentence for term in self.terms if term.theme == theme})
        if not held or len(held) == len(self.sentences):
            return self.text
        return " ".join(self.text[slice(*self.sentences[i])] for i in held)


class TermMatcher:
    """Finds the terms and acronyms of themes in text.

    spaCy's blank English tokenizer, sentence splitter and phrase matcher, so that nothing has to be downloaded. Terms
    are compared word by word by :func:`singular`; acronyms as written, with or without a final s.

    Parameters
    ----------
    themes : sequence of Theme
        Their order numbers them.
    """

    def __init__(self, themes: Sequence[Theme]) -> None:
        import spacy
        from spacy.attrs import NORM
        from spacy.matcher import PhraseMatcher

        self.codes = tuple(theme.code for theme in themes)
        self._nlp = spacy.blank("en")
        # Exceptions ("can't", "a.m.") carry norms of their own, which would win over the singular form.
        self._nlp.tokenizer.rules = {}
        self._nlp.vocab.lex_attr_getters[NORM] = singular
        self._sentencizer = self._nlp.add_pipe("sentencizer")
        self._terms = PhraseMatcher(self._nlp.vocab, attr="NORM")
        self._acronyms = PhraseMatcher(self._nlp.vocab, attr="ORTH")
        for theme in themes:
            if theme.terms:
                self._terms.add(theme.code, [self._doc(term) for term in theme.terms])
            if theme.acronyms:
                forms = [form for acronym in theme.acronyms for form in (acronym, acronym + "s")]
                self._acronyms.add(theme.code, [self._doc(form) for form in forms])
        self._position = {self._nlp.vocab.strings[code]: i for i, code in enumerate(self.codes)}

    def _doc(self, text: str) -> Doc:
        return self._nlp.make_doc(text.translate(_SAME_LENGTH))

    def read(self, text: str) -> Reading:
        """Sentences and terms of ``text``; a term inside a longer one of the same theme is left out."""
        doc = self._sentencizer(self._doc(text))
        hits = [
            (start, -end, self._position[key])
            for find in (self._terms, self._acronyms)
            for key, start, end in find(doc)
        ]
        sentences = [(span.start, span.start_char, span.end_char) for span in doc.sents]
        terms: list[Term] = []
        reached: dict[int, int] = {}
        sentence = 0
        for start, minus_end, theme in sorted(hits):
            if reached.get(theme, -1) >= -minus_end:
                continue
            reached[theme] = -minus_end
            while sentence + 1 < len(sentences) and sentences[sentence + 1][0] <= start:
                sentence += 1
            last = doc[-minus_end - 1]
            terms.append(Term(theme, doc[start].idx, last.idx + len(last), sentence))
        return Reading(text, tuple((begin, end) for _, begin, end in sentences), tuple(terms))


def term_counts(readings: Iterable[Reading], themes: int) -> sp.csr_matrix:
    """How many terms of each theme each text holds: shape (texts, themes), float32."""
    import numpy as np
    import scipy.sparse as sp

    columns: list[int] = []
    starts = [0]
    for reading in readings:
        columns.extend(term.theme for term in reading.terms)
        starts.append(len(columns))
    matrix = sp.csr_matrix(
        (np.ones(len(columns), np.float32), np.array(columns, np.int32), np.array(starts, np.int32)),
        shape=(len(starts) - 1, themes),
    )
    matrix.sum_duplicates()
    return matrix
