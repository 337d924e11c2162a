"""Lay down the tables of what shoppers did and said, and of the segments made of it.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. Facts and
attributes are a profile: each names the consent that allowed it, and all of them go when
`personalise` is withdrawn.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

SHOPPER_FACTS: Final = sa.Table(
    "shopper_facts",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("consent_id", sa.ForeignKey("consents.consent_id")),
    text("kind", DataClass.BEHAVIOUR),
    text("reference", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    text("site", DataClass.BEHAVIOUR),
    text("zone", DataClass.BEHAVIOUR, nullable=True),
    text("category", DataClass.BEHAVIOUR, nullable=True),
    text("sku", DataClass.BEHAVIOUR, nullable=True),
    number("amount_minor", DataClass.BEHAVIOUR, nullable=True),
    text("currency", DataClass.BEHAVIOUR, nullable=True),
    number("quantity", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("shopper_id", "kind", "reference"),
    sa.CheckConstraint("quantity >= 0", name="quantity"),
    sa.CheckConstraint("amount_minor IS NULL OR amount_minor >= 0", name="amount"),
    sa.CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="currency"),
    # For one shopper at a decision, and for all at once, in their order, for an audience: three
    # times as fast as with the instant before the shopper.
    sa.Index(None, "kind", "shopper_id", "at_ms"),
    sa.Index(None, "at_ms"),
    sqlite_autoincrement=True,
)

# In words, since no database knows of a bound value whether the index holds it; and joined with
# nothing, or SQLite would take the index above, which begins with the kind, and read all visits.
IS_PLACE: Final = sa.text("kind || '' IN ('dwell', 'visit')")
sa.Index(
    "ix_shopper_facts_places",
    SHOPPER_FACTS.c.at_ms,
    sqlite_where=IS_PLACE,
    postgresql_where=IS_PLACE,
)

SHOPPER_ATTRIBUTES: Final = sa.Table(
    "shopper_attributes",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    sa.Column("name", sa.Text(), primary_key=True, info={"data": DataClass.BEHAVIOUR}),
    sa.Column("value", sa.Text(), primary_key=True, info={"data": DataClass.BEHAVIOUR}),
    # The value as a number, where it is one: what a range compares.
    number("number", DataClass.BEHAVIOUR, nullable=True),
    number("at_ms", DataClass.BEHAVIOUR),
    key("consent_id", sa.ForeignKey("consents.consent_id")),
    sa.Index(None, "name", "value"),
)

MEMBERSHIPS: Final = sa.Table(
    "memberships",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("segment", DataClass.BEHAVIOUR),
    number("entered_at_ms", DataClass.BEHAVIOUR),
    number("left_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.CheckConstraint("left_at_ms IS NULL OR left_at_ms >= entered_at_ms", name="lasts"),
    sa.Index(None, "site", "segment", "left_at_ms"),
    sa.Index(None, "left_at_ms"),
    sqlite_autoincrement=True,
)
sa.Index(
    "uq_memberships_open",
    MEMBERSHIPS.c.shopper_id,
    MEMBERSHIPS.c.site,
    unique=True,
    sqlite_where=MEMBERSHIPS.c.left_at_ms.is_(None),
    postgresql_where=MEMBERSHIPS.c.left_at_ms.is_(None),
)

SEGMENT_REVIEWS: Final = sa.Table(
    "segment_reviews",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    sa.Column("site", sa.Text(), primary_key=True, info={"data": DataClass.BEHAVIOUR}),
    number("levels_seen", DataClass.BUSINESS),
    number("due_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.Index(None, "due_at_ms"),
    sa.Index(None, "site", "levels_seen"),
)

SEGMENT_LEVELS: Final = sa.Table(
    "segment_levels",
    METADATA,
    sa.Column("site", sa.Text(), primary_key=True, info={"data": DataClass.BUSINESS}),
    number("number", DataClass.BUSINESS, primary=True),
    number("at_ms", DataClass.BUSINESS),
    number("high_value_minor", DataClass.BUSINESS),
    # When it was last asked whether they still fit; a mark for the sweep, no part of the record.
    number("looked_at_ms", DataClass.BUSINESS),
    sa.CheckConstraint("number >= 1 AND high_value_minor >= 1", name="counts"),
)
