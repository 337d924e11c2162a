"""Keep the cases of shoppers who are not content, and the answers to them.

Layer: edges. Takes: a database of revision 0010. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of cases, and that of answers, which refers to it."""
    _create_service_cases()
    _create_case_answers()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_service_cases() -> None:
    op.create_table(
        "service_cases",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("answered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(survey_id IS NULL) <> (words IS NULL)", name="ck_service_cases_origin"
        ),
        sa.CheckConstraint(
            "(words IS NULL) = (slot IS NULL) AND (slot IS NULL) = (day IS NULL)"
            " AND (slot IS NULL OR (slot >= 0 AND slot < 3))",
            name="ck_service_cases_slot",
        ),
        _refers("service_cases", "shopper_id", "shoppers.shopper_id"),
        _refers("service_cases", "survey_id", "surveys.survey_id"),
        sa.PrimaryKeyConstraint("case_id", name="pk_service_cases"),
        sa.UniqueConstraint(
            "shopper_id", "survey_id", name="uq_service_cases_shopper_id_survey_id"
        ),
        sa.UniqueConstraint(
            "shopper_id", "day", "slot", name="uq_service_cases_shopper_id_day_slot"
        ),
    )
    op.create_index(
        "ix_service_cases_site_closed_at_ms_at_ms",
        "service_cases",
        ["site", "closed_at_ms", "at_ms"],
    )
    op.create_index("ix_service_cases_at_ms", "service_cases", ["at_ms"])


def _create_case_answers() -> None:
    op.create_table(
        "case_answers",
        sa.Column("answer_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("by_credential", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reached_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("slot >= 0 AND slot < 5", name="ck_case_answers_slot"),
        sa.CheckConstraint("points IS NULL OR points >= 1", name="ck_case_answers_points"),
        _refers("case_answers", "case_id", "service_cases.case_id"),
        _refers("case_answers", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_case_answers"),
        sa.UniqueConstraint(
            "shopper_id", "day", "slot", name="uq_case_answers_shopper_id_day_slot"
        ),
    )
    op.create_index("ix_case_answers_case_id_at_ms", "case_answers", ["case_id", "at_ms"])
