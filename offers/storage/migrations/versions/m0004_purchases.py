"""Add held baskets, purchases, returns, reversals, and the steps of card codes.

Layer: edges. Takes: a database of revision 0003. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_card_steps()
    _create_cards()
    _create_held_baskets()
    _create_purchases()
    _create_purchase_lines()
    _create_purchase_points()
    _create_purchase_returns()
    _create_return_lines()
    _create_held_coupons()
    _create_purchase_redemptions()
    _create_reversals()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_card_steps() -> None:
    op.create_table(
        "card_steps",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        _refers("card_steps", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "step", name="pk_card_steps"),
    )
    op.create_index("ix_card_steps_step", "card_steps", ["step"], unique=False)


def _create_cards() -> None:
    op.create_table(
        "cards",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _refers("cards", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", name="pk_cards"),
        sa.UniqueConstraint("number", name="uq_cards_number"),
    )


def _create_held_baskets() -> None:
    op.create_table(
        "held_baskets",
        sa.Column("basket_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("tender_unit", sa.Text(), nullable=True),
        sa.Column("tender_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tender_worth_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("until_ms > held_at_ms", name="ck_held_baskets_lasts"),
        _refers("held_baskets", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("basket_id", name="pk_held_baskets"),
    )
    op.create_index("ix_held_baskets_ended_at_ms", "held_baskets", ["ended_at_ms"], unique=False)
    op.create_index("ix_held_baskets_shopper_id", "held_baskets", ["shopper_id"], unique=False)
    op.create_index(
        "ix_held_baskets_state_until_ms", "held_baskets", ["state", "until_ms"], unique=False
    )


def _create_purchases() -> None:
    op.create_table(
        "purchases",
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tender_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "discount_minor >= 0 AND tender_minor >= 0"
            " AND discount_minor + tender_minor <= total_minor",
            name="ck_purchases_amounts",
        ),
        _refers("purchases", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("purchase_id", name="pk_purchases"),
    )
    op.create_index(
        "ix_purchases_shopper_id_at_ms", "purchases", ["shopper_id", "at_ms"], unique=False
    )
    op.create_index("ix_purchases_site_at_ms", "purchases", ["site", "at_ms"], unique=False)


def _create_purchase_lines() -> None:
    op.create_table(
        "purchase_lines",
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tender_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "discount_minor >= 0 AND tender_minor >= 0"
            " AND discount_minor + tender_minor <= quantity * unit_price_minor",
            name="ck_purchase_lines_amounts",
        ),
        sa.CheckConstraint(
            "returned >= 0 AND returned <= quantity", name="ck_purchase_lines_returned"
        ),
        _refers("purchase_lines", "purchase_id", "purchases.purchase_id"),
        sa.PrimaryKeyConstraint("purchase_id", "line", name="pk_purchase_lines"),
    )


def _create_purchase_points() -> None:
    op.create_table(
        "purchase_points",
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("lines_minor", sa.Text(), nullable=False),
        _refers("purchase_points", "purchase_id", "purchases.purchase_id"),
        _refers("purchase_points", "transaction_id", "ledger_transactions.transaction_id"),
        sa.PrimaryKeyConstraint("purchase_id", "position", name="pk_purchase_points"),
        sa.UniqueConstraint("transaction_id", name="uq_purchase_points_transaction_id"),
    )


def _create_purchase_returns() -> None:
    op.create_table(
        "purchase_returns",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("refund_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("refund_minor >= 0", name="ck_purchase_returns_refund"),
        _refers("purchase_returns", "purchase_id", "purchases.purchase_id"),
        sa.PrimaryKeyConstraint("return_id", name="pk_purchase_returns"),
        sa.UniqueConstraint("purchase_id", "number", name="uq_purchase_returns_purchase_id_number"),
    )


def _create_return_lines() -> None:
    op.create_table(
        "return_lines",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("refund_minor", sa.BigInteger(), nullable=False),
        sa.Column("tender_minor", sa.BigInteger(), nullable=False),
        sa.Column("discounts_minor", sa.Text(), nullable=False),
        sa.Column("points_minor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "quantity >= 1 AND refund_minor >= 0 AND tender_minor >= 0",
            name="ck_return_lines_amounts",
        ),
        _refers("return_lines", "return_id", "purchase_returns.return_id"),
        sa.PrimaryKeyConstraint("return_id", "line", name="pk_return_lines"),
    )


def _create_held_coupons() -> None:
    op.create_table(
        "held_coupons",
        sa.Column("basket_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("lines_minor", sa.Text(), nullable=False),
        _refers("held_coupons", "basket_id", "held_baskets.basket_id"),
        _refers("held_coupons", "coupon_id", "coupons.coupon_id"),
        sa.PrimaryKeyConstraint("basket_id", "position", name="pk_held_coupons"),
    )
    op.create_index("ix_held_coupons_coupon_id", "held_coupons", ["coupon_id"], unique=False)


def _create_purchase_redemptions() -> None:
    op.create_table(
        "purchase_redemptions",
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Text(), nullable=False),
        _refers("purchase_redemptions", "purchase_id", "purchases.purchase_id"),
        _refers("purchase_redemptions", "redemption_id", "redemptions.redemption_id"),
        sa.PrimaryKeyConstraint("purchase_id", "position", name="pk_purchase_redemptions"),
        sa.UniqueConstraint("redemption_id", name="uq_purchase_redemptions_redemption_id"),
    )


def _create_reversals() -> None:
    op.create_table(
        "reversals",
        sa.Column("reversal_id", sa.Text(), nullable=False),
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=True),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_given_back", sa.Boolean(), nullable=False),
        _refers("reversals", "coupon_id", "coupons.coupon_id"),
        _refers("reversals", "redemption_id", "redemptions.redemption_id"),
        _refers("reversals", "return_id", "purchase_returns.return_id"),
        sa.PrimaryKeyConstraint("reversal_id", name="pk_reversals"),
        sa.UniqueConstraint("redemption_id", name="uq_reversals_redemption_id"),
    )
    op.create_index("ix_reversals_coupon_id", "reversals", ["coupon_id"], unique=False)
