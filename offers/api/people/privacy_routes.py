"""Serve what a shopper may ask about his own data: all of it in one file, and to be forgotten.

Layer: edges. Takes: requests of the app. Gives: the export, or the erasure. Whose data is meant
follows from the token alone. A second request to be forgotten is answered 401: the credential has
gone with the shopper, and that is the proof that the first one was done.
"""

from datetime import date

from fastapi import APIRouter, Response, status

from offers.api.auth import ShopperDep
from offers.api.people.privacy_schema import BirthdayBody, ExportBody, OfAgeBody
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.services import ServicesDep
from offers.checkout.budget_charges import day_of
from offers.handlers.note_audit import shopper_actor
from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.people.export_shopper import export_shopper, note_export
from offers.handlers.people.set_birthday import set_birthday
from offers.model.loyalty.birthday import Birthday

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


@privacy_routes.put(
    "/me/birthday",
    operation_id="putBirthday",
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def put_birthday(body: BirthdayBody, shopper: ShopperDep, services: ServicesDep) -> OfAgeBody:
    """Take the birthday. A year is compared and not kept; a child's consents are withdrawn."""
    birthday = Birthday(month=body.month, day=body.day, year=body.year)
    now_ms = services.now_ms()
    today = date.fromisoformat(day_of(now_ms, time_zone=services.site_map.time_zone))
    is_of_age = await services.write(
        lambda work: set_birthday(
            shopper, birthday, today=today, work=work, now_ms=now_ms, secrets=services.secrets
        )
    )
    return OfAgeBody(is_of_age=is_of_age)


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
