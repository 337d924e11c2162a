"""Lay down the tables of webhooks: who is told, what happened, and what is still to be told.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. Events do
not refer to shoppers: that one was erased has to be told after the row of the shopper is gone.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

WEBHOOKS: Final = sa.Table(
    "webhooks",
    METADATA,
    key("webhook_id", primary=True),
    text("site", DataClass.BUSINESS),
    number("slot", DataClass.BUSINESS),
    text("url", DataClass.BUSINESS),
    number("secret_version", DataClass.BUSINESS),
    text("state", DataClass.BUSINESS),
    number("created_at_ms", DataClass.BUSINESS),
    number("succeeded_at_ms", DataClass.BUSINESS),
    sa.UniqueConstraint("site", "slot"),
    sa.CheckConstraint("slot >= 0 AND slot < 10", name="slot"),
    sa.CheckConstraint("secret_version >= 1", name="secret_version"),
)

WEBHOOK_KINDS: Final = sa.Table(
    "webhook_kinds",
    METADATA,
    key("webhook_id", sa.ForeignKey("webhooks.webhook_id"), primary=True),
    text("kind", DataClass.BUSINESS, primary=True),
)

WEBHOOK_EVENTS: Final = sa.Table(
    "webhook_events",
    METADATA,
    sequence(),
    key("event_id"),
    text("kind", DataClass.BUSINESS),
    text("site", DataClass.BEHAVIOUR, nullable=True),
    key("shopper_id", nullable=True),
    text("subject", DataClass.BEHAVIOUR),
    text("detail", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("event_id"),
    sa.Index(None, "shopper_id"),
    sa.Index(None, "at_ms"),
    sqlite_autoincrement=True,
)

WEBHOOK_QUEUE: Final = sa.Table(
    "webhook_queue",
    METADATA,
    key("webhook_id", sa.ForeignKey("webhooks.webhook_id"), primary=True),
    number("event_sequence", DataClass.BUSINESS, primary=True),
    # Copied from the event: calls for one shopper go out in the order of events.
    key("shopper_id", nullable=True),
    text("state", DataClass.BUSINESS),
    number("attempts", DataClass.BUSINESS),
    number("queued_at_ms", DataClass.BUSINESS),
    number("due_at_ms", DataClass.BUSINESS),
    sa.ForeignKeyConstraint(["event_sequence"], ["webhook_events.sequence"]),
    sa.CheckConstraint("attempts >= 0", name="attempts"),
    sa.Index(None, "event_sequence"),
    sa.Index(None, "webhook_id", "state", "due_at_ms"),
    sa.Index(None, "webhook_id", "shopper_id", "event_sequence"),
)
