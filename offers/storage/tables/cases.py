"""Lay down the tables of shoppers who are not content, and of what staff answer them.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. How much
one shopper may write a day, and be written to, is a key: a slot of the day that is taken once.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, text

SERVICE_CASES: Final = sa.Table(
    "service_cases",
    METADATA,
    key("case_id", primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    key("survey_id", sa.ForeignKey("surveys.survey_id"), nullable=True),
    text("words", DataClass.BEHAVIOUR, nullable=True),
    # Of a complaint only: a survey opens one case at most by itself.
    text("day", DataClass.BEHAVIOUR, nullable=True),
    number("slot", DataClass.BUSINESS, nullable=True),
    number("answered_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("closed_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("shopper_id", "survey_id"),
    sa.UniqueConstraint("shopper_id", "day", "slot"),
    sa.CheckConstraint("(survey_id IS NULL) <> (words IS NULL)", name="origin"),
    sa.CheckConstraint(
        "(words IS NULL) = (slot IS NULL) AND (slot IS NULL) = (day IS NULL)"
        " AND (slot IS NULL OR (slot >= 0 AND slot < 3))",
        name="slot",
    ),
    sa.Index(None, "site", "closed_at_ms", "at_ms"),
    sa.Index(None, "at_ms"),
)

CASE_ANSWERS: Final = sa.Table(
    "case_answers",
    METADATA,
    key("answer_id", primary=True),
    key("case_id", sa.ForeignKey("service_cases.case_id")),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("by_credential"),
    text("words", DataClass.BEHAVIOUR),
    number("points", DataClass.BEHAVIOUR, nullable=True),
    text("day", DataClass.BEHAVIOUR),
    number("slot", DataClass.BUSINESS),
    number("at_ms", DataClass.BEHAVIOUR),
    number("reached_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("shopper_id", "day", "slot"),
    sa.CheckConstraint("slot >= 0 AND slot < 5", name="slot"),
    sa.CheckConstraint("points IS NULL OR points >= 1", name="points"),
    sa.Index(None, "case_id", "at_ms"),
)
