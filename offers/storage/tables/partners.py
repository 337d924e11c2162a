"""Lay down the tables of partners: what points of a line cost them, and their settlements.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. Who bears
what stands in the ledger; a settlement is a document about it, only ever added, never changed.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, text

FUNDED_LINES: Final = sa.Table(
    "funded_lines",
    METADATA,
    key("redemption_id", sa.ForeignKey("redemptions.redemption_id"), primary=True),
    number("line", DataClass.BUSINESS, primary=True),
    number("worth_minor", DataClass.BUSINESS),
    sa.CheckConstraint("worth_minor > 0", name="worth"),
)

PARTNER_SETTLEMENTS: Final = sa.Table(
    "partner_settlements",
    METADATA,
    text("site", DataClass.BUSINESS, primary=True),
    text("partner", DataClass.BUSINESS, primary=True),
    # One more than the last: the key lets one of two at once be the next, and leaves no gap.
    number("number", DataClass.BUSINESS, primary=True),
    text("kind", DataClass.BUSINESS),
    number("corrects", DataClass.BUSINESS, nullable=True),
    text("from_day", DataClass.BUSINESS),
    text("until_day", DataClass.BUSINESS),
    number("from_ms", DataClass.BUSINESS),
    number("until_ms", DataClass.BUSINESS),
    # Which entries of the ledger it counts: those behind the first, up to the second.
    number("after_sequence", DataClass.BUSINESS),
    number("through_sequence", DataClass.BUSINESS),
    number("made_at_ms", DataClass.BUSINESS),
    sa.CheckConstraint("number >= 1", name="number"),
    sa.CheckConstraint("corrects IS NULL OR corrects < number", name="corrects"),
    sa.CheckConstraint("until_ms > from_ms", name="period"),
    sa.CheckConstraint("through_sequence >= after_sequence", name="sequences"),
)

PARTNER_SETTLEMENT_LINES: Final = sa.Table(
    "partner_settlement_lines",
    METADATA,
    text("site", DataClass.BUSINESS, primary=True),
    text("partner", DataClass.BUSINESS, primary=True),
    number("number", DataClass.BUSINESS, primary=True),
    text("campaign_id", DataClass.BUSINESS, primary=True),
    text("currency", DataClass.BUSINESS, primary=True),
    number("charged_minor", DataClass.BUSINESS),
    number("taken_back_minor", DataClass.BUSINESS),
    sa.ForeignKeyConstraint(
        ["site", "partner", "number"],
        [
            "partner_settlements.site",
            "partner_settlements.partner",
            "partner_settlements.number",
        ],
    ),
    sa.CheckConstraint("charged_minor >= 0 AND taken_back_minor >= 0", name="amounts"),
)
