"""Name the groups that shoppers are sorted into by what they buy, and who is in which since when.

Layer: nouns. Takes: nothing. Gives: `Segment`, `Membership`, `SegmentChange` to segment rules,
conditions, triggers and storage. A shopper is in at most one segment of a site; one who has bought
nothing there for a year is in none.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.ids import ShopperId
from rtls.model.units import SiteId, UnixMs


class Segment(StrEnum):
    """A group that shoppers are sorted into; each asks for another approach."""

    NEW = "new"
    """bought for the first time not long ago: welcome and teach"""
    OCCASIONAL = "occasional"
    """buys now and then: a time-limited offer"""
    HIGH_VALUE = "high_value"
    """spends more than most at this site: rising rewards"""
    AT_RISK = "at_risk"
    """has stayed away for long: win back"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One stay of a shopper in a segment of a site."""

    shopper: ShopperId
    site: SiteId
    segment: Segment
    entered_at_ms: UnixMs
    left_at_ms: UnixMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """A shopper went from one segment of a site to another; None stands for none."""

    shopper: ShopperId
    site: SiteId
    left: Segment | None
    entered: Segment | None
    at_ms: UnixMs
