"""PDFs that are meant to break a reader, made when they are needed."""

from __future__ import annotations

import zlib
from pathlib import Path

import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

_PROSE = (
    "The children of this invented place and their families have help that is of use to them, and the people who work "
    "with them are known to be kind to all of the children in it."
)
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> >>"


def plain(path: Path, pages: int = 3) -> Path:
    """A small PDF with a few lines of English on every page."""
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    for number in range(1, pages + 1):
        for row in range(12):
            canvas.drawString(72, 760 - 15 * row, f"{number}.{row} {_PROSE[:80]}")
        canvas.showPage()
    canvas.save()
    return path


def many_pages(path: Path, count: int) -> Path:
    """One page's content shown ``count`` times: small in the file, large to read."""
    rows = b"".join(b"(%s) Tj T*\n" % _PROSE[:80].encode() for _ in range(12))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R /Resources 4 0 R >>"
    body = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [" % count
        + b" ".join(b"%d 0 R" % (5 + index) for index in range(count))
        + b"] >>",
        _stream(b"BT /F1 12 Tf 14 TL 72 780 Td\n" + rows + b"ET"),
        b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>",
        *[page] * count,
    ]
    return _written(path, body)


def encrypted(path: Path, password: str) -> Path:
    """A PDF that opens with ``password``; with an empty one it opens for anybody."""
    source = plain(path.with_suffix(".plain.pdf"))
    with pikepdf.open(source) as document:
        document.save(path, encryption=pikepdf.Encryption(user=password, owner="owner"))
    return path


def scan(path: Path, pages: int = 2) -> Path:
    """Pages that are pictures."""
    document = pikepdf.new()
    for _ in range(pages):
        page = document.add_blank_page(page_size=A4)
        image = pikepdf.Stream(document, bytes(100 * 140))
        image["/Type"], image["/Subtype"] = pikepdf.Name.XObject, pikepdf.Name.Image
        image["/Width"], image["/Height"] = 100, 140
        image["/ColorSpace"], image["/BitsPerComponent"] = pikepdf.Name.DeviceGray, 8
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=image))
        page.Contents = pikepdf.Stream(document, b"q 595 0 0 842 0 0 cm /Scan Do Q")
    document.save(path)
    return path


def nested(path: Path, depth: int) -> Path:
    """Arrays within arrays within arrays in the page's resources."""
    deep = b"[" * depth + b"]" * depth
    body = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 5 0 R >>",
        _stream(b"BT /F1 12 Tf 72 700 Td (text) Tj ET"),
        b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> /Deep " + deep + b" >>",
    ]
    return _written(path, body)


def nested_forms(path: Path, depth: int) -> Path:
    """A drawing that shows itself within itself, ``depth`` drawings deep and then round again."""
    font = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    forms = []
    for index in range(depth):
        after = 5 + (index + 1) % depth
        dictionary = (
            b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << "
            + font
            + b" /XObject << /X %d 0 R >> >>" % after
        )
        forms.append(_stream(b"BT /F1 12 Tf 72 700 Td (text) Tj ET /X Do /X Do", dictionary))
    body = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE % b"/XObject << /X 5 0 R >>",
        _stream(b"/X Do"),
        *forms,
    ]
    return _written(path, body)


def bomb(path: Path, megabytes: int) -> Path:
    """A page whose content unpacks to ``megabytes`` from a thousandth of that."""
    line = b"BT /F1 12 Tf 72 700 Td (the children of this place and their families) Tj ET\n"
    packer = zlib.compressobj(9)
    block = line * (2**20 // len(line))
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    body = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 "
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        _stream(packed, b"/Filter /FlateDecode"),
    ]
    return _written(path, body)


def no_unicode_map(path: Path) -> Path:
    """Letters drawn by glyph number, of a font that does not say which letters they are."""
    codes = b"".join(b"<%s> Tj T*\n" % bytes(range(1 + row, 60 + row)).hex().encode() for row in range(30))
    differences = b" ".join(b"/g%d" % code for code in range(1, 120))
    procedures = b" ".join(b"/g%d 6 0 R" % code for code in range(1, 120))
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0]"
        b" /FirstChar 1 /LastChar 119 /Widths ["
        + b"500 " * 119
        + b"] /Encoding << /Type /Encoding /Differences [1 "
        + differences
        + b"] >>"
        b" /CharProcs << " + procedures + b" >> /Resources << >> >>"
    )
    body = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE % b"/Font << /F1 5 0 R >>",
        _stream(b"BT /F1 12 Tf 14 TL 72 780 Td\n" + codes + b"ET"),
        font,
        _stream(b"500 0 0 0 400 700 d1 0 0 400 700 re f"),
    ]
    return _written(path, body)


def _stream(data: bytes, dictionary: bytes = b"") -> bytes:
    return b"<< /Length %d " % len(data) + dictionary + b" >>\nstream\n" + data + b"\nendstream"


def _written(path: Path, objects: list[bytes]) -> Path:
    """A PDF of the objects, numbered from 1, the first its catalogue."""
    data = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(data)
    return path
