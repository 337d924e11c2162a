"""Tell an operator how the service does in numbers: readings, what is turned away, how late.

Layer: edges. Takes: figures that the door reads from the parts. Gives: the route
/v1/operator/health/figures to the application. Each tile names the Prometheus series that goes on
where these minutes end.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from fastapi import APIRouter, Depends, Response
from typing_extensions import TypedDict

from rtls.api.footfall.footfall_routes import REFUSALS

METRICS: Final = {
    "readings_per_s": "inaisle_readings_total",
    "rejected": "inaisle_reception_messages_quarantined_total",
    "lag_ms": "inaisle_event_lag_seconds",
    "anchor_to_fix": "inaisle_anchor_to_fix_seconds",
    "fix_to_offer": "inaisle_fix_to_offer_seconds",
    "gateways": "inaisle_gateway_last_heard_timestamp_seconds",
    "shoppers_located": "inaisle_reception_tags_known_total",
    "parts": "inaisle_part_ok",
}


class Quantiles(TypedDict):
    """Durations of the last five minutes, in milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int


class StagesDocument(TypedDict):
    """How long each leg of the way took; null where nothing went it lately."""

    anchor_to_fix: Quantiles | None
    """from the instant at which an anchor heard a tag to the fix"""
    fix_to_offer: Quantiles | None
    """from the evidence that a stay was long enough to the offer, written down"""


class GatewayDocument(TypedDict):
    """One gateway of the site."""

    gateway: str
    last_heard_at: str | None
    """RFC 3339; null where it has only told its status"""
    messages: int
    is_online: bool | None
    """as it says of itself; null where it says nothing"""


class FiguresDocument(TypedDict):
    """All of it. What this process cannot know (locating elsewhere) is null."""

    at: str
    readings_per_s: float | None
    rejected: dict[str, int]
    """messages and readings that were not used since the start, by reason; those above 0"""
    lag_ms: Quantiles | None
    """how far the newest located instant was behind now"""
    stages: StagesDocument
    gateways: list[GatewayDocument]
    shoppers_located: int | None
    metrics: dict[str, str]
    """the Prometheus series of each tile"""


def figures_router(
    read: Callable[[], FiguresDocument], *, authorise: Callable[..., object]
) -> APIRouter:
    """Return the route.

    Parameters
    ----------
    read
        Gathers the figures; quick, from any thread.
    authorise
        A FastAPI dependency that raises for whoever may not look.
    """
    router = APIRouter(tags=["operator"], dependencies=[Depends(authorise)])

    @router.get(
        "/v1/operator/health/figures",
        operation_id="readHealthFigures",
        responses={200: {"model": FiguresDocument}, **REFUSALS},
    )
    def read_health_figures() -> Response:
        """Give the figures of the last minutes: load, what is turned away, lag, latencies."""
        return Response(msgspec.json.encode(read()), media_type="application/json")

    return router
