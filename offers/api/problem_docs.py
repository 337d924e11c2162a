"""Document the problems of each route in OpenAPI, and each code on a page of its own.

Layer: edges. Takes: the table of problems. Gives: `responses` to the routes, the schema to the
document, and `GET /v1/problems/{code}`, where the `type` of every problem leads.
"""

from typing import Final

from fastapi import APIRouter
from pydantic import Field

from offers.api.problem import KINDS, MEDIA_TYPE, ProblemCode
from offers.api.schema import Body

Responses = dict[int | str, dict[str, object]]

# Any route may answer these: the body limit, the database, the schema, and what is no JSON.
ANYWHERE: Final = (
    ProblemCode.REQUEST_MALFORMED,
    ProblemCode.BODY_TOO_LARGE,
    ProblemCode.VALIDATION_FAILED,
    ProblemCode.BUSY,
)
WITH_CREDENTIAL: Final = (
    ProblemCode.CREDENTIAL_MISSING,
    ProblemCode.CREDENTIAL_INVALID,
    ProblemCode.ROLE_FORBIDDEN,
)

problem_routes = APIRouter(tags=["problems"])


class FaultBody(Body):
    """One place of the request that is wrong."""

    in_: str = Field(alias="in", examples=["body"])
    pointer: str = Field(examples=["/basket/lines/0/quantity"])
    detail: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemBody(Body):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["/v1/problems/expired"])
    title: str
    status: int = Field(examples=[410])
    code: ProblemCode
    detail: str
    instance: str = Field(examples=["/v1/me/offers/0123456789abcdef0123456789abcdef/opened"])
    reason: str | None = Field(default=None, description="refines the code; stable, too")
    errors: list[FaultBody] | None = None


class ProblemPageBody(Body):
    """What a code means, and what to do about it."""

    code: ProblemCode
    status: int
    title: str
    remedy: str


def problems(*codes: ProblemCode, is_open: bool = False) -> Responses:
    """Return the `responses` of a route that answers these problems besides the usual ones.

    Parameters
    ----------
    codes
        What is particular to the route.
    is_open
        The route needs no credential.
    """
    by_status: dict[int, list[ProblemCode]] = {}
    for code in dict.fromkeys((*codes, *ANYWHERE, *(() if is_open else WITH_CREDENTIAL))):
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {status: _response(found) for status, found in sorted(by_status.items())}


def _response(codes: list[ProblemCode]) -> dict[str, object]:
    names = ", ".join(f"`{code}`" for code in codes)
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    titles = "; ".join(KINDS[code].title for code in codes)
    return {"description": f"{titles} ({names}).", "content": {MEDIA_TYPE: {"schema": schema}}}


def problem_schemas() -> dict[str, object]:
    """Return the components of the document that `problems` refers to."""
    schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    return {"ProblemBody": schema, **nested}


@problem_routes.get("/problems/{code}", operation_id="getProblem", responses=problems(is_open=True))
async def get_problem(code: ProblemCode) -> ProblemPageBody:
    """Explain a code; the `type` of each problem leads here."""
    kind = KINDS[code]
    return ProblemPageBody(code=code, status=kind.status, title=kind.title, remedy=kind.remedy)
