"""What the terminal shows: tables that fit 100 columns, heat by colour and by digits, every number with its base."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from pipeline.files import written_whole
from pipeline.publish.words import p_value
from pipeline.stage import Progress, Stage, no_progress

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.evidence import Evidence
    from pipeline.imports import Imported
    from pipeline.status import StatusReport
    from pipeline.summary import Plan, Summary

WIDTH = 100
_NAME_WIDTH = 24
_CELL_WIDTH = 14
_BANDS_A_TABLE = 5
_LISTED = 10  # how many new reports, moved cells ... are listed before "and n more"

# From mostly strengths to mostly weaknesses: blue to red, told apart by the colour-blind; the digits say the same.
_HEAT = (
    "black on #92c5de",
    "black on #d1e5f0",
    "black on #f7f7f7",
    "black on #fddbc7",
    "black on #f4a582",
    "white on #b2182b",
)


def console(file: object | None = None) -> Console:
    """A console on standard output, 100 columns where nobody says otherwise."""
    chosen = Console(file=file, soft_wrap=False) if file else Console()  # type: ignore[arg-type]
    if not chosen.is_terminal:
        return Console(file=file or sys.stdout, width=WIDTH, highlight=False)  # type: ignore[arg-type]
    return Console(width=min(chosen.width, 140), highlight=False)


@contextmanager
def progress(shown: bool) -> Iterator[Progress]:
    """A bar for each stage that has something to do, on standard error."""
    err = Console(stderr=True)
    if not shown or not err.is_terminal:
        yield no_progress
        return
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=err, transient=True) as bars:
        tasks = {}

        def report(stage: Stage, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage.value, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


@dataclass(frozen=True)
class Cell:
    """One cell of the theme table."""

    band: str
    theme: str
    name: str
    reports: int
    of_reports: int
    paragraphs: int
    of_paragraphs: int
    strengths: int
    weaknesses: int
    mixed: int
    low: float | None = None  # 95 % interval of the share of reports, percent
    high: float | None = None


def cells_of(frame: pd.DataFrame) -> list[Cell]:
    """The cells of a frame of frequencies."""
    columns = [
        "band", "theme", "name", "reports", "of_reports", "paragraphs", "of_paragraphs",
        "strengths", "weaknesses", "mixed", "reports_low", "reports_high",
    ]  # fmt: skip
    return [Cell(*row) for row in frame[columns].itertuples(index=False, name=None)]


LEGEND = (
    "Each cell: reports that carry the theme, n/N; its share of the band's substantive paragraphs; of those "
    "paragraphs, how many in 100 put it as a strength (+) and as a weakness (-)."
)


def theme_tables(cells: Sequence[Cell], title: str) -> Group:
    """Themes down, bands across, at most five bands a table; two lines a cell, see :data:`LEGEND`."""
    bands = list(dict.fromkeys(cell.band for cell in cells))
    parts: list[Table | Text] = [Text(title, style="bold"), Text(LEGEND, style="dim")]
    for start in range(0, len(bands), _BANDS_A_TABLE):
        chosen = bands[start : start + _BANDS_A_TABLE]
        rows: dict[str, dict[str, Cell]] = {}
        for cell in cells:
            if cell.band in chosen:
                rows.setdefault(cell.theme, {})[cell.band] = cell
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("Theme", width=_NAME_WIDTH)
        first = next(iter(rows.values()))
        for band in chosen:
            base = f"N={first[band].of_reports:,}\n{first[band].of_paragraphs:,} para."
            table.add_column(Text(f"{band}\n{base}"), justify="right", width=_CELL_WIDTH)
        for of_theme in rows.values():
            name = next(iter(of_theme.values())).name
            table.add_row(Text(name), *(_cell(of_theme[band]) for band in chosen))
        parts.append(table)
    return Group(*parts)


def _cell(cell: Cell) -> Text:
    if not cell.of_reports:
        return Text("no reports", style="dim")
    text = Text(f"{cell.reports}/{cell.of_reports} {cell.paragraphs / max(cell.of_paragraphs, 1):.1%}\n")
    if not cell.paragraphs:
        return text
    strong, weak = cell.strengths / cell.paragraphs, cell.weaknesses / cell.paragraphs
    shade = min(int(weak * len(_HEAT)), len(_HEAT) - 1)
    text.append(f"+{100 * strong:.0f} -{100 * weak:.0f}", style=_HEAT[shade])
    return text


def one_theme_table(cells: Sequence[Cell]) -> Table:
    """One theme, bands down: reports with interval, paragraphs, and how they put it."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=cells[0].name if cells else None)
    table.title_justify = "left"
    table.add_column("Band")
    for heading in ("Reports", "%", "95 % interval", "Paragraphs", "% of all", "strength", "weakness", "mixed"):
        table.add_column(heading, justify="right")
    for cell in cells:
        share = f"{cell.reports / cell.of_reports:.0%}" if cell.of_reports else "-"
        known = cell.low is not None and cell.high is not None and cell.of_reports
        table.add_row(
            Text(cell.band),
            f"{cell.reports} of {cell.of_reports}",
            share,
            f"{cell.low:.0f} to {cell.high:.0f}" if known else "-",
            f"{cell.paragraphs} of {cell.of_paragraphs}",
            f"{cell.paragraphs / cell.of_paragraphs:.1%}" if cell.of_paragraphs else "-",
            str(cell.strengths),
            str(cell.weaknesses),
            str(cell.mixed),
        )
    return table


def show_frequencies(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show a frame of frequencies, or write what would be shown to a file."""
    cells = cells_of(frame)
    by = frame["by"].iloc[0] if len(frame) else ""
    with _destination(output) as out:
        if not cells:
            out.print("The store has no extracted reports yet: pipeline run.")
        elif len({cell.theme for cell in cells}) == 1:
            out.print(one_theme_table(cells))
        else:
            out.print(theme_tables(cells, f"Themes by {by.replace('_', ' ')}"))


@contextmanager
def _destination(output: Path | None) -> Iterator[Console]:
    if output is None:
        yield console()
        return
    with written_whole(output) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield console(file)


def show_evidence(found: Sequence[Evidence], total: int, output: Path | None = None) -> None:
    """Show paragraphs as cards: whose, when, judged how, where in the report, and the words."""
    with _destination(output) as out:
        for item in found:
            tag = f"  {item.valence} {item.theme} {item.probability:.2f}" if item.theme else ""
            whose = f"{item.authority or 'authority not known'}, {item.published or 'no date'}"
            head = f"{whose} ({item.grade}), page {item.page}"
            number = f"{item.number} " if item.number else ""
            out.print(Text(head, style="bold"), Text(f"{item.section.replace('_', ' ')}{tag}", style="dim"), sep="  ")
            out.print(Padding(Text(number + item.text), (0, 0, 0, 2)))
            if item.why:
                out.print(Padding(Text(f"because: {item.why}", style="italic"), (0, 0, 0, 2)))
            out.print(Text(f"  {item.link}", style="dim"), soft_wrap=True)
            out.print()
        out.print(f"{len(found)} of {total} paragraphs shown." if total else "No paragraph fits.")


def _first(lines: Sequence[str], what: str) -> list[str]:
    shown = list(lines[:_LISTED])
    if len(lines) > _LISTED:
        shown.append(f"... and {len(lines) - _LISTED} more {what}")
    return shown


def show_summary(summary: Summary, cells: Sequence[Cell], names: dict[str, str]) -> None:
    """Show what a run did: the table, the new reports, what moved, what was set aside and why, where the files are."""
    out = console()
    if cells:
        out.print(theme_tables(cells, "Themes by overall judgement"))
    if summary.nothing_new:
        out.print(Text("Nothing new: every report is read, tagged and counted already.", style="bold"))
    if summary.new_reports:
        lines = [
            f"{new.authority or new.source_path}, {new.published or 'no date'}: "
            + (
                f"{new.overall or 'no overall judgement'} ({new.framework})"
                if new.status == "extracted"
                else new.status
            )
            for new in summary.new_reports
        ]
        _block(out, f"New reports: {len(summary.new_reports)}", _first(lines, "new reports"))
    if summary.moved:
        lines = [
            f"{names.get(cell.theme, cell.theme)}, {cell.band}: "
            f"reports {cell.reports_before}/{cell.of_reports_before} -> {cell.reports}/{cell.of_reports}, "
            f"paragraphs {_share(cell.paragraphs_before, cell.of_paragraphs_before)} -> "
            f"{_share(cell.paragraphs, cell.of_paragraphs)}"
            for cell in summary.moved
        ]
        _block(out, f"Moved in the table: {len(summary.moved)} cells", _first(lines, "cells"))
    if summary.set_aside:
        lines = [f"{report.source_path}: {report.reason}" for report in summary.set_aside]
        _block(out, f"Set aside: {len(summary.set_aside)} (tried again when they change)", _first(lines, "set aside"))
    if summary.notes:
        _block(out, "Notes", summary.notes)
    if summary.doubts:
        _block(out, "Doubtful", summary.doubts, style="bold red")
    done = ", ".join(
        f"{outcome.stage} {outcome.done:,} in {outcome.seconds:.1f} s" for outcome in summary.outcomes if outcome.done
    )
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.counts.items())
    took = f"Run {summary.run_id} took {summary.seconds:.1f} s{f': {done}' if done else ''}."
    out.print(Text(f"Reports: {counts or 'none'}. {took}"))
    if summary.files:
        _block(out, "Files", summary.files)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%} ({part:,}/{whole:,})" if whole else "none"


def _block(out: Console, heading: str, lines: Sequence[str], style: str = "bold") -> None:
    out.print(Text(heading, style=style))
    for line in lines:
        out.print(Text(f"  {line}"), soft_wrap=True)


def show_plan(plan: Plan) -> None:
    """Show what a run would fetch."""
    out = console()
    for listing in plan.listings:
        out.print(Text(f"  {listing}"), soft_wrap=True)
    out.print(
        Text(
            f"{len(plan.listings)} files would be fetched or read; {plan.unchanged} are held and unchanged.",
            style="bold",
        )
    )
    if plan.notes:
        _block(out, "Notes", plan.notes)
    if plan.doubts:
        _block(out, "Doubtful", plan.doubts, style="bold red")


def show_import(imported: Imported) -> None:
    """Show what was added."""
    out = console()
    for path in imported.added:
        out.print(Text(f"  added {path}"), soft_wrap=True)
    for path in imported.held:
        out.print(Text(f"  held already: {path}"), soft_wrap=True)
    out.print(
        Text(
            f"{len(imported.added)} added to {imported.folder}, {len(imported.held)} held already. Next: pipeline run"
        ),
        soft_wrap=True,
    )


def show_status(status: StatusReport) -> None:
    """Show what is in the store, what is stale, what was set aside."""
    out = console()
    counts = ", ".join(f"{count:,} {name}" for name, count in status.counts.items()) or "none"
    frameworks = ", ".join(f"{count:,} {name}" for name, count in status.frameworks.items())
    models = ", ".join(f"{count:,} by {name}" for name, count in status.tagged_with.items())
    out.print(Text(f"Store: {status.store}", style="bold"), soft_wrap=True)
    out.print(Text(f"Reports: {counts}{f' ({frameworks})' if frameworks else ''}."))
    out.print(Text(f"Paragraphs: {status.paragraphs:,}, of which {status.substantive:,} substantive."))
    out.print(Text(f"Tags: {status.tags:,}{f' ({models})' if models else ''}."))
    stale = [f"{stage}: {count:,} to do" for stage, count in status.stale.items() if count]
    out.print(Text(f"Stale: {', '.join(stale)}; pipeline run." if stale else "Stale: nothing."))
    if status.last_run:
        ended = f"ended {status.last_ended}" if status.last_ended else "was interrupted"
        out.print(Text(f"Last run: started {status.last_run}, {ended}."))
    if status.set_aside:
        lines = [f"{report.source_path}: {report.reason}" for report in status.set_aside]
        _block(out, f"Set aside: {len(lines)} (tried again when they change)", lines)
    if status.warnings:
        lines = [f"{path}: {line}" for path, line in status.warnings]
        _block(out, f"Read, but odd: {len(lines)}", _first(lines, "such reports"))


def show_paper(figures: pd.DataFrame, annex: pd.DataFrame, output: Path | None = None) -> None:
    """Show the paper's section 5, then the cells of its annex that the reports do not bear out."""
    with _destination(output) as out:
        table = _plain_table("Section 5 of the paper, beside its own annex and the reports held")
        for heading in ("Of", "Figure", "Printed", "Annex", "Reports", "Agrees", "Why not"):
            table.add_column(heading)
        for row in figures.itertuples():
            annexed, held = f"{row.annex} of {row.of_annex}", f"{row.reports} of {row.of_reports}"
            table.add_row(
                *(Text(str(cell)) for cell in (row.subject, row.figure, row.printed, annexed, held, row.agreement)),
                Text(str(row.explanation)),
            )
        out.print(table)
        counts = annex["agreement"].value_counts()
        told = ", ".join(f"{count} {answer}" for answer, count in counts.items())
        out.print(Text(f"Annex 1, {len(annex)} cells. Do the reports agree? {told}.", style="bold"))
        for row in annex[annex["agreement"] == "no"].itertuples():
            said = f"{row.authority}, {str(row.judgement).replace('_', ' ')}: annex {row.printed}, report {row.report}"
            out.print(Text(f"  {said}. {row.explanation}"))


def show_claims(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show, for each period and section, whether the paper's claim holds."""
    with _destination(output) as out:
        for (period, claim, measure), cells in frame.groupby(["period", "claim", "measure"], sort=False):
            table = _plain_table(f"{period}: {claim} ({measure})")
            for heading in ("Section", "Theirs", "Others'", "Ratio, 95 % interval", "q", "Verdict"):
                table.add_column(heading)
            for row in cells.itertuples():
                table.add_row(
                    Text(f"{row.section} {row.title}"),
                    f"{row.paragraphs} of {row.of_paragraphs}",
                    f"{row.others} of {row.of_others}",
                    f"{row.risk_ratio:.2f} ({row.ratio_low:.2f} to {row.ratio_high:.2f})",
                    f"{row.q_value:.3f}",
                    Text(str(row.verdict)),
                )
            out.print(table)


def show_contrasts(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show what sets the bands apart: a table a measure, the commonest in inadequate first."""
    with _destination(output) as out:
        for measure, rows in frame.groupby("measure", sort=False):
            first = rows.iloc[0]
            table = _plain_table(f"{measure}: {first['reports']:,} reports of {first['authorities']:,} authorities")
            for heading in ("Theme", "Good", "Inadequate", "Ratio, 95 %", "q", "In words"):
                table.add_column(heading)
            for row in rows.sort_values("risk_ratio", ascending=False, kind="stable").itertuples():
                table.add_row(
                    Text(str(row.name)),
                    _n_of_n(row.good, row.of_good, row.good_percent),
                    _n_of_n(row.inadequate, row.of_inadequate, row.inadequate_percent),
                    _estimate(row.risk_ratio, row.ratio_low, row.ratio_high),
                    _q(row.q_value),
                    Text(str(row.direction)),
                )
            out.print(table)


def show_changes(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show change over the years: a table a band, shares of paragraphs, the steepest rise first."""
    with _destination(output) as out:
        for band, rows in frame[frame["measure"] == "paragraphs"].groupby("band", sort=False):
            first = rows.iloc[0]
            years = f"{first['first_year']} to {first['last_year']}"
            table = _plain_table(f"{band}: {first['reports']:,} reports, {years}; points of the share of paragraphs")
            for heading in ("Theme", "Paragraphs", "Points a year, 95 %", "q", "In words"):
                table.add_column(heading)
            for row in rows.sort_values("points_a_year", ascending=False, kind="stable").itertuples():
                table.add_row(
                    Text(str(row.name)),
                    _n_of_n(row.carrying, row.of_carrying, row.percent),
                    _estimate(row.points_a_year, row.points_low, row.points_high),
                    _q(row.q_value),
                    Text(str(row.direction)),
                )
            out.print(table)


def show_terms(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show the distinctive terms of each band, with how often each is used there and elsewhere."""
    with _destination(output) as out:
        if frame.empty:
            out.print("No band has terms of its own: there are too few paragraphs.")
        for band, rows in frame.groupby("band", sort=False):
            table = _plain_table(f"{band}: {rows['of_reports'].iloc[0]:,} reports; uses in 10,000 terms")
            for heading in ("Term", "z", "Here", "Elsewhere", "Reports"):
                table.add_column(heading)
            for row in rows.itertuples():
                table.add_row(
                    Text(str(row.term)),
                    _known(row.z, 1),
                    _known(row.per_10000, 1),
                    _known(row.per_10000_elsewhere, 1),
                    f"{row.reports:,} of {row.of_reports:,}",
                )
            out.print(table)


def show_corrected(frame: pd.DataFrame, output: Path | None = None) -> None:
    """Show the shares as found and as corrected: a table a group and measure."""
    with _destination(output) as out:
        for (measure, band), rows in frame.groupby(["measure", "band"], sort=False):
            first = rows.iloc[0]
            base = f"{first['labels']:,} random labels of {first['labelled_authorities']:,} authorities"
            table = _plain_table(f"{band}, {measure}, %: {first['of_paragraphs']:,} paragraphs, {base}")
            for heading in ("Theme", "Found", "Corrected, 95 %", "Labels carrying it"):
                table.add_column(heading)
            for row in rows.itertuples():
                table.add_row(
                    Text(str(row.name)),
                    _n_of_n(row.paragraphs, row.of_paragraphs, row.paragraphs_percent),
                    _estimate(row.corrected_percent, row.corrected_low, row.corrected_high),
                    f"{row.labels_carrying:,} of {row.labels:,}",
                )
            out.print(table)


SHOWN = {"contrasts": show_contrasts, "changes": show_changes, "terms": show_terms, "corrected": show_corrected}
"""How each table of `pipeline tables` that is not the frequencies is shown."""


def _n_of_n(part: object, whole: object, share: object) -> str:
    return f"{part:,} of {whole:,} {_known(share, 1)}%" if whole else "none"


def _known(value: object, decimals: int) -> str:
    number = float(value)  # type: ignore[arg-type]
    return f"{number:.{decimals}f}" if math.isfinite(number) else "-"


def _q(value: object) -> str:
    return p_value(float(value))  # type: ignore[arg-type]


def _estimate(value: object, low: object, high: object) -> str:
    if not math.isfinite(float(value)):  # type: ignore[arg-type]
        return "-"
    known = math.isfinite(float(low)) and math.isfinite(float(high))  # type: ignore[arg-type]
    return _known(value, 2) + (f" ({_known(low, 2)} to {_known(high, 2)})" if known else "")


def _plain_table(title: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=title)
    table.title_justify = "left"
    table.title_style = "bold"
    return table
