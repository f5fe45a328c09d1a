"""JSON from other programs, read with care: size, encoding, depth, and fields of the right kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

LARGEST = 256 * 1024 * 1024


def read_text(path: Path) -> str:
    """The whole file. Raises :class:`UsageError` if it cannot be read, is not UTF-8, or is too large for a batch."""
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST // 2**20} MB; that is no batch.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check the name.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8; export it again.") from None


def parsed(text: str, where: str) -> Any:
    """The JSON value. Raises :class:`UsageError` with the place if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON ({str(error)[:120]}); export it again.") from None


def text_of(record: dict[str, Any], key: str) -> str:
    """A field as text; a whole number is its digits, anything else is empty."""
    value = record.get(key)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() if isinstance(value, str | int) else ""
