"""Turn settlements into rows and back.

Layer: edges. Takes: a `Settlement`, or rows. Gives: the other to sql_partners.
"""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import (
    Period,
    Settlement,
    SettlementKind,
    SettlementLine,
)
from offers.model.ids import CampaignId
from rtls.model.units import SiteId, UnixMs

Row = sa.Row[*tuple[object, ...]]


def row_of_settlement(settlement: Settlement) -> dict[str, object]:
    """Return the values of the row, without the lines."""
    return {
        "site": settlement.site,
        "partner": settlement.partner,
        "number": settlement.number,
        "kind": settlement.kind.value,
        "corrects": settlement.corrects,
        "from_day": settlement.period.from_day.isoformat(),
        "until_day": settlement.period.until_day.isoformat(),
        "from_ms": settlement.from_ms,
        "until_ms": settlement.until_ms,
        "after_sequence": settlement.after_sequence,
        "through_sequence": settlement.through_sequence,
        "made_at_ms": settlement.made_at_ms,
    }


def settlement_of_rows(row: Row, lines: Sequence[Row]) -> Settlement:
    """Return the document that the rows hold."""
    return Settlement(
        site=SiteId(row.site),
        partner=PartnerId(row.partner),
        number=row.number,
        kind=SettlementKind(row.kind),
        corrects=row.corrects,
        period=Period(
            from_day=date.fromisoformat(row.from_day),
            until_day=date.fromisoformat(row.until_day),
        ),
        from_ms=UnixMs(row.from_ms),
        until_ms=UnixMs(row.until_ms),
        after_sequence=row.after_sequence,
        through_sequence=row.through_sequence,
        made_at_ms=UnixMs(row.made_at_ms),
        lines=tuple(line_of_row(line) for line in lines),
    )


def line_of_row(row: Row) -> SettlementLine:
    """Return one line."""
    return SettlementLine(
        campaign=CampaignId(row.campaign_id),
        currency=row.currency,
        charged_minor=int(row.charged_minor),
        taken_back_minor=int(row.taken_back_minor),
    )
