"""Serve what an operator looks at: live fixes, site map, anchors, health.

Layer: edges. Takes: readers and clock from the door. Gives: the routes below /v1/operator to the
application. They know tags and no person; who may call is decided by the dependency passed in.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response, WebSocket
from typing_extensions import TypedDict

from rtls.api.fence_stream import FenceStream
from rtls.api.health import Health
from rtls.api.health_routes import HealthDocument, health_document
from rtls.api.live_stream import LiveStream, StreamSettings
from rtls.api.location_json import LocationList, render_locations, render_updates
from rtls.api.site_map_json import MEDIA_TYPE, render_site_map
from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.errors import LiveStateAway
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import AnchorHeard, LiveStateReader, UnknownNames

AGE_MS_DEFAULT: Final = 10_000
AGE_MS_MAX: Final = 900_000
RETRY_AFTER_S: Final = 1
UNKNOWN_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorParts:
    """What the operator's routes read."""

    site_map: SiteMap
    live: LiveStateReader
    anchors: Callable[[], Sequence[AnchorHeard]]
    """what each anchor has given so far; must be quick and safe to call from any thread"""
    health: Health
    now_ms: Callable[[], UnixMs]
    fences: FenceStream | None = None
    """who entered and left which zone; None where the events do not pass through this process"""
    unknown: Callable[[], UnknownNames] | None = None
    """who is heard and not in the map; None where nobody is heard in this process"""


class AlarmDocument(TypedDict):
    """What is wrong with an anchor."""

    kind: str
    """silent, biased, stale or clock"""
    since_ms: int
    figure: float | None
    """seconds, standard deviations, share, or seconds; null where a clock is beyond measure"""


class UnknownName(TypedDict):
    """A gateway or anchor that is heard and not in the site map."""

    name: str
    count: int
    """messages of a gateway, readings of an anchor"""


class UnknownList(TypedDict):
    """Whom to draw into the site map, or to give an alias; the most heard first."""

    gateways: list[UnknownName]
    anchors: list[UnknownName]


class AnchorDocument(TypedDict):
    """One anchor of the site map and what it has given."""

    anchor: str
    radio: str
    floor: int
    gateway: str | None
    readings: int
    last_heard_at_ms: int | None
    silent_ms: int | None
    """since the last reading; null if there never was one"""
    alarms: list[AlarmDocument]


class AnchorList(TypedDict):
    """All anchors of a site, in the order of its map."""

    site: str
    anchors: list[AnchorDocument]


def operator_router(
    parts: OperatorParts,
    *,
    authorise: Callable[..., object],
    authorise_looker: Callable[..., object] | None = None,
    stream: StreamSettings | None = None,
) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    authorise
        A FastAPI dependency that raises for whoever is not an operator. It takes an
        ``HTTPConnection``, for it guards the WebSocket too.
    authorise_looker
        The same for what names no tag: site map, anchors, health; without it as above.
    """
    followed = APIRouter(dependencies=[Depends(authorise)])
    _add_fixes(followed, parts)
    _add_stream(followed, parts, stream)
    if parts.fences is not None:
        _add_fence_stream(followed, parts.fences)
    seen = APIRouter(dependencies=[Depends(authorise_looker or authorise)])
    _add_site(seen, parts)
    _add_health(seen, parts.health)
    if parts.unknown is not None:
        _add_unknown(seen, parts.unknown)
    router = APIRouter(prefix="/v1/operator", tags=["operator"])
    router.include_router(followed)
    router.include_router(seen)
    return router


def _add_fixes(router: APIRouter, parts: OperatorParts) -> None:
    @router.get(
        "/fixes",
        operation_id="list_fixes",
        responses={200: {"model": LocationList}, 503: {"description": "no live state just now"}},
    )
    def list_fixes(
        age_ms_max: Annotated[int, Query(ge=0, le=AGE_MS_MAX)] = AGE_MS_DEFAULT,
    ) -> Response:
        """Give the latest fix of each tag heard lately, as omlox locations."""
        now_ms = parts.now_ms()
        try:
            fixes = parts.live.latest(max_age_ms=age_ms_max, now_ms=now_ms)
        except LiveStateAway as error:
            return away_problem(error)
        content = render_locations(fixes, site=parts.site_map.site, now_ms=now_ms)
        return Response(content, media_type="application/json")


def _add_site(router: APIRouter, parts: OperatorParts) -> None:
    site_map = render_site_map(parts.site_map)  # it never changes while the process runs

    @router.get(
        "/site-map", operation_id="read_site_map", responses={200: {"content": {MEDIA_TYPE: {}}}}
    )
    def read_site_map() -> Response:
        """Give floors, zones, walls, fixtures and anchors in metres of the floor's frame."""
        return Response(site_map, media_type=MEDIA_TYPE)

    @router.get("/anchors", operation_id="list_anchors", responses={200: {"model": AnchorList}})
    def list_anchors() -> Response:
        """Give each anchor with its readings and when it was last heard."""
        return Response(msgspec.json.encode(anchor_list(parts)), media_type="application/json")


def _add_unknown(router: APIRouter, unknown: Callable[[], UnknownNames]) -> None:
    @router.get(
        "/unknown-names", operation_id="list_unknown_names", responses={200: {"model": UnknownList}}
    )
    def list_unknown_names() -> Response:
        """Give the gateways and anchors that are heard and not in the map, the most heard first."""
        found = unknown()
        document = UnknownList(
            gateways=most_heard(found.gateways), anchors=most_heard(found.anchors)
        )
        return Response(msgspec.json.encode(document), media_type="application/json")


def most_heard(counts: Mapping[str, int]) -> list[UnknownName]:
    """Return the names that are heard most, at most `UNKNOWN_SHOWN_MAX`."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [UnknownName(name=name, count=count) for name, count in ranked[:UNKNOWN_SHOWN_MAX]]


def _add_health(router: APIRouter, health: Health) -> None:
    @router.get("/health", operation_id="read_health", responses={200: {"model": HealthDocument}})
    def read_health() -> Response:
        """Give each part with its reason and since when, also when all is well."""
        document = health_document(health.report())
        return Response(msgspec.json.encode(document), media_type="application/json")


def _add_stream(router: APIRouter, parts: OperatorParts, settings: StreamSettings | None) -> None:
    def render() -> bytes:
        fixes = parts.live.latest(max_age_ms=AGE_MS_DEFAULT, now_ms=parts.now_ms())
        return render_updates(fixes, site=parts.site_map.site)

    stream = LiveStream(render, settings)

    @router.websocket("/stream")
    async def stream_fixes(websocket: WebSocket) -> None:
        """Send the latest fixes a few times a second (omlox ``location_updates``)."""
        await stream.serve(websocket)


def _add_fence_stream(router: APIRouter, fences: FenceStream) -> None:
    @router.websocket("/fence-events")
    async def stream_fence_events(websocket: WebSocket) -> None:
        """Send who entered and left which zone, as it is decided (omlox ``fence_events``)."""
        await fences.serve(websocket)


def anchor_list(parts: OperatorParts) -> AnchorList:
    """Return every anchor of the map, heard or not."""
    now_ms = parts.now_ms()
    heard = {anchor.anchor: anchor for anchor in parts.anchors()}
    documents = []
    for anchor in parts.site_map.anchors:
        known = heard.get(anchor.anchor)
        last_ms = None if known is None else known.last_heard_at_ms
        documents.append(
            AnchorDocument(
                anchor=anchor.anchor,
                radio=anchor.radio.value,
                floor=anchor.floor,
                gateway=anchor.gateway,
                readings=0 if known is None else known.readings,
                last_heard_at_ms=last_ms,
                silent_ms=None if last_ms is None else max(now_ms - last_ms, 0),
                alarms=[] if known is None else [alarm_document(one) for one in known.alarms],
            )
        )
    return AnchorList(site=parts.site_map.site, anchors=documents)


def alarm_document(alarm: AnchorAlarm) -> AlarmDocument:
    """Return an alarm as the operator sees it."""
    return AlarmDocument(
        kind=alarm.kind.value,
        since_ms=alarm.since_ms,
        figure=None if math.isnan(alarm.figure) else round(alarm.figure, 3),
    )


def away_problem(error: LiveStateAway) -> Response:
    """Return the answer while the live state cannot be read (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "code": "live_state_away",
        "detail": str(error),
    }
    return Response(
        msgspec.json.encode(body),
        status_code=503,
        headers={"Retry-After": str(RETRY_AFTER_S)},
        media_type="application/problem+json",
    )
