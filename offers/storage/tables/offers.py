"""Lay down the tables of offers, coupons and redemptions.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, claim, key, number, sequence, text

OFFERS: Final = sa.Table(
    "offers",
    METADATA,
    sequence(),
    key("offer_id"),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("campaign_id"),
    number("revision", DataClass.BUSINESS),
    key("decision_id", sa.ForeignKey("decisions.decision_id")),
    text("site", DataClass.BEHAVIOUR),
    text("occasion", DataClass.BEHAVIOUR),
    text("zone", DataClass.BEHAVIOUR, nullable=True),
    key("visit_id", nullable=True),
    key("locate_consent_id", sa.ForeignKey("consents.consent_id"), nullable=True),
    key("personalise_consent_id", sa.ForeignKey("consents.consent_id")),
    claim("may_notify", DataClass.BEHAVIOUR),
    text("state", DataClass.BEHAVIOUR),
    number("issued_at_ms", DataClass.BEHAVIOUR),
    number("expires_at_ms", DataClass.BEHAVIOUR),
    number("delivered_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("opened_at_ms", DataClass.BEHAVIOUR, nullable=True),
    number("ended_at_ms", DataClass.BEHAVIOUR, nullable=True),
    sa.UniqueConstraint("offer_id"),
    sa.UniqueConstraint("decision_id"),
    sa.UniqueConstraint("shopper_id", "campaign_id", "occasion"),
    sa.ForeignKeyConstraint(
        ["campaign_id", "revision"],
        ["campaign_revisions.campaign_id", "campaign_revisions.revision"],
    ),
    sa.CheckConstraint("expires_at_ms > issued_at_ms", name="lasts"),
    sa.Index(None, "shopper_id", "sequence"),
    sa.Index(None, "visit_id"),
    sa.Index(None, "state", "expires_at_ms"),
    sa.Index(None, "site", "issued_at_ms"),
    sqlite_autoincrement=True,
)

CAP_SLOTS: Final = sa.Table(
    "cap_slots",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    key("campaign_id", sa.ForeignKey("campaigns.campaign_id"), primary=True),
    number("slot", DataClass.BUSINESS, primary=True),
    key("offer_id", sa.ForeignKey("offers.offer_id")),
    number("taken_at_ms", DataClass.BEHAVIOUR),
    sa.CheckConstraint("slot >= 0 AND slot < 20", name="slot"),
    sa.UniqueConstraint("offer_id"),
)

COUPONS: Final = sa.Table(
    "coupons",
    METADATA,
    key("coupon_id", primary=True),
    key("offer_id", sa.ForeignKey("offers.offer_id")),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    key("campaign_id"),
    number("revision", DataClass.BUSINESS),
    text("site", DataClass.BUSINESS),
    text("state", DataClass.BEHAVIOUR),
    number("issued_at_ms", DataClass.BEHAVIOUR),
    number("expires_at_ms", DataClass.BEHAVIOUR),
    claim("is_reserved", DataClass.BUSINESS),
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
    sequence(),
    text("fingerprint", DataClass.SECRET),
    key("coupon_id", sa.ForeignKey("coupons.coupon_id")),
    sa.UniqueConstraint("fingerprint"),
    sa.Index(None, "coupon_id", "sequence"),
    sqlite_autoincrement=True,
)

REDEMPTIONS: Final = sa.Table(
    "redemptions",
    METADATA,
    key("redemption_id", primary=True),
    # Coupon, offer and shopper are empty once the shopper is erased; the money stays in the books.
    key("coupon_id", sa.ForeignKey("coupons.coupon_id"), nullable=True),
    # One more than the coupon has reversals, so UNIQUE lets it have one redemption that is not
    # reversed, and no row is ever edited.
    number("use_number", DataClass.BUSINESS),
    key("offer_id", sa.ForeignKey("offers.offer_id"), nullable=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    key("campaign_id"),
    number("revision", DataClass.BUSINESS),
    text("till", DataClass.BEHAVIOUR),
    text("site", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    text("currency", DataClass.BEHAVIOUR),
    number("basket_total_minor", DataClass.BEHAVIOUR),
    number("discount_minor", DataClass.BEHAVIOUR),
    text("lines_minor", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("coupon_id", "use_number"),
    sa.CheckConstraint("use_number >= 1", name="use"),
    sa.CheckConstraint(
        "discount_minor >= 0 AND discount_minor <= basket_total_minor", name="discount"
    ),
    sa.Index(None, "shopper_id"),
)
