"""Add push subscriptions, trips and webhooks.

Layer: edges. Takes: a database of revision 0007. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, those first that others refer to."""
    _create_trips()
    _create_push_slots()
    _create_push_subscriptions()
    _create_contact_wishes()
    _create_contact_paces()
    _create_deliveries()
    _create_mails()
    _create_webhooks()
    _create_webhook_kinds()
    _create_webhook_events()
    _create_webhook_queue()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_trips() -> None:
    op.create_table(
        "trips",
        sa.Column("trip_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("began_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1 AND seen_at_ms >= began_at_ms", name="ck_trips_order"),
        _refers("trips", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("trip_id", name="pk_trips"),
        sa.UniqueConstraint("shopper_id", "site", "number", name="uq_trips_shopper_id_site_number"),
    )
    op.create_index("ix_trips_seen_at_ms", "trips", ["seen_at_ms"], unique=False)


def _create_push_slots() -> None:
    op.create_table(
        "push_slots",
        sa.Column("trip_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slot >= 0 AND slot < 10", name="ck_push_slots_slot"),
        _refers("push_slots", "offer_id", "offers.offer_id"),
        _refers("push_slots", "trip_id", "trips.trip_id"),
        sa.PrimaryKeyConstraint("trip_id", "slot", name="pk_push_slots"),
        sa.UniqueConstraint("offer_id", name="uq_push_slots_offer_id"),
    )


def _create_push_subscriptions() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("browser_key", sa.Text(), nullable=False),
        sa.Column("browser_secret", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slot >= 0 AND slot < 5", name="ck_push_subscriptions_slot"),
        _refers("push_subscriptions", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_push_subscriptions"),
        sa.UniqueConstraint("endpoint", name="uq_push_subscriptions_endpoint"),
        sa.UniqueConstraint("shopper_id", "slot", name="uq_push_subscriptions_shopper_id_slot"),
    )


def _create_contact_wishes() -> None:
    op.create_table(
        "contact_wishes",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("wants_push", sa.Boolean(), nullable=False),
        sa.Column("wants_mail", sa.Boolean(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("mail_address", sa.Text(), nullable=True),
        sa.Column("mail_confirmed_at_ms", sa.BigInteger(), nullable=True),
        _refers("contact_wishes", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", name="pk_contact_wishes"),
    )


def _create_contact_paces() -> None:
    op.create_table(
        "contact_paces",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        _refers("contact_paces", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "channel", name="pk_contact_paces"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        _refers("deliveries", "offer_id", "offers.offer_id"),
        _refers("deliveries", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_deliveries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_at_ms", "deliveries", ["at_ms"], unique=False)
    op.create_index(
        "ix_deliveries_shopper_id_sequence", "deliveries", ["shopper_id", "sequence"], unique=False
    )


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        _refers("mails", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_mails"),
        sa.UniqueConstraint(
            "shopper_id", "kind", "subject", name="uq_mails_shopper_id_kind_subject"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mails_state_due_at_ms", "mails", ["state", "due_at_ms"], unique=False)


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("secret_version >= 1", name="ck_webhooks_secret_version"),
        sa.CheckConstraint("slot >= 0 AND slot < 10", name="ck_webhooks_slot"),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhooks"),
        sa.UniqueConstraint("site", "slot", name="uq_webhooks_site_slot"),
    )


def _create_webhook_kinds() -> None:
    op.create_table(
        "webhook_kinds",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _refers("webhook_kinds", "webhook_id", "webhooks.webhook_id"),
        sa.PrimaryKeyConstraint("webhook_id", "kind", name="pk_webhook_kinds"),
    )


def _create_webhook_events() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_webhook_events"),
        sa.UniqueConstraint("event_id", name="uq_webhook_events_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhook_events_at_ms", "webhook_events", ["at_ms"], unique=False)
    op.create_index("ix_webhook_events_shopper_id", "webhook_events", ["shopper_id"], unique=False)


def _create_webhook_queue() -> None:
    op.create_table(
        "webhook_queue",
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("event_sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("queued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("attempts >= 0", name="ck_webhook_queue_attempts"),
        _refers("webhook_queue", "event_sequence", "webhook_events.sequence"),
        _refers("webhook_queue", "webhook_id", "webhooks.webhook_id"),
        sa.PrimaryKeyConstraint("webhook_id", "event_sequence", name="pk_webhook_queue"),
    )
    op.create_index(
        "ix_webhook_queue_event_sequence", "webhook_queue", ["event_sequence"], unique=False
    )
    op.create_index(
        "ix_webhook_queue_webhook_id_shopper_id_event_sequence",
        "webhook_queue",
        ["webhook_id", "shopper_id", "event_sequence"],
        unique=False,
    )
    op.create_index(
        "ix_webhook_queue_webhook_id_state_due_at_ms",
        "webhook_queue",
        ["webhook_id", "state", "due_at_ms"],
        unique=False,
    )
