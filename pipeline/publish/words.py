"""Numbers and codes as people read them: the same in every publication."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date

from pipeline.domain import Domain

MISSING = "–"

DOMAIN_NAMES: dict[str, str] = {
    Domain.OVERALL.value: "Overall effectiveness",
    Domain.HELP_AND_PROTECTION.value: "Help and protection",
    Domain.CHILDREN_IN_CARE.value: "Children in care",
    Domain.ADOPTION.value: "Adoption",
    Domain.CARE_LEAVERS.value: "Care leavers",
    Domain.LEADERSHIP.value: "Leadership",
    Domain.LSCB.value: "Local Safeguarding Children Board",
}

VALENCE_NAMES = {"+": "strength", "-": "weakness", "0": "mixed"}


def known(value: float | None) -> bool:
    """Whether there is a number to show."""
    return value is not None and math.isfinite(value)


def percent(value: float | None, decimals: int = 0) -> str:
    """``"43%"``; a dash where there is no base."""
    return f"{value:.{decimals}f}%" if value is not None and math.isfinite(value) else MISSING


def number(value: float | None, decimals: int = 2) -> str:
    """``"1.53"``; a dash where there is none."""
    return f"{value:,.{decimals}f}" if value is not None and math.isfinite(value) else MISSING


def interval(low: float | None, high: float | None, decimals: int = 0) -> str:
    """``"32 to 55"``; empty where none could be made."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{low:.{decimals}f} to {high:.{decimals}f}"


def signed(value: float | None, decimals: int = 2) -> str:
    """``"+0.21"``; a dash where there is none."""
    return f"{value:+.{decimals}f}" if value is not None and math.isfinite(value) else MISSING


def count(value: int) -> str:
    """``"12,345"``."""
    return f"{value:,}"


def p_value(value: float | None) -> str:
    """``"0.012"``, ``"below 0.001"``; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def level(value: float | None, top: float = 100) -> str:
    """The step, from 0 to 9, of a percentage on a heat ramp that ends at ``top``; empty where there is none."""
    if value is None or not math.isfinite(value):
        return ""
    return str(min(max(int(10 * value / top), 0), 9))


def day(value: object) -> str:
    """``"2 June 2026"``; words where there is no date."""
    if isinstance(value, date) and value == value:  # NaT is a date that equals nothing
        return f"{value.day} {value:%B %Y}"
    return "date not known"


def spoken(code: str) -> str:
    """A code as words: ``"help_and_protection"`` as ``"help and protection"``."""
    return code.replace("_", " ")


def capital(text: str) -> str:
    """The first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def file_name(path: str) -> str:
    """The last folder and the name of a file: enough to find it, without telling where this machine keeps its files."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])


def slug(text: str) -> str:
    """A part of an address: lower case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "unnamed"
