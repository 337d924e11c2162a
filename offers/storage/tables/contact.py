"""Lay down the tables of trips, pushes, mails and of how a shopper wishes to be addressed.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. The caps
are keys: one push in a slot of a trip, one pace a channel, one browser in a slot of a shopper.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, sequence, text

TRIPS: Final = sa.Table(
    "trips",
    METADATA,
    key("trip_id", primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    number("number", DataClass.BEHAVIOUR),
    number("began_at_ms", DataClass.BEHAVIOUR),
    number("seen_at_ms", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("shopper_id", "site", "number"),
    sa.CheckConstraint("number >= 1 AND seen_at_ms >= began_at_ms", name="order"),
    sa.Index(None, "seen_at_ms"),
)

PUSH_SLOTS: Final = sa.Table(
    "push_slots",
    METADATA,
    key("trip_id", sa.ForeignKey("trips.trip_id"), primary=True),
    number("slot", DataClass.BUSINESS, primary=True),
    key("offer_id", sa.ForeignKey("offers.offer_id")),
    number("taken_at_ms", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("offer_id"),
    sa.CheckConstraint("slot >= 0 AND slot < 10", name="slot"),
)

PUSH_SUBSCRIPTIONS: Final = sa.Table(
    "push_subscriptions",
    METADATA,
    key("subscription_id", primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    number("slot", DataClass.BUSINESS),
    # Whoever knows the address may write to the browser, so it is a secret like the two keys.
    text("endpoint", DataClass.SECRET),
    text("browser_key", DataClass.SECRET),
    text("browser_secret", DataClass.SECRET),
    number("created_at_ms", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("endpoint"),
    sa.UniqueConstraint("shopper_id", "slot"),
    sa.CheckConstraint("slot >= 0 AND slot < 5", name="slot"),
)

CONTACT_WISHES: Final = sa.Table(
    "contact_wishes",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    claim("wants_push", DataClass.BEHAVIOUR),
    claim("wants_mail", DataClass.BEHAVIOUR),
    text("frequency", DataClass.BEHAVIOUR),
    text("mail_address", DataClass.BEHAVIOUR, nullable=True),
    number("mail_confirmed_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("paused_until_ms", DataClass.BEHAVIOUR, nullable=True),
)

CONTACT_PACES: Final = sa.Table(
    "contact_paces",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    text("channel", DataClass.BEHAVIOUR, primary=True),
    number("at_ms", DataClass.BEHAVIOUR),
)

DELIVERIES: Final = sa.Table(
    "deliveries",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("offer_id", sa.ForeignKey("offers.offer_id"), nullable=True),
    text("channel", DataClass.BEHAVIOUR),
    text("outcome", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    sa.Index(None, "shopper_id", "sequence"),
    sa.Index(None, "at_ms"),
    sqlite_autoincrement=True,
)

MAILS: Final = sa.Table(
    "mails",
    METADATA,
    sequence(),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("kind", DataClass.BEHAVIOUR),
    text("subject", DataClass.BEHAVIOUR),
    text("state", DataClass.BEHAVIOUR),
    number("attempts", DataClass.BUSINESS),
    number("created_at_ms", DataClass.BEHAVIOUR),
    number("due_at_ms", DataClass.BUSINESS),
    sa.UniqueConstraint("shopper_id", "kind", "subject"),
    sa.Index(None, "state", "due_at_ms"),
    sqlite_autoincrement=True,
)
