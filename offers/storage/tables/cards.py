"""Lay down the tables of cards, of their codes that were taken, and of their claims.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. A card has
no key of its own here: it is made of the number with the key that lies beside the database.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number

CARDS: Final = sa.Table(
    "cards",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    number("number", DataClass.BEHAVIOUR),
    sa.UniqueConstraint("number"),
)

CARD_STEPS: Final = sa.Table(
    "card_steps",
    METADATA,
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    number("step", DataClass.BEHAVIOUR, primary=True),
    sa.Index(None, "step"),
)

CARD_CLAIMS: Final = sa.Table(
    "card_claims",
    METADATA,
    sa.Column("fingerprint", sa.Text(), primary_key=True, info={"data": DataClass.SECRET}),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id")),
    number("until_ms", DataClass.BEHAVIOUR),
    sa.Index(None, "shopper_id"),
    sa.Index(None, "until_ms"),
)
