"""Play back where everybody was in a few minutes of the last day, to those who look after a site.

Layer: edges. Takes: the history as `PlaybackSource`. Gives: /v1/operator/playback to the
application: the frames of the live wire, one after another. Whoever asks is noted before anything
is read. In the history are only those who agreed to be counted in reports.
"""

import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request, Response

from rtls.api.footfall.footfall_routes import PROBLEM, REFUSALS
from rtls.api.footfall.report_answer import problem_response
from rtls.api.playback_frames import playback
from rtls.model.errors import InvalidReport
from rtls.model.site_map import Floor, SiteMap
from rtls.model.units import UnixMs
from rtls.ports import PlaybackSource

WINDOW_MS_MAX: Final = 15 * 60_000
BACK_MS_MAX: Final = 24 * 3_600_000
STEP_S_MAX: Final = 60
WAIT_S_MAX: Final = 10.0
MEDIA_TYPE: Final = "application/octet-stream"
ANSWERS: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "description": "Frames of the live wire, each behind its length (u32, little-endian): the "
        "roster, then positions step by step.",
        "content": {MEDIA_TYPE: {}},
    },
    **REFUSALS,
    422: PROBLEM | {"description": "The time or the floor cannot be played; `detail` says why."},
    503: PROBLEM | {"description": "Another playback is being read (`reports_busy`); ask again."},
}
Instant = Annotated[int, Query(ge=0, le=2**53, description="Milliseconds since 1970, UTC.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackAsked:
    """What somebody wishes to see."""

    floor: int
    from_ms: UnixMs
    until_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackParts:
    """What the route works with."""

    site_map: SiteMap
    source: PlaybackSource
    now_ms: Callable[[], UnixMs]
    note: Callable[[Request, PlaybackAsked], Awaitable[None]]
    """write down who asks for what; nothing is shown before it returns"""
    turn: threading.Lock = field(default_factory=threading.Lock)
    """one at a time: each may take a hundred megabytes"""

    def answer(self, asked: PlaybackAsked, floor: Floor, *, step_s: int) -> Response:
        """Read and encode when it is the turn of this one."""
        if not self.turn.acquire(timeout=WAIT_S_MAX):
            return problem_response(503, "reports_busy", "Another playback is still being read.")
        try:
            played = self.source.played(
                floor=asked.floor, start_ms=asked.from_ms, end_ms=asked.until_ms
            )
            content = playback(
                played,
                floor=floor,
                start_ms=asked.from_ms,
                end_ms=asked.until_ms,
                step_ms=1_000 * step_s,
            )
        finally:
            self.turn.release()
        return Response(content, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def playback_router(parts: PlaybackParts, *, authorise: Callable[..., object]) -> APIRouter:
    """Return the route.

    Parameters
    ----------
    parts
        History, clock, and where it is noted.
    authorise
        A FastAPI dependency that raises for whoever may not look.
    """
    router = APIRouter(tags=["operator"], dependencies=[Depends(authorise)])

    @router.get("/v1/operator/playback", operation_id="playBack", responses=ANSWERS)
    async def play_back(
        request: Request,
        from_: Annotated[Instant, Query(alias="from")],
        until: Instant,
        floor: Annotated[int, Query(ge=-99, le=999)] = 0,
        step_s: Annotated[int, Query(ge=1, le=STEP_S_MAX)] = 1,
    ) -> Response:
        """Give the positions of a few minutes of the last 24 hours, as the live map draws them."""
        asked = PlaybackAsked(floor=floor, from_ms=UnixMs(from_), until_ms=UnixMs(until))
        place = _checked(asked, parts.site_map, now_ms=parts.now_ms())
        await parts.note(request, asked)
        return await anyio.to_thread.run_sync(lambda: parts.answer(asked, place, step_s=step_s))

    return router


def _checked(asked: PlaybackAsked, site_map: SiteMap, *, now_ms: UnixMs) -> Floor:
    floors = {one.floor: one for one in site_map.floors}
    if asked.floor not in floors:
        raise InvalidReport(
            f"floor is {asked.floor}; expected of {', '.join(map(str, sorted(floors)))}."
        )
    length_ms = asked.until_ms - asked.from_ms
    if not 0 < length_ms <= WINDOW_MS_MAX:
        raise InvalidReport(
            f"from {asked.from_ms} until {asked.until_ms} is {length_ms / 1000:.0f} s; expected "
            f"more than 0 and at most {WINDOW_MS_MAX // 1000}. Ask for one quarter of an hour "
            "after the other."
        )
    if asked.from_ms < now_ms - BACK_MS_MAX or asked.until_ms > now_ms + WINDOW_MS_MAX:
        raise InvalidReport(
            f"from is {asked.from_ms}, {(now_ms - asked.from_ms) / 3_600_000:.1f} h ago; expected "
            "the last 24 hours. What is older is told by reports alone, of many together."
        )
    return floors[asked.floor]
