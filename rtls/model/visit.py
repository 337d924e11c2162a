"""What happens between a tag and a zone: transitions, dwell reached, visits.

Layer: nouns. Takes: rows from the engine. Gives: events to publish, and over the seam to `offers`.
Every event has an id that is a hash of what it says, so that a replay gives the same ids and every
sink can refuse a second copy.

Readings that come late can show that an event was otherwise than told. It is then told again, with
its id and a higher revision: the highest one holds. An event that did not happen is withdrawn.
"""

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum

from rtls.model.errors import InvalidVisit
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
    revision: int = 0
    """0 as told live; from 1 on as corrected by readings that came late"""
    is_withdrawn: bool = False
    """it did not happen, as late readings show; the other fields say what had been told"""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_revision(self.revision, is_withdrawn=self.is_withdrawn)
        if (self.reason is None) != (self.kind is TransitionKind.ENTERED):
            raise InvalidVisit(
                f"transition {self.kind.value} has reason {self.reason}; expected one if and only "
                "if the tag left."
            )


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
    revision: int = 0
    """0 as told live; from 1 on as corrected by readings that came late"""
    is_withdrawn: bool = False
    """it did not happen, as late readings show; the other fields say what had been told"""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_revision(self.revision, is_withdrawn=self.is_withdrawn)
        check_order("entered_at_ms", self.entered_at_ms, "reached_at_ms", self.reached_at_ms)
        check_duration("threshold_s", self.threshold_s)
        check_duration("dwell_s", self.dwell_s)


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
    revision: int = 0
    """0 as told live; from 1 on as corrected by readings that came late"""
    is_withdrawn: bool = False
    """it did not happen, as late readings show; the other fields say what had been told"""

    def __post_init__(self) -> None:
        check_revision(self.revision, is_withdrawn=self.is_withdrawn)
        check_order("entered_at_ms", self.entered_at_ms, "left_at_ms", self.left_at_ms)
        check_duration("dwell_s", self.dwell_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A tag walked through a zone and did not stay: never in it long enough for a visit.

    For analytics alone. It is no `ZoneEvent`, so that it cannot reach the decision about an offer.
    """

    event_id: str
    site: SiteId
    tag: TagId
    zone: ZoneId
    at_ms: UnixMs
    """when it was probably in the zone"""
    decided_at_ms: UnixMs
    probability: float
    """the highest P(in zone) on the way"""
    is_between_fixes: bool
    """no fix lay in the zone; the straight line between two of them did"""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_order("at_ms", self.at_ms, "decided_at_ms", self.decided_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysedVisit:
    """An ended visit, its dwell counted anew with what was heard after each moment of it.

    For analytics alone; no `ZoneEvent`.
    """

    event_id: str
    visit_id: str
    site: SiteId
    tag: TagId
    zone: ZoneId
    entered_at_ms: UnixMs
    left_at_ms: UnixMs
    dwell_s_live: Second
    """as the visit said"""
    dwell_s: Second
    """as smoothed; that of the visit where it could not be"""
    is_pass_by: bool
    """the dwell is below the zone's `dwell_s_min`"""
    is_smoothed: bool
    """False where a part of the visit was not looked back at: it was under way at a restart, or
    told or taken up again by late readings"""
    revision: int = 0
    """of the visit; the highest one holds"""
    is_withdrawn: bool = False
    """there was no such visit, as late readings show"""

    def __post_init__(self) -> None:
        check_revision(self.revision, is_withdrawn=self.is_withdrawn)
        check_order("entered_at_ms", self.entered_at_ms, "left_at_ms", self.left_at_ms)
        check_duration("dwell_s", self.dwell_s)


VisitRecord = AnalysedVisit | Passed
"""What reports are made of; nothing of it reaches the decision about an offer."""
ZoneEvent = Transition | DwellReached | Visit


def check_probability(probability: float) -> None:
    """Refuse what is no probability.

    Raises
    ------
    InvalidVisit
        If ``probability`` is outside 0 to 1, or NaN.
    """
    if not 0.0 <= probability <= 1.0:
        raise InvalidVisit(f"probability is {probability}; expected 0 to 1.")


def check_revision(revision: int, *, is_withdrawn: bool) -> None:
    """Refuse a revision that nobody could place.

    Raises
    ------
    InvalidVisit
        If ``revision`` is negative, or 0 where the event is withdrawn.
    """
    if revision < int(is_withdrawn):
        raise InvalidVisit(
            f"revision is {revision} and is_withdrawn {is_withdrawn}; expected 0 or more, and at "
            "least 1 of an event that is taken back."
        )


def check_order(before: str, before_ms: UnixMs, after: str, after_ms: UnixMs) -> None:
    """Refuse an end before its beginning.

    Raises
    ------
    InvalidVisit
        If ``after_ms`` is earlier than ``before_ms``.
    """
    if after_ms < before_ms:
        raise InvalidVisit(f"{after} is {after_ms}, earlier than {before} {before_ms}.")


def check_duration(what: str, seconds: Second) -> None:
    """Refuse a negative, endless or undefined duration.

    Raises
    ------
    InvalidVisit
        If ``seconds`` is not a finite number of 0 or more.
    """
    if not 0.0 <= seconds < math.inf:
        raise InvalidVisit(f"{what} is {seconds}; expected 0 or more seconds.")


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
