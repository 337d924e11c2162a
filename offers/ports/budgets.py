"""Keep the counters of budgets, what coupons hold of them, and what redemptions used.

Layer: ports. Takes: nouns. Gives: `Budgets` to storage. Each step is one conditional statement for
each budget: held and used together never exceed the cap, whoever asks at the same time.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.campaigns.budget import (
    BudgetKey,
    BudgetLimit,
    BudgetStage,
    BudgetState,
    Charge,
    SiteBudgets,
)
from offers.model.ids import CampaignId, CouponId, RedemptionId, ShopperId
from rtls.model.units import SiteId


class Budgets(Protocol):
    """Counters of budgets."""

    def has_room(self, charges: Sequence[Charge], *, coupon: CouponId | None = None) -> bool:
        """Say whether the charges would fit now, with what ``coupon`` holds of them already."""
        ...

    def reserve(self, coupon: CouponId, stage: BudgetStage, charges: Sequence[Charge]) -> bool:
        """Set aside what the coupon does not hold yet; False where a cap stands against it.

        Where it is False, part may have been written: give the transaction up.
        """
        ...

    def release(self, coupon: CouponId, stage: BudgetStage | None = None) -> None:
        """Give back what the coupon holds, of one stage or of all."""
        ...

    def use(self, coupon: CouponId, redemption: RedemptionId, charges: Sequence[Charge]) -> bool:
        """Count the charges as used, out of what the coupon holds, and give back the rest of it.

        Where it is False, part may have been written: give the transaction up.
        """
        ...

    def use_over(
        self, coupon: CouponId, redemption: RedemptionId, charges: Sequence[Charge]
    ) -> tuple[BudgetKey, ...]:
        """Count the charges although a cap may stand against it; return the budgets overdrawn.

        What is above a cap is written as overdrawn, beside the counter.
        """
        ...

    def count(self, charge: Charge) -> bool:
        """Count a charge as used, without noting for what; False where a cap stands against it."""
        ...

    def count_back(self, key: BudgetKey, amount: int) -> None:
        """Take back a part of what `count` has counted."""
        ...

    def give_back(self, redemption: RedemptionId) -> None:
        """Take back what a redemption used; a second time there is nothing to take back."""
        ...

    def state_of(self, key: BudgetKey) -> BudgetState | None:
        """Return where the counter stands, None where nothing was ever counted."""
        ...

    def set_cap(self, key: BudgetKey, cap: int | None) -> bool:
        """Change a cap; False where more is held and used already."""
        ...

    def set_limits(
        self, site: SiteId, campaign: CampaignId | None, limits: Sequence[BudgetLimit]
    ) -> bool:
        """Change the caps of all counters of a campaign, or of those that a site shares.

        False where a limit that is neither by shopper nor by day is below what is held and used
        already; part may have been written: give the transaction up.
        """
        ...

    def spent(self, site: SiteId, *, shopper: ShopperId, day: str) -> frozenset[CampaignId | None]:
        """Return the campaigns with nothing left for the shopper that day; None: the whole site."""
        ...

    def of_campaign(self, campaign: CampaignId, *, limit: int) -> tuple[BudgetState, ...]:
        """Return the counters of a campaign that are no single shopper's, newest day first."""
        ...

    def forget_days_before(self, day: str, *, limit: int) -> int:
        """Delete counters of days before ``day`` that nothing holds; return how many."""
        ...


class Sites(Protocol):
    """What holds for a whole site: its time zone, and the budgets that its campaigns share."""

    def note(self, site: SiteId, *, time_zone: str) -> None:
        """Write the time zone of the site."""
        ...

    def set_limits(self, site: SiteId, limits: Sequence[BudgetLimit]) -> None:
        """Write the limits that all campaigns of the site share."""
        ...

    def budgets(self, site: SiteId) -> SiteBudgets:
        """Return what holds for the site; UTC and no limits where nothing was noted."""
        ...
