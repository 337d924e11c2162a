"""What locating needs from outside, as ports; one conformance suite runs every implementation.

Layer: ports. Takes: nouns. Gives: the shape of sources, sinks and stores to the edges that
implement them and the doors that wire them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.fix import FixBatch
from rtls.model.footfall import (
    Block,
    CellTimes,
    DayGap,
    FixColumns,
    ReportWindow,
    VisitColumns,
    ZoneStays,
)
from rtls.model.units import AnchorId, GatewayId, Metre, TagId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.model.zone_offers import ZoneOffers


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """One message as it came: what every source gives, broker or recorded file alike."""

    topic: str
    payload: bytes
    received_at_ms: UnixMs
    receipt: int = 0
    """what `Source.acknowledge` takes; grows with each message of one source"""
    is_retained: bool = False
    is_resent: bool = False
    """sent before, as the broker says (MQTT: DUP); it may have come then, or be new to us"""


class Source(Protocol):
    """Where raw messages come from."""

    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first message."""
        ...

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Say that what these messages caused is durable; the source may forget them."""
        ...

    def send(self, topic: str, payload: bytes) -> None:
        """Answer a gateway (the end-to-end acknowledgement); at most once, never blocks."""
        ...

    def close(self) -> None:
        """Stop receiving; unacknowledged messages stay with the sender."""
        ...


class EventSink(Protocol):
    """Where zone events go. Returns only when they are durable: the input is acknowledged next."""

    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Hand over events, in order. A second copy of an event id is harmless."""
        ...


class LiveState(Protocol):
    """The latest fix of every tag, for people to look at. May lose all: costs only freshness."""

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes; ``tags`` names the rows. Never blocks the caller."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFixes:
    """The latest fix of each tag, as a reader of the live state sees it.

    Parameters
    ----------
    tags
        The tags, in the order of the rows.
    at_ms
        (n_tags,) int64: the instant of each fix.
    rows
        (n_tags,) `FIX_DTYPE`; the slot `tag` belongs to the writer and means nothing here.
    """

    tags: tuple[TagId, ...]
    at_ms: npt.NDArray[np.int64]
    rows: npt.NDArray[np.void]


class LiveStateReader(Protocol):
    """The reading side of `LiveState`, in this process or another."""

    def latest(self, *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the latest fix of each tag not older than ``max_age_ms``; the reader's own copy.

        Raises `LiveStateAway` where the state cannot be read just now.
        """
        ...

    def latest_of(self, tags: Sequence[TagId], *, max_age_ms: int, now_ms: UnixMs) -> LiveFixes:
        """Return the same of some tags only, those of one person; unknown ones are left out.

        Raises `LiveStateAway` where the state cannot be read just now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorHeard:
    """What one anchor of the site map has given so far."""

    anchor: AnchorId
    readings: int
    last_heard_at_ms: UnixMs | None
    """the anchor's time of its youngest reading; None if it was never heard"""
    alarms: tuple[AnchorAlarm, ...] = ()
    """what is wrong with it now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHeard:
    """What one gateway has sent so far."""

    gateway: GatewayId
    messages: int
    """with readings, that were taken"""
    last_heard_at_ms: UnixMs | None
    """our time of the last of them; None where it has only told its status"""
    is_online: bool | None
    """as its status says; None where it tells none"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownNames:
    """Who is heard and not in the site map: how often, by name, each name bounded in number."""

    gateways: Mapping[str, int]
    anchors: Mapping[str, int]


class StateStore(Protocol):
    """Where the state of a shard survives a restart: one versioned value a shard."""

    def save(self, key: str, snapshot: bytes) -> None:
        """Replace the value; after the return it survives kill -9."""
        ...

    def load(self, key: str) -> bytes | None:
        """Return the last value saved whole, or None."""
        ...


class FootfallSource(Protocol):
    """The position history as reports read it. What it gives is not yet fit to be shown.

    A damaged file is left out and named by `gaps`; it never stops a report.
    """

    def fixes(self, window: ReportWindow) -> FixColumns:
        """Return the fixes with start_ms <= at_ms < end_ms that the choices of the window let."""
        ...

    def visits(self, window: ReportWindow) -> VisitColumns:
        """Return the stays that began within the window, as its choices let."""
        ...

    def cell_times(self, window: ReportWindow, *, cell_m: Metre, block: Block) -> CellTimes:
        """Return the time in each cell and block; the same as of all fixes of the window."""
        ...

    def zone_stays(self, window: ReportWindow, *, block: Block) -> ZoneStays:
        """Return the stays in each zone and block; the same as of all visits of the window."""
        ...

    def cohorts(self, window: ReportWindow) -> tuple[str, ...]:
        """Return the segments that fixes or visits of the window name, "" included, sorted."""
        ...

    def gaps(self, window: ReportWindow) -> tuple[DayGap, ...]:
        """Return the days of the window that are missing, wholly or in part, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedColumns:
    """Where visitors of one floor were, a row for each second or so of each; in no order.

    Parameters
    ----------
    at_ms, visitor, x_m, y_m
        (n,) When, who (of that day), and where.
    """

    at_ms: npt.NDArray[np.int64]
    visitor: npt.NDArray[np.uint64]
    x_m: npt.NDArray[np.float32]
    y_m: npt.NDArray[np.float32]


class PlaybackSource(Protocol):
    """The position history as a map plays it back: minutes of single visitors, to few people."""

    def played(self, *, floor: int, start_ms: UnixMs, end_ms: UnixMs) -> PlayedColumns:
        """Return the rows with start_ms <= at_ms < end_ms.

        Raises `InvalidReport` where they are too many to be held.
        """
        ...


class ZoneOffersSource(Protocol):
    """What became of offers and purchases, by zone: numbers without persons, from who knows both.

    What it gives is not yet fit to be shown.
    """

    def zone_offers(self, window: ReportWindow, *, block: Block) -> ZoneOffers:
        """Return the counts of each zone and block of the window."""
        ...
