"""Serve how well the anchors of a map cover its floors, also of one that is only drawn.

Layer: edges. Takes: the map in force and its calibration from the door. Gives: a route below
/v1/operator. It answers fast enough to be asked while an anchor is dragged.
"""

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import anyio.to_thread
import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from typing_extensions import TypedDict

from rtls.api.site_map.draft_routes import Authorise
from rtls.api.site_map.map_documents import (
    PROBLEM,
    PROBLEMS,
    body_schema,
    busy_response,
    parse_body,
)
from rtls.geofence.site_map_problems import readable_part
from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.positioning.calibration import Calibration
from rtls.positioning.coverage import CoverageSettings
from rtls.positioning.coverage_grid import HOW, CoverageGrid, coverage_grid, kind_of_floor

KINDS: Final[Mapping[str, ReadingKind]] = {kind.name.lower(): kind for kind in HOW}
UNKNOWN: Final = 65_535
HEARD_MAX: Final = 255
WAIT_S_MAX: Final = 10.0
CM: Final = 100.0


class CoverageBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    floor: int = 0
    kind: str | None = None
    cell_m: float = 0.5
    best: bool = True
    document: dict[str, object] | None = None


class BestDocument(TypedDict):
    """Where one more anchor helps most."""

    x_m: float
    y_m: float
    z_m: float
    p95_before_m: float | None
    p95_after_m: float | None


class CoverageDocument(TypedDict):
    """How well a floor is covered, cell by cell from the lower left one on."""

    floor: int
    kind: str
    cell_m: float
    columns: int
    rows: int
    x0_m: float
    y0_m: float
    error_cm: str
    """base64 of rows × columns numbers of two bytes, little-endian; 65535: unknown, or furniture"""
    anchors_heard: str
    """base64 of rows × columns bytes"""
    fewer_than_three_m2: float
    p50_m: float | None
    p95_m: float | None
    best: BestDocument | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageParts:
    """What the route works with."""

    site_map: SiteMap
    calibration: Calibration | None
    turn: threading.Lock = field(default_factory=threading.Lock)
    """one at a time: it is arithmetic, and tills are served by the same machine"""


def coverage_router(parts: CoverageParts, *, authorise: Authorise) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1/operator", tags=["operator"], dependencies=[Depends(authorise)])

    @router.post(
        "/coverage",
        operation_id="computeCoverage",
        responses={
            200: {"model": CoverageDocument},
            **PROBLEMS,
            503: PROBLEM | {"description": "Others are being computed; ask again."},
        },
        openapi_extra=body_schema(
            floor={"type": "integer"},
            kind={"type": "string", "enum": list(KINDS)},
            cell_m={"type": "number", "default": 0.5},
            best={"type": "boolean", "default": True},
            document={
                "type": "object",
                "description": "a map as far as drawn; else that in force",
            },
        ),
    )
    async def compute(request: Request) -> Response:
        """Say how far off fixes are at best, and where one more anchor would help most."""
        content = await request.body()
        return await anyio.to_thread.run_sync(partial(_compute, parts, content))

    return router


def _compute(parts: CoverageParts, content: bytes) -> Response:
    body = parse_body(content, CoverageBody)
    if not parts.turn.acquire(timeout=WAIT_S_MAX):
        return busy_response("Others are being computed. Ask again in a moment.")
    try:
        site_map = parts.site_map
        if body.document is not None:
            site_map = readable_part(body.document)
        grid = coverage_grid(
            site_map,
            body.floor,
            _kind_of(body, site_map),
            calibration=_known(parts, site_map),
            settings=CoverageSettings(cell_m=body.cell_m),
            wants_best=body.best,
        )
    finally:
        parts.turn.release()
    return Response(msgspec.json.encode(coverage_document(grid)), media_type="application/json")


def _kind_of(body: CoverageBody, site_map: SiteMap) -> ReadingKind:
    if body.kind is None:
        return kind_of_floor(site_map, body.floor)
    if body.kind not in KINDS:
        raise InvalidGeometry(f"kind is {body.kind!r}; expected one of {', '.join(KINDS)}.")
    return KINDS[body.kind]


def _known(parts: CoverageParts, site_map: SiteMap) -> Calibration | None:
    """Return what is known of anchors that the map has where they were; none of others."""
    if parts.calibration is None or site_map is parts.site_map:
        return parts.calibration
    here = {anchor.anchor: anchor for anchor in parts.site_map.anchors}
    same = {a.anchor for a in site_map.anchors if here.get(a.anchor) == a}
    return parts.calibration.of_anchors(same)


def coverage_document(grid: CoverageGrid) -> CoverageDocument:
    """Return a grid as the floor plan draws it."""
    rows, columns = grid.bound_m.shape
    with np.errstate(invalid="ignore"):
        error_cm = np.where(np.isfinite(grid.bound_m), np.rint(grid.bound_m * CM), UNKNOWN)
    packed = np.minimum(error_cm, UNKNOWN).astype("<u2")
    heard = np.minimum(grid.heard, HEARD_MAX).astype(np.uint8)
    return CoverageDocument(
        floor=grid.floor,
        kind=grid.kind.name.lower(),
        cell_m=grid.cell_m,
        columns=columns,
        rows=rows,
        x0_m=0.0,
        y0_m=0.0,
        error_cm=base64.b64encode(packed.tobytes()).decode(),
        anchors_heard=base64.b64encode(heard.tobytes()).decode(),
        fewer_than_three_m2=round(grid.fewer_than_three_m2, 2),
        p50_m=_metres(grid.bound_at(0.5)),
        p95_m=_metres(grid.bound_at(0.95)),
        best=None
        if grid.best is None
        else BestDocument(
            x_m=round(grid.best.x_m, 2),
            y_m=round(grid.best.y_m, 2),
            z_m=round(grid.best.z_m, 2),
            p95_before_m=_metres(grid.best.p95_before_m),
            p95_after_m=_metres(grid.best.p95_after_m),
        ),
    )


def _metres(bound_m: float) -> float | None:
    """Return a bound for people; None where there is none."""
    return round(bound_m, 3) if np.isfinite(bound_m) else None
