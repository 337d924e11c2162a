"""Serve the desk where goods come back: read a purchase, return pieces of it.

Layer: edges. Takes: requests of a till. Gives: purchases of its own site and returns; those of
other sites are answered as unknown.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response, status

from offers.api.auth import CallerDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.api.till.purchase_schema import PurchaseBody, ReturnBody, ReturnWishBody
from offers.api.till.till_answers import ONCE, Outcome, TillRequestDep, answer_till
from offers.api.till.till_route import TillRoute
from offers.api.till.till_routes import place_of
from offers.handlers.till.return_purchase import purchase_of_site, return_purchase
from offers.model.ids import PurchaseId
from offers.model.till.purchase import PurchaseReturn
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

RETURN: Final = "returnPurchase"

purchase_routes = APIRouter(prefix="/till", tags=["till"], route_class=TillRoute)

PurchasePath = Annotated[PurchaseId, Path(max_length=128)]


@purchase_routes.get(
    "/purchases/{purchase}",
    operation_id="getPurchase",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_purchase(
    purchase: PurchasePath, till: CallerDep, services: ServicesDep
) -> PurchaseBody:
    """Return a purchase made at the till's own site, with what has been brought back of it."""
    _, site = place_of(till)
    return await services.read(
        lambda work: PurchaseBody.of(purchase_of_site(purchase, site, work=work))
    )


@purchase_routes.post(
    "/purchases/{purchase}/returns",
    operation_id=RETURN,
    status_code=status.HTTP_201_CREATED,
    response_model=ReturnBody,
    responses=problems(*ONCE, ProblemCode.NOT_FOUND),
)
async def return_pieces(
    purchase: PurchasePath, body: ReturnWishBody, asked: TillRequestDep
) -> Response:
    """Take pieces back and say what the shopper gets for them, to the minor unit."""
    till, site = place_of(asked.till)
    request = body.request(purchase, till=till, site=site)
    secrets = asked.services.secrets

    def deed(work: UnitOfWork, now_ms: UnixMs) -> Outcome:
        returned = return_purchase(request, work=work, now_ms=now_ms, secrets=secrets)
        if isinstance(returned, PurchaseReturn):
            return Outcome(answer=ReturnBody.of(returned))
        return Outcome(answer=returned)

    return await answer_till(asked, deed, operation=RETURN)
