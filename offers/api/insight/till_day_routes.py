"""Take the daily totals of the tills, without which nobody knows what others bought.

Layer: edges. Takes: requests of campaign staff, or of the retailer's books with their key.
Gives: nothing but 204; totals are of a whole site and name nobody.
"""

from datetime import date

from fastapi import APIRouter, status
from pydantic import Field

from offers.api.auth import SiteDep
from offers.api.problem_docs import problems
from offers.api.schema import Body, Currency, Minor
from offers.api.services import ServicesDep
from offers.handlers.insight.note_till_day import note_till_day
from offers.model.insight.till_day import RECEIPTS_MAX, TillDay
from offers.ports import UnitOfWork

till_day_routes = APIRouter(prefix="/operator/till-totals", tags=["key figures"])


class TillDayBody(Body):
    """What all tills of the site took on a day, with and without a card."""

    day: date
    currency: Currency
    receipts: int = Field(ge=0, le=RECEIPTS_MAX, examples=[412])
    sales_minor: Minor = Field(description="after discounts, less what was brought back")


@till_day_routes.put(
    "",
    operation_id="putTillTotal",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(),
)
async def put_till_total(body: TillDayBody, site: SiteDep, services: ServicesDep) -> None:
    """Write the total of a day, or a further one, which then counts."""
    total = TillDay(
        site=site,
        day=body.day,
        currency=body.currency,
        receipts=body.receipts,
        sales_minor=body.sales_minor,
    )
    now_ms = services.now_ms()

    def note(work: UnitOfWork) -> None:
        note_till_day(total, work=work, now_ms=now_ms)

    await services.write(note)
