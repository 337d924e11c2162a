"""Lay down the tables of referrals, surveys, calls for staff and goodwill.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

REFERRAL_CODES: Final = sa.Table(
    "referral_codes",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    text("code", DataClass.KEY),
    sa.UniqueConstraint("code"),
)

REFERRALS: Final = sa.Table(
    "referrals",
    METADATA,
    key("referral_id", primary=True),
    key("referrer_id", sa.ForeignKey("shoppers.shopper_id")),
    key("referred_id", sa.ForeignKey("shoppers.shopper_id")),
    text("state", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("referred_id"),
    sa.CheckConstraint("referrer_id <> referred_id", name="two_shoppers"),
    sa.CheckConstraint("(state = 'pending') = (ended_at_ms IS NULL)", name="end"),
    sa.Index(None, "referrer_id", "at_ms"),
    sa.Index(None, "state", "at_ms"),
)

SURVEYS: Final = sa.Table(
    "surveys",
    METADATA,
    key("survey_id", primary=True),
    text("site", DataClass.BUSINESS),
    number("from_ms", DataClass.BUSINESS),
    number("until_ms", DataClass.BUSINESS),
    text("document", DataClass.BUSINESS),
    sa.Index(None, "site"),
    sa.Index(None, "until_ms"),
)

SURVEY_ANSWERS: Final = sa.Table(
    "survey_answers",
    METADATA,
    key("survey_id", sa.ForeignKey("surveys.survey_id"), primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    number("at_ms", DataClass.BEHAVIOUR),
    text("answers", DataClass.BEHAVIOUR),
    sa.Index(None, "shopper_id"),
)

# One row for each option that was chosen, so that a report counts and never reads a person's page.
SURVEY_CHOICES: Final = sa.Table(
    "survey_choices",
    METADATA,
    sequence(),
    key("survey_id"),
    key("shopper_id"),
    text("question", DataClass.BEHAVIOUR),
    text("choice", DataClass.BEHAVIOUR),
    sa.ForeignKeyConstraint(
        ["survey_id", "shopper_id"], ["survey_answers.survey_id", "survey_answers.shopper_id"]
    ),
    sa.UniqueConstraint("survey_id", "shopper_id", "question", "choice"),
    sqlite_autoincrement=True,
)

STAFF_REQUESTS: Final = sa.Table(
    "staff_requests",
    METADATA,
    key("request_id", primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("zone", DataClass.BEHAVIOUR),
    text("state", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.Index(None, "site", "state", "at_ms"),
)
sa.Index(
    "uq_staff_requests_shopper_open",
    STAFF_REQUESTS.c.shopper_id,
    unique=True,
    sqlite_where=STAFF_REQUESTS.c.ended_at_ms.is_(None),
    postgresql_where=STAFF_REQUESTS.c.ended_at_ms.is_(None),
)

GOODWILL_DAYS: Final = sa.Table(
    "goodwill_days",
    METADATA,
    key("credential_id", sa.ForeignKey("credentials.credential_id"), primary=True),
    sa.Column("day", sa.Text(), primary_key=True, info={"data": DataClass.BUSINESS}),
    number("granted", DataClass.BUSINESS),
    sa.CheckConstraint("granted >= 0", name="granted"),
    sa.Index(None, "day"),
)
