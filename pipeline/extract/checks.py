"""What is no report: told from the file's first and last bytes, and from the text that came out."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import SetAside
from pipeline.extract.pages import Page

_HEAD = 4096
_TAIL = 4096
_LETTERS_A_PAGE = 20  # a scan's page holds none, or a stamp's few
_UNMAPPED_SHARE = 0.3
_COMMON = frozenset(
    re.findall(r"\w+", "the of and to in for a is are with that on by their children have as be this or from it an at")
)
_COMMON_SHARE = 0.05  # of the words of English prose about a third are among these


def check_file(path: Path) -> None:
    """Set aside what is no whole PDF.

    Raises
    ------
    SetAside
        An empty file, HTML or another format, a PDF that ends too early, a file that cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(0, size - _TAIL))
            tail = file.read()
    except OSError as error:
        raise SetAside(f"the file cannot be read: {error.strerror or type(error).__name__}") from error
    if not head.strip(b"\0 \t\r\n"):
        raise SetAside("an empty file")
    if b"%PDF-" not in head[:1024]:
        raise SetAside(_other_format(head))
    if b"startxref" not in tail and b"%%EOF" not in tail:
        raise SetAside("truncated: the file ends before its end mark")


def _other_format(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<!--", b"<body")) or b"<html" in start:
        title = re.search(rb"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
        if title and b"report not found" in b" ".join(title[1].lower().split()):
            return "not a PDF: the publisher's 'Report not found' page"
        return "not a PDF: an HTML page"
    if start.startswith(b"pk\x03\x04"):
        return "not a PDF: a zip or Office file"
    return "not a PDF"


def check_text(pages: list[Page]) -> None:
    """Set aside a PDF whose text cannot be read.

    Raises
    ------
    SetAside
        No pages, no text (a scan), fonts without Unicode values, or letters that make no English words.
    """
    if not pages:
        raise SetAside("damaged: it has no pages")
    texts = [line.text for page in pages for line in page.lines]
    letters = sum(character.isalpha() for text in texts for character in text)
    if letters < _LETTERS_A_PAGE * len(pages):
        raise SetAside("no text: scanned" if any(page.images for page in pages) else "no text")
    unmapped = sum(page.unmapped for page in pages)
    words = [word.lower() for text in texts for word in re.findall(r"[^\W\d_]+", text)]
    common = sum(word in _COMMON for word in words)
    if unmapped > _UNMAPPED_SHARE * len(texts) or common < _COMMON_SHARE * len(words):
        raise SetAside("no readable text: its fonts do not say which letters they draw")
