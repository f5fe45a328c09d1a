"""What stands on each page of the site: the templates and what they are given, from the publication alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.domain import Band, Domain, Valence
from pipeline.publish import catalogue, words
from pipeline.publish.catalogue import DIMENSION_TITLES, by_name
from pipeline.publish.links import report_link
from pipeline.publish.publication import Publication
from pipeline.publish.quotations import Quotation
from pipeline.publish.views import Cell, by_band, by_theme, heat_table, records_of, scale_of, unique_slugs, years_of

QUOTATIONS_A_PAGE = 8
MEASURE_TITLES = {
    "paragraphs": "Paragraphs that carry it",
    "weaknesses": "Paragraphs that put it as a weakness",
    "strengths": "Paragraphs that put it as a strength",
    "reports": "Reports that carry it",
}
_CLEAR = 0.05

CLAIM_TITLES: dict[tuple[str, str], dict[str, str]] = {
    ("3", "paragraphs"): {
        "title": "Sections 3: strengths of the well performing",
        "about": "Share of all paragraphs that put the section as a strength, well performing against the others.",
    },
    ("3", "praise"): {
        "title": "Sections 3: where the praise goes",
        "about": "Of the paragraphs that praise anything, the share that praises this.",
    },
    ("4", "paragraphs"): {
        "title": "Sections 4: weaknesses of the poorly performing",
        "about": "Share of all paragraphs that put the section as a weakness, poorly performing against the others.",
    },
    ("4", "criticism"): {
        "title": "Sections 4: where the criticism goes",
        "about": "Of the paragraphs that fault anything, the share that faults this.",
    },
}

# Themes by group, as heat tables of their own: page, table, heading of the first column's title.
_TABLE_PAGES: tuple[tuple[str, str, str], ...] = (
    ("latest", catalogue.LATEST, "overall judgement, the latest report of each authority only"),
    *(
        (words.slug(dimension), by_name(dimension), DIMENSION_TITLES[dimension])
        for dimension in DIMENSION_TITLES
        if dimension not in (Domain.OVERALL.value, "authority") and "," not in dimension
    ),
)


@dataclass(frozen=True)
class Page:
    """A page: its address within the site, its template, and what the template is given."""

    name: str
    template: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class _Cited:
    """A quotation with its address, as seen from the page that shows it."""

    quotation: Quotation
    link: str
    authority_page: str | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.quotation, name)


class Pages:
    """The pages of one publication.

    Parameters
    ----------
    site : Path
        The folder that they will stand in: links to files are relative to it.
    pictures : sequence of str
        Names of the pictures in its folder ``pictures``.
    """

    def __init__(self, publication: Publication, site: Path, pictures: Iterable[str]) -> None:
        self.publication = publication
        self.site = site
        self.pictures = tuple(pictures)
        self.theme_pages = {
            theme.code: f"themes/{words.slug(theme.code)}.html" for theme in publication.taxonomy.themes
        }
        names = sorted(set(publication.frame(catalogue.REPORTS)["authority"]))
        self.authority_pages = {name: f"authorities/{part}.html" for name, part in unique_slugs(names).items()}

    def __iter__(self) -> Iterator[Page]:
        yield from self._overview()
        yield from self._themes()
        yield from self._authorities()
        yield from self._tables()
        yield from self._others()

    def _overview(self) -> Iterator[Page]:
        frame = self.publication.frame
        apart = self._apart(catalogue.APART, "paragraphs")
        yield Page(
            "index.html",
            "index.html.j2",
            {
                "themes": self.publication.taxonomy.themes,
                "bands": [band.value for band in Band],
                "heat_table": heat_table(frame(catalogue.THEMES), "Theme", self.theme_pages),
                "sections_table": heat_table(frame(catalogue.SECTIONS), "Section", {}),
                "years": years_of(frame(catalogue.JUDGED), Domain.OVERALL.value)
                if self.publication.about.reports
                else [],
                "apart": [row for row in apart if row["q_value"] < _CLEAR],
                "base": apart[0] if apart else None,
            },
        )

    def _apart(self, name: str, measure: str) -> list[dict[str, Any]]:
        """The rows of one measure, commonest in inadequate first, those without a ratio last."""
        frame = self.publication.frame(name)
        ordered = frame[frame["measure"] == measure].sort_values("risk_ratio", ascending=False, kind="stable")
        numbered = name == catalogue.SECTIONS_APART
        return [
            row
            | {
                "page": self.theme_pages.get(row["theme"]),
                "label": f"{row['theme']} {row['name']}" if numbered else row["name"],
            }
            for row in records_of(ordered)
        ]

    def _themes(self) -> Iterator[Page]:
        frame = self.publication.frame
        themes = self.publication.taxonomy.themes
        totals = {theme: cells[0] for theme, cells in by_theme(frame(catalogue.ALL)).items()}
        yield Page(
            "themes.html",
            "themes.html.j2",
            {
                "rows": [
                    {
                        "page": self.theme_pages[theme.code],
                        "name": theme.name,
                        "definition": theme.definition,
                        "cell": totals.get(theme.code),
                    }
                    for theme in themes
                ]
            },
        )
        groupings = {
            "by_band": by_theme(frame(catalogue.THEMES)),
            "by_section": by_theme(frame(by_name("section_judgement"))),
            "by_year": by_theme(frame(by_name("year"))),
            "by_region": by_theme(frame(by_name("region"))),
        }
        apart, changes, corrected = (
            self._rows_by_theme(name) for name in (catalogue.APART, catalogue.CHANGES_TABLE, catalogue.CORRECTED_TABLE)
        )
        terms = self._terms(catalogue.THEME_TERMS)
        links = [{"page": self.theme_pages[theme.code], "name": theme.name} for theme in themes]
        for place, theme in enumerate(themes):
            yield Page(
                self.theme_pages[theme.code],
                "theme.html.j2",
                {
                    "theme": theme,
                    "sections": [
                        section for section in self.publication.taxonomy.sections if theme.code in section.themes
                    ],
                    "total": totals.get(theme.code),
                    **{name: rows.get(theme.code, []) for name, rows in groupings.items()},
                    "strengths": self._cited(theme.code, Valence.STRENGTH),
                    "weaknesses": self._cited(theme.code, Valence.WEAKNESS),
                    "before": links[place - 1] if place else None,
                    "after": links[place + 1] if place + 1 < len(links) else None,
                    "terms": terms.get(theme.code, []),
                    "apart": apart[theme.code],
                    "corrected": corrected[theme.code],
                    "changes": changes[theme.code],
                },
            )

    def _terms(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The distinctive terms of each band, or theme."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in records_of(self.publication.frame(name)):
            found[row["band"]].append(row)
        return found

    def _rows_by_theme(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The rows of each theme; of changes and corrections those of paragraphs alone."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        table = self.publication.tables.get(name)
        for row in records_of(table.frame) if table else []:
            if name == catalogue.APART or row["measure"] == "paragraphs":
                found[row["theme"]].append(row | {"page": None, "label": MEASURE_TITLES[row["measure"]]})
        return found

    def _cited(self, theme: str, valence: Valence) -> list[_Cited]:
        quotations = self.publication.quotations.get((theme, valence.value), [])[:QUOTATIONS_A_PAGE]
        return [
            _Cited(
                item,
                report_link(item.url, item.file, item.page, seen_from=self.site / "themes"),
                self.authority_pages.get(item.authority),
            )
            for item in quotations
        ]

    def _authorities(self) -> Iterator[Page]:
        reports = self.publication.frame(catalogue.REPORTS)
        regions: dict[str, list[dict[str, str]]] = {}
        homes = dict(zip(reports["authority"], reports["region"], strict=True))
        for name in sorted(homes):
            regions.setdefault(homes[name], []).append({"name": name, "page": self.authority_pages[name]})
        yield Page(
            "authorities.html",
            "authorities.html.j2",
            {"regions": [{"name": region, "authorities": regions[region]} for region in sorted(regions)]},
        )
        frame = self.publication.frame
        profiles, overall = by_band(frame(by_name("authority"))), by_band(frame(catalogue.THEMES))
        by_region, of_all = by_band(frame(by_name("region"))), by_band(frame(catalogue.ALL))
        everything = next(iter(of_all.values()), {})
        for name, own in profiles.items():
            of_authority = reports[reports["authority"] == name]
            latest = of_authority[of_authority["latest"]]
            grade = latest[Domain.OVERALL.value].iloc[0] if len(latest) else Band.NOT_JUDGED.value
            band = dict(self.publication.about.bands).get(grade, grade)
            band = None if band == Band.NOT_JUDGED.value else band
            region = by_region.get(homes[name], {})
            yield Page(
                self.authority_pages[name],
                "authority.html.j2",
                self._profile(name, of_authority, own, band, homes[name], region, overall, everything),
            )

    def _profile(
        self,
        name: str,
        reports: Any,
        own: dict[str, Cell],
        band: str | None,
        region_name: str,
        region: dict[str, Cell],
        overall: dict[str, dict[str, Cell]],
        everything: dict[str, Cell],
    ) -> dict[str, Any]:
        rows = [
            {
                "page": self.theme_pages[theme.code],
                "name": theme.name,
                "own": own[theme.code],
                "band": overall[band][theme.code] if band else None,
                "region": region[theme.code],
                "all": everything[theme.code],
            }
            for theme in self.publication.taxonomy.themes
        ]
        first = rows[0]
        compared = [cell for row in rows for cell in row.values() if isinstance(cell, Cell)]
        domains = [(domain.value, words.DOMAIN_NAMES[domain.value]) for domain in Domain]
        newest = reports.sort_values("published", ascending=False, kind="stable")
        return {
            "name": name if name != "unknown" else "Authority not known",
            "region": region_name,
            "band": band,
            "domains": domains,
            "profile": rows,
            "base": _base(first["own"]),
            "bases": {group: _base(first[group]) for group in ("band", "region", "all")},
            "top": scale_of(compared),
            "reports": [
                {
                    "link": report["link"]
                    if report["link"].startswith("http")
                    else self._relative(report["report_id"]),
                    "when": words.day(_date(report["published"])),
                    "framework": report["framework"],
                    "kind": report["inspection_type"],
                    "grades": [report[domain] for domain, _ in domains],
                }
                for report in newest.to_dict("records")
            ],
        }

    def _relative(self, report_id: str) -> str:
        return report_link(None, self._files[report_id], seen_from=self.site / "authorities")

    @cached_property
    def _files(self) -> dict[str, Path]:
        from sqlalchemy import select

        from pipeline.schema import reports

        with self.publication.store.reading() as connection:
            rows = connection.execute(select(reports.c.report_id, reports.c.file))
            return {row.report_id: self.publication.config.resolve(row.file) for row in rows}

    def _tables(self) -> Iterator[Page]:
        pages = [(f"tables/{page}.html", name, f"Themes by {title}") for page, name, title in _TABLE_PAGES]
        links = [{"at": at, "title": title} for at, _, title in pages]
        apart = {"at": "tables/apart.html", "title": "What sets the bands apart: tests of trend and risk ratios"}
        claims = {"at": "tables/claims.html", "title": "The 2014 paper's claim, put to the test"}
        paper = {
            "at": "tables/paper.html",
            "title": "The 2014 paper's section 5 and Annex 1, from the reports themselves",
        }
        yield Page("tables.html", "tables.html.j2", {"pages": [apart, claims, paper, *links]})
        yield Page(paper["at"], "paper.html.j2", self._paper())
        yield Page(claims["at"], "claims.html.j2", {"blocks": self._claims()})
        measures = [
            {
                "code": measure,
                "title": title,
                "rows": self._apart(catalogue.APART, measure),
            }
            for measure, title in MEASURE_TITLES.items()
        ]
        sections = self._apart(catalogue.SECTIONS_APART, "paragraphs")
        base = measures[0]["rows"][0]
        terms = list(self._terms(catalogue.BAND_TERMS).items())
        content = {"measures": measures, "sections": sections, "base": base, "terms": terms}
        yield Page(apart["at"], "apart.html.j2", content)
        for at, name, title in pages:
            table = heat_table(self.publication.frame(name), "Theme", self.theme_pages)
            yield Page(at, "table.html.j2", {"title": title, "table": table, "file": name})

    def _paper(self) -> dict[str, Any]:
        """Section 5's figures, the annex's cells an authority, and those that the reports do not bear out."""
        cells = records_of(self.publication.frame(catalogue.ANNEX_TABLE))
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for cell in cells:
            rows[cell["authority"]].append(cell)
        answers = [cell["agreement"] for cell in cells]
        return {
            "figures": records_of(self.publication.frame(catalogue.SECTION_FIVE_TABLE)),
            "cells": len(cells),
            "answers": [(answer, answers.count(answer)) for answer in ("yes", "no", "no report", "no judgement")],
            "differ": [cell for cell in cells if cell["agreement"] == "no"],
            "judgements": [words.DOMAIN_NAMES[cell["judgement"]] for cell in next(iter(rows.values()), [])],
            "names": words.DOMAIN_NAMES,
            "rows": rows,
            "claims": self._claims(),
        }

    def _claims(self) -> list[dict[str, Any]]:
        """A block a claim and measure: its periods, and a row a section with a cell a period."""
        blocks: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in records_of(self.publication.frame(catalogue.CLAIMS_TABLE)):
            blocks[row["section"].split(".")[0], row["measure"]].append(row)
        return [
            {"code": f"{chapter}-{measure}", **CLAIM_TITLES[chapter, measure], **_periods_and_sections(rows)}
            for (chapter, measure), rows in blocks.items()
        ]

    def _others(self) -> Iterator[Page]:
        yield Page("method.html", "method.html.j2", {})
        tables = self.publication.tables.values()
        dictionary: dict[tuple[Any, ...], list[str]] = {}
        for table in tables:
            dictionary.setdefault(table.fields, []).append(table.title)
        yield Page(
            "data.html",
            "data.html.j2",
            {
                "tables": list(tables),
                "dictionary": [(_titles(titles), fields) for fields, titles in dictionary.items()],
                "pictures": [
                    (f"pictures/{name}", words.capital(Path(name).stem.replace("-", " "))) for name in self.pictures
                ],
            },
        )


def _periods_and_sections(cells: list[dict[str, Any]]) -> dict[str, Any]:
    periods: dict[str, dict[str, Any]] = {}
    rows: dict[str, dict[str, Any]] = {}
    for cell in cells:
        others = {"others": cell["reports_of_others"]}
        periods.setdefault(cell["period"], {"name": cell["period"], "reports": cell["reports"], **others})
        row = rows.setdefault(cell["section"], {"section": cell["section"], "title": cell["title"], "cells": []})
        row["cells"].append(cell)
    return {"periods": list(periods.values()), "rows": list(rows.values())}


def _titles(titles: Iterable[str]) -> str:
    """One heading for tables with the same columns."""
    first, *others = titles
    return f"{first}, and {len(others)} more like it" if others else first


def _base(cell: object) -> int:
    return cell.of_paragraphs if isinstance(cell, Cell) else 0


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
