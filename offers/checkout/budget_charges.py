"""Say which budgets a coupon takes from, and how much of each.

Layer: rules. Takes: the limits of campaign and site, the coupon's shopper, the day, the discount.
Gives: `Charge`s to the handlers that reserve and use budgets; in one order, so that two
transactions never wait for each other's rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from offers.model.campaigns.benefit import Benefit
from offers.model.campaigns.benefit_money import money_max
from offers.model.campaigns.budget import REDEMPTIONS, BudgetKey, BudgetLimit, BudgetPer, Charge
from offers.model.ids import CampaignId, ShopperId
from offers.model.money import Money
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """Whose coupon of which campaign is used where and when."""

    site: SiteId
    campaign: CampaignId
    shopper: ShopperId
    day: str
    """empty where nothing is counted by days"""


def day_of(at_ms: UnixMs, *, time_zone: str) -> str:
    """Return the calendar day of an instant, YYYY-MM-DD.

    Examples
    --------
    >>> day_of(UnixMs(1_700_000_000_000), time_zone="Europe/Berlin")
    '2023-11-14'
    >>> day_of(UnixMs(1_700_003_600_000), time_zone="Europe/Berlin")
    '2023-11-15'
    """
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return instant.astimezone(ZoneInfo(time_zone)).date().isoformat()


def counts_days(*limits: Sequence[BudgetLimit]) -> bool:
    """Say whether any of the limits counts days: calendars cost more than all else here."""
    return any(BudgetPer.DAY in limit.per for some in limits for limit in some)


def charges_of(
    spender: Spender,
    *,
    of_campaign: Sequence[BudgetLimit],
    of_site: Sequence[BudgetLimit] = (),
    discount: Money,
) -> tuple[Charge, ...]:
    """Return what one redemption takes.

    The redemptions of a campaign are always counted, limited or not: a limit that comes later
    includes those before it. Money in another currency than a limit's is not its matter.

    Parameters
    ----------
    spender
        Whose counters are meant.
    of_campaign, of_site
        The limits in force.
    discount
        What the coupon takes off.
    """
    charges = [
        _charge(limit, spender, campaign=campaign, discount=discount)
        for limits, campaign in ((of_campaign, spender.campaign), (of_site, None))
        for limit in limits
        if limit.unit in {REDEMPTIONS, discount.currency}
    ]
    total = BudgetKey(site=spender.site, campaign=spender.campaign)
    if all(charge.key != total for charge in charges):
        charges.append(Charge(key=total, cap=None, amount=1))
    return tuple(sorted(charges, key=lambda charge: charge.key.budget))


def reserved_charges(
    spender: Spender, *, of_campaign: Sequence[BudgetLimit], benefit: Benefit
) -> tuple[Charge, ...]:
    """Return what a coupon sets aside when it is issued: the most that it can take."""
    most = money_max(benefit)
    charges = [
        _charge(limit, spender, campaign=spender.campaign, discount=most)
        for limit in of_campaign
        if limit.is_reserved and (limit.unit == REDEMPTIONS or most is not None)
    ]
    return tuple(sorted(charges, key=lambda charge: charge.key.budget))


def _charge(
    limit: BudgetLimit, spender: Spender, *, campaign: CampaignId | None, discount: Money | None
) -> Charge:
    key = BudgetKey(
        site=spender.site,
        campaign=campaign,
        shopper=spender.shopper if BudgetPer.SHOPPER in limit.per else None,
        day=spender.day if BudgetPer.DAY in limit.per else None,
        unit=limit.unit,
    )
    if limit.unit == REDEMPTIONS:
        return Charge(key=key, cap=limit.cap, amount=1)
    assert discount is not None
    return Charge(key=key, cap=limit.cap, amount=discount.amount_minor)
