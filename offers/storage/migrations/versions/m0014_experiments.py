"""Keep experiments, who met them in which arm, and what each decision stood on.

Layer: edges. Takes: a database of revision 0013. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of experiments, and two columns to the log of decisions."""
    op.add_column("decisions", sa.Column("trial", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("ground", sa.Text(), nullable=True))
    op.create_table(
        "experiments",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", name="pk_experiments"),
    )
    op.create_index("ix_experiments_site", "experiments", ["site"])
    op.create_table(
        "experiment_revisions",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("revision >= 1", name="ck_experiment_revisions_revision"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.experiment_id"],
            name="fk_experiment_revisions_experiment_id",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "revision", name="pk_experiment_revisions"),
    )
    _create_assignments()


def _create_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("arm", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("arm >= 0", name="ck_assignments_arm"),
        sa.ForeignKeyConstraint(
            ["shopper_id"], ["shoppers.shopper_id"], name="fk_assignments_shopper_id"
        ),
        sa.PrimaryKeyConstraint(
            "site", "experiment_id", "salt", "shopper_id", name="pk_assignments"
        ),
    )
    op.create_index("ix_assignments_shopper_id", "assignments", ["shopper_id"])
    op.create_index("ix_assignments_at_ms", "assignments", ["at_ms"])
