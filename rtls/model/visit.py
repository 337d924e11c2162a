"""What happens between a tag and a zone: transitions, dwell reached, visits.

Layer: nouns. Takes: rows from the engine. Gives: events to publish, and over the seam to `offers`.
Every event has an id that is a hash of what it says, so that a replay gives the same ids and every
sink can refuse a second copy.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from rtls.model.units import Second, SiteId, TagId, UnixMs, ZoneId


class TransitionKind(StrEnum):
    """Direction of a transition."""

    ENTERED = "entered"
    LEFT = "left"


class LeftReason(StrEnum):
    """Why a visit ended."""

    WALKED_AWAY = "walked_away"
    LOST = "lost"
    """no reading for longer than the grace; `at_ms` is the last evidence"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A tag entered or left a zone (omlox fence event)."""

    event_id: str
    visit_id: str
    site: SiteId
    tag: TagId
    zone: ZoneId
    kind: TransitionKind
    at_ms: UnixMs
    """when it happened"""
    decided_at_ms: UnixMs
    """when the evidence sufficed to say so"""
    probability: float
    reason: LeftReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellReached:
    """A visit has lasted as long as one of the zone's thresholds."""

    event_id: str
    visit_id: str
    site: SiteId
    tag: TagId
    zone: ZoneId
    entered_at_ms: UnixMs
    reached_at_ms: UnixMs
    evidence_at_ms: UnixMs
    """the youngest reading that the event stands on"""
    threshold_s: Second
    dwell_s: Second
    dwell_s_low: Second
    dwell_s_high: Second
    probability: float
    """P(in zone) over the dwell"""
    is_late: bool = False
    """stands on readings from a spool: for analytics, never for an offer"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One ended stay in one zone. Shorter than the zone's `dwell_s_min` it is a pass-by."""

    event_id: str
    visit_id: str
    site: SiteId
    tag: TagId
    zone: ZoneId
    entered_at_ms: UnixMs
    left_at_ms: UnixMs
    dwell_s: Second
    is_pass_by: bool
    reason: LeftReason


ZoneEvent = Transition | DwellReached | Visit


def visit_id(site: SiteId, tag: TagId, zone: ZoneId, entered_at_ms: UnixMs) -> str:
    """Return the id of the stay that began at `entered_at_ms`: 32 hex digits, the same in replay.

    Examples
    --------
    >>> a = visit_id(SiteId("demo"), TagId("tag:1"), ZoneId("dowels"), UnixMs(1000))
    >>> a == visit_id(SiteId("demo"), TagId("tag:1"), ZoneId("dowels"), UnixMs(1000)), len(a)
    (True, 32)
    """
    return _digest(site, tag, zone, str(entered_at_ms))


def event_id(visit: str, what: str) -> str:
    """Return the id of one event of a visit; `what` tells its events apart, e.g. ``dwell:300``."""
    return _digest(visit, what)


def _digest(*parts: str) -> str:
    # A separator that no id may contain, so that ("a", "bc") and ("ab", "c") differ.
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
