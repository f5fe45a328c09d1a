"""Where reports come from: a folder, the shipped sample, the publisher's site.

A source says what it has (:meth:`~pipeline.sources.base.Source.discover`) and lays the files on disk
(:meth:`~pipeline.sources.base.Source.fetch`). Nothing in here reads what a report says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sources.base import Source
from pipeline.sources.options import FolderSource, OfstedSource, SampleSource

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.store import Store

SAMPLE_REPORTS = "corpus/sample/reports"
"""Where the shipped sample lies in the checkout."""


def make_source(options: FolderSource | SampleSource | OfstedSource, config: Config, store: Store) -> Source:
    """The source that an entry of ``sources`` in config.yaml describes.

    Raises
    ------
    UsageError
        An option names an authority or region that is not in the table of authorities.
    """
    from pipeline.sources.folder import FolderSource as Folder

    if isinstance(options, FolderSource):
        return Folder(options.name, config.resolve(options.path), options.path)
    if isinstance(options, SampleSource):
        from pipeline.config import SHIPPED

        return Folder(options.name, SHIPPED / SAMPLE_REPORTS, SAMPLE_REPORTS)
    # The publisher's site needs an HTTP client, which a run on a folder should not have to load.
    from pipeline.authorities import Authorities
    from pipeline.sources.ofsted.source import OfstedSite

    return OfstedSite(options, Authorities.load(config.authorities), config.corpus / options.name, store.engine)
