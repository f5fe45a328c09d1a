"""The stages in order. Each does only what is missing or stale, so a second run with nothing new does nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import insert, update

from pipeline import __version__, summary
from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.imports import IMPORTED
from pipeline.schema import runs
from pipeline.stage import Context, Outcome, Progress, Stage, no_progress
from pipeline.store import Store
from pipeline.summary import Plan, Summary


def run(
    config: Config,
    source: str | None = None,
    until: Stage = Stage.PUBLISH,
    progress: Progress = no_progress,
    command: str = "run",
) -> Summary:
    """Run the stages up to and including ``until``.

    Parameters
    ----------
    source : str, optional
        The name of one configured source; the others are left as they are.

    Raises
    ------
    UsageError
        If ``source`` is not configured.
    PipelineError
        If the store is in use by another run, or a stage cannot work at all. What was finished before stays.
    """
    _check_source(config, source)
    store = Store(config.store)
    try:
        with store.exclusive():
            return _run_stages(config, store, source, until, progress, command)
    except OSError as error:
        raise PipelineError(_sentence(error)) from error
    finally:
        store.close()


def publish_anew(config: Config, progress: Progress = no_progress, command: str = "publish") -> Summary:
    """Write every publication again from what the store holds, whether or not it is up to date.

    Raises
    ------
    PipelineError
        If the store is in use by a run, or a file cannot be replaced.
    """
    from pipeline.publish.stage import forget

    store = Store(config.store)
    try:
        with store.exclusive():
            with store.writing() as connection:
                forget(connection)
            return _run_stages(config, store, None, Stage.PUBLISH, progress, command, first=Stage.PUBLISH)
    except OSError as error:
        raise PipelineError(_sentence(error)) from error
    finally:
        store.close()


def plan(config: Config, source: str | None = None) -> Plan:
    """What a run would fetch or read; nothing is fetched, and nothing is remembered.

    Raises
    ------
    UsageError
        If ``source`` is not configured.
    """
    from pipeline.sources.stage import look, sources_of

    _check_source(config, source)
    store = Store(config.store)
    try:
        found = Plan(listings=[], unchanged=0)
        for each in sources_of(config, store, source):
            discovery = look(each, store, dry_run=True)
            found.listings.extend(listing.url or listing.source_path for listing in discovery.new)
            found.notes.extend(discovery.notes)
            found.doubts.extend(discovery.doubts)
            found = replace(found, unchanged=found.unchanged + len(discovery.unchanged))
        return found
    finally:
        store.close()


def _check_source(config: Config, source: str | None) -> None:
    names = [option.name for option in config.sources]
    if source is not None and source not in (*names, IMPORTED):
        raise UsageError(f"There is no source '{source}' in {config.path}; it has {', '.join(names)}.")


def _run_stages(
    config: Config,
    store: Store,
    source: str | None,
    until: Stage,
    progress: Progress,
    command: str,
    first: Stage = Stage.DISCOVER,
) -> Summary:
    started = summary.now()
    with store.writing() as connection:
        result = connection.execute(insert(runs).values(started=started, command=command, version=__version__))
        run_id = result.inserted_primary_key[0]  # type: ignore[index]
    context = Context(config=config, store=store, run_id=run_id, source=source, progress=progress)
    report = Summary(run_id=run_id, started=started, until=until.value)
    begun = time.monotonic()
    for stage in _up_to(until, first):
        stage_begun = time.monotonic()
        outcome = _work(stage)(context)
        outcome.seconds = round(time.monotonic() - stage_begun, 2)
        report.outcomes.append(outcome)
    with store.reading() as connection:
        report.counts = summary.counts_by_status(connection)
        report.new_reports = summary.new_reports(connection, run_id)
        report.set_aside = summary.set_aside(connection)
        report.moved = summary.moved(connection, run_id)
    report.files = [str(path) for path in sorted(config.output.glob("*")) if not path.name.startswith(".")]
    report.seconds = round(time.monotonic() - begun, 2)
    report.exit_code = 3 if report.doubts or any(outcome.set_aside for outcome in report.outcomes) else 0
    with store.writing() as connection:
        connection.execute(
            update(runs)
            .where(runs.c.run_id == run_id)
            .values(ended=summary.now(), summary=json.dumps(report.as_json(), ensure_ascii=False))
        )
    return report


def _up_to(until: Stage, first: Stage) -> list[Stage]:
    stages = list(Stage)
    return stages[stages.index(first) : stages.index(until) + 1]


def _work(stage: Stage) -> Callable[[Context], Outcome]:
    """The stage's function, imported when it is its turn: a run with nothing to do should not load scikit-learn."""
    if stage is Stage.DISCOVER:
        from pipeline.sources.stage import discover

        return discover
    if stage is Stage.DOWNLOAD:
        from pipeline.sources.stage import download

        return download
    if stage is Stage.EXTRACT:
        from pipeline.extract.stage import extract

        return extract
    if stage is Stage.TAG:
        from pipeline.themes.stage import tag

        return tag
    if stage is Stage.TABLES:
        from pipeline.tables.stage import tables

        return tables
    from pipeline.publish.stage import publish

    return publish


def _sentence(error: OSError) -> str:
    import errno

    where = f" {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where and f' (writing{where})'}; free some space, then run again (nothing is lost)."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"There is no permission to use{where or ' a file'}; check its owner and permissions, then run again."
    what = f"{error.strerror or error}{where and f' ({where.strip()})'}"
    return f"The file system answered: {what}; mend that, then run again."
