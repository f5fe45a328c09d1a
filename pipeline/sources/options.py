"""The sources' keys in config.yaml."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PUBLISHER_HOSTS = ("reports.ofsted.gov.uk", "files.ofsted.gov.uk", "files.api.ofsted.gov.uk")
"""The only hosts that are contacted unless ``hosts`` says otherwise."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Kind(StrEnum):
    """Kinds of publication that can be asked for."""

    INSPECTION = "inspection"
    FOCUSED_VISIT = "focused visit"
    MONITORING_VISIT = "monitoring visit"
    JTAI = "joint targeted area inspection"


def is_contact(text: str) -> bool:
    """Whether it looks like an e-mail address or the address of a web page."""
    return "@" in text.strip("@") or text.startswith(("https://", "http://"))


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
    """Names the source on the command line (``--source``) and in every report that came from it."""


class FolderSource(_Options):
    """A tree of PDFs."""

    type: Literal["folder"]
    path: str
    """The folder, absolute or relative to config.yaml."""


class SampleSource(_Options):
    """The reports that ship with the repository."""

    type: Literal["sample"]


class OfstedSource(_Options):
    """The publisher's site.

    Examples
    --------
    In config.yaml::

        sources:
          - name: ofsted
            type: ofsted
            contact: jo.bloggs@council.example
            regions: [South East]
            since: 2018-01-01
    """

    type: Literal["ofsted"]
    contact: Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e][\x20-\x7e]*[\x21-\x7e]$")] | None = None
    """An e-mail address or web page by which the publisher can reach whoever runs this; sent with every request.
    Nothing is asked without one; where config.yaml has none, the environment variable PIPELINE_CONTACT is taken."""
    kinds: Annotated[frozenset[Kind], Field(min_length=1)] = frozenset({Kind.INSPECTION})
    """Kinds of publication to fetch."""
    authorities: tuple[str, ...] = ()
    """Only these authorities, by any of their names or by URN; empty: all."""
    regions: tuple[str, ...] = ()
    """Only authorities of these English regions; empty: all."""
    since: date | None = None
    """Only what was published on this day or later."""
    requests_per_second: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """At most so many requests a second to a host; 0: no limit of ours."""
    budget_requests: Annotated[int, Field(ge=1)] = 2000
    """At most so many requests in one run; the rest is left for the next."""
    budget_minutes: Annotated[float, Field(gt=0)] = 60.0
    """At most so many minutes of asking in one run; the rest is left for the next."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Seconds to wait for a connection, for an answer to begin, and between two pieces of it."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 4
    """How often one address is tried before it is left for the next run."""
    backoff_s: Annotated[float, Field(ge=0, le=600)] = 2.0
    """Upper bound of the first wait between two tries; it doubles each time, and the wait is drawn below it."""
    longest_wait_s: Annotated[float, Field(ge=0, le=3600)] = 120.0
    """No single wait is longer; a ``Retry-After`` beyond it ends the run's work on that host."""
    max_file_mb: Annotated[float, Field(gt=0)] = 50.0
    """A larger file is refused."""
    max_page_mb: Annotated[float, Field(gt=0)] = 10.0
    """A larger page, unpacked, is refused."""
    recheck_days: Annotated[float, Field(gt=0)] = 90.0
    """A file held for longer is asked for again, conditionally, in case it was replaced at the same address."""
    accept_fewer: bool = False
    """True for one run: what the site shows now is right, although it is less than before."""
    user_agent: Annotated[str | None, Field(max_length=200, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")] = None
    """Sent instead of our own name and version; ``contact`` is added to either."""
    site: str = "https://reports.ofsted.gov.uk"
    """Where the search and provider pages are. Another than the publisher's is for tests."""
    hosts: Annotated[tuple[str, ...], Field(min_length=1)] = PUBLISHER_HOSTS
    """Hosts (``name`` or ``name:port``) that may be contacted. Others than the publisher's are for tests."""

    @field_validator("contact")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        if value is not None and not is_contact(value):
            raise ValueError("it must be an e-mail address or a web page, so that the publisher can reach you")
        return value

    @model_validator(mode="after")
    def _site_is_allowed(self) -> OfstedSource:
        parts = urlsplit(self.site)
        if parts.netloc not in self.hosts:
            raise ValueError(
                f"the site {self.site} is not among the hosts that may be contacted ({', '.join(self.hosts)})"
            )
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.netloc.rpartition(":")[0] in _LOOPBACK):
            raise ValueError(f"the site {self.site} must begin with https://")
        return self


SourceOptions = Annotated[FolderSource | SampleSource | OfstedSource, Field(discriminator="type")]
"""One entry of ``sources`` in config.yaml."""
