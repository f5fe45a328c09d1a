"""``pipeline status``: what is in the store, what is stale, what was set aside."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from pipeline.config import Config
from pipeline.schema import paragraphs, reports, runs, tags
from pipeline.stage import Stage
from pipeline.store import Store
from pipeline.summary import SetAsideReport, counts_by_status, set_aside


@dataclass(frozen=True)
class StatusReport:
    """The store at a glance.

    ``stale`` maps a stage to how many reports (for the tables and publications: 1) its next run would redo.
    """

    store: str
    counts: dict[str, int]
    frameworks: dict[str, int]
    paragraphs: int
    substantive: int
    tags: int
    tagged_with: dict[str, int]  # model -> tags
    stale: dict[str, int]
    warnings: list[tuple[str, str]]  # source path, what looked odd
    set_aside: list[SetAsideReport]
    last_run: str | None
    last_ended: str | None

    def as_json(self) -> dict[str, object]:
        """Every field."""
        return asdict(self)


def read_status(store: Store, config: Config) -> StatusReport:
    """Look; change nothing."""
    from pipeline.extract.stage import stale_reports
    from pipeline.publish.stage import is_stale as publications_stale
    from pipeline.tables.stage import is_stale as tables_stale
    from pipeline.themes.stage import untagged_reports

    with store.reading() as connection:
        extract = stale_reports(connection, config)
        stale = {
            Stage.EXTRACT.value: len(extract),
            Stage.TAG.value: len(untagged_reports(connection, config)),
            Stage.TABLES.value: int(tables_stale(connection, config)),
            Stage.PUBLISH.value: int(publications_stale(connection, config)),
        }
        last = connection.execute(select(runs.c.started, runs.c.ended).order_by(runs.c.run_id.desc()).limit(1)).first()
        frameworks = connection.execute(
            select(reports.c.framework, func.count())
            .where(reports.c.framework.is_not(None))
            .group_by(reports.c.framework)
            .order_by(reports.c.framework)
        )
        models = connection.execute(
            select(tags.c.model_id, func.count()).group_by(tags.c.model_id).order_by(tags.c.model_id)
        )
        odd = connection.execute(
            select(reports.c.source_path, reports.c.warnings)
            .where(reports.c.warnings.is_not(None))
            .order_by(reports.c.source_path)
        )
        return StatusReport(
            store=store.name,
            counts=counts_by_status(connection),
            frameworks=dict(frameworks.tuples().all()),
            paragraphs=connection.scalar(select(func.count()).select_from(paragraphs)) or 0,
            substantive=connection.scalar(select(func.count()).where(paragraphs.c.substantive)) or 0,
            tags=connection.scalar(select(func.count()).select_from(tags)) or 0,
            tagged_with=dict(models.tuples().all()),
            stale=stale,
            warnings=[(path, line) for path, lines in odd for line in (lines or "").splitlines()],
            set_aside=set_aside(connection),
            last_run=last.started if last else None,
            last_ended=last.ended if last else None,
        )
