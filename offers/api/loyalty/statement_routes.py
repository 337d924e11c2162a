"""Serve a shopper's statement on paper: to print at home, and at the till.

Layer: edges. Takes: requests of app, till and service desk. Gives: a page to print or plain text
for a receipt printer, kept by nobody on the way. A till names the card that was scanned, or the
purchase of a moment ago; nobody reads the statement of a shopper who is not there.
"""

from enum import StrEnum
from typing import Annotated, Final, assert_never

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import Field, StrictStr, model_validator

from offers.api.auth import CallerDep, ShopperDep
from offers.api.loyalty.statement_page import Paper, page_headers, page_of
from offers.api.loyalty.statement_sheet import sheet_of
from offers.api.loyalty.statement_slip import slip_of
from offers.api.problem import ProblemCode
from offers.api.problem_docs import Responses, problems
from offers.api.schema import Body
from offers.api.services import Services, ServicesDep
from offers.api.till.till_answers import check_failures, count_bad_codes, refused
from offers.handlers.loyalty.write_statement import (
    statement_after_purchase,
    statement_for_card,
    write_statement,
)
from offers.model.ids import PurchaseId
from offers.model.loyalty.statement import Statement
from offers.model.offering.refusal import TillRefusal
from offers.ports import UnitOfWork
from rtls.model.units import SiteId

statement_routes = APIRouter(tags=["statements"])


class StatementForm(StrEnum):
    """How the statement is written."""

    A4 = "a4"
    """a page to print on A4"""
    RECEIPT = "receipt"
    """a page to print on a roll of 80 mm"""
    TEXT = "text"
    """plain text of 42 columns"""


class TillStatementBody(Body):
    """Whose statement a till or a service desk wants: exactly one of the two."""

    card: StrictStr | None = Field(
        default=None, min_length=1, max_length=64, description="what was scanned"
    )
    purchase: StrictStr | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="made with a card at this site within the last ten minutes",
    )
    form: StatementForm = StatementForm.TEXT

    @model_validator(mode="after")
    def _names_one(self) -> "TillStatementBody":
        if (self.card is None) == (self.purchase is None):
            raise ValueError("expected card or purchase, and not both")
        return self


def _documents(responses: Responses) -> Responses:
    text = {"schema": {"type": "string"}}
    shown: dict[str, object] = {
        "description": "The statement.",
        "content": {"text/plain": text, "text/html": text},
    }
    return {200: shown, **responses}


FormQuery = Annotated[StatementForm, Query()]


@statement_routes.get(
    "/me/statement",
    operation_id="getStatement",
    response_class=HTMLResponse,
    responses=_documents(problems(ProblemCode.NOT_FOUND)),
)
async def get_statement(
    shopper: ShopperDep, services: ServicesDep, form: FormQuery = StatementForm.A4
) -> Response:
    """Return what the shopper has, to print; each coupon with a fresh code."""
    site = services.site_map.site
    statement = await services.write(
        lambda work: write_statement(
            shopper, site, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
    return _written(statement, form, services)


@statement_routes.post(
    "/till/statements",
    operation_id="printStatement",
    response_class=HTMLResponse,
    responses=_documents(
        problems(
            ProblemCode.NOT_FOUND,
            ProblemCode.EXPIRED,
            ProblemCode.REFUSED,
            ProblemCode.TOO_MANY_FAILURES,
        )
    ),
)
async def print_statement(
    body: TillStatementBody, staff: CallerDep, services: ServicesDep
) -> Response:
    """Return the statement of who shows the card, or has just paid with it.

    Raises
    ------
    refused
        The problem of a card that is not valid.
    """
    check_failures(staff, services)
    site = staff.site
    assert site is not None
    found = await services.write(lambda work: _find(body, site, services, work))
    if isinstance(found, TillRefusal):
        count_bad_codes(1, staff, services)
        raise refused(found)
    return _written(found, body.form, services)


def _find(
    body: TillStatementBody, site: SiteId, services: Services, work: UnitOfWork
) -> Statement | TillRefusal:
    now_ms, secrets = services.now_ms(), services.secrets
    if body.card is not None:
        return statement_for_card(body.card, site, work=work, now_ms=now_ms, secrets=secrets)
    assert body.purchase is not None
    purchase = PurchaseId(body.purchase)
    return statement_after_purchase(purchase, site, work=work, now_ms=now_ms, secrets=secrets)


_NOT_KEPT: Final = {"Cache-Control": "no-store"}


def _written(statement: Statement, form: StatementForm, services: Services) -> Response:
    site_map = services.site_map
    brand = statement.brand
    place = site_map.name if brand is None else f"{brand.name}, {site_map.name}"
    sheet = sheet_of(statement, site_name=place, time_zone=site_map.time_zone)
    match form:
        case StatementForm.TEXT:
            headers = _NOT_KEPT | {"X-Content-Type-Options": "nosniff"}
            return PlainTextResponse(slip_of(sheet), headers=headers)
        case StatementForm.A4 | StatementForm.RECEIPT:
            paper = Paper.A4 if form is StatementForm.A4 else Paper.RECEIPT
            page = page_of(sheet, paper, brand)
            return HTMLResponse(page, headers=_NOT_KEPT | page_headers(paper, brand))
        case _:
            assert_never(form)
