"""The published tables' names, which are those of their files, and what theme frequencies are published by."""

from __future__ import annotations

from pipeline.domain import Domain

THEMES = "theme-frequencies"
SECTIONS = "section-frequencies"
LATEST = "theme-frequencies-latest"
SECTIONS_LATEST = "section-frequencies-latest"
ALL = "theme-frequencies-all-reports"
JUDGED = "judgements-by-year"
APART = "what-sets-the-bands-apart"
SECTIONS_APART = "what-sets-the-bands-apart-sections"
CHANGES_TABLE = "change-over-the-years"
CLAIMS_TABLE = "the-papers-claims"
SECTION_FIVE_TABLE = "the-papers-section-5"
ANNEX_TABLE = "the-papers-annex-1"
CORRECTED_TABLE = "theme-frequencies-corrected"
BAND_TERMS = "distinctive-terms-of-bands"
THEME_TERMS = "distinctive-terms-of-themes"
CO_OCCURRENCE_TABLE = "themes-in-the-same-paragraph"
REPORTS = "reports"
THEME_LIST = "themes"

DIMENSION_TITLES: dict[str, str] = {
    Domain.OVERALL.value: "overall judgement",
    Domain.HELP_AND_PROTECTION.value: "judgement of help and protection",
    Domain.CHILDREN_IN_CARE.value: "judgement of children in care",
    Domain.ADOPTION.value: "judgement of adoption",
    Domain.CARE_LEAVERS.value: "judgement of care leavers",
    Domain.LEADERSHIP.value: "judgement of leadership",
    Domain.LSCB.value: "judgement of the Local Safeguarding Children Board",
    "section_judgement": "judgement of the section that the paragraph stands in",
    "year": "year of publication",
    "region": "region",
    "framework": "inspection framework",
    "type": "type of authority",
    "authority": "authority",
    "framework,overall_effectiveness": "inspection framework and overall judgement",
    "region,overall_effectiveness": "region and overall judgement",
    "year,overall_effectiveness": "year and overall judgement",
}
"""What theme frequencies are published by, and how people call it."""


def by_name(dimension: str) -> str:
    """Name of the theme frequencies by a dimension."""
    if dimension == Domain.OVERALL.value:
        return THEMES
    return f"{THEMES}-by-{dimension.replace(',', '-and-').replace('_', '-')}"
