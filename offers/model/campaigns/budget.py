"""Say how much may be given away: by campaign or site, by shopper, by day, in redemptions or money.

Layer: nouns. Takes: what a merchandiser limits. Gives: `BudgetLimit` to campaigns and sites,
`Charge` and `BudgetState` to checkout and storage. A limit is the rule; a budget is one counter
under it, e.g. that of one shopper on one day.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NewType

from offers.model.errors import InvalidCampaign
from offers.model.ids import CampaignId, ShopperId
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES
from rtls.model.units import SiteId

BudgetId = NewType("BudgetId", str)

LIMITS_MAX: Final = 10
CAP_MAX: Final = AMOUNT_MINOR_MAX
REDEMPTIONS: Final = "redemptions"
"""the unit that counts coupons; any other unit is a currency, in minor units"""


class BudgetPer(StrEnum):
    """What has a counter of its own under one limit."""

    SHOPPER = "shopper"
    DAY = "day"
    """by the calendar of the site's time zone"""


class BudgetStage(StrEnum):
    """Until when a part of a budget is set aside."""

    ISSUE = "issue"
    """as long as the coupon is in the shopper's hand"""
    TILL = "till"
    """as long as a till holds the basket"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimit:
    """At most `cap` of a unit, in all or for each shopper, each day, or each shopper and day."""

    cap: int
    unit: str = REDEMPTIONS
    per: frozenset[BudgetPer] = frozenset()
    is_reserved: bool = False
    """whether each coupon that is issued has its part set aside, so that no till refuses it"""

    def __post_init__(self) -> None:
        if self.unit != REDEMPTIONS and self.unit not in CURRENCIES:
            raise InvalidCampaign(
                f"budgets: unit is {self.unit!r}; expected {REDEMPTIONS!r} or an ISO 4217 code."
            )
        if type(self.cap) is not int or not 1 <= self.cap <= CAP_MAX:
            raise InvalidCampaign(
                f"budgets: the limit is {self.cap!r} {self.unit}; expected 1 to {CAP_MAX}. Leave "
                "it out where there is none."
            )
        if self.is_reserved and BudgetPer.DAY in self.per:
            raise InvalidCampaign(
                "budgets: is_reserved with per 'day'; expected one of the two: nobody knows on "
                "which day a coupon will be used."
            )


@lru_cache(maxsize=1_024)  # of a site's and its campaigns' counters each till asks
def _budget_id(told: str) -> BudgetId:
    return BudgetId(hashlib.sha256(told.encode()).hexdigest()[:32])


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetKey:
    """Which counter is meant."""

    site: SiteId
    campaign: CampaignId | None = None
    """None for the budget that all campaigns of the site share"""
    shopper: ShopperId | None = None
    day: str | None = None
    """YYYY-MM-DD"""
    unit: str = REDEMPTIONS
    partner: str | None = None
    """whose money of a campaign it is; None: the campaign's own limit"""

    @property
    def budget(self) -> BudgetId:
        """Return the id of the counter, the same whenever it is asked for."""
        named = (self.site, self.campaign or "", self.shopper or "", self.day or "", self.unit)
        return _budget_id("\n".join(named if self.partner is None else (*named, self.partner)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """How much of one budget a coupon takes."""

    key: BudgetKey
    cap: int | None
    """None where it is counted and not limited"""
    amount: int

    def __post_init__(self) -> None:
        assert self.amount >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """Where a counter stands: held and used together never exceed the cap."""

    key: BudgetKey
    cap: int | None
    held: int
    used: int
    overdrawn: int = 0
    """what tills without a line gave away beyond the cap"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBudgets:
    """The budgets that all campaigns of a site share."""

    time_zone: str
    """decides when a day begins"""
    limits: tuple[BudgetLimit, ...] = ()


def check_limits(limits: Sequence[BudgetLimit]) -> None:
    """Refuse limits that contradict each other.

    Raises
    ------
    InvalidCampaign
        If there are too many, or two of the same counter.
    """
    if len(limits) > LIMITS_MAX:
        raise InvalidCampaign(f"budgets has {len(limits)} limits; expected at most {LIMITS_MAX}.")
    seen: set[tuple[str, frozenset[BudgetPer]]] = set()
    for limit in limits:
        name = limit.unit, limit.per
        if name in seen:
            raise InvalidCampaign(
                f"budgets limits {limit.unit} per {sorted(limit.per)} twice; expected once."
            )
        seen.add(name)
