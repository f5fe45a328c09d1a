"""Every table of this stage: its columns, their order, type and meaning, declared here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.domain import Domain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Kind = Literal["text", "count", "percent", "number", "flag"]
"""``percent`` runs from 0 to 100; a percent or number that has no base is missing (NaN), never 0."""

_DTYPES: dict[Kind, str] = {"text": "str", "count": "int64", "percent": "float64", "number": "float64", "flag": "bool"}


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name in files, its type, its heading for people, and a note for the data dictionary."""

    name: str
    kind: Kind
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class ThemeInfo:
    """A theme, as the tables need it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class SectionInfo:
    """A section of the paper: the union of its themes."""

    section: str
    title: str
    codes: tuple[str, ...]


def frame_of(fields: Sequence[Field], columns: Mapping[str, Sequence[object] | np.ndarray]) -> pd.DataFrame:
    """A frame with exactly the declared columns, in their order and types.

    Raises
    ------
    KeyError
        Where ``columns`` lacks a declared one or brings another.
    """
    import numpy as np
    import pandas as pd

    names = [field.name for field in fields]
    if set(columns) != set(names):
        raise KeyError(f"columns differ from the declared ones: {sorted(set(columns) ^ set(names))}")
    return pd.DataFrame(
        {field.name: pd.Series(np.asarray(columns[field.name]), dtype=_DTYPES[field.kind]) for field in fields}
    )


_CELL = (
    Field("by", "text", "By", "What the bands are taken from: a judgement, year, region ...; two joined by a comma"),
    Field("band", "text", "Band", "The rating band or other group; two joined by ' / '"),
    Field("theme", "text", "Theme", "Code of the theme, or number of the paper's section"),
    Field("name", "text", "Name", "Name of the theme or title of the section"),
)

FREQUENCIES = (
    *_CELL,
    Field("reports", "count", "Reports", "Reports with at least one paragraph that carries the theme"),
    Field("of_reports", "count", "of N reports", "All reports of the band"),
    Field("reports_percent", "percent", "Reports, %", "reports in 100 of_reports"),
    Field("reports_low", "percent", "from", "Lower end of the 95 % interval of reports_percent (Wilson)"),
    Field("reports_high", "percent", "to", "Upper end of the 95 % interval of reports_percent (Wilson)"),
    Field("paragraphs", "count", "Paragraphs", "Substantive paragraphs that carry the theme"),
    Field("of_paragraphs", "count", "of N paragraphs", "All substantive paragraphs of the band"),
    Field("paragraphs_percent", "percent", "Paragraphs, %", "paragraphs in 100 of_paragraphs"),
    Field(
        "paragraphs_low", "percent", "from", "Lower end of the 95 % interval of paragraphs_percent (reports redrawn)"
    ),
    Field("paragraphs_high", "percent", "to", "Upper end of the 95 % interval of paragraphs_percent (reports redrawn)"),
    Field("paragraphs_per_report", "number", "Paragraphs a report", "paragraphs divided by of_reports"),
    Field("per_report_low", "number", "from", "Lower end of the 95 % interval of paragraphs_per_report"),
    Field("per_report_high", "number", "to", "Upper end of the 95 % interval of paragraphs_per_report"),
    Field("words", "count", "Words", "Words of the paragraphs that carry the theme"),
    Field("of_words", "count", "of N words", "Words of all substantive paragraphs of the band"),
    Field("words_percent", "percent", "Words, %", "words in 100 of_words"),
    Field("words_low", "percent", "from", "Lower end of the 95 % interval of words_percent (reports redrawn)"),
    Field("words_high", "percent", "to", "Upper end of the 95 % interval of words_percent (reports redrawn)"),
    Field("strengths", "count", "Strengths", "Paragraphs that put the theme as a strength"),
    Field("weaknesses", "count", "Weaknesses", "Paragraphs that put the theme as a weakness"),
    Field("mixed", "count", "Mixed", "Paragraphs that put the theme as both, or as a fact"),
)
"""Theme frequencies: a row a band and theme (or paper section)."""

MOVEMENTS = (
    *_CELL,
    Field("reports_before", "count", "Reports before", "Reports carrying the theme at the earlier run"),
    Field("of_reports_before", "count", "of N before", "All reports of the band at the earlier run"),
    Field("reports", "count", "Reports", "Reports carrying the theme now"),
    Field("of_reports", "count", "of N", "All reports of the band now"),
    Field("reports_percent_before", "percent", "Reports before, %", "Share of reports at the earlier run"),
    Field("reports_percent", "percent", "Reports, %", "Share of reports now"),
    Field("reports_change", "number", "Change, points", "Percentage points between the two; missing where a base is 0"),
    Field("paragraphs_before", "count", "Paragraphs before", "Paragraphs carrying the theme at the earlier run"),
    Field("of_paragraphs_before", "count", "of N before", "All substantive paragraphs at the earlier run"),
    Field("paragraphs", "count", "Paragraphs", "Paragraphs carrying the theme now"),
    Field("of_paragraphs", "count", "of N", "All substantive paragraphs of the band now"),
    Field("paragraphs_change", "number", "Change, points", "Percentage points of paragraphs between the two"),
)
"""Cells that moved between two runs."""

LABELS = (
    Field("paragraph_id", "text", "Paragraph", "The paragraph of the store that the label was given to"),
    Field("theme", "text", "Theme", "A theme that the reader saw in it; empty where the reader saw none"),
    Field("valence", "text", "Valence", "+, - or 0; empty where theme is"),
    Field("drawn", "text", "Drawn", "How the paragraph came to be chosen; only random ones estimate prevalence"),
)
"""Labels, as the correction takes them; predictions have the first three."""

_MEASURE = Field(
    "measure",
    "text",
    "Measure",
    "What is compared: paragraphs carrying the theme, as a strength, as a weakness; reports",
)

CORRECTED = (
    *_CELL[:2],
    _MEASURE,
    *_CELL[2:],
    Field("paragraphs", "count", "Paragraphs", "Substantive paragraphs in which the classifier finds the theme"),
    Field("of_paragraphs", "count", "of N paragraphs", "All substantive paragraphs of the band"),
    Field("paragraphs_percent", "percent", "Found, %", "paragraphs in 100 of_paragraphs, as the classifier finds them"),
    Field("corrected_percent", "percent", "Corrected, %", "The same share corrected for the classifier's errors"),
    Field("corrected_low", "percent", "from", "Lower end of the 95 % interval of corrected_percent"),
    Field("corrected_high", "percent", "to", "Upper end of the 95 % interval of corrected_percent"),
    Field("labels", "count", "Labels", "Randomly drawn labelled paragraphs in the band"),
    Field("labelled_reports", "count", "Labelled reports", "Reports of the band that they come from"),
    Field("labelled_authorities", "count", "Labelled authorities", "Authorities that they come from: the clusters"),
    Field("labels_carrying", "count", "carrying it", "Labels that carry the theme, by the reader"),
    Field(
        "tested", "count", "Tested", "Labels of authorities that the classifier can be tested on, unseen in training"
    ),
    Field("tested_carrying", "count", "tested, carrying it", "Tested labels that carry the theme, by the reader"),
    Field(
        "found_of_them", "count", "found of them", "Tested labels that carry it and in which the classifier finds it"
    ),
    Field("found_wrongly", "count", "found wrongly", "Tested labels without it in which the classifier finds it"),
    Field(
        "classifier_weight",
        "number",
        "Classifier's weight",
        "0: the labels alone count; 1: the classifier counts in full",
    ),
)
"""Shares of paragraphs corrected for the classifier's errors."""

_TESTED = (
    Field("p_value", "number", "p", "Probability of a trend as strong by chance, authorities being the clusters"),
    Field("q_value", "number", "q", "p_value adjusted over the themes (Benjamini and Hochberg 1995)"),
    Field("direction", "text", "In words", "Which way the trend goes where q_value is below 0.05"),
)

CONTRASTS = (
    _CELL[0],
    _MEASURE,
    *_CELL[2:],
    Field("reports", "count", "Reports", "Reports with that judgement, from outstanding to inadequate"),
    Field("authorities", "count", "Authorities", "Authorities that they are about"),
    Field("good", "count", "Good", "Paragraphs (or reports) of the band good that carry the theme so"),
    Field("of_good", "count", "of N", "All paragraphs (or reports) of the band good"),
    Field("good_percent", "percent", "Good, %", "good in 100 of_good"),
    Field(
        "inadequate", "count", "Inadequate", "Paragraphs (or reports) of the band inadequate that carry the theme so"
    ),
    Field("of_inadequate", "count", "of N", "All paragraphs (or reports) of the band inadequate"),
    Field("inadequate_percent", "percent", "Inadequate, %", "inadequate in 100 of_inadequate"),
    Field(
        "risk_ratio",
        "number",
        "Risk ratio",
        "Share in inadequate over share in good, within frameworks (Mantel-Haenszel)",
    ),
    Field("ratio_low", "number", "from", "Lower end of the 95 % interval of risk_ratio"),
    Field("ratio_high", "number", "to", "Upper end of the 95 % interval of risk_ratio"),
    Field("trend", "number", "Trend", "Test statistic across the four bands; positive: commoner in worse bands"),
    *_TESTED,
)
"""What sets the bands apart: a row a measure and theme."""

CHANGES = (
    *_CELL[:2],
    _MEASURE,
    *_CELL[2:],
    Field("first_year", "text", "First year", "Year of the earliest report"),
    Field("last_year", "text", "Last year", "Year of the latest report"),
    Field("reports", "count", "Reports", "Reports of those years"),
    Field("authorities", "count", "Authorities", "Authorities that they are about"),
    Field("carrying", "count", "Carrying", "Paragraphs (or reports) that carry the theme so, all years together"),
    Field("of_carrying", "count", "of N", "All paragraphs (or reports) of all years"),
    Field("percent", "percent", "%", "carrying in 100 of_carrying"),
    Field("points_a_year", "number", "Points a year", "Percentage points by which the share moved a year, on average"),
    Field("points_low", "number", "from", "Lower end of the 95 % interval of points_a_year"),
    Field("points_high", "number", "to", "Upper end of the 95 % interval of points_a_year"),
    *_TESTED,
)
"""Change over the years: a row a band, measure and theme."""

TERMS = (
    *_CELL[:2],
    Field("rank", "count", "Rank", "1 for the most distinctive"),
    Field("term", "text", "Term", "A word or two neighbouring words"),
    Field(
        "log_odds",
        "number",
        "Log-odds",
        "Log-odds ratio, the band against all others, with an informative Dirichlet prior",
    ),
    Field("z", "number", "z", "log_odds over its standard error: what terms are ranked by"),
    Field("uses", "count", "Uses", "How often the band's paragraphs use the term"),
    Field("reports", "count", "Reports", "Reports of the band that use it"),
    Field("of_reports", "count", "of N reports", "Reports of the band with any such paragraph"),
    Field("per_10000", "number", "Here", "Uses in 10,000 terms of the band"),
    Field("per_10000_elsewhere", "number", "Elsewhere", "Uses in 10,000 terms of all other bands"),
)
"""Distinctive terms: a row a band (or theme) and term."""

_REPORT = (
    Field("report_id", "text", "Report", "The store's number of the report: its content's digest"),
    Field("authority", "text", "Authority", "The local authority, by the name in its newest report"),
    Field("urn", "text", "URN", "Ofsted's number of the authority"),
    Field("region", "text", "Region", "English region"),
    Field("type", "text", "Type", "Type of authority"),
    Field("framework", "text", "Framework", "Inspection framework"),
    Field("inspection_type", "text", "Inspection", "Kind of inspection"),
    Field(
        "published", "text", "Published", "Date of publication, or of the inspection where that is not known (ISO 8601)"
    ),
    Field("year", "text", "Year", "Its year"),
    *(
        Field(f"judgement_{domain.value}", "text", domain.value.replace("_", " ").capitalize(), "Rating band by it")
        for domain in Domain
    ),
)

REPORT_ATTRIBUTES = (*_REPORT, Field("paragraphs", "count", "Paragraphs", "Substantive paragraphs of the report"))
"""Columns of the report matrix before those of the themes."""

QUOTATION = (
    Field("paragraph_id", "text", "Paragraph", "The store's number of the paragraph: report and ordinal"),
    Field("text", "text", "Text", "The paragraph as the report prints it"),
    Field("page", "count", "Page", "The page of the PDF that it begins on, from 1"),
    Field("section", "text", "Section", "The part of the report that it stands in"),
    Field(
        "section_judgement", "text", "Judgement of the section", "Rating band by the judgement that this part explains"
    ),
    Field("kind", "text", "Kind", "Numbered, bullet, recommendation or plain paragraph"),
    Field("number", "text", "Number", "The paragraph's printed number"),
    Field("heading", "text", "Heading", "The nearest heading above it"),
    Field("words", "count", "Words", "Number of words"),
    Field("source_path", "text", "File", "The report's file, as its source names it"),
    Field("url", "text", "Link", "Where the publisher keeps the report"),
    *_REPORT,
)
"""Columns of the quotations before those of the themes."""

CO_OCCURRENCE = (
    *_CELL[2:],
    Field("with_theme", "text", "With theme", "Code of the other theme"),
    Field("with_name", "text", "With", "Name of the other theme"),
    Field("paragraphs", "count", "Paragraphs", "Paragraphs that carry both themes"),
    Field("of_paragraphs", "count", "of N", "Paragraphs that carry the first theme"),
    Field("percent", "percent", "%", "paragraphs in 100 of_paragraphs"),
    Field("jaccard", "number", "Overlap", "Paragraphs with both over paragraphs with either: 0 to 1"),
    Field(
        "lift", "number", "Lift", "paragraphs over what two unconnected themes would share: above 1, they go together"
    ),
)
"""Themes that stand in the same paragraph: a row an ordered pair."""

ANNEX = (
    Field("authority", "text", "Authority", "As Annex 1 prints it"),
    Field("judgement", "text", "Judgement", "Overall effectiveness, a sub-judgement, or the board"),
    Field("printed", "text", "Annex 1", "What Annex 1 says: printed, or by listing no exception"),
    Field("exception", "flag", "Exception", "Whether Annex 1 lists it as differing from the overall judgement"),
    Field("report", "text", "Report", "What the authority's report of that time judges; empty where there is none"),
    Field("agreement", "text", "Agrees", "yes, no, no report, or no judgement"),
    Field("explanation", "text", "Explanation", "Why they differ"),
    Field("report_id", "text", "Report number", "The store's number of the report"),
    Field("page", "count", "Page", "Page of the judgement in the report; 0 where it is not known"),
)
"""The paper's Annex 1 against the reports: a row an authority and judgement."""

SECTION_FIVE = (
    Field("subject", "text", "Of", "Local authorities, or their safeguarding children boards"),
    Field("figure", "text", "Figure", "Grade, or share"),
    Field("printed", "text", "Printed", "The figure that section 5 prints"),
    Field("annex", "count", "Annex 1", "The number that the paper's own Annex 1 gives"),
    Field("of_annex", "count", "of N", "Authorities in the annex, or in England"),
    Field("annex_percent", "percent", "Annex 1, %", "annex in 100 of_annex"),
    Field("reports", "count", "Reports", "The number that the reports in the store give, of the annex's authorities"),
    Field("of_reports", "count", "of N", "Reports in the store with that judgement"),
    Field("agreement", "text", "Agrees", "Whether the printed figure is the annex's"),
    Field("explanation", "text", "Explanation", "Why they differ"),
)
"""The paper's section 5 against its own annex and the reports."""

CLAIMS = (
    Field("period", "text", "Period", "When the reports were published"),
    Field("claim", "text", "Claim", "What the paper says of the section's themes"),
    Field("measure", "text", "Measure", "Share of all paragraphs, or of those that praise (criticise) anything"),
    Field("section", "text", "Section", "Number of the paper's section"),
    Field("title", "text", "Title", "Its title"),
    Field("reports", "count", "Reports", "Reports of the authorities that the claim is about"),
    Field("reports_of_others", "count", "Others' reports", "Reports of the other authorities"),
    Field("authorities", "count", "Authorities", "Authorities on both sides"),
    Field(
        "paragraphs",
        "count",
        "Paragraphs",
        "Paragraphs that put the section so, in reports of those authorities",
    ),
    Field("of_paragraphs", "count", "of N", "All such paragraphs (see measure) in those reports"),
    Field("percent", "percent", "%", "paragraphs in 100 of_paragraphs"),
    Field("others", "count", "Others", "The same in the reports of the other authorities"),
    Field("of_others", "count", "of N", "All such paragraphs in the others' reports"),
    Field("others_percent", "percent", "Others, %", "others in 100 of_others"),
    Field("risk_ratio", "number", "Ratio", "percent over others_percent, within frameworks; above 1: as claimed"),
    Field("ratio_low", "number", "from", "Lower end of the 95 % interval of risk_ratio"),
    Field("ratio_high", "number", "to", "Upper end of the 95 % interval of risk_ratio"),
    Field("statistic", "number", "Statistic", "Test statistic; positive: as claimed"),
    Field("p_value", "number", "p", "Probability of a difference as strong by chance, authorities being the clusters"),
    Field("q_value", "number", "q", "p_value adjusted over the sections of the period and measure"),
    Field("verdict", "text", "Verdict", "holds, the opposite, not shown, or too little to tell"),
)
"""The paper's claim, section by section and period by period."""
