"""Lay down the tables of key figures: what tills took in all, and the alerts of what has changed.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. Nothing in
them is about a person.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, number, sequence, text

TILL_DAYS: Final = sa.Table(
    "till_days",
    METADATA,
    text("site", DataClass.BUSINESS, primary=True),
    text("day", DataClass.BUSINESS, primary=True),
    text("currency", DataClass.BUSINESS, primary=True),
    # A total is never changed: the newest of a day counts.
    number("number", DataClass.BUSINESS, primary=True),
    number("receipts", DataClass.BUSINESS),
    number("sales_minor", DataClass.BUSINESS),
    number("at_ms", DataClass.BUSINESS),
    sa.CheckConstraint(
        "number >= 1 AND number <= 100 AND receipts >= 0 AND sales_minor >= 0", name="counts"
    ),
)

KPI_ALERTS: Final = sa.Table(
    "kpi_alerts",
    METADATA,
    sequence(),
    text("site", DataClass.BUSINESS),
    text("kpi", DataClass.BUSINESS),
    text("direction", DataClass.BUSINESS),
    text("found_week", DataClass.BUSINESS),
    text("since_week", DataClass.BUSINESS),
    # In millionths: figures are shares and means, and a table of ours holds integers.
    number("before_millionths", DataClass.BUSINESS),
    number("after_millionths", DataClass.BUSINESS),
    number("noted_at_ms", DataClass.BUSINESS),
    sa.UniqueConstraint("site", "kpi", "direction", "found_week"),
    sqlite_autoincrement=True,
)
