"""Add what further triggers and benefits need.

Layer: edges. Takes: a database of revision 0006. Gives: the tables as they were at this revision.
A campaign need not watch a zone any more, and an offer need not come from a visit: what was one
until now is given the kind "visit" and the visit as its occasion.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let campaigns wait for any occasion."""
    _change_campaigns()
    _change_decisions()
    _change_offers()


def _change_campaigns() -> None:
    op.drop_index("ix_campaigns_site_zone", "campaigns")
    op.add_column("campaigns", sa.Column("trigger_kind", sa.Text(), nullable=True))
    op.execute(sa.text("UPDATE campaigns SET trigger_kind = 'visit'"))
    with op.batch_alter_table("campaigns", table_args=_checks("campaigns")) as batch:
        batch.alter_column("trigger_kind", existing_type=sa.Text(), nullable=False)
        batch.alter_column("zone", existing_type=sa.Text(), nullable=True)
    op.create_index(
        "ix_campaigns_site_trigger_kind_zone",
        "campaigns",
        ["site", "trigger_kind", "zone"],
        unique=False,
    )


def _change_decisions() -> None:
    op.add_column("decisions", sa.Column("occasion", sa.Text(), nullable=True))
    op.execute(sa.text("UPDATE decisions SET occasion = 'visit:' || visit_id"))
    with op.batch_alter_table(
        "decisions", table_args=_checks("decisions"), table_kwargs={"sqlite_autoincrement": True}
    ) as batch:
        batch.alter_column("occasion", existing_type=sa.Text(), nullable=False)
        batch.alter_column("zone", existing_type=sa.Text(), nullable=True)
        batch.alter_column("visit_id", existing_type=sa.Text(), nullable=True)


def _change_offers() -> None:
    op.add_column("offers", sa.Column("occasion", sa.Text(), nullable=True))
    op.execute(sa.text("UPDATE offers SET occasion = 'visit:' || visit_id"))
    with op.batch_alter_table(
        "offers", table_args=_checks("offers"), table_kwargs={"sqlite_autoincrement": True}
    ) as batch:
        batch.alter_column("occasion", existing_type=sa.Text(), nullable=False)
        batch.alter_column("zone", existing_type=sa.Text(), nullable=True)
        batch.alter_column("visit_id", existing_type=sa.Text(), nullable=True)
        batch.alter_column("locate_consent_id", existing_type=sa.Text(), nullable=True)
        batch.drop_constraint("uq_offers_shopper_id_campaign_id_visit_id", type_="unique")
        batch.create_unique_constraint(
            "uq_offers_shopper_id_campaign_id_occasion", ["shopper_id", "campaign_id", "occasion"]
        )


def _checks(table: str) -> tuple[sa.CheckConstraint, ...]:
    # SQLite's table is made anew, and all of it but its CHECKs is copied without being asked.
    found = sa.inspect(op.get_bind()).get_check_constraints(table)
    return tuple(sa.CheckConstraint(check["sqltext"], name=check["name"]) for check in found)
