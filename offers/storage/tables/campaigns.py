"""Lay down the tables of campaigns and their revisions.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, text

CAMPAIGNS: Final = sa.Table(
    "campaigns",
    METADATA,
    key("campaign_id", primary=True),
    text("site", DataClass.BUSINESS),
    text("trigger_kind", DataClass.BUSINESS),
    text("zone", DataClass.BUSINESS, nullable=True),
    text("state", DataClass.BUSINESS),
    number("revision", DataClass.BUSINESS),
    sa.Index(None, "site", "trigger_kind", "zone"),
)

CAMPAIGN_REVISIONS: Final = sa.Table(
    "campaign_revisions",
    METADATA,
    key("campaign_id", sa.ForeignKey("campaigns.campaign_id"), primary=True),
    number("revision", DataClass.BUSINESS, primary=True),
    text("document", DataClass.BUSINESS),
)
