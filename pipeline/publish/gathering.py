"""The publication of a run, gathered: its tables counted, its reports listed, its strongest paragraphs found."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from pipeline import __version__, schema
from pipeline.analysis import read_corpus
from pipeline.config import Config
from pipeline.correcting import Basis, Corrected
from pipeline.publish.counting import (
    Correction,
    co_occurrence_table,
    corrected_table,
    frequency_tables,
    paper_tables,
    term_tables,
    test_tables,
)
from pipeline.publish.listing import judged_table, reports_table, themes_table
from pipeline.publish.publication import About, Publication
from pipeline.publish.quotations import strongest
from pipeline.store import Store
from pipeline.tables.corpus import Corpus
from pipeline.themes.taxonomy import Taxonomy

QUOTATIONS_EACH = 20


def gather(
    store: Store, config: Config, taxonomy: Taxonomy, run_id: int, corrected: Correction | None = None
) -> Publication:
    """Count everything that is published.

    Parameters
    ----------
    corrected : function of a Corpus, optional
        Gives shares corrected for the classifier's errors by overall judgement; without it none are published.

    Raises
    ------
    PipelineError
        The store holds what the configuration has no place for (see :meth:`pipeline.tables.corpus.Corpus.read`).
    """
    corpus = read_corpus(store, config)
    shares = corrected(corpus) if corrected else Corrected(pd.DataFrame(), Basis(reason="No correction was made."))
    with store.reading() as connection:
        about = _about(connection, config, taxonomy, corpus, run_id, shares.basis)
        quotations = strongest(connection, config, QUOTATIONS_EACH)
        listed = reports_table(connection, config, corpus)
        terms = term_tables(connection, corpus, taxonomy)
    tables = [
        *frequency_tables(corpus, config, taxonomy),
        *test_tables(corpus, taxonomy),
        *paper_tables(corpus, config),
        *([corrected_table(shares.shares)] if not shares.basis.reason else []),
        *terms,
        co_occurrence_table(corpus, taxonomy),
        judged_table(corpus),
        listed,
        themes_table(taxonomy),
    ]
    return Publication(about, taxonomy, config, store, corpus, {table.name: table for table in tables}, quotations)


def _about(
    connection: Connection, config: Config, taxonomy: Taxonomy, corpus: Corpus, run_id: int, correction: Basis
) -> About:
    started = connection.scalar(select(schema.runs.c.started).where(schema.runs.c.run_id == run_id))
    # The run's own time, so that the same run publishes the same bytes.
    made = datetime.fromisoformat(started) if started else datetime.now().astimezone()
    models = connection.scalars(select(schema.tags.c.model_id).distinct().order_by(schema.tags.c.model_id))
    aside = connection.execute(
        select(schema.reports.c.source_path, func.coalesce(schema.reports.c.reason, "no reason was kept"))
        .where(schema.reports.c.status == schema.Status.SET_ASIDE)
        .order_by(schema.reports.c.source_path)
    )
    dates = corpus.reports["published"].dropna()
    return About(
        made=made,
        run_id=run_id,
        version=__version__,
        reports=len(corpus.reports),
        authorities=int(corpus.reports["authority_key"].nunique()),
        paragraphs=len(corpus.paragraphs),
        tagged=int(corpus.tags["paragraph"].nunique()),
        first=dates.min().date() if len(dates) else None,
        last=dates.max().date() if len(dates) else None,
        models=tuple(models),
        taxonomy=taxonomy.name,
        taxonomy_source=taxonomy.source,
        draws=config.tables.bootstrap_draws,
        set_aside=tuple((path, reason) for path, reason in aside),
        correction=correction,
        bands=tuple((grade.value, band.value) for grade, band in sorted(config.bands.items())),
    )
