"""The tables of offers, the same on SQLite and PostgreSQL.

Layer: edges. Takes: nothing. Gives: the metadata to the repositories and migrations. Every column
says in ``info["data"]`` what kind of data it holds, so that export and erasure can be generated
from here and a column without a class fails a test. Times are milliseconds since 1970, money is
minor units, and every limit of the business is a constraint.
"""

from enum import StrEnum
from typing import Final

import sqlalchemy as sa


class DataClass(StrEnum):
    """What a column says about a person; decides export, erasure and logging."""

    KEY = "key"
    """names a row, and through it perhaps a person: a pseudonym"""
    BEHAVIOUR = "behaviour"
    """what a person did, wished or was told: exported, and erased with the person"""
    SECRET = "secret"  # noqa: S105 - the name of a class, not a secret
    """fingerprint of a secret: erased with the person, never exported, never logged"""
    BUSINESS = "business"
    """says nothing of a person"""


METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts by itself in INTEGER columns only.
SEQUENCE: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(
    name: str, *parts: sa.schema.SchemaItem, nullable: bool = False, primary: bool = False
) -> sa.Column[str]:
    return sa.Column(
        name,
        sa.Text(),
        *parts,
        nullable=nullable,
        primary_key=primary,
        info={"data": DataClass.KEY},
    )


def _text(name: str, data: DataClass, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, info={"data": data})


def _number(name: str, data: DataClass, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, info={"data": data})


def _claim(name: str, data: DataClass, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=nullable, info={"data": data})


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", SEQUENCE, primary_key=True, info={"data": DataClass.BUSINESS})


SHOPPERS: Final = sa.Table(
    "shoppers",
    METADATA,
    _key("shopper_id", primary=True),
    _number("enrolled_at_ms", DataClass.BEHAVIOUR),
    _text("locale", DataClass.BEHAVIOUR),
)

CREDENTIALS: Final = sa.Table(
    "credentials",
    METADATA,
    _key("credential_id", primary=True),
    _text("fingerprint", DataClass.SECRET),
    _text("role", DataClass.BUSINESS),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    _text("till", DataClass.BUSINESS, nullable=True),
    _text("site", DataClass.BUSINESS, nullable=True),
    _number("created_at_ms", DataClass.BEHAVIOUR),
    _number("revoked_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("fingerprint"),
)

CONSENTS: Final = sa.Table(
    "consents",
    METADATA,
    _sequence(),
    _key("consent_id"),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _text("purpose", DataClass.BEHAVIOUR),
    _claim("is_granted", DataClass.BEHAVIOUR),
    _number("at_ms", DataClass.BEHAVIOUR),
    _text("text_version", DataClass.BEHAVIOUR),
    _text("locale", DataClass.BEHAVIOUR),
    _text("channel", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("consent_id"),
    sa.Index(None, "shopper_id", "purpose", "sequence"),
    sqlite_autoincrement=True,
)

PAIRINGS: Final = sa.Table(
    "pairings",
    METADATA,
    _key("pairing_id", primary=True),
    _text("tag", DataClass.BEHAVIOUR),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _key("consent_id", sa.ForeignKey("consents.consent_id")),
    _number("paired_at_ms", DataClass.BEHAVIOUR),
    _number("expires_at_ms", DataClass.BEHAVIOUR),
    _number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    _text("end_reason", DataClass.BEHAVIOUR, nullable=True),
    sa.CheckConstraint("expires_at_ms > paired_at_ms", name="lasts"),
    sa.Index(None, "shopper_id"),
)
sa.Index(
    "uq_pairings_tag_open",
    PAIRINGS.c.tag,
    unique=True,
    sqlite_where=PAIRINGS.c.ended_at_ms.is_(None),
    postgresql_where=PAIRINGS.c.ended_at_ms.is_(None),
)

CAMPAIGNS: Final = sa.Table(
    "campaigns",
    METADATA,
    _key("campaign_id", primary=True),
    _text("site", DataClass.BUSINESS),
    _text("zone", DataClass.BUSINESS),
    _text("state", DataClass.BUSINESS),
    _number("revision", DataClass.BUSINESS),
    _number("redemptions_max", DataClass.BUSINESS, nullable=True),
    _number("held", DataClass.BUSINESS),
    _number("used", DataClass.BUSINESS),
    sa.CheckConstraint("held >= 0 AND used >= 0", name="counts"),
    sa.CheckConstraint("redemptions_max IS NULL OR held + used <= redemptions_max", name="budget"),
    sa.Index(None, "site", "zone"),
)

CAMPAIGN_REVISIONS: Final = sa.Table(
    "campaign_revisions",
    METADATA,
    _key("campaign_id", sa.ForeignKey("campaigns.campaign_id"), primary=True),
    sa.Column(
        "revision",
        sa.BigInteger(),
        primary_key=True,
        autoincrement=False,
        info={"data": DataClass.BUSINESS},
    ),
    _text("document", DataClass.BUSINESS),
)

PROCESSED_EVENTS: Final = sa.Table(
    "processed_events",
    METADATA,
    _key("event_id", primary=True),
    _number("at_ms", DataClass.BUSINESS),
    sa.Index(None, "at_ms"),
)

VISITS: Final = sa.Table(
    "visits",
    METADATA,
    _key("visit_id", primary=True),
    _text("site", DataClass.BEHAVIOUR),
    _text("zone", DataClass.BEHAVIOUR),
    _key("pairing_id", sa.ForeignKey("pairings.pairing_id")),
    _number("entered_at_ms", DataClass.BEHAVIOUR),
    _number("left_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.Index(None, "pairing_id"),
    sa.Index(None, "left_at_ms"),
)

DECISIONS: Final = sa.Table(
    "decisions",
    METADATA,
    _sequence(),
    _key("decision_id"),
    _key("event_id"),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _text("site", DataClass.BEHAVIOUR),
    _text("zone", DataClass.BEHAVIOUR),
    _key("visit_id"),
    _number("at_ms", DataClass.BEHAVIOUR),
    _text("policy", DataClass.BUSINESS),
    _text("chosen", DataClass.BEHAVIOUR, nullable=True),
    _text("passed_over", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("decision_id"),
    sa.UniqueConstraint("event_id"),
    sa.Index(None, "shopper_id", "sequence"),
    sqlite_autoincrement=True,
)

OFFERS: Final = sa.Table(
    "offers",
    METADATA,
    _sequence(),
    _key("offer_id"),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _key("campaign_id"),
    _number("revision", DataClass.BUSINESS),
    _key("decision_id", sa.ForeignKey("decisions.decision_id")),
    _text("site", DataClass.BEHAVIOUR),
    _text("zone", DataClass.BEHAVIOUR),
    _key("visit_id"),
    _key("locate_consent_id", sa.ForeignKey("consents.consent_id")),
    _key("personalise_consent_id", sa.ForeignKey("consents.consent_id")),
    _claim("may_notify", DataClass.BEHAVIOUR),
    _text("state", DataClass.BEHAVIOUR),
    _number("issued_at_ms", DataClass.BEHAVIOUR),
    _number("expires_at_ms", DataClass.BEHAVIOUR),
    _number("delivered_at_ms", DataClass.BEHAVIOUR, nullable=True),
    _number("opened_at_ms", DataClass.BEHAVIOUR, nullable=True),
    _number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("offer_id"),
    sa.UniqueConstraint("decision_id"),
    sa.UniqueConstraint("shopper_id", "campaign_id", "visit_id"),
    sa.ForeignKeyConstraint(
        ["campaign_id", "revision"],
        ["campaign_revisions.campaign_id", "campaign_revisions.revision"],
    ),
    sa.CheckConstraint("expires_at_ms > issued_at_ms", name="lasts"),
    sa.Index(None, "shopper_id", "sequence"),
    sa.Index(None, "visit_id"),
    sa.Index(None, "state", "expires_at_ms"),
    sqlite_autoincrement=True,
)

CAP_SLOTS: Final = sa.Table(
    "cap_slots",
    METADATA,
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    _key("campaign_id", sa.ForeignKey("campaigns.campaign_id"), primary=True),
    sa.Column(
        "slot",
        sa.BigInteger(),
        primary_key=True,
        autoincrement=False,
        info={"data": DataClass.BUSINESS},
    ),
    _key("offer_id", sa.ForeignKey("offers.offer_id")),
    _number("taken_at_ms", DataClass.BEHAVIOUR),
    sa.CheckConstraint("slot >= 0 AND slot < 20", name="slot"),
    sa.UniqueConstraint("offer_id"),
)

COUPONS: Final = sa.Table(
    "coupons",
    METADATA,
    _key("coupon_id", primary=True),
    _key("offer_id", sa.ForeignKey("offers.offer_id")),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _key("campaign_id"),
    _number("revision", DataClass.BUSINESS),
    _text("site", DataClass.BUSINESS),
    _text("state", DataClass.BEHAVIOUR),
    _number("issued_at_ms", DataClass.BEHAVIOUR),
    _number("expires_at_ms", DataClass.BEHAVIOUR),
    _claim("is_reserved", DataClass.BUSINESS),
    sa.UniqueConstraint("offer_id"),
    sa.ForeignKeyConstraint(
        ["campaign_id", "revision"],
        ["campaign_revisions.campaign_id", "campaign_revisions.revision"],
    ),
    sa.CheckConstraint("expires_at_ms > issued_at_ms", name="lasts"),
    sa.Index(None, "state", "expires_at_ms"),
)

COUPON_CODES: Final = sa.Table(
    "coupon_codes",
    METADATA,
    _sequence(),
    _text("fingerprint", DataClass.SECRET),
    _key("coupon_id", sa.ForeignKey("coupons.coupon_id")),
    sa.UniqueConstraint("fingerprint"),
    sa.Index(None, "coupon_id", "sequence"),
    sqlite_autoincrement=True,
)

REDEMPTIONS: Final = sa.Table(
    "redemptions",
    METADATA,
    _key("redemption_id", primary=True),
    _key("coupon_id", sa.ForeignKey("coupons.coupon_id")),
    # 1, until reversals exist: a coupon given back is used again under the next number. So one
    # coupon has one unreversed redemption, and no row is ever edited.
    _number("use_number", DataClass.BUSINESS),
    _key("offer_id", sa.ForeignKey("offers.offer_id")),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _key("campaign_id"),
    _number("revision", DataClass.BUSINESS),
    _text("till", DataClass.BEHAVIOUR),
    _text("site", DataClass.BEHAVIOUR),
    _number("at_ms", DataClass.BEHAVIOUR),
    _text("currency", DataClass.BEHAVIOUR),
    _number("basket_total_minor", DataClass.BEHAVIOUR),
    _number("discount_minor", DataClass.BEHAVIOUR),
    _text("lines_minor", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("coupon_id", "use_number"),
    sa.CheckConstraint("use_number >= 1", name="use"),
    sa.CheckConstraint(
        "discount_minor >= 0 AND discount_minor <= basket_total_minor", name="discount"
    ),
    sa.Index(None, "shopper_id"),
)

ANSWERS: Final = sa.Table(
    "answers",
    METADATA,
    _key("caller", primary=True),
    _key("key", primary=True),
    _text("fingerprint", DataClass.BUSINESS),
    _number("status", DataClass.BUSINESS),
    sa.Column("body", sa.LargeBinary(), nullable=False, info={"data": DataClass.BEHAVIOUR}),
    _number("at_ms", DataClass.BEHAVIOUR),
    sa.Index(None, "at_ms"),
)

OUTBOX: Final = sa.Table(
    "outbox",
    METADATA,
    _sequence(),
    _text("kind", DataClass.BUSINESS),
    _key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    _text("subject", DataClass.BEHAVIOUR),
    _number("at_ms", DataClass.BEHAVIOUR),
    sqlite_autoincrement=True,
)
