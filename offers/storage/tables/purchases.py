"""Lay down the tables of held baskets, purchases, returns and reversals.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. The one
column that moves in a purchase is the count of pieces returned; its CHECK is what keeps anybody
from bringing back more than was bought.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, text

HELD_BASKETS: Final = sa.Table(
    "held_baskets",
    METADATA,
    key("basket_id", primary=True),
    text("site", DataClass.BEHAVIOUR),
    text("till", DataClass.BEHAVIOUR),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    text("currency", DataClass.BEHAVIOUR),
    text("lines", DataClass.BEHAVIOUR),
    text("tender_unit", DataClass.BEHAVIOUR, nullable=True),
    number("tender_amount_minor", DataClass.BEHAVIOUR),
    number("tender_worth_minor", DataClass.BEHAVIOUR),
    text("state", DataClass.BEHAVIOUR),
    number("held_at_ms", DataClass.BEHAVIOUR),
    number("until_ms", DataClass.BEHAVIOUR),
    number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.CheckConstraint("until_ms > held_at_ms", name="lasts"),
    sa.Index(None, "state", "until_ms"),
    sa.Index(None, "shopper_id"),
    sa.Index(None, "ended_at_ms"),
)

HELD_COUPONS: Final = sa.Table(
    "held_coupons",
    METADATA,
    key("basket_id", sa.ForeignKey("held_baskets.basket_id"), primary=True),
    number("position", DataClass.BUSINESS, primary=True),
    key("coupon_id", sa.ForeignKey("coupons.coupon_id")),
    text("lines_minor", DataClass.BEHAVIOUR),
    sa.Index(None, "coupon_id"),
)

PURCHASES: Final = sa.Table(
    "purchases",
    METADATA,
    key("purchase_id", primary=True),
    text("site", DataClass.BEHAVIOUR),
    text("till", DataClass.BEHAVIOUR),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    number("at_ms", DataClass.BEHAVIOUR),
    text("currency", DataClass.BEHAVIOUR),
    number("total_minor", DataClass.BEHAVIOUR),
    number("discount_minor", DataClass.BEHAVIOUR),
    number("tender_minor", DataClass.BEHAVIOUR),
    sa.CheckConstraint(
        "discount_minor >= 0 AND tender_minor >= 0"
        " AND discount_minor + tender_minor <= total_minor",
        name="amounts",
    ),
    sa.Index(None, "shopper_id", "at_ms"),
    sa.Index(None, "site", "at_ms"),
)

PURCHASE_LINES: Final = sa.Table(
    "purchase_lines",
    METADATA,
    key("purchase_id", sa.ForeignKey("purchases.purchase_id"), primary=True),
    number("line", DataClass.BUSINESS, primary=True),
    text("sku", DataClass.BEHAVIOUR),
    text("category", DataClass.BEHAVIOUR),
    number("quantity", DataClass.BEHAVIOUR),
    number("unit_price_minor", DataClass.BEHAVIOUR),
    number("discount_minor", DataClass.BEHAVIOUR),
    number("tender_minor", DataClass.BEHAVIOUR),
    number("returned", DataClass.BEHAVIOUR),
    sa.CheckConstraint("returned >= 0 AND returned <= quantity", name="returned"),
    sa.CheckConstraint(
        "discount_minor >= 0 AND tender_minor >= 0"
        " AND discount_minor + tender_minor <= quantity * unit_price_minor",
        name="amounts",
    ),
)

PURCHASE_POINTS: Final = sa.Table(
    "purchase_points",
    METADATA,
    key("purchase_id", sa.ForeignKey("purchases.purchase_id"), primary=True),
    number("position", DataClass.BUSINESS, primary=True),
    text("move", DataClass.BEHAVIOUR),
    text("unit", DataClass.BEHAVIOUR),
    key("transaction_id", sa.ForeignKey("ledger_transactions.transaction_id")),
    text("lines_minor", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("transaction_id"),
)

PURCHASE_REDEMPTIONS: Final = sa.Table(
    "purchase_redemptions",
    METADATA,
    key("purchase_id", sa.ForeignKey("purchases.purchase_id"), primary=True),
    number("position", DataClass.BUSINESS, primary=True),
    key("redemption_id", sa.ForeignKey("redemptions.redemption_id")),
    sa.UniqueConstraint("redemption_id"),
)

PURCHASE_RETURNS: Final = sa.Table(
    "purchase_returns",
    METADATA,
    key("return_id", primary=True),
    key("purchase_id", sa.ForeignKey("purchases.purchase_id")),
    # Whoever writes return n has seen all before it: the shares of two returns at once would be
    # counted from the same rest.
    number("number", DataClass.BUSINESS),
    text("site", DataClass.BEHAVIOUR),
    text("till", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    text("currency", DataClass.BEHAVIOUR),
    number("refund_minor", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("purchase_id", "number"),
    sa.CheckConstraint("refund_minor >= 0", name="refund"),
)

RETURN_LINES: Final = sa.Table(
    "return_lines",
    METADATA,
    key("return_id", sa.ForeignKey("purchase_returns.return_id"), primary=True),
    number("line", DataClass.BUSINESS, primary=True),
    number("quantity", DataClass.BEHAVIOUR),
    number("refund_minor", DataClass.BEHAVIOUR),
    number("tender_minor", DataClass.BEHAVIOUR),
    text("discounts_minor", DataClass.BEHAVIOUR),
    text("points_minor", DataClass.BEHAVIOUR),
    sa.CheckConstraint("quantity >= 1 AND refund_minor >= 0 AND tender_minor >= 0", name="amounts"),
)

REVERSALS: Final = sa.Table(
    "reversals",
    METADATA,
    key("reversal_id", primary=True),
    key("redemption_id", sa.ForeignKey("redemptions.redemption_id")),
    # Empty once the shopper is erased.
    key("coupon_id", sa.ForeignKey("coupons.coupon_id"), nullable=True),
    key("return_id", sa.ForeignKey("purchase_returns.return_id")),
    number("at_ms", DataClass.BEHAVIOUR),
    claim("is_given_back", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("redemption_id"),
    sa.Index(None, "coupon_id"),
)
