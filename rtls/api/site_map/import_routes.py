"""Serve who begins a map with a plan of foreign make: a picture, PDF, DXF, SVG, GeoJSON or IMDF.

Layer: edges. Takes: a `MapDesk`, and from the door who reads plan files where they can do no harm.
Gives: a route below /v1/operator/site-map. The draft is not touched: what is to be kept of a plan
is for the floor plan to choose.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Final

import anyio.to_thread
import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from typing_extensions import TypedDict

from rtls.api.site_map.draft_routes import PREFIX, Authorise
from rtls.api.site_map.map_desk import MapDesk
from rtls.api.site_map.map_documents import (
    PROBLEM,
    PROBLEMS,
    busy_response,
    extra_response,
)
from rtls.model.errors import MissingExtra
from rtls.model.georeference import Georeference
from rtls.model.imported_plan import ImportedPlan, PlanFormat, PlanRequest
from rtls.plan_files.geojson_plan import own_georeference
from rtls.plan_files.json_parts import object_of
from rtls.plan_files.plan_json import plan_json

ReadPlan = Callable[[bytes, PlanRequest], ImportedPlan]
WAIT_S_MAX: Final = 15.0
FILE: Final = {
    "requestBody": {
        "required": True,
        "description": "The file as it is.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class PictureDocument(TypedDict):
    """A picture to draw over."""

    background: str | None
    width_px: int
    height_px: int


class ImportedPlanDocument(TypedDict):
    """What is in a plan file."""

    features: list[dict[str, object]]
    """as a site map has them; the kind is a suggestion"""
    units: str
    """m, px or unknown"""
    background: PictureDocument | None
    floors: list[dict[str, object]]
    pages: int
    georeference: dict[str, float] | None
    warnings: list[str]
    extent: list[float]


def import_router(desk: MapDesk, *, read_plan: ReadPlan, authorise: Authorise) -> APIRouter:
    """Return the route; ``read_plan`` blocks, and one file is read at a time."""
    router = APIRouter(prefix=PREFIX, tags=["operator"], dependencies=[Depends(authorise)])
    turn = threading.Lock()

    @router.post(
        "/imports",
        operation_id="importSiteMapPlan",
        openapi_extra=FILE,
        responses={
            200: {"model": ImportedPlanDocument},
            **PROBLEMS,
            501: PROBLEM | {"description": "A library for the format is missing."},
            503: PROBLEM | {"description": "Another plan is being read; send it again."},
        },
    )
    async def import_plan(
        request: Request,
        form: Annotated[PlanFormat, Query(alias="format")],
        floor: Annotated[int, Query(ge=-100, le=200)] = 0,
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
        name: Annotated[str, Query(min_length=1, max_length=100)] = "the file",
    ) -> Response:
        """Read a plan and return what is in it; nothing of the draft changes."""
        content = await request.body()
        asked = PlanRequest(source=name, form=form, floor=floor, page=page)
        read = partial(_read, desk, read_plan, turn, content, asked)
        return await anyio.to_thread.run_sync(read)

    return router


def _read(
    desk: MapDesk, read_plan: ReadPlan, turn: threading.Lock, content: bytes, asked: PlanRequest
) -> Response:
    if not turn.acquire(timeout=WAIT_S_MAX):
        return busy_response("Another plan is being read. Send this one again in a moment.")
    try:
        plan = read_plan(content, replace(asked, georeference=_own_place(desk)))
    except MissingExtra as error:
        return extra_response(error)
    finally:
        turn.release()
    background = None if plan.picture is None else desk.keep_background(plan.picture.png)
    document = plan_json(plan, background=background)
    return Response(msgspec.json.encode(document), media_type="application/json")


def _own_place(desk: MapDesk) -> Georeference | None:
    """Return where the frame of the map that is being drawn lies on the earth, if it says so."""
    head = (desk.draft().draft.document or {}).get("inaisle")
    return None if head is None else own_georeference(object_of(head, "inaisle"))
