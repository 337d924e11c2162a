"""Lay down the tables of the audit chain and of who was erased.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. No column
refers to another table: what is erased elsewhere must leave the chain whole.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, text

AUDIT: Final = sa.Table(
    "audit",
    METADATA,
    number("sequence", DataClass.BUSINESS, primary=True),
    number("at_ms", DataClass.BUSINESS),
    text("actor_role", DataClass.BUSINESS),
    key("actor_ref", nullable=True),
    text("action", DataClass.BUSINESS),
    key("subject"),
    text("details", DataClass.BUSINESS),
    text("previous", DataClass.BUSINESS),
    text("hash", DataClass.BUSINESS),
    # Two entries behind one would be a fork: two stories, each of which verifies.
    sa.UniqueConstraint("previous"),
    sa.CheckConstraint("sequence >= 1", name="sequence"),
    sa.Index(None, "subject", "sequence"),
    sa.Index(None, "action", "at_ms"),
)

ERASURES: Final = sa.Table(
    "erasures",
    METADATA,
    sa.Column("fingerprint", sa.Text(), primary_key=True, info={"data": DataClass.SECRET}),
    number("at_ms", DataClass.BUSINESS),
)
