"""Spans of dates as covers write them."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.extract.dates import dates_in, span_in


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("19 November 2013 – 11 December 2013", date(2013, 11, 19), date(2013, 12, 11)),
        ("19 November – 11 December 2013", date(2013, 11, 19), date(2013, 12, 11)),
        ("28 January–5 February 2014", date(2014, 1, 28), date(2014, 2, 5)),
        ("8 – 12 July 2013", date(2013, 7, 8), date(2013, 7, 12)),
        ("23 to 27 February 2026", date(2026, 2, 23), date(2026, 2, 27)),
        ("27 April to 1 May 2026", date(2026, 4, 27), date(2026, 5, 1)),
        ("18 Feb 2014 – 12 March 2014", date(2014, 2, 18), date(2014, 3, 12)),
        ("05 July 2016–27 July 2016", date(2016, 7, 5), date(2016, 7, 27)),
        ("28 November to 9 January 2019", date(2018, 11, 28), date(2019, 1, 9)),
        ("17 March to 21 March 2025", date(2025, 3, 17), date(2025, 3, 21)),
        ("1st to 12th Sept 2014", date(2014, 9, 1), date(2014, 9, 12)),
        ("5 to 7 December 2022 and 13 to 15 February 2023", date(2022, 12, 5), date(2023, 2, 15)),
        ("28 July 2016", date(2016, 7, 28), date(2016, 7, 28)),
    ],
)
def test_span_is_read_however_it_is_written(text: str, first: date, last: date) -> None:
    assert span_in(text) == (first, last)


@pytest.mark.parametrize("text", ["", "in 2014", "12 inspectors", "31 June 2014", "section 136 of the Act of 2006"])
def test_text_without_a_date_has_no_span(text: str) -> None:
    assert span_in(text) is None


def test_dates_keep_the_order_in_which_they_are_written() -> None:
    assert dates_in("published 3 May 2019 on the visit of 8 to 12 April 2019") == [
        date(2019, 5, 3),
        date(2019, 4, 8),
        date(2019, 4, 12),
    ]
