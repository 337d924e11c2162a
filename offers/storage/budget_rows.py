"""Turn a budget into a row and back.

Layer: edges. Takes: a `BudgetKey` or a row. Gives: the other to sql_budgets.
"""

import sqlalchemy as sa

from offers.model.campaigns.budget import BudgetKey, BudgetState
from offers.model.ids import CampaignId, ShopperId
from rtls.model.units import SiteId


def fresh_row(key: BudgetKey, cap: int | None) -> dict[str, object]:
    """Return the values of a counter that nothing was counted on yet."""
    return {
        "budget_id": key.budget,
        "site": key.site,
        "campaign_id": key.campaign,
        "shopper_id": key.shopper,
        "day": key.day,
        "unit": key.unit,
        "partner": key.partner,
        "cap": cap,
        "held": 0,
        "used": 0,
        "overdrawn": 0,
    }


def state_of_row(row: sa.Row[*tuple[object, ...]]) -> BudgetState:
    """Return the state that the row holds."""
    key = BudgetKey(
        site=SiteId(row.site),
        campaign=None if row.campaign_id is None else CampaignId(row.campaign_id),
        shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
        day=row.day,
        unit=row.unit,
        partner=row.partner,
    )
    return BudgetState(key=key, cap=row.cap, held=row.held, used=row.used, overdrawn=row.overdrawn)
