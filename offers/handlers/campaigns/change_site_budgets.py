"""Limit what all campaigns of a site give away together.

Layer: flow. Takes: `BudgetLimit`s. Gives: nothing but their effect on every redemption from now on.
"""

from collections.abc import Sequence

from offers.model.campaigns.budget import BudgetLimit, check_limits
from offers.model.errors import InvalidCampaign
from offers.ports import UnitOfWork
from rtls.model.units import SiteId


def change_site_budgets(
    site: SiteId, limits: Sequence[BudgetLimit], *, work: UnitOfWork
) -> tuple[BudgetLimit, ...]:
    """Put the limits into force in place of those before.

    Raises
    ------
    InvalidCampaign
        If two limit the same, one is reserved, or one is below what is used and set aside already.
    """
    check_limits(limits)
    if any(limit.is_reserved for limit in limits):
        raise InvalidCampaign(
            "budgets: is_reserved is true; expected false for a site: a coupon sets aside of its "
            "campaign's budgets only."
        )
    work.sites.set_limits(site, limits)
    if not work.budgets.set_limits(site, None, limits):
        raise InvalidCampaign(
            f"site {site}: a budget is below what is used and set aside already; expected at least "
            "that much."
        )
    return work.sites.budgets(site).limits
