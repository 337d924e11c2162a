"""Lay down the tables of budgets: counters, what coupons hold of them, what redemptions used.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, text

SITES: Final = sa.Table(
    "sites",
    METADATA,
    key("site", primary=True),
    text("time_zone", DataClass.BUSINESS),
    text("limits", DataClass.BUSINESS),
)

BUDGETS: Final = sa.Table(
    "budgets",
    METADATA,
    key("budget_id", primary=True),
    text("site", DataClass.BUSINESS),
    key("campaign_id", sa.ForeignKey("campaigns.campaign_id"), nullable=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    text("day", DataClass.BEHAVIOUR, nullable=True),
    text("unit", DataClass.BUSINESS),
    text("partner", DataClass.BUSINESS, nullable=True),
    number("cap", DataClass.BUSINESS, nullable=True),
    number("held", DataClass.BEHAVIOUR),
    number("used", DataClass.BEHAVIOUR),
    # What tills without a line gave away beyond the cap: counted apart, so that the cap stays true.
    number("overdrawn", DataClass.BEHAVIOUR),
    sa.CheckConstraint("held >= 0 AND used >= 0 AND overdrawn >= 0", name="counts"),
    sa.CheckConstraint("cap IS NULL OR held + used <= cap", name="cap"),
    sa.Index(None, "site", "campaign_id"),
    sa.Index(None, "shopper_id"),
    sa.Index(None, "day"),
)

BUDGET_HOLDS: Final = sa.Table(
    "budget_holds",
    METADATA,
    key("coupon_id", sa.ForeignKey("coupons.coupon_id")),
    key("budget_id", sa.ForeignKey("budgets.budget_id")),
    text("stage", DataClass.BUSINESS),
    number("amount", DataClass.BUSINESS),
    sa.PrimaryKeyConstraint("coupon_id", "budget_id", "stage"),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.Index(None, "budget_id"),
)

BUDGET_USES: Final = sa.Table(
    "budget_uses",
    METADATA,
    key("redemption_id", primary=True),
    key("budget_id", sa.ForeignKey("budgets.budget_id"), primary=True),
    number("amount", DataClass.BUSINESS),
    claim("is_overdrawn", DataClass.BUSINESS),
    sa.CheckConstraint("amount > 0", name="amount"),
    sa.Index(None, "budget_id"),
)
