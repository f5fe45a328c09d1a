"""The tables that the publications add to those of :mod:`pipeline.tables.columns`: columns, types, meaning."""

from __future__ import annotations

from pipeline.domain import Domain
from pipeline.tables.columns import Field

JUDGED = (
    Field("domain", "text", "Judgement", "What is judged: overall effectiveness or another domain"),
    Field("year", "text", "Year", "Year of publication, 'all' for all years"),
    Field("band", "text", "Band", "The rating band; 'not judged' where the report does not give this judgement"),
    Field("reports", "count", "Reports", "Reports of the year in the band"),
    Field("of_reports", "count", "of N reports", "All reports of the year"),
    Field("reports_percent", "percent", "Reports, %", "reports in 100 of_reports"),
    Field("reports_low", "percent", "from", "Lower end of the 95 % interval of reports_percent (Wilson)"),
    Field("reports_high", "percent", "to", "Upper end of the 95 % interval of reports_percent (Wilson)"),
)
"""How reports were judged over the years."""

REPORTS = (
    Field("report_id", "text", "Report", "Key of the report"),
    Field("authority", "text", "Authority", "Name of the local authority"),
    Field("urn", "text", "URN", "Ofsted's number of the authority"),
    Field("region", "text", "Region", "English region"),
    Field("type", "text", "Type", "Type of authority"),
    Field("framework", "text", "Framework", "Inspection framework that the report was written under"),
    Field("inspection_type", "text", "Kind", "Kind of inspection or visit"),
    Field("published", "text", "Published", "Date of publication, ISO 8601; of the inspection where none is given"),
    Field("year", "text", "Year", "Year of that date"),
    Field("latest", "flag", "Latest", "Whether it is the newest report of its authority that judges its services"),
    *(
        Field(domain.value, "text", domain.value.replace("_", " ").capitalize(), "The grade as the report gives it")
        for domain in Domain
    ),
    Field("paragraphs", "count", "Paragraphs", "Substantive paragraphs"),
    Field("link", "text", "Link", "Address of the report, or of its file"),
)
"""The reports that the tables are counted from, one a row."""

THEMES = (
    Field("theme", "text", "Theme", "Code of the theme: the key in every other table"),
    Field("name", "text", "Name", "Name of the theme"),
    Field("definition", "text", "Definition", "What a paragraph that carries it is about"),
    Field("sections", "text", "Sections", "Sections of the 2014 paper that it belongs to, parted by semicolons"),
)
"""The themes, one a row."""
