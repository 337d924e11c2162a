"""Serve what a plan is drawn with: pictures, their scale, and the map as a file.

Layer: edges. Takes: a `MapDesk` from the door. Gives: routes below /v1/operator/site-map.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Final, assert_never

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from typing_extensions import TypedDict

from rtls.api.site_map.draft_routes import PREFIX, Authorise
from rtls.api.site_map.map_desk import MapDesk
from rtls.api.site_map.map_documents import (
    PROBLEMS,
    body_schema,
    document_of,
    missing_response,
    parse_body,
)
from rtls.api.site_map_json import MEDIA_TYPE
from rtls.plan_files.imdf_writing import render_imdf
from rtls.plan_files.picture_scale import ControlPoint, fit_picture

METRE_DIGITS: Final = 6
ZIP: Final = "application/zip"
BackgroundPath = Annotated[str, Path(max_length=64)]


class ScaleBody(msgspec.Struct, frozen=True, kw_only=True):
    """Points that are known in the picture and on the floor."""

    points: tuple[ControlPoint, ...]
    y_runs_down: bool = True
    """as in pictures; drawings count upwards"""


class ScaleDocument(TypedDict):
    """How a picture lies on a floor, and by how much each point misses."""

    m_per_px: float
    rotation_deg: float
    x_m: float
    y_m: float
    residual_cm_rms: float
    residuals_cm: list[float]


def plan_router(desk: MapDesk, *, authorise: Authorise) -> APIRouter:
    """Return the routes of pictures, scale and export."""
    router = APIRouter(prefix=PREFIX, tags=["operator"], dependencies=[Depends(authorise)])
    _add_backgrounds(router, desk)
    _add_scale(router)
    _add_export(router, desk)
    return router


def _add_backgrounds(router: APIRouter, desk: MapDesk) -> None:
    @router.get(
        "/backgrounds/{background}",
        operation_id="getSiteMapBackground",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}, **PROBLEMS},
    )
    def get_background(background: BackgroundPath) -> Response:
        """Return a picture; its id is that of its content, so that it may be kept for ever."""
        picture = desk.background(background)
        if picture is None:
            return missing_response(f"no background {background!r}; expected one of an import.")
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return Response(picture, media_type="image/png", headers=headers)


def _add_scale(router: APIRouter) -> None:
    @router.post(
        "/scale",
        operation_id="fitSiteMapScale",
        responses={200: {"model": ScaleDocument}, **PROBLEMS},
        openapi_extra=body_schema(
            points={
                "type": "array",
                "minItems": 2,
                "items": {
                    "type": "object",
                    "properties": {
                        "source": {"type": "array", "items": {"type": "number"}},
                        "plan": {"type": "array", "items": {"type": "number"}},
                    },
                },
            },
            y_runs_down={"type": "boolean", "default": True},
        ),
    )
    async def fit_scale(request: Request) -> ScaleDocument:
        """Return scale, turn and place that bring the points of a picture to the plan's."""
        body = parse_body(await request.body(), ScaleBody)
        down = 1.0 if body.y_runs_down else -1.0
        points = [
            ControlPoint(source=(one.source[0], down * one.source[1]), plan=one.plan)
            for one in body.points
        ]
        fit = fit_picture(points)
        return ScaleDocument(
            m_per_px=fit.m_per_px,
            rotation_deg=fit.rotation_deg,
            x_m=round(fit.x_m, METRE_DIGITS),
            y_m=round(fit.y_m, METRE_DIGITS),
            residual_cm_rms=round(fit.residual_cm_rms, 2),
            residuals_cm=[round(miss, 2) for miss in fit.residuals_cm],
        )


class MapFormat(StrEnum):
    """What a published map can be taken along as."""

    GEOJSON = "geojson"
    """as it was published, in metres: what `site.map` takes"""
    IMDF = "imdf"


def _add_export(router: APIRouter, desk: MapDesk) -> None:
    @router.get(
        "/export",
        operation_id="exportSiteMap",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}, ZIP: {}}}, **PROBLEMS},
    )
    def export(
        form: Annotated[MapFormat, Query(alias="format")] = MapFormat.GEOJSON,
        revision: Annotated[int | None, Query(ge=0, le=999_999)] = None,
    ) -> Response:
        """Return a published map as a file, the one in force where none is named."""
        found = desk.published(revision)
        if found is None:
            return missing_response(f"no revision {revision}; expected one of the list.")
        name = f"site-map-{found.about.revision}"
        match form:
            case MapFormat.GEOJSON:
                return _file(found.content, MEDIA_TYPE, f"{name}.geojson")
            case MapFormat.IMDF:
                at = dt.datetime.fromtimestamp(found.about.published_at_ms / 1000.0, tz=dt.UTC)
                return _file(render_imdf(document_of(found), created=at), ZIP, f"{name}.imdf.zip")
            case _:
                assert_never(form)


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
