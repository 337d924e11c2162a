"""Lay down the tables of programmes and tiers.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.

`shopper_tiers` is what the credits said when they were last looked at: a join for audiences, and
the list of whom to look at when. The credits are the truth.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, sequence, text

PROGRAMME_REVISIONS: Final = sa.Table(
    "programme_revisions",
    METADATA,
    text("site", DataClass.BUSINESS),
    number("revision", DataClass.BUSINESS),
    number("at_ms", DataClass.BUSINESS),
    text("document", DataClass.BUSINESS),
    sa.PrimaryKeyConstraint("site", "revision"),
    sa.CheckConstraint("revision >= 1", name="revision"),
)

TIER_CREDITS: Final = sa.Table(
    "tier_credits",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("reference", DataClass.BEHAVIOUR),
    number("bought_at_ms", DataClass.BEHAVIOUR),
    number("amount_minor", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("site", "reference"),
    sa.Index(None, "shopper_id", "site", "bought_at_ms"),
    sqlite_autoincrement=True,
)

SHOPPER_TIERS: Final = sa.Table(
    "shopper_tiers",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("tier", DataClass.BEHAVIOUR, nullable=True),
    number("due_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("reviews", DataClass.BUSINESS),
    sa.PrimaryKeyConstraint("shopper_id", "site"),
    sa.Index(None, "site", "tier"),
    sa.Index(None, "due_at_ms"),
)

TIER_CHANGES: Final = sa.Table(
    "tier_changes",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("tier_before", DataClass.BEHAVIOUR, nullable=True),
    text("tier_after", DataClass.BEHAVIOUR, nullable=True),
    claim("is_up", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    sa.Index(None, "shopper_id", "sequence"),
    sqlite_autoincrement=True,
)
