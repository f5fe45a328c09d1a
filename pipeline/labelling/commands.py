"""``pipeline label``: batches out, labels in, agreement, settlement."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.config import Config, load_config
from pipeline.errors import UsageError
from pipeline.labelling.batch import SUFFIXES, Batch, BatchFormat, Draw

if TYPE_CHECKING:
    from pipeline.labelling.drawing import Progress
    from pipeline.store import Store

app = typer.Typer(
    name="label",
    help="Labels by people: draw paragraphs to read, take the labels back, see how far readers agree, settle.",
    no_args_is_help=True,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration; else PIPELINE_CONFIG, else ./config.yaml."),
]
SkipOption = Annotated[
    bool, typer.Option("--skip-bad", help="Leave out paragraphs with faults, list them, and take the others.")
]
FILES_WITH_FAULTS = 3
"""Exit code: done, but something was left out."""


class AgreementFormat(StrEnum):
    """How agreement is shown."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command(epilog="Example: pipeline label export --draw uncertain --count 100 --output to-read.xlsx")
def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Write the batch here.")],
    draw: Annotated[
        Draw,
        typer.Option(
            help="How paragraphs are chosen: evenly at random, where the model is least sure, of a theme (by the model "
            "or its terms), of an authority; or those whose labels the model doubts most, to be read again."
        ),
    ] = Draw.RANDOM,
    theme: Annotated[str | None, typer.Option(metavar="CODE", help="With --draw theme, uncertain or suspect.")] = None,
    authority: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only authorities with this in their name; not with random.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many paragraphs.")] = 50,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed draws the same paragraphs.")] = None,
    format_: Annotated[
        BatchFormat | None, typer.Option("--format", help="How; else as the file's name ends.", show_default=False)
    ] = None,
    suggestions: Annotated[
        bool, typer.Option("--suggestions/--no-suggestions", help="Show the reader what the model says.")
    ] = False,
    annotator: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who will read: leave out what NAME has read; else what anybody has."),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(
            "--second-reading-of", metavar="NAME", help="Only what NAME has read, for --annotator to read too."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Draw paragraphs to label, or to read again, as a workbook or for a labelling tool."""
    from pipeline.labelling.drawing import Wanted, draw_batch
    from pipeline.labelling.showing import show_batch

    settings = load_config(config)
    chosen = _format(output, format_)
    wanted = Wanted(draw, theme, authority, count, seed, annotator, again, suggestions)
    with _store(settings) as store:
        batch, notes = draw_batch(store, settings, wanted, date.today(), _progress())
    show_batch(batch, write_batch(batch, output, chosen), notes)


@app.command(name="import", epilog="Example: pipeline label import to-read.xlsx --annotator 'Jo Smith'")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A batch, filled in: .xlsx, .csv, .json or .jsonl.")],
    annotator: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who filled it in; a workbook says it itself.")
    ] = None,
    skip_bad: SkipOption = False,
    config: ConfigOption = None,
) -> None:
    """Take labels back into the label file: all of them, or none if one is wrong. Can be run again.

    Exit codes: 0 done, 1 nothing imported, 2 wrong usage, 3 done but paragraphs with faults were left out.
    """
    from pipeline.labelling.importing import import_labels
    from pipeline.labelling.showing import show_import

    settings = load_config(config)
    with _store(settings) as store:
        imported = import_labels(store, settings, file, annotator, date.today(), skip_bad)
    show_import(imported, skip_bad)
    _exit(bool(imported.faults), imported.entered is None)


@app.command(epilog="Example: pipeline label agreement --disagreements to-settle.xlsx")
def agreement(
    between: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only these annotators (give it twice); else all.")
    ] = None,
    disagreements: Annotated[
        Path | None, typer.Option(metavar="FILE.xlsx", help="Also write what they disagree on, as a batch to settle.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="At most so many disagreements, the most disputed first.")
    ] = None,
    draws: Annotated[int, typer.Option(min=0, max=100_000, help="Redrawn sets for the intervals; 0: none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the redrawing.")] = 2014,
    format_: Annotated[AgreementFormat, typer.Option("--format", help="How.")] = AgreementFormat.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write CSV or JSON here.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """How far annotators agree: Cohen's kappa and Krippendorff's alpha a theme, with intervals."""
    from pipeline.labelling.agreement import agreement as measure
    from pipeline.labelling.agreement import readings_of
    from pipeline.labelling.settling import disagreements as to_settle
    from pipeline.labelling.showing import show_agreement, show_batch
    from pipeline.themes.labels import read_labels
    from pipeline.themes.taxonomy import load_taxonomy

    settings = load_config(config)
    names = tuple(dict.fromkeys(between or ()))
    if between and len(names) < 2:
        raise UsageError("--between needs two names: --between A --between B.")
    if output is not None and format_ is AgreementFormat.TABLE:
        raise UsageError("--output needs --format csv or json.")
    if disagreements is not None:
        _format(disagreements, BatchFormat.XLSX)
    elif count is not None:
        raise UsageError("--count goes with --disagreements FILE.")
    taxonomy = load_taxonomy(settings.taxonomy)
    labels = read_labels(settings.labels, taxonomy)
    readings = readings_of(labels, taxonomy, names)
    frame = measure(readings, taxonomy, draws, seed)
    if format_ is AgreementFormat.TABLE:
        show_agreement(frame, readings.annotators)
    else:
        text = frame.to_csv(index=False, lineterminator="\n")
        if format_ is AgreementFormat.JSON:
            text = json.dumps(json.loads(frame.to_json(orient="records")), ensure_ascii=False, indent=2) + "\n"
        _write_or_print(text, output)
    if disagreements is not None:
        with _store(settings) as store:
            batch, notes = to_settle(store, settings, labels, taxonomy, date.today(), names, count)
        show_batch(batch, write_batch(batch, disagreements, BatchFormat.XLSX), notes)


@app.command(epilog="Example: pipeline label settle to-settle.xlsx --by 'Jo Smith'")
def settle(
    file: Annotated[Path, typer.Argument(metavar="FILE.xlsx", help="The disagreements, settled.")],
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who settled; the workbook says it itself.")] = None,
    skip_bad: SkipOption = False,
    config: ConfigOption = None,
) -> None:
    """Take settled labels back: they stand as `settled by NAME`, and the readings before them are kept.

    Exit codes: 0 done, 1 nothing imported, 2 wrong usage, 3 done but paragraphs with faults were left out.
    """
    from pipeline.labelling.importing import import_labels
    from pipeline.labelling.settling import followed
    from pipeline.labelling.showing import show_followed, show_import
    from pipeline.themes.taxonomy import load_taxonomy

    settings = load_config(config)
    with _store(settings) as store:
        imported = import_labels(store, settings, file, by, date.today(), skip_bad, settle=True)
        show_import(imported, skip_bad)
        if imported.entered is not None:
            entered = imported.entered
            settled = [*entered.new, *entered.held, *entered.replaced, *entered.superseded]
            show_followed(*followed(store, entered.labels, settled, load_taxonomy(settings.taxonomy).codes))
    _exit(bool(imported.faults), imported.entered is None)


def write_batch(batch: Batch, path: Path, format_: BatchFormat) -> list[Path]:
    """Write a batch; the files that there are now.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    try:
        if format_ is BatchFormat.XLSX:
            from pipeline.labelling.workbook import write_workbook

            write_workbook(batch, path)
            return [path]
        if format_ is BatchFormat.CSV:
            from pipeline.labelling.csvs import write_csv

            write_csv(batch, path)
            return [path]
        if format_ is BatchFormat.LABELSTUDIO:
            from pipeline.labelling.labelstudio import config_path, write_labelstudio

            write_labelstudio(batch, path)
            return [path, config_path(path)]
        from pipeline.labelling.doccano import labels_path, write_doccano

        write_doccano(batch, path)
        return [path, labels_path(path)]
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); choose another --output.") from error


def _format(path: Path, given: BatchFormat | None) -> BatchFormat:
    """The format asked for; it must be the one that the file's name ends with, or the file could not come back."""
    suffix = path.suffix.lower()
    of_name = SUFFIXES.get(suffix)
    wanted = given or of_name
    if wanted is None:
        raise UsageError(f"{path} ends with none of {', '.join(SUFFIXES)}; name it so, or give --format.")
    if of_name is not wanted:
        right = next(ending for ending, kind in SUFFIXES.items() if kind is wanted)
        raise UsageError(f"{path} does not end with {right}, as {wanted} does; name it so.")
    return wanted


def _store(settings: Config) -> closing[Store]:
    from pipeline.store import Store

    return closing(Store(settings.store))


def _progress() -> Progress | None:
    """A line on standard error, where somebody looks at it."""
    import sys

    if not sys.stderr.isatty():
        return None

    def report(done: int, total: int) -> None:
        sys.stderr.write(f"\rread by the model: {done:,} of {total:,}" + ("\n" if done == total else ""))
        sys.stderr.flush()

    return report


def _write_or_print(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    from pipeline.files import write_text

    try:
        write_text(output, text)
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror}); choose another --output.") from error


def _exit(faults: bool, refused: bool) -> None:
    if refused:
        raise typer.Exit(1)
    if faults:
        raise typer.Exit(FILES_WITH_FAULTS)
