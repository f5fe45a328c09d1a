"""Dates and spans of dates in all the ways reports write them."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_DAY = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?"
    rf"(?:\s*(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?,?)?"
    rf"(?:\s*(?P<year>(?:19|20)\d\d)\b)?(?!\d)",
    re.IGNORECASE,
)


def dates_in(text: str) -> list[date]:
    """Every date in ``text``, in the order written; what a span leaves out is taken from what follows.

    ``"6 to 17 December 2021"`` and ``"28 January-5 February 2014"`` give two dates each; a number that no month
    follows is no date; a day that does not exist is left out.
    """
    found: list[date] = []
    month: int | None = None
    year: int | None = None
    # Backwards: "6 to 17 December 2021" says its month and year last.
    for match in reversed(list(_DAY.finditer(text))):
        own_year = int(match["year"]) if match["year"] else None
        own_month = _MONTHS[match["month"].lower()] if match["month"] else None
        if own_month:
            if own_year is None and year is not None and month is not None and own_month > month:
                own_year = year - 1  # "30 November to 11 January 2018"
            month, year = own_month, own_year or year
        if month is None or year is None:
            continue
        try:
            found.append(date(year, month, int(match["day"])))
        except ValueError:
            continue
    return found[::-1]


def span_in(text: str) -> tuple[date, date] | None:
    """First and last date in ``text``; the same twice if there is one; ``None`` if there is none."""
    found = dates_in(text)
    if not found:
        return None
    first, last = min(found), max(found)
    return first, last
