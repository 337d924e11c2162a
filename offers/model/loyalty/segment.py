"""Name the groups that shoppers are sorted into by what they buy, and who is in which since when.

Layer: nouns. Takes: nothing. Gives: `Segment`, `Membership`, `SegmentChange` to segment rules,
conditions, triggers and storage. A shopper is in at most one segment of a site; one who has bought
nothing there for a year is in none.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidShopper
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

    def __post_init__(self) -> None:
        if self.left_at_ms is not None and self.left_at_ms < self.entered_at_ms:
            raise InvalidShopper(
                f"left_at_ms is {self.left_at_ms}; expected {self.entered_at_ms} or later, when "
                "the stay began."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """A shopper went from one segment of a site to another; None stands for none."""

    shopper: ShopperId
    site: SiteId
    left: Segment | None
    entered: Segment | None
    at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseHistory:
    """What a shopper bought at a site within the year before one instant."""

    purchases: int = 0
    first_at_ms: UnixMs | None = None
    last_at_ms: UnixMs | None = None
    oldest_at_ms: UnixMs | None = None
    """of purchases and returns: what leaves the year next"""
    next_at_ms: UnixMs | None = None
    """when something was bought or returned after that instant, as far as it is known"""
    spend_minor: int = 0
    """paid, less what was brought back"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLevels:
    """Where the segments of a site part, from one instant on."""

    number: int
    """counts up from 1, which is what holds before a site has shoppers enough"""
    site: SiteId
    at_ms: UnixMs
    high_value_minor: int

    def __post_init__(self) -> None:
        if self.number < 1 or self.high_value_minor < 1:
            raise InvalidShopper(
                f"number is {self.number} and high_value_minor {self.high_value_minor}; expected "
                "1 or more of both."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReview:
    """When a shopper's segment was last looked at, and when time alone may change it."""

    shopper: ShopperId
    site: SiteId
    levels_seen: int
    due_at_ms: UnixMs | None
