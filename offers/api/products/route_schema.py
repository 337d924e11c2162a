"""Describe ways through the shop on the wire.

Layer: edges. Takes: JSON of the app, and a `Route`. Gives: checked wishes, and the way in corners,
metres, seconds and sentences.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from offers.api.schema import Body
from offers.model.people.shopper import Locale
from offers.search.step_words import step_words
from rtls.model.place import Place
from rtls.model.route import Instruction, Route, RouteStep
from rtls.model.site_map import SiteMap
from rtls.model.units import Metre

FLOOR_MAX = 200
PLACE_M_MAX = 10_000.0
Coordinate = Annotated[
    StrictFloat | StrictInt,
    Field(ge=-PLACE_M_MAX, le=PLACE_M_MAX, allow_inf_nan=False, examples=[12.7]),
]
ZoneName = Annotated[StrictStr, Field(min_length=1, max_length=63, examples=["dowels"])]


class PlaceBody(Body):
    """A point of one floor, in metres of the site map."""

    floor: StrictInt = Field(ge=-FLOOR_MAX, le=FLOOR_MAX, examples=[0])
    x_m: Coordinate
    y_m: Coordinate

    @classmethod
    def of(cls, place: Place) -> "PlaceBody":
        """Render a place, to the centimetre."""
        return cls(floor=place.floor, x_m=round(place.x_m, 2), y_m=round(place.y_m, 2))

    def place(self) -> Place:
        """Return the noun."""
        return Place(floor=self.floor, x_m=Metre(self.x_m), y_m=Metre(self.y_m))


class RouteWishBody(Body):
    """Where somebody wants to go, and from where.

    One of `sku` and `zone`; at most one of `from_place` and `from_zone`. Without either the way
    begins where the shopper's tag was last located, which needs the consent `locate`.
    """

    sku: StrictStr | None = Field(
        default=None, min_length=1, max_length=40, description="a product", examples=["D-1"]
    )
    zone: ZoneName | None = Field(default=None, description="a zone of the site map")
    from_place: PlaceBody | None = None
    from_zone: ZoneName | None = Field(default=None, description="for example the entrance")
    is_step_free: StrictBool = Field(
        default=False, description="by lifts only, as with a trolley or a wheelchair"
    )


class StartKind(StrEnum):
    """What a way began at."""

    FIX = "fix"
    """where the shopper's tag was last located"""
    PLACE = "place"
    ZONE = "zone"


class StepBody(Body):
    """One thing to do."""

    instruction: Instruction
    text: str = Field(examples=["Turn left and walk 8 m through “Aisle 3”."])
    at: PlaceBody
    length_m: float = Field(description="to walk after it", examples=[8.3])
    along: str | None = Field(description="the zone that it leads through", examples=["aisle-3"])
    to_floor: int | None = Field(description="where it changes floors", examples=[1])

    @classmethod
    def of(cls, step: RouteStep, text: str) -> "StepBody":
        """Render a step."""
        return cls(
            instruction=step.instruction,
            text=text,
            at=PlaceBody.of(step.at),
            length_m=round(step.length_m, 2),
            along=step.along,
            to_floor=None if step.ride is None else step.ride.to_floor,
        )


class RouteBody(Body):
    """The shortest way."""

    started_at: StartKind
    zone: str = Field(description="where it leads", examples=["dowels"])
    zone_name: str = Field(examples=["Dowels"])
    length_m: float = Field(examples=[31.4])
    walking_s: float = Field(description="at 1.1 m/s, without a stop", examples=[28.5])
    takes_s: float = Field(
        description="with stairs, lifts and the usual wait for them", examples=[28.5]
    )
    line: tuple[PlaceBody, ...] = Field(
        description="its corners, from the start to the shelf; floors change between them"
    )
    steps: tuple[StepBody, ...]
    start_moved_m: float = Field(
        description="how far the line's begin is from the start, where nobody can stand there"
    )
    target_moved_m: float

    @classmethod
    def of(
        cls, route: Route, *, started_at: StartKind, locale: Locale, site_map: SiteMap
    ) -> "RouteBody":
        """Render a way to a zone in a language."""
        names = {zone.zone: zone.name for zone in site_map.zones}
        assert route.zone is not None
        target = names[route.zone]
        called = {floor.floor: floor.name for floor in site_map.floors}
        return cls(
            started_at=started_at,
            zone=route.zone,
            zone_name=target,
            length_m=round(route.length_m, 2),
            walking_s=round(route.walking_s, 1),
            takes_s=round(route.takes_s, 1),
            line=tuple(PlaceBody.of(place) for place in route.line),
            steps=tuple(
                StepBody.of(
                    step,
                    step_words(step, names=names, floors=called, target=target, locale=locale),
                )
                for step in route.steps
            ),
            start_moved_m=round(route.start_moved_m, 2),
            target_moved_m=round(route.target_moved_m, 2),
        )
