"""The command line: options in, functions called, tables out. Nothing is decided here."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import __version__
from pipeline.config import Config, load_config
from pipeline.domain import Domain, Section
from pipeline.errors import PipelineError, UsageError
from pipeline.exports import Format
from pipeline.labelling.commands import app as label_app
from pipeline.stage import Stage
from pipeline.themes.commands import evaluate, models_app, train

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.store import Store
    from pipeline.themes.taxonomy import Taxonomy

app = typer.Typer(
    name="pipeline",
    help="Theme frequencies by rating band from Ofsted's published reports on children's services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(epilog="Example: pipeline train")(train)
app.command(epilog="Example: pipeline evaluate --output evaluation")(evaluate)
app.add_typer(models_app)
app.add_typer(label_app)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration; else PIPELINE_CONFIG, else ./config.yaml."),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to the terminal.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


class TableFormat(StrEnum):
    """How tables are shown."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


class Question(StrEnum):
    """What is asked of the table, besides how often."""

    CONTRASTS = "contrasts"
    CHANGES = "changes"
    TERMS = "terms"
    CORRECTED = "corrected"


class ExportTable(StrEnum):
    """What can be exported."""

    REPORTS = "reports"
    JUDGEMENTS = "judgements"
    PARAGRAPHS = "paragraphs"
    TAGS = "tags"
    FREQUENCIES = "frequencies"
    LABELS = "labels"


class EvidenceFormat(StrEnum):
    """How paragraphs are shown."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


@app.command(epilog="Example: pipeline run --source ofsted --until extract")
def run(
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only this configured source.")] = None,
    until: Annotated[Stage, typer.Option(help="The last stage to run.")] = Stage.PUBLISH,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be fetched; change nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table, only the summary.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find, fetch, read, tag, count and publish whatever is new or stale.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but reports were set aside in this run or a source is doubtful.
    """
    from pipeline.analysis import snapshot
    from pipeline.publish import terminal
    from pipeline.run import plan
    from pipeline.run import run as run_stages

    settings = load_config(config)
    if dry_run:
        planned = plan(settings, source)
        _print_json(planned.as_json()) if as_json else terminal.show_plan(planned)
        raise typer.Exit(planned.exit_code)
    with terminal.progress(shown=not (quiet or as_json)) as report:
        summary = run_stages(settings, source, until, report, command=" ".join(["pipeline", *sys.argv[1:]]))
    if as_json:
        _print_json(summary.as_json())
    else:
        cells, names = ([], {}) if quiet else snapshot(settings)
        terminal.show_summary(summary, cells, names)
    raise typer.Exit(summary.exit_code)


@app.command(name="import", epilog="Example: pipeline import Downloads/report.pdf 'Shared reports'")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="PDF files, or folders of them.")],
    config: ConfigOption = None,
) -> None:
    """Add PDFs from anywhere; the next `pipeline run` reads them."""
    from pipeline.imports import import_files
    from pipeline.publish import terminal

    terminal.show_import(import_files(load_config(config), paths))


@app.command(epilog="Example: pipeline tag --input paragraphs.jsonl --output tagged.jsonl")
def tag(
    input_: Annotated[Path, typer.Option("--input", "-i", metavar="FILE.jsonl", help='Lines of {"id", "text"}.')],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.jsonl", help='Lines of {"id", "themes"}.')],
    config: ConfigOption = None,
) -> None:
    """Tag any text with the themes."""
    from pipeline.tagging import tag_file

    count, notes = tag_file(load_config(config), input_, output)
    for note in notes:
        typer.echo(note, err=True)
    typer.echo(f"{count:,} texts tagged: {output}", err=True)


@app.command(epilog="Example: pipeline tables --by leadership --format csv --output leadership.csv")
def tables(
    by: Annotated[
        str,
        typer.Option(
            metavar="DOMAIN|year|region|framework|type|authority",
            help="What the columns are: a judgement (overall_effectiveness, help_and_protection, children_in_care, "
            "adoption, care_leavers, leadership, lscb; section_judgement: that of the section a paragraph is in), "
            "or an attribute; two joined by a comma are crossed.",
        ),
    ] = Domain.OVERALL.value,
    sections: Annotated[bool, typer.Option("--sections", help="The paper's sections instead of the themes.")] = False,
    theme: Annotated[str | None, typer.Option(metavar="CODE", help="One theme, and its strongest paragraphs.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the latest report of each authority.")] = False,
    contrasts: Annotated[
        bool, typer.Option("--contrasts", help="What sets the bands apart: trend tests, risk ratios, q-values.")
    ] = False,
    changes: Annotated[
        bool, typer.Option("--changes", help="Change over the years, in points a year, with intervals.")
    ] = False,
    terms: Annotated[
        bool, typer.Option("--terms", help="Distinctive words of each band (with --theme: within the theme).")
    ] = False,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Shares corrected for the classifier's errors, beside those it finds.")
    ] = False,
    format_: Annotated[TableFormat, typer.Option("--format", help="How.")] = TableFormat.TABLE,
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Theme frequencies by rating band, or by any other judgement, year, region, framework or authority."""
    from pipeline.analysis import count_frequencies
    from pipeline.publish import terminal
    from pipeline.publish.frames import write_frame
    from pipeline.themes.taxonomy import load_taxonomy

    settings = load_config(config)
    taxonomy = load_taxonomy(settings.taxonomy)
    if theme is not None and not sections:
        taxonomy.theme(theme)
    question = _question(contrasts=contrasts, changes=changes, terms=terms, corrected=corrected)
    if question is not None:
        if (latest and question in (Question.CHANGES, Question.TERMS)) or (sections and question is Question.TERMS):
            raise UsageError(
                f"--{question.value} does not go with --{'latest' if latest else 'sections'}; leave it out."
            )
        with _store(settings) as store:
            frame, note = _answer(question, store, settings, taxonomy, by, sections, theme, latest)
        if note:
            typer.echo(note, err=True)
        if format_ is TableFormat.TABLE:
            terminal.SHOWN[question.value](frame, output)
        else:
            write_frame(frame, format_.value, output, sheet=question.value)
        return
    with _store(settings) as store:
        frame = count_frequencies(store, settings, taxonomy, by, sections, theme, latest)
        if format_ is TableFormat.TABLE:
            terminal.show_frequencies(frame, output)
            if theme is not None and not sections:
                from pipeline.evidence import Wanted, find

                terminal.show_evidence(*find(store, settings, Wanted(theme=theme, limit=5)))
        else:
            write_frame(frame, format_.value, output, sheet="frequencies")


def _question(**asked: bool) -> Question | None:
    names = [name for name, wanted in asked.items() if wanted]
    if len(names) > 1:
        raise UsageError(f"--{names[0]} and --{names[1]} are different tables; ask for one at a time.")
    return Question(names[0]) if names else None


def _answer(
    question: Question,
    store: Store,
    settings: Config,
    taxonomy: Taxonomy,
    by: str,
    sections: bool,
    theme: str | None,
    latest: bool,
) -> tuple[pd.DataFrame, str]:
    """The table asked for, and what has to be said beside it."""
    from pipeline import analysis

    if question is Question.CONTRASTS:
        return analysis.contrasts_of(store, settings, taxonomy, by, sections, theme, latest), ""
    if question is Question.CHANGES:
        return analysis.changes_of(store, settings, taxonomy, by, sections, theme), ""
    if question is Question.TERMS:
        return analysis.terms_of(store, settings, taxonomy, by, theme), ""
    from pipeline.correcting import correct

    made = correct(store, settings, taxonomy, by, sections=sections, theme=theme, latest=latest)
    return made.shares, made.basis.in_words()


@app.command(epilog="Example: pipeline publish")
def publish(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Write all publications anew from the store: nothing is fetched, read or tagged."""
    from pipeline.publish import terminal
    from pipeline.run import publish_anew

    summary = publish_anew(load_config(config), command=" ".join(["pipeline", *sys.argv[1:]]))
    _print_json(summary.as_json()) if as_json else terminal.show_summary(summary, [], {})
    raise typer.Exit(summary.exit_code)


@app.command(epilog="Example: pipeline paragraphs --theme camhs --rating inadequate --search 'waiting'")
def paragraphs(
    theme: Annotated[str | None, typer.Option(metavar="CODE", help="Paragraphs that carry this theme.")] = None,
    rating: Annotated[str | None, typer.Option(metavar="GRADE", help="Of reports judged so.")] = None,
    domain: Annotated[Domain, typer.Option("--by", help="The judgement that --rating means.")] = Domain.OVERALL,
    authority: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of authorities with this in their name.")
    ] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="That hold this text.")] = None,
    valence: Annotated[
        str | None, typer.Option(metavar="+|-|0", help="Strength, weakness, or mixed (with --theme).")
    ] = None,
    section: Annotated[Section | None, typer.Option(help="In this part of the report.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the sentence and the terms that carried the theme.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many at most; 0: all.")] = 20,
    format_: Annotated[EvidenceFormat, typer.Option("--format", help="How.")] = EvidenceFormat.TABLE,
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """The evidence: paragraphs with report, page and link."""
    from pipeline.evidence import Evidence, Wanted, check, explained, find
    from pipeline.publish import terminal

    settings = load_config(config)
    wanted = check(
        Wanted(theme, rating, domain, authority, search, valence, section.value if section else None, limit or None),
        settings,
    )
    with _store(settings) as store:
        found, total = find(store, settings, wanted)
    if explain:
        found = explained(found, settings)
    if format_ is EvidenceFormat.TABLE:
        terminal.show_evidence(found, total, output)
    else:
        from pipeline.exports import write_records

        write_records(Evidence, found, Format(format_.value), output)


@app.command(epilog="Example: pipeline export paragraphs --format parquet --output paragraphs.parquet")
def export(
    what: Annotated[ExportTable, typer.Argument(help="Which table.")],
    format_: Annotated[Format, typer.Option("--format", help="How.")] = Format.CSV,
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """A whole table, for other programs."""
    from pipeline.exports import Stored
    from pipeline.exports import export as export_stored

    settings = load_config(config)
    with _store(settings) as store:
        if what.value in {stored.value for stored in Stored}:
            export_stored(store, Stored(what.value), format_, output)
        else:
            from pipeline.publish.frames import write_frame

            write_frame(_frame_of(what, store, settings), format_.value, output)


@app.command(epilog="Example: pipeline paper --claims")
def paper(
    claims: Annotated[
        bool, typer.Option("--claims", help="Put the paper's claim to the test, period by period.")
    ] = False,
    format_: Annotated[TableFormat, typer.Option("--format", help="How.")] = TableFormat.TABLE,
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """The 2014 paper's Annex 1 and section 5 from the reports themselves, beside what it printed."""
    from pipeline.analysis import claims_of, paper_of, read_corpus
    from pipeline.publish import terminal
    from pipeline.publish.frames import write_frame

    settings = load_config(config)
    with _store(settings) as store:
        if claims:
            frame = claims_of(store, settings)
        else:
            figures, frame = paper_of(read_corpus(store, settings), settings)
    if format_ is not TableFormat.TABLE:
        write_frame(frame, format_.value, output, sheet="claims" if claims else "annex")
    elif claims:
        terminal.show_claims(frame, output)
    else:
        terminal.show_paper(figures, frame, output)


@app.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What is in the store, what is stale, what was set aside."""
    from pipeline.publish import terminal
    from pipeline.status import read_status

    settings = load_config(config)
    with _store(settings) as store:
        found = read_status(store, settings)
    _print_json(found.as_json()) if as_json else terminal.show_status(found)


def _frame_of(what: ExportTable, store: Store, settings: Config) -> pd.DataFrame:
    from pipeline.themes.taxonomy import load_taxonomy

    taxonomy = load_taxonomy(settings.taxonomy)
    if what is ExportTable.LABELS:
        from pipeline.themes.labels import read_labels

        return read_labels(settings.labels, taxonomy)
    from pipeline.analysis import count_frequencies

    return count_frequencies(store, settings, taxonomy)


def _store(settings: Config) -> closing[Store]:
    from pipeline.store import Store

    return closing(Store(settings.store))


def _print_json(content: object) -> None:
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n")


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"pipeline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Nothing: the commands do the work."""


def main() -> None:
    """The entry point: errors that a user can mend are one sentence, and the exit code says which kind."""
    for stream in (sys.stdout, sys.stderr):  # a Windows console's own code page has no "→", and reports have all kinds
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except PipelineError as error:
        _fail(error)
    except KeyboardInterrupt:
        typer.echo("Stopped; what was finished is kept, and the next run goes on from there.", err=True)
        os._exit(130)
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - a fault of ours: said in a sentence, the rest kept for whoever mends it
        _fail(PipelineError(_unexpected(error)))


def _unexpected(error: Exception) -> str:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="pipeline-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write("".join(traceback.format_exception(error)))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return f"A fault of the program itself ({what}); please report it with {log.name}. What was finished is kept."


def _fail(error: PipelineError) -> None:
    typer.echo(f"pipeline: {error}", err=True)
    sys.exit(error.exit_code)
