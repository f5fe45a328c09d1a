"""What kind of document a publication's title announces."""

from __future__ import annotations

import re

from pipeline.domain import InspectionType
from pipeline.sources.options import Kind

_TITLES: tuple[tuple[str, InspectionType | None], ...] = (
    # The first that matches wins. None: a known kind of document that is not about children's social care services.
    (r"joint targeted area|\bjtai\b", InspectionType.JTAI),
    (r"\bsend\b|special educational|adoption agency|fostering|secure training|residential|further education", None),
    (r"monitoring visit", InspectionType.MONITORING_VISIT),
    (r"focused visit|focussed visit", InspectionType.FOCUSED_VISIT),
    (r"re-?inspection", InspectionType.REINSPECTION),
    # The single inspection's full title names the review of the board that came with it.
    (r"single inspection|inspection of services", InspectionType.INSPECTION),
    (r"safeguarding children board|\blscb\b", InspectionType.LSCB_REVIEW),
    (r"short inspection", InspectionType.SHORT_INSPECTION),
    (r"children.?s services|children.?s social care|looked after children|safeguarding|\bilacs\b",
     InspectionType.INSPECTION),
)  # fmt: skip

_KINDS: dict[InspectionType, Kind] = {
    InspectionType.INSPECTION: Kind.INSPECTION,
    InspectionType.SHORT_INSPECTION: Kind.INSPECTION,
    InspectionType.REINSPECTION: Kind.INSPECTION,
    InspectionType.LSCB_REVIEW: Kind.INSPECTION,
    InspectionType.FOCUSED_VISIT: Kind.FOCUSED_VISIT,
    InspectionType.MONITORING_VISIT: Kind.MONITORING_VISIT,
    InspectionType.JTAI: Kind.JTAI,
}


def kind_of(title: str) -> InspectionType | None:
    """The kind that a title announces.

    Returns
    -------
    InspectionType or None
        ``UNKNOWN`` for a title never seen, which must not be passed over in silence; ``None`` for a document about
        other services (special educational needs, fostering, adoption agencies), which is none of ours.
    """
    for pattern, kind in _TITLES:
        if re.search(pattern, title, re.IGNORECASE):
            return kind
    return InspectionType.UNKNOWN


def asked_for(kind: InspectionType) -> Kind | None:
    """The kind, in config.yaml's words, that a document belongs to."""
    return _KINDS.get(kind)
