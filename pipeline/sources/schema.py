"""What is remembered of the publisher's site between runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, String, Table, Text

from pipeline.schema import metadata

site_robots = Table(
    "site_robots",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("text", Text, nullable=False),
    Column("asked", String(32), nullable=False),  # ISO 8601, UTC
)
"""Each host's robots.txt; asked for again after a day."""

site_providers = Table(
    "site_providers",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("urn", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("in_search", Boolean, nullable=False),  # whether the last good search listed it
    Column("publications", Integer),  # of every kind, on its page when last read well; null: never read
)
"""The authorities' pages, and how much each showed: less of it is an alarm."""

site_publications = Table(
    "site_publications",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("file_number", String(20), primary_key=True),
    # What its provider's page says.
    Column("urn", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", String(40), nullable=False),  # pipeline.domain.InspectionType
    Column("published", Date),
    Column("url", Text, nullable=False),
    Column("listed", Boolean, nullable=False),  # still on its page
    # What is held of it; null: nothing.
    Column("file", Text),  # below the source's folder
    Column("bytes", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("sha256", String(64)),
    Column("etag", Text),
    Column("last_modified", Text),
    # What came of asking.
    Column("checked", String(32)),  # when the publisher last confirmed what is held, ISO 8601, UTC
    Column("withdrawn", Boolean, nullable=False),  # "Report not found" when last asked
    Column("tries", Integer, nullable=False),  # in a row without a file
    Column("next_try", String(32)),  # not asked for before, ISO 8601, UTC
    Column("reason", Text),  # why the last try gave no file
)
"""Every publication seen on a provider's page, and the file held of it."""
