"""The taxonomy's terms found in text: whole words, singular or plural, with space or hyphen, with either apostrophe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import scipy.sparse as sp
    from spacy.tokens import Doc, Span

    from pipeline.themes.taxonomy import Theme

# Same length on both sides: a match's character offsets are those of the text as given.
_SAME_LENGTH = str.maketrans(
    {"-": " ", "‐": " ", "‑": " ", "–": " ", "—": " ", "’": "'", "‘": "'", "\u00a0": " ", "/": " "}
)
_ENDS_IN_S = frozenset({"is", "was", "has", "this", "its", "as", "us", "plus", "thus", "abus", "focus"})


def _singular(word: str) -> str:
    """A word's key: lower case, and for a plural the form without its ending, true word or not."""
    word = word.lower()
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss") or word in _ENDS_IN_S:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1]


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A term found: the theme it is evidence of, and where in the text (characters, end exclusive)."""

    theme: str
    start: int
    end: int


class TermMatcher:
    """Finds the terms and acronyms of themes in text.

    spaCy's blank English tokenizer and phrase matcher, so that nothing has to be downloaded. Each word of a term is one
    of the tokenizer's, compared by its singular form; acronyms are compared as written.

    Parameters
    ----------
    themes : sequence of Theme
        Column ``i`` of :meth:`counts` is the ``i``-th.
    """

    def __init__(self, themes: Sequence[Theme]) -> None:
        import spacy
        from spacy.attrs import NORM
        from spacy.matcher import PhraseMatcher

        self.codes = tuple(theme.code for theme in themes)
        self._nlp = spacy.blank("en")
        # Exceptions ("can't", "a.m.") carry norms of their own, which would win over the singular form.
        self._nlp.tokenizer.rules = {}
        self._nlp.vocab.lex_attr_getters[NORM] = _singular
        self._nlp.add_pipe("sentencizer")
        self._terms = PhraseMatcher(self._nlp.vocab, attr="NORM")
        self._acronyms = PhraseMatcher(self._nlp.vocab, attr="ORTH")
        for theme in themes:
            if theme.terms:
                self._terms.add(theme.code, [self._doc(term) for term in theme.terms])
            if theme.acronyms:
                forms = [form for acronym in theme.acronyms for form in (acronym, acronym + "s")]
                self._acronyms.add(theme.code, [self._doc(form) for form in forms])
        self._column = {self._nlp.vocab.strings[code]: i for i, code in enumerate(self.codes)}

    def _doc(self, text: str) -> Doc:
        return self._nlp.make_doc(text.translate(_SAME_LENGTH))

    def counts(self, texts: Iterable[str]) -> sp.csr_matrix:
        """How many terms of each theme each text holds: shape (texts, themes), float32."""
        import numpy as np
        import scipy.sparse as sp

        indices: list[int] = []
        starts = [0]
        for text in texts:
            doc = self._doc(text)
            for matcher in (self._terms, self._acronyms):
                indices.extend(self._column[key] for key, _, _ in matcher(doc))
            starts.append(len(indices))
        matrix = sp.csr_matrix(
            (np.ones(len(indices), np.float32), np.array(indices, np.int32), np.array(starts, np.int32)),
            shape=(len(starts) - 1, len(self.codes)),
        )
        matrix.sum_duplicates()
        return matrix

    def matches(self, text: str) -> list[TermMatch]:
        """Every term in ``text``, in order; a term inside a longer one of the same theme is left out."""
        doc = self._doc(text)
        spans: list[Span] = [*self._terms(doc, as_spans=True), *self._acronyms(doc, as_spans=True)]
        kept: list[Span] = []
        for span in sorted(spans, key=lambda span: (span.start, -span.end)):
            if not any(k.label == span.label and k.start <= span.start and span.end <= k.end for k in kept):
                kept.append(span)
        return [TermMatch(span.label_, span.start_char, span.end_char) for span in kept]

    def sentences(self, text: str) -> list[str]:
        """The sentences of ``text``, as spaCy's rule-based splitter cuts them."""
        return [sentence.text.strip() for sentence in self._nlp(text).sents if sentence.text.strip()]
