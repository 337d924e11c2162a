"""Serve what a shopper says about himself: read it, say it, take it back.

Layer: edges. Takes: requests of the app. Gives: the shopper's own attributes. All of them are
optional; without the purpose `personalise` nothing is taken.
"""

from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import Field, StrictStr

from offers.api.auth import ShopperDep
from offers.api.problem import ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body
from offers.api.services import ServicesDep
from offers.handlers.profile.note_fact import note_attribute
from offers.model.conditions.attribute import VALUES_MAX, Attribute

attribute_routes = APIRouter(tags=["shopper"])

AttributePath = Annotated[str, Path(max_length=63, examples=["interest"])]
Values = Annotated[
    tuple[StrictStr, ...], Field(max_length=VALUES_MAX, examples=[["garden", "wood"]])
]


class AttributeValuesBody(Body):
    """What the shopper says; an empty list takes it back."""

    values: Values


class AttributeBody(Body):
    """One thing that the shopper said."""

    attribute: str = Field(examples=["interest"])
    values: Values


class AttributesBody(Body):
    """All that the shopper said."""

    attributes: tuple[AttributeBody, ...]


@attribute_routes.get("/me/attributes", operation_id="getAttributes", responses=problems())
async def get_attributes(shopper: ShopperDep, services: ServicesDep) -> AttributesBody:
    """Return what the shopper said about himself."""
    found = await services.read(lambda work: work.attributes.of_shopper(shopper))
    return AttributesBody(
        attributes=tuple(
            AttributeBody(attribute=known.name, values=tuple(sorted(known.values)))
            for known in found
        )
    )


@attribute_routes.put(
    "/me/attributes/{attribute}",
    operation_id="putAttribute",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def put_attribute(
    attribute: AttributePath,
    body: AttributeValuesBody,
    shopper: ShopperDep,
    services: ServicesDep,
) -> None:
    """Say something in place of what was said before, or take it back."""
    said = Attribute(name=attribute, values=frozenset(body.values))
    await services.write(
        lambda work: note_attribute(shopper, said, work=work, now_ms=services.now_ms())
    )
