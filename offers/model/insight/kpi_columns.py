"""Hold purchases and offers as columns that key figures are counted from.

Layer: nouns. Takes: rows of storage. Gives: `PurchaseColumns`, `OfferColumns`, `ZoneStops` to
offers.insight. A shopper is a number within one answer: the columns know no card and no name, and
are not yet fit to be shown. Only who granted `analytics` may be followed and has a number from 0
on. The others' numbers are below 0: they keep ten receipts of one person from being taken for those
of ten, and serve for nothing else.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from offers.model.loyalty.segment import Segment
from rtls.model.report_columns import Columns, check_columns
from rtls.model.units import ZoneId

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Int8s = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

ERASED: Final = -1
"""`shopper` of a receipt whose shopper is not known any more"""
NO_SEGMENT: Final = -1
_DAY_BITS: Final = 24  # more days than any calendar has
SEGMENTS: Final = tuple(Segment)
"""what `segment` counts through"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseColumns:
    """Receipts with a card or coupon, of one site in one currency, a row each, in any order.

    Parameters
    ----------
    shopper, segment
        (n,) Whose it is, and the segment that the shopper is in at the end of the window.
    day
        (n,) Days since 1970-01-01 by the clocks of the site.
    paid_minor
        (n,) What goods cost after discounts, less what was brought back; above 0.
    currency
        Of all rows; empty where there are none.
    left_out
        Receipts in other currencies.
    """

    shopper: Int32s
    segment: Int8s
    day: Int32s
    paid_minor: Int64s
    currency: str
    left_out: int = 0

    def __post_init__(self) -> None:
        columns: Columns = {
            "shopper": (self.shopper, np.int32),
            "segment": (self.segment, np.int8),
            "day": (self.day, np.int32),
            "paid_minor": (self.paid_minor, np.int64),
        }
        check_columns(columns)

    def rows(self, which: Bools) -> "PurchaseColumns":
        """Return some of the rows."""
        return PurchaseColumns(
            shopper=self.shopper[which],
            segment=self.segment[which],
            day=self.day[which],
            paid_minor=self.paid_minor[which],
            currency=self.currency,
            left_out=self.left_out,
        )

    def between(self, first: int, end: int) -> "PurchaseColumns":
        """Return the rows of the days from ``first`` until just before ``end``."""
        return self.rows((self.day >= first) & (self.day < end))

    def of_members(self) -> "PurchaseColumns":
        """Return the receipts whose shopper may be followed."""
        return self.rows(self.shopper >= 0)

    @property
    def shoppers(self) -> int:
        """How many different shoppers there are at least."""
        return len(np.unique(self.shopper))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferColumns:
    """Offers made to shoppers who granted `analytics`, a row each.

    Parameters
    ----------
    shopper, segment, day
        (n,) As in `PurchaseColumns`, the day being that on which the offer was made.
    zone
        (n,) Index into `zone_names`; -1 where the offer is not about a place.
    has_coupon
        (n,) There is something to redeem: no mere information.
    is_seen, is_redeemed, is_bought
        (n,) It was opened or redeemed; redeemed and not taken back; and this with a purchase that
        we know. Each is true only where the one before is.
    redeemed_day
        (n,) When it was redeemed; means nothing where it was not.
    """

    shopper: Int32s
    segment: Int8s
    day: Int32s
    zone: Int32s
    zone_names: tuple[ZoneId, ...]
    has_coupon: Bools
    is_seen: Bools
    is_redeemed: Bools
    is_bought: Bools
    redeemed_day: Int32s

    def __post_init__(self) -> None:
        columns: Columns = {
            "shopper": (self.shopper, np.int32),
            "segment": (self.segment, np.int8),
            "day": (self.day, np.int32),
            "zone": (self.zone, np.int32),
            "has_coupon": (self.has_coupon, np.bool_),
            "is_seen": (self.is_seen, np.bool_),
            "is_redeemed": (self.is_redeemed, np.bool_),
            "is_bought": (self.is_bought, np.bool_),
            "redeemed_day": (self.redeemed_day, np.int32),
        }
        check_columns(columns)

    def rows(self, which: Bools) -> "OfferColumns":
        """Return some of the rows."""
        return OfferColumns(
            shopper=self.shopper[which],
            segment=self.segment[which],
            day=self.day[which],
            zone=self.zone[which],
            zone_names=self.zone_names,
            has_coupon=self.has_coupon[which],
            is_seen=self.is_seen[which],
            is_redeemed=self.is_redeemed[which],
            is_bought=self.is_bought[which],
            redeemed_day=self.redeemed_day[which],
        )

    def between(self, first: int, end: int) -> "OfferColumns":
        """Return the rows of the days from ``first`` until just before ``end``."""
        return self.rows((self.day >= first) & (self.day < end))

    def as_of(self, end: int) -> "OfferColumns":
        """Return the same as if nothing had been redeemed from the day ``end`` on."""
        until = self.is_redeemed & (self.redeemed_day < end)
        return replace(self, is_redeemed=until, is_bought=self.is_bought & until)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCounts:
    """What footfall tells of the zones of a site over a window."""

    zones: "tuple[ZoneStops, ...]"
    days_missing: int
    """of the window, wholly or in part: closed, not kept any more, or damaged"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneStops:
    """Who came by a zone and who stopped, over the days of a window, as footfall may tell it.

    Each shopper counts once a day. What is withheld is None.
    """

    zone: ZoneId
    visitors: int | None
    stoppers: int | None


def shopper_days(shopper: Int32s, day: Int32s) -> Int64s:
    """Return (n,) one number for each shopper and day, in the order of shoppers, then of days.

    Examples
    --------
    >>> keys = shopper_days(np.array([1, 0, 0], np.int32), np.array([5, 6, 5], np.int32))
    >>> np.argsort(keys).tolist()
    [2, 1, 0]
    """
    return (shopper.astype(np.int64) << _DAY_BITS) + day


def shoppers_of(keys: Int64s) -> Int64s:
    """Return (n,) the shoppers of what `shopper_days` made."""
    return keys >> _DAY_BITS


def days_of(keys: Int64s) -> Int64s:
    """Return (n,) the days of what `shopper_days` made."""
    return keys - (shoppers_of(keys) << _DAY_BITS)
