"""Say what goes between staff and us about settlements with partners, as JSON and as CSV.

Layer: edges. Takes: JSON of the staff; a `Settlement`. Gives: checked bodies to partner_routes and
their schemas to the OpenAPI document. Money by campaign is all there is in them: no shopper, no
count of shoppers, no time of a purchase.
"""

import csv
import io
from datetime import date
from typing import Final

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import Body, Currency, Instant, render_instant
from offers.model.campaigns.settlement import (
    LINES_MAX,
    CorrectionLine,
    Period,
    Settlement,
    SettlementKind,
    SettlementLine,
)
from offers.model.ids import CampaignId
from offers.model.money import AMOUNT_MINOR_MAX

COLUMNS: Final = (
    "site",
    "partner",
    "number",
    "kind",
    "corrects",
    "from_day",
    "until_day",
    "campaign",
    "currency",
    "charged_minor",
    "taken_back_minor",
    "amount_minor",
)


class PeriodBody(Body):
    """Whole days by the calendar of the site; the second is the first that is not in it."""

    from_day: date = Field(examples=["2026-11-01"])
    until_day: date = Field(examples=["2026-12-01"])

    def period(self) -> Period:
        """Return the noun."""
        return Period(from_day=self.from_day, until_day=self.until_day)


class CorrectionLineBody(Body):
    """Money that both agreed on: above zero the partner owes more, below zero less."""

    campaign: StrictStr = Field(min_length=1, max_length=63, examples=["dowels-2-off"])
    currency: Currency
    amount_minor: StrictInt = Field(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX, examples=[-250])

    def line(self) -> CorrectionLine:
        """Return the noun."""
        return CorrectionLine(
            campaign=CampaignId(self.campaign),
            currency=self.currency,
            amount_minor=self.amount_minor,
        )


class CorrectionBody(Body):
    """What an earlier document said wrongly."""

    lines: list[CorrectionLineBody] = Field(min_length=1, max_length=LINES_MAX)


class SettlementLineBody(Body):
    """What a campaign cost the partner."""

    campaign: str
    currency: Currency
    charged_minor: int
    taken_back_minor: int = Field(description="for goods that were returned, or credited")
    amount_minor: int = Field(description="charged less taken back")

    @classmethod
    def of(cls, line: SettlementLine) -> "SettlementLineBody":
        """Render a line."""
        return cls(
            campaign=line.campaign,
            currency=line.currency,
            charged_minor=line.charged_minor,
            taken_back_minor=line.taken_back_minor,
            amount_minor=line.amount_minor,
        )


class SettlementBody(Body):
    """A document; once made it never changes."""

    site: str
    partner: str
    number: int = Field(description="from 1, without a gap, for each site and partner")
    kind: SettlementKind
    corrects: int | None = Field(description="the document that it completes or corrects")
    from_day: str = Field(examples=["2026-11-01"])
    until_day: str = Field(examples=["2026-12-01"])
    made_at: Instant
    lines: tuple[SettlementLineBody, ...]
    totals_minor: dict[str, int] = Field(
        description="what the partner owes in each currency", examples=[{"EUR": 1299}]
    )

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementBody":
        """Render a document."""
        return cls(
            site=settlement.site,
            partner=settlement.partner,
            number=settlement.number,
            kind=settlement.kind,
            corrects=settlement.corrects,
            from_day=settlement.period.from_day.isoformat(),
            until_day=settlement.period.until_day.isoformat(),
            made_at=render_instant(settlement.made_at_ms),
            lines=tuple(SettlementLineBody.of(line) for line in settlement.lines),
            totals_minor=settlement.totals_minor,
        )


class SettlementsBody(Body):
    """Documents, the oldest first."""

    settlements: tuple[SettlementBody, ...]
    cursor: int
    has_more: bool


def render_csv(settlement: Settlement) -> str:
    """Return the lines of a document as RFC 4180 has it.

    Every text in it is an id of ours or a date, none of which a spreadsheet takes for a formula.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    head = (
        settlement.site,
        settlement.partner,
        settlement.number,
        settlement.kind.value,
        settlement.corrects or "",
        settlement.period.from_day.isoformat(),
        settlement.period.until_day.isoformat(),
    )
    for line in settlement.lines:
        writer.writerow(
            (
                *head,
                line.campaign,
                line.currency,
                line.charged_minor,
                line.taken_back_minor,
                line.amount_minor,
            )
        )
    return written.getvalue()
