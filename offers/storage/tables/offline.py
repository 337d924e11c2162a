"""Lay down the table of what tills did while they had no line.

Layer: edges. Takes: column functions. Gives: the table to repositories and migrations. A row names
a coupon by its random id, which leads to nobody once the shopper has left.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

OFFLINE_ITEMS: Final = sa.Table(
    "offline_items",
    METADATA,
    sequence(),
    text("site", DataClass.BUSINESS),
    text("till", DataClass.BUSINESS),
    text("reference", DataClass.BUSINESS),
    key("coupon_id", nullable=True),
    key("redemption_id", nullable=True),
    text("reasons", DataClass.BUSINESS),
    key("first_redemption_id", nullable=True),
    text("first_till", DataClass.BUSINESS, nullable=True),
    number("first_at_ms", DataClass.BUSINESS, nullable=True),
    text("first_reference", DataClass.BUSINESS, nullable=True),
    text("currency", DataClass.BUSINESS),
    number("discount_minor", DataClass.BUSINESS),
    number("redeemed_at_ms", DataClass.BUSINESS),
    number("received_at_ms", DataClass.BUSINESS),
    sa.UniqueConstraint("site", "till", "reference"),
    sa.UniqueConstraint("redemption_id"),
    sa.Index(None, "site", "reasons", "sequence"),
    sqlite_autoincrement=True,
)
