"""Lay down the tables of visits and of what was decided about them.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

PROCESSED_EVENTS: Final = sa.Table(
    "processed_events",
    METADATA,
    key("event_id", primary=True),
    number("at_ms", DataClass.BUSINESS),
    sa.Index(None, "at_ms"),
)

VISITS: Final = sa.Table(
    "visits",
    METADATA,
    key("visit_id", primary=True),
    text("site", DataClass.BEHAVIOUR),
    text("zone", DataClass.BEHAVIOUR),
    key("pairing_id", sa.ForeignKey("pairings.pairing_id")),
    number("entered_at_ms", DataClass.BEHAVIOUR),
    number("left_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.Index(None, "pairing_id"),
    sa.Index(None, "left_at_ms"),
)

DECISIONS: Final = sa.Table(
    "decisions",
    METADATA,
    sequence(),
    key("decision_id"),
    key("event_id"),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("occasion", DataClass.BEHAVIOUR),
    text("zone", DataClass.BEHAVIOUR, nullable=True),
    key("visit_id", nullable=True),
    number("at_ms", DataClass.BEHAVIOUR),
    text("policy", DataClass.BUSINESS),
    text("chosen", DataClass.BEHAVIOUR, nullable=True),
    text("passed_over", DataClass.BEHAVIOUR),
    text("trial", DataClass.BEHAVIOUR, nullable=True),
    text("ground", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("decision_id"),
    sa.UniqueConstraint("event_id"),
    sa.Index(None, "shopper_id", "sequence"),
    sa.Index(None, "site", "at_ms"),
    sqlite_autoincrement=True,
)
