"""Serve what a shopper may ask about his own data: all of it in one file, and to be forgotten.

Layer: edges. Takes: requests of the app. Gives: the export, or the erasure. Whose data is meant
follows from the token alone. A second request to be forgotten is answered 401: the credential has
gone with the shopper, and that is the proof that the first one was done.
"""

from fastapi import APIRouter, Response, status

from offers.api.auth import ShopperDep
from offers.api.privacy_schema import ExportBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.handlers.erase_shopper import erase_shopper
from offers.handlers.export_shopper import export_shopper, note_export
from offers.handlers.note_audit import shopper_actor

privacy_routes = APIRouter(tags=["app"])


@privacy_routes.get(
    "/me/export", operation_id="exportShopper", responses=problems(ProblemCode.NOT_FOUND)
)
async def export(shopper: ShopperDep, services: ServicesDep, response: Response) -> ExportBody:
    """Return every row that is stored about the shopper, table by table, as one file."""
    now_ms = services.now_ms()
    await services.write(
        lambda work: note_export(shopper, work=work, now_ms=now_ms, secrets=services.secrets)
    )
    found = await services.read(
        lambda work: export_shopper(shopper, work=work, now_ms=now_ms, secrets=services.secrets)
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = 'attachment; filename="inaisle-export.json"'
    return ExportBody.of(found)


@privacy_routes.delete(
    "/me",
    operation_id="eraseShopper",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(),
)
async def erase(shopper: ShopperDep, services: ServicesDep) -> None:
    """Forget the shopper: all rows, open offers and coupons, the token. There is no way back."""
    by = shopper_actor(shopper, secrets=services.secrets)
    await services.write(
        lambda work: erase_shopper(
            shopper, by=by, work=work, now_ms=services.now_ms(), secrets=services.secrets
        )
    )
