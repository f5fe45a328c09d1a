"""The store's tables: every table between the stages, with its columns, declared here and nowhere else."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 1

REPORT_ID_LENGTH = 16
"""A report's id is the first hex digits of its content's SHA-256; a copy at another place has an id of its own."""

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the store itself: ``schema_version``, and the stamp that each derived whole was made from."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=True),
    Column("started", String(32), nullable=False),  # ISO 8601, UTC
    Column("ended", String(32)),  # null: interrupted
    Column("command", Text, nullable=False),
    Column("version", String(32), nullable=False),
    Column("summary", Text),  # JSON of pipeline.run.Summary
)

reports = Table(
    "reports",
    metadata,
    # What the source says. One row a file; a report is its content, so a second copy has the status "duplicate".
    Column("report_id", String(REPORT_ID_LENGTH), primary_key=True),
    Column("source", String(64), nullable=False),
    Column(
        "source_path", Text, nullable=False
    ),  # as the user knows it: the source's path as configured, then the file's
    Column("file", Text, nullable=False),  # where its bytes are read from
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("url", Text),
    Column("title", Text),
    Column("listed_urn", String(16)),  # listed_*: what the file's name or the site says, before the document is read
    Column("listed_authority", Text),
    Column("listed_published", Date),
    Column("status", String(16), nullable=False),  # see pipeline.schema.Status
    Column("reason", Text),  # why it was set aside
    Column("first_run", Integer, nullable=False),  # the run that first saw it
    Column("gone", Date),  # since when its source has it no more; what was read of it is kept
    # What the document says.
    Column("urn", String(16)),
    Column("authority", Text),
    Column("region", Text),
    Column("framework", String(16)),
    Column("inspection_type", String(40)),
    Column("published", Date),
    Column("inspection_start", Date),
    Column("inspection_end", Date),
    Column("lead_inspector", Text),
    Column("pages", Integer),
    Column("warnings", Text),  # one a line
    # What made the derived rows: a stage redoes a report whose stamp is not today's.
    Column("extracted_with", String(64)),
    Column("tagged_with", String(64)),
    Index("reports_source", "source", "source_path"),
    Index("reports_sha256", "sha256"),
)

judgements = Table(
    "judgements",
    metadata,
    Column("report_id", ForeignKey("reports.report_id", ondelete="CASCADE"), primary_key=True),
    Column("domain", String(32), primary_key=True),
    Column("grade", String(24), nullable=False),
    Column("page", Integer),
    Column("basis", String(16), nullable=False),
)

paragraphs = Table(
    "paragraphs",
    metadata,
    Column("paragraph_id", String(24), primary_key=True),  # report_id, "-", ordinal in four digits
    Column("report_id", ForeignKey("reports.report_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("page", Integer, nullable=False),
    Column("page_end", Integer, nullable=False),
    Column("x0", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("section", String(24), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("number", String(16)),
    Column("heading", Text),
    Column("text", Text, nullable=False),
    Column("words", Integer, nullable=False),
    Column("substantive", Boolean, nullable=False),
    Column("fingerprint", String(12), nullable=False, index=True),
)

tags = Table(
    "tags",
    metadata,
    Column("paragraph_id", ForeignKey("paragraphs.paragraph_id", ondelete="CASCADE"), primary_key=True),
    Column("theme", String(40), primary_key=True),
    Column("probability", Float, nullable=False),
    Column("valence", String(1), nullable=False),
    Column("model_id", String(40), nullable=False),
)
"""The themes that a paragraph carries (probability at or above the theme's threshold), and only those."""

vectors = Table(
    "vectors",
    metadata,
    Column("fingerprint", String(12), primary_key=True),
    Column("encoder", String(40), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # little-endian float16
)
"""A sentence encoder's vector of each paragraph, computed once."""

frequencies = Table(
    "frequencies",
    metadata,
    Column("snapshot", Integer, primary_key=True),  # the run that made it; the newest and the one before are kept
    Column("by", String(32), primary_key=True),
    Column("band", String(64), primary_key=True),
    Column("theme", String(40), primary_key=True),
    Column("reports", Integer, nullable=False),
    Column("of_reports", Integer, nullable=False),
    Column("paragraphs", Integer, nullable=False),
    Column("of_paragraphs", Integer, nullable=False),
    Column("strengths", Integer, nullable=False),
    Column("weaknesses", Integer, nullable=False),
    Column("mixed", Integer, nullable=False),
)
"""Theme frequencies as of a run, for saying what moved since."""


class Status:
    """Values of ``reports.status``."""

    FOUND = "found"  # known, not read yet
    EXTRACTED = "extracted"
    SET_ASIDE = "set aside"
    DUPLICATE = "duplicate"  # same content as another report
    REPLACED = "replaced"  # its file has other content now
    WITHDRAWN = "withdrawn"  # the publisher no longer serves it; what was read is kept
