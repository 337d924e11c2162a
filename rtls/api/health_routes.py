"""Tell machines whether the process lives, whether it is ready, and its metrics.

Layer: edges. Takes: `Health` and the Prometheus registry of the door. Gives: /livez, /readyz and
/metrics to the application. No credential is asked for; reasons, which may name hosts and files,
are for the operator only.
"""

from typing import Final, Literal

import msgspec
from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from typing_extensions import TypedDict

from rtls.api.health import Health, HealthReport

READY: Final = 200
NOT_READY: Final = 503


class PartDocument(TypedDict):
    """One part of the service."""

    part: str
    is_ok: bool
    is_essential: bool
    reason: str | None
    since_ms: int


class HealthDocument(TypedDict):
    """The parts of the service."""

    is_ready: bool
    parts: list[PartDocument]


class ReadyDocument(TypedDict):
    """Whether requests should come here, and which parts do not work."""

    status: Literal["ready", "degraded", "not ready"]
    degraded: list[str]


def health_router(health: Health) -> APIRouter:
    """Return /livez and /readyz."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", operation_id="read_liveness")
    def read_liveness() -> dict[str, str]:
        """Answer at all: a supervisor restarts a process that does not."""
        return {"status": "alive"}

    @router.get(
        "/readyz",
        operation_id="read_readiness",
        responses={READY: {"model": ReadyDocument}, NOT_READY: {"model": ReadyDocument}},
    )
    def read_readiness() -> Response:
        """Answer 200 when every essential part works, 503 otherwise; name what does not."""
        report = health.report()
        return Response(
            msgspec.json.encode(ready_document(report)),
            status_code=READY if report.is_ready else NOT_READY,
            media_type="application/json",
        )

    return router


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Return /metrics, in the text format of Prometheus."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", operation_id="read_metrics", include_in_schema=False)
    def read_metrics() -> Response:
        """Give every series of the registry."""
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


def health_document(report: HealthReport) -> HealthDocument:
    """Return the report with reasons, for the operator."""
    return HealthDocument(
        is_ready=report.is_ready,
        parts=[
            PartDocument(
                part=part.part,
                is_ok=part.is_ok,
                is_essential=part.is_essential,
                reason=part.reason,
                since_ms=part.since_ms,
            )
            for part in report.parts
        ],
    )


def ready_document(report: HealthReport) -> ReadyDocument:
    """Return what anybody may know of the report."""
    if not report.is_ready:
        status: Literal["ready", "degraded", "not ready"] = "not ready"
    else:
        status = "degraded" if report.degraded else "ready"
    return ReadyDocument(status=status, degraded=[part.part for part in report.degraded])
