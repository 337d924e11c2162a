"""The first schema: shoppers, consents, campaigns, offers, coupons, redemptions.

Layer: edges. Takes: an empty database. Gives: the tables as they were at this revision. It does not
import `offers.storage.tables`: that module goes on changing, a revision never does. There is no way
down: a database goes back by restoring its backup.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables, those first that others refer to."""
    _create_answers()
    _create_campaigns()
    _create_processed_events()
    _create_shoppers()
    _create_campaign_revisions()
    _create_consents()
    _create_credentials()
    _create_decisions()
    _create_outbox()
    _create_offers()
    _create_pairings()
    _create_cap_slots()
    _create_coupons()
    _create_visits()
    _create_coupon_codes()
    _create_redemptions()


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}")


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_answers"),
    )
    op.create_index("ix_answers_at_ms", "answers", ["at_ms"], unique=False)


def _create_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("redemptions_max", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("held >= 0 AND used >= 0", name="ck_campaigns_counts"),
        sa.CheckConstraint(
            "redemptions_max IS NULL OR held + used <= redemptions_max", name="ck_campaigns_budget"
        ),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_campaigns"),
    )
    op.create_index("ix_campaigns_site_zone", "campaigns", ["site", "zone"], unique=False)


def _create_processed_events() -> None:
    op.create_table(
        "processed_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_processed_events"),
    )
    op.create_index("ix_processed_events_at_ms", "processed_events", ["at_ms"], unique=False)


def _create_shoppers() -> None:
    op.create_table(
        "shoppers",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("enrolled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shopper_id", name="pk_shoppers"),
    )


def _create_campaign_revisions() -> None:
    op.create_table(
        "campaign_revisions",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _refers("campaign_revisions", "campaign_id", "campaigns.campaign_id"),
        sa.PrimaryKeyConstraint("campaign_id", "revision", name="pk_campaign_revisions"),
    )


def _create_consents() -> None:
    op.create_table(
        "consents",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        _refers("consents", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_consents"),
        sa.UniqueConstraint("consent_id", name="uq_consents_consent_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_consents_shopper_id_purpose_sequence",
        "consents",
        ["shopper_id", "purpose", "sequence"],
        unique=False,
    )


def _create_credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=True),
        sa.Column("till", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        _refers("credentials", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("credential_id", name="pk_credentials"),
        sa.UniqueConstraint("fingerprint", name="uq_credentials_fingerprint"),
    )


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("passed_over", sa.Text(), nullable=False),
        _refers("decisions", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_decisions"),
        sa.UniqueConstraint("decision_id", name="uq_decisions_decision_id"),
        sa.UniqueConstraint("event_id", name="uq_decisions_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_decisions_shopper_id_sequence", "decisions", ["shopper_id", "sequence"], unique=False
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        _refers("outbox", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def _create_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("locate_consent_id", sa.Text(), nullable=False),
        sa.Column("personalise_consent_id", sa.Text(), nullable=False),
        sa.Column("may_notify", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("expires_at_ms > issued_at_ms", name="ck_offers_lasts"),
        sa.ForeignKeyConstraint(
            ["campaign_id", "revision"],
            ["campaign_revisions.campaign_id", "campaign_revisions.revision"],
            name="fk_offers_campaign_id_revision",
        ),
        _refers("offers", "decision_id", "decisions.decision_id"),
        _refers("offers", "locate_consent_id", "consents.consent_id"),
        _refers("offers", "personalise_consent_id", "consents.consent_id"),
        _refers("offers", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_offers"),
        sa.UniqueConstraint("decision_id", name="uq_offers_decision_id"),
        sa.UniqueConstraint("offer_id", name="uq_offers_offer_id"),
        sa.UniqueConstraint(
            "shopper_id",
            "campaign_id",
            "visit_id",
            name="uq_offers_shopper_id_campaign_id_visit_id",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_offers_shopper_id_sequence", "offers", ["shopper_id", "sequence"], unique=False
    )
    op.create_index(
        "ix_offers_state_expires_at_ms", "offers", ["state", "expires_at_ms"], unique=False
    )
    op.create_index("ix_offers_visit_id", "offers", ["visit_id"], unique=False)


def _create_pairings() -> None:
    op.create_table(
        "pairings",
        sa.Column("pairing_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("paired_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("expires_at_ms > paired_at_ms", name="ck_pairings_lasts"),
        _refers("pairings", "consent_id", "consents.consent_id"),
        _refers("pairings", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("pairing_id", name="pk_pairings"),
    )
    op.create_index("ix_pairings_shopper_id", "pairings", ["shopper_id"], unique=False)
    op.create_index(
        "uq_pairings_tag_open",
        "pairings",
        ["tag"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def _create_cap_slots() -> None:
    op.create_table(
        "cap_slots",
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slot >= 0 AND slot < 20", name="ck_cap_slots_slot"),
        _refers("cap_slots", "campaign_id", "campaigns.campaign_id"),
        _refers("cap_slots", "offer_id", "offers.offer_id"),
        _refers("cap_slots", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("shopper_id", "campaign_id", "slot", name="pk_cap_slots"),
        sa.UniqueConstraint("offer_id", name="uq_cap_slots_offer_id"),
    )


def _create_coupons() -> None:
    op.create_table(
        "coupons",
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_reserved", sa.Boolean(), nullable=False),
        sa.CheckConstraint("expires_at_ms > issued_at_ms", name="ck_coupons_lasts"),
        sa.ForeignKeyConstraint(
            ["campaign_id", "revision"],
            ["campaign_revisions.campaign_id", "campaign_revisions.revision"],
            name="fk_coupons_campaign_id_revision",
        ),
        _refers("coupons", "offer_id", "offers.offer_id"),
        _refers("coupons", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("coupon_id", name="pk_coupons"),
        sa.UniqueConstraint("offer_id", name="uq_coupons_offer_id"),
    )
    op.create_index(
        "ix_coupons_state_expires_at_ms", "coupons", ["state", "expires_at_ms"], unique=False
    )


def _create_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("pairing_id", sa.Text(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("left_at_ms", sa.BigInteger(), nullable=True),
        _refers("visits", "pairing_id", "pairings.pairing_id"),
        sa.PrimaryKeyConstraint("visit_id", name="pk_visits"),
    )
    op.create_index("ix_visits_left_at_ms", "visits", ["left_at_ms"], unique=False)
    op.create_index("ix_visits_pairing_id", "visits", ["pairing_id"], unique=False)


def _create_coupon_codes() -> None:
    op.create_table(
        "coupon_codes",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        _refers("coupon_codes", "coupon_id", "coupons.coupon_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_coupon_codes"),
        sa.UniqueConstraint("fingerprint", name="uq_coupon_codes_fingerprint"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_coupon_codes_coupon_id_sequence",
        "coupon_codes",
        ["coupon_id", "sequence"],
        unique=False,
    )


def _create_redemptions() -> None:
    op.create_table(
        "redemptions",
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("use_number", sa.BigInteger(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("shopper_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("basket_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines_minor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "discount_minor >= 0 AND discount_minor <= basket_total_minor",
            name="ck_redemptions_discount",
        ),
        sa.CheckConstraint("use_number >= 1", name="ck_redemptions_use"),
        _refers("redemptions", "coupon_id", "coupons.coupon_id"),
        _refers("redemptions", "offer_id", "offers.offer_id"),
        _refers("redemptions", "shopper_id", "shoppers.shopper_id"),
        sa.PrimaryKeyConstraint("redemption_id", name="pk_redemptions"),
        sa.UniqueConstraint("coupon_id", "use_number", name="uq_redemptions_coupon_id_use_number"),
    )
    op.create_index("ix_redemptions_shopper_id", "redemptions", ["shopper_id"], unique=False)
