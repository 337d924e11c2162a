"""Add budgets by scope and unit, and move the counters of campaigns there.

Layer: edges. Takes: a database of revision 0004. Gives: the tables as they were at this revision.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_sites()
    _create_budgets()
    _create_budget_holds()
    _create_budget_uses()
    _move_counters()
    _create_offline_items()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_sites() -> None:
    op.create_table(
        "sites",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_sites"),
    )


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("budget_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("overdrawn", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held >= 0 AND used >= 0 AND overdrawn >= 0", name="ck_budgets_counts"),
        sa.CheckConstraint("cap IS NULL OR held + used <= cap", name="ck_budgets_cap"),
        _refers("budgets", "campaign_id", "campaigns.campaign_id"),
        _refers("budgets", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("budget_id", name="pk_budgets"),
    )
    op.create_index("ix_budgets_day", "budgets", ["day"], unique=False)
    op.create_index("ix_budgets_shopper_id", "budgets", ["shopper_id"], unique=False)
    op.create_index("ix_budgets_site_campaign_id", "budgets", ["site", "campaign_id"], unique=False)


def _create_budget_holds() -> None:
    op.create_table(
        "budget_holds",
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_budget_holds_amount"),
        _refers("budget_holds", "coupon_id", "coupons.coupon_id"),
        _refers("budget_holds", "budget_id", "budgets.budget_id"),
        sa.PrimaryKeyConstraint("coupon_id", "budget_id", "stage", name="pk_budget_holds"),
    )
    op.create_index("ix_budget_holds_budget_id", "budget_holds", ["budget_id"], unique=False)


def _create_budget_uses() -> None:
    op.create_table(
        "budget_uses",
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_overdrawn", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_budget_uses_amount"),
        _refers("budget_uses", "budget_id", "budgets.budget_id"),
        sa.PrimaryKeyConstraint("redemption_id", "budget_id", name="pk_budget_uses"),
    )
    op.create_index("ix_budget_uses_budget_id", "budget_uses", ["budget_id"], unique=False)


def _create_offline_items() -> None:
    op.create_table(
        "offline_items",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=True),
        sa.Column("redemption_id", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("first_redemption_id", sa.Text(), nullable=True),
        sa.Column("first_till", sa.Text(), nullable=True),
        sa.Column("first_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_reference", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_offline_items"),
        sa.UniqueConstraint(
            "site", "till", "reference", name="uq_offline_items_site_till_reference"
        ),
        sa.UniqueConstraint("redemption_id", name="uq_offline_items_redemption_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_offline_items_site_reasons_sequence",
        "offline_items",
        ["site", "reasons", "sequence"],
        unique=False,
    )


def _move_counters() -> None:
    # Of each campaign one counter of redemptions, with what coupons hold and redemptions used.
    connection = op.get_bind()
    campaigns = connection.execute(
        sa.text("SELECT campaign_id, site, redemptions_max, held, used FROM campaigns")
    ).all()
    for campaign in campaigns:
        told = f"{campaign.site}\n{campaign.campaign_id}\n\n\nredemptions"
        given = {
            "budget": hashlib.sha256(told.encode()).hexdigest()[:32],
            "campaign": campaign.campaign_id,
            "site": campaign.site,
            "most": campaign.redemptions_max,
            "held": campaign.held,
            "used": campaign.used,
        }
        for step in (_BUDGET, _HOLDS, _USES):
            connection.execute(step, given)
    with op.batch_alter_table("campaigns") as batch:
        for check in ("ck_campaigns_counts", "ck_campaigns_budget"):
            batch.drop_constraint(check, type_="check")
        for column in ("redemptions_max", "held", "used"):
            batch.drop_column(column)


_BUDGET = sa.text(
    "INSERT INTO budgets (budget_id, site, campaign_id, unit, cap, held, used, overdrawn) "
    "VALUES (:budget, :site, :campaign, 'redemptions', :most, :held, :used, 0)"
)
_HOLDS = sa.text(
    "INSERT INTO budget_holds (coupon_id, budget_id, stage, amount) "
    "SELECT coupon_id, :budget, 'issue', 1 FROM coupons "
    "WHERE campaign_id = :campaign AND is_reserved AND state = 'issued'"
)
_USES = sa.text(
    "INSERT INTO budget_uses (redemption_id, budget_id, amount, is_overdrawn) "
    "SELECT redemption_id, :budget, 1, false FROM redemptions WHERE campaign_id = :campaign"
)
