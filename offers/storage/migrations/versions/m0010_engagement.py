"""Add referrals, surveys, calls for staff, goodwill and claims of cards.

Layer: edges. Takes: a database of revision 0009. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables, those first that others refer to."""
    _create_referrals()
    _create_surveys()
    _create_staff_requests()
    _create_goodwill_days()
    _create_card_claims()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_referrals() -> None:
    op.create_table(
        "referral_codes",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        _refers("referral_codes", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", name="pk_referral_codes"),
        sa.UniqueConstraint("code", name="uq_referral_codes_code"),
    )
    op.create_table(
        "referrals",
        sa.Column("referral_id", sa.Text(), nullable=False),
        sa.Column("referrer_id", sa.Text(), nullable=False),
        sa.Column("referred_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("referrer_id <> referred_id", name="ck_referrals_two_shoppers"),
        sa.CheckConstraint("(state = 'pending') = (ended_at_ms IS NULL)", name="ck_referrals_end"),
        _refers("referrals", "referrer_id", "shoppers.shopper_id"),
        _refers("referrals", "referred_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("referral_id", name="pk_referrals"),
        sa.UniqueConstraint("referred_id", name="uq_referrals_referred_id"),
    )
    op.create_index("ix_referrals_referrer_id_at_ms", "referrals", ["referrer_id", "at_ms"])
    op.create_index("ix_referrals_state_at_ms", "referrals", ["state", "at_ms"])


def _create_surveys() -> None:
    op.create_table(
        "surveys",
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("survey_id", name="pk_surveys"),
    )
    op.create_index("ix_surveys_site", "surveys", ["site"])
    op.create_index("ix_surveys_until_ms", "surveys", ["until_ms"])
    op.create_table(
        "survey_answers",
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        _refers("survey_answers", "survey_id", "surveys.survey_id"),
        _refers("survey_answers", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("survey_id", "shopper_id", name="pk_survey_answers"),
    )
    op.create_index("ix_survey_answers_shopper_id", "survey_answers", ["shopper_id"])
    op.create_table(
        "survey_choices",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("survey_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey_id", "shopper_id"],
            ["survey_answers.survey_id", "survey_answers.shopper_id"],
            name="fk_survey_choices_survey_id_shopper_id",
        ),
        sa.PrimaryKeyConstraint("sequence", name="pk_survey_choices"),
        sa.UniqueConstraint(
            "survey_id",
            "shopper_id",
            "question",
            "choice",
            name="uq_survey_choices_survey_id_shopper_id_question_choice",
        ),
        sqlite_autoincrement=True,
    )


def _create_staff_requests() -> None:
    op.create_table(
        "staff_requests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        _refers("staff_requests", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("request_id", name="pk_staff_requests"),
    )
    op.create_index(
        "ix_staff_requests_site_state_at_ms", "staff_requests", ["site", "state", "at_ms"]
    )
    op.create_index(
        "uq_staff_requests_shopper_open",
        "staff_requests",
        ["shopper_id"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def _create_goodwill_days() -> None:
    op.create_table(
        "goodwill_days",
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("granted >= 0", name="ck_goodwill_days_granted"),
        _refers("goodwill_days", "credential_id", "credentials.credential_id"),
        sa.PrimaryKeyConstraint("credential_id", "day", name="pk_goodwill_days"),
    )
    op.create_index("ix_goodwill_days_day", "goodwill_days", ["day"])


def _create_card_claims() -> None:
    op.create_table(
        "card_claims",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        _refers("card_claims", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_card_claims"),
    )
    op.create_index("ix_card_claims_shopper_id", "card_claims", ["shopper_id"])
    op.create_index("ix_card_claims_until_ms", "card_claims", ["until_ms"])
