"""Lay down the tables of shoppers, credentials, consents and pairings.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, sequence, text

SHOPPERS: Final = sa.Table(
    "shoppers",
    METADATA,
    key("shopper_id", primary=True),
    number("enrolled_at_ms", DataClass.BEHAVIOUR),
    text("locale", DataClass.BEHAVIOUR),
)

CREDENTIALS: Final = sa.Table(
    "credentials",
    METADATA,
    key("credential_id", primary=True),
    text("fingerprint", DataClass.SECRET),
    text("role", DataClass.BUSINESS),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    text("till", DataClass.BUSINESS, nullable=True),
    text("site", DataClass.BUSINESS, nullable=True),
    number("created_at_ms", DataClass.BEHAVIOUR),
    number("revoked_at_ms", DataClass.BEHAVIOUR, nullable=True),
    text("staff_name", DataClass.BUSINESS, nullable=True),
    number("expires_at_ms", DataClass.BUSINESS, nullable=True),
    sa.UniqueConstraint("fingerprint"),
    sa.Index(None, "staff_name"),
)

STAFF_USERS: Final = sa.Table(
    "staff_users",
    METADATA,
    text("name", DataClass.BUSINESS, primary=True),
    text("role", DataClass.BUSINESS),
    text("site", DataClass.BUSINESS),
    text("till", DataClass.BUSINESS, nullable=True),
    text("password_hash", DataClass.SECRET),
    number("created_at_ms", DataClass.BUSINESS),
    number("changed_at_ms", DataClass.BUSINESS),
)

CONSENT_TEXTS: Final = sa.Table(
    "consent_texts",
    METADATA,
    sa.Column("version", sa.Text(), primary_key=True, info={"data": DataClass.BUSINESS}),
    sa.Column("locale", sa.Text(), primary_key=True, info={"data": DataClass.BUSINESS}),
    text("sha256", DataClass.BUSINESS),
    text("text", DataClass.BUSINESS),
)

CONSENTS: Final = sa.Table(
    "consents",
    METADATA,
    sequence(),
    key("consent_id"),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("purpose", DataClass.BEHAVIOUR),
    claim("is_granted", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    text("text_version", DataClass.BEHAVIOUR),
    text("text_sha256", DataClass.BEHAVIOUR, nullable=True),
    text("locale", DataClass.BEHAVIOUR),
    text("channel", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("consent_id"),
    sa.Index(None, "shopper_id", "purpose", "sequence"),
    sqlite_autoincrement=True,
)

PAIRINGS: Final = sa.Table(
    "pairings",
    METADATA,
    key("pairing_id", primary=True),
    text("tag", DataClass.BEHAVIOUR),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("consent_id", sa.ForeignKey("consents.consent_id")),
    number("paired_at_ms", DataClass.BEHAVIOUR),
    number("expires_at_ms", DataClass.BEHAVIOUR),
    number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    text("end_reason", DataClass.BEHAVIOUR, nullable=True),
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

MINORS: Final = sa.Table(
    "minors",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    text("of_age_on", DataClass.BEHAVIOUR),
)

SUSPENSIONS: Final = sa.Table(
    "suspensions",
    METADATA,
    key("suspension_id", primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    text("site", DataClass.BEHAVIOUR),
    text("reason", DataClass.BEHAVIOUR),
    key("by_credential"),
    number("at_ms", DataClass.BEHAVIOUR),
    text("appeal", DataClass.BEHAVIOUR, nullable=True),
    number("appealed_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("lifted_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.CheckConstraint("(appeal IS NULL) = (appealed_at_ms IS NULL)", name="appeal"),
    sa.Index(None, "site", "lifted_at_ms"),
)
sa.Index(
    "uq_suspensions_shopper_open",
    SUSPENSIONS.c.shopper_id,
    unique=True,
    sqlite_where=SUSPENSIONS.c.lifted_at_ms.is_(None),
    postgresql_where=SUSPENSIONS.c.lifted_at_ms.is_(None),
)
