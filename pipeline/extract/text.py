"""Characters as they should be read: ligatures, soft hyphens, no-break spaces, symbol-font bullets."""

from __future__ import annotations

import re

LINE_END_HYPHEN = "\u2010"
"""Ends a line whose last word goes on in the next line: whether the hyphen stays is decided when lines are joined."""

SPACES = " \t\r\n\x0b\x0c\x00\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"

_MENDED = str.maketrans(
    {
        **dict.fromkeys(SPACES, " "),
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
        "\u00ad": "",  # soft hyphen
        "\u200b": "",
        "\u200c": "",
        "\u200d": "",
        "\u2060": "",
        "\ufeff": "",
        "\u2010": "-",
        "\u2011": "-",  # no-break hyphen
    }
)
_MANY_SPACES = re.compile(r" {2,}")

# Word writes bullets as symbol-font glyphs in the private use area; dashes mark the second level.
GLYPH_BULLETS = (
    "\u2022\u25cf\u25cb\u25a0\u25a1\u25aa\u25ab\u25fc\u25fb\u25e6\u2023\u2043\u2219\u00b7\u27a2\u2756\u2713\u2714"
)
DASH_BULLETS = "-\u2013\u2014\u2212\u2015\u2500\u0336"
_GLYPH_BULLET = re.compile(rf"^(?:[{GLYPH_BULLETS}\ue000-\uf8ff]\s*|[o\u00a7]\s+(?=\S))")
_DASH_BULLET = re.compile(rf"^[{DASH_BULLETS}]\s+(?=\S)")
_NUMBER = re.compile(r"^(\d{1,3})\.(?:\s+|$|(?=[A-Z\u2018\u201c]))")
_BARE_NUMBER = re.compile(r"^(\d{1,3})\s+(?=[A-Z])")
_SUSPENDED = re.compile(r"(?:and|or|to)\b")  # "16- and 17-year-olds"
_STRAY = re.compile("[\ue000-\uf8ff\ufffd\ufffe\uffff\u0001-\u0008\u000e-\u001f]")


_CLOSING = re.compile(
    r"any complaints about (?:this|the) inspection|the office for standards in education, children.{0,3}s? services"
    r"|if you would like a copy of this document|(?:\u00a9|\(c\)) crown copyright"
    r"|you (?:may|can) (?:use|copy) (?:this information|all or parts)"
    r"|interested in our work|to receive regular email alerts",
    re.IGNORECASE,
)


def closes(text: str) -> bool:
    """Whether ``text`` begins the boilerplate that closes a report: complaints, the inspectorate, copies, copyright."""
    return _CLOSING.match(text) is not None


def mended(text: str) -> str:
    """``text`` with ligatures, soft hyphens and no-break or double spaces mended, stripped."""
    mended_text = text.translate(_MENDED)
    if "  " in mended_text:
        mended_text = _MANY_SPACES.sub(" ", mended_text)
    return mended_text.strip(" ")


def without_stray(text: str) -> str:
    """``text`` without what no reader sees as a letter: private-use glyphs, control and replacement characters."""
    return _MANY_SPACES.sub(" ", _STRAY.sub("", text)).strip(" ")


def glyph_bullet(text: str) -> int:
    """Length of the bullet glyph that ``text`` begins with, 0 if none."""
    found = _GLYPH_BULLET.match(text)
    return found.end() if found else 0


def dash_bullet(text: str) -> int:
    """Length of the dash and space that ``text`` begins with, 0 if none. A dash within a sentence looks the same."""
    found = _DASH_BULLET.match(text)
    return found.end() if found else 0


def point_number(text: str) -> tuple[str, int] | None:
    """A point's number (``"12"``) and the length of what stands before its text, if ``text`` begins with one."""
    found = _NUMBER.match(text)
    return (found.group(1), found.end()) if found else None


def bare_number(text: str) -> tuple[str, int] | None:
    """As :func:`point_number`, for a number whose full stop was forgotten: only where that number is due."""
    found = _BARE_NUMBER.match(text)
    return (found.group(1), found.end()) if found else None


def ends_sentence(text: str) -> bool:
    """Whether ``text`` ends as a sentence does, a closing quote, bracket or reference in brackets aside."""
    if text.endswith(")"):
        opened = text.rfind("(")
        if opened > 0 and text[:opened].rstrip().endswith((".", "!", "?")):
            return True
    return text.rstrip("\u2019\u201d\"')] ").endswith((".", "!", "?"))


def joined(lines: list[str], words: set[str] | None = None) -> str:
    """The lines of one paragraph as running text.

    A hyphen at a line's end stays ("multi-agency"), since these reports are not hyphenated by the typesetter, unless
    the document itself (``words``, lower case) knows the word without the hyphen and not with it.
    """
    text = ""
    for line in lines:
        if not text:
            text = line
        elif text.endswith(LINE_END_HYPHEN) or (text.endswith("-") and text[-2:-1].isalnum() and line[:1].isalnum()):
            text = _mend_break(text[:-1], line, words)
        else:
            text = f"{text} {line}"
    return text[:-1] + "-" if text.endswith(LINE_END_HYPHEN) else text


def _mend_break(before: str, after: str, words: set[str] | None) -> str:
    if _SUSPENDED.match(after):
        return f"{before}- {after}"
    left = re.search(r"[^\W\d_]+$", before)
    right = re.match(r"[^\W\d_]+", after)
    if words and left and right:
        whole, hyphened = (left[0] + right[0]).lower(), f"{left[0]}-{right[0]}".lower()
        if whole in words and hyphened not in words:
            return before + after
    return f"{before}-{after}"
