"""Lay down the tables of answers that were given and of what is still to be told.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, sequence, text

ANSWERS: Final = sa.Table(
    "answers",
    METADATA,
    key("caller", primary=True),
    key("key", primary=True),
    text("fingerprint", DataClass.BUSINESS),
    number("status", DataClass.BUSINESS),
    sa.Column("body", sa.LargeBinary(), nullable=False, info={"data": DataClass.BEHAVIOUR}),
    number("at_ms", DataClass.BEHAVIOUR),
    sa.Index(None, "at_ms"),
)

OUTBOX: Final = sa.Table(
    "outbox",
    METADATA,
    sequence(),
    text("kind", DataClass.BUSINESS),
    # Empty once the shopper is erased: locating must still be told to forget the tag.
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), nullable=True),
    text("subject", DataClass.BEHAVIOUR),
    number("at_ms", DataClass.BEHAVIOUR),
    sqlite_autoincrement=True,
)
