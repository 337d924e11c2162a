"""Lay down the table of catalogues.

Layer: edges. Takes: column functions. Gives: the table to its repository and migrations. A
catalogue is one value (docs/decisions/0031): nothing in the database asks for a single product.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, number, text

CATALOGUES: Final = sa.Table(
    "catalogues",
    METADATA,
    text("site", DataClass.BUSINESS, primary=True),
    number("revision", DataClass.BUSINESS),
    number("products", DataClass.BUSINESS),
    text("fingerprint", DataClass.BUSINESS),
    sa.Column("content", sa.LargeBinary(), nullable=False, info={"data": DataClass.BUSINESS}),
    number("at_ms", DataClass.BUSINESS),
    sa.CheckConstraint("revision >= 1", name="revision"),
    sa.CheckConstraint("products >= 1", name="products"),
)
