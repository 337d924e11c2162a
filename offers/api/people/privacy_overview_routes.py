"""Show those who answer for a site's data what was asked for of it, and how long it is kept.

Layer: edges. Takes: requests of store admins and operators. Gives: exports and erasures of the last
month without names, and each class of data with its time. That somebody was erased is told; who it
was nobody can know any more.
"""

from typing import Final

from fastapi import APIRouter
from pydantic import Field

from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import ServicesDep
from offers.handlers.people.data_requests import data_requests
from offers.model.conditions.fact import DAY_MS
from offers.model.people.kept_data import DataRequestKind, KeptData
from rtls.model.units import UnixMs

DAYS_BACK: Final = 30
REQUESTS_MAX: Final = 1_000

privacy_overview_routes = APIRouter(tags=["operator"])


class DataRequestBody(Body):
    """Somebody had his data exported or erased."""

    kind: DataRequestKind
    at: Instant


class DataRequestsBody(Body):
    """What was asked for, newest first."""

    since: Instant
    requests: tuple[DataRequestBody, ...]
    exports: int = Field(description="of those listed")
    erasures: int = Field(description="of those listed")
    has_more: bool


class KeptDataBody(Body):
    """One class of data."""

    data: str = Field(examples=["offers"])
    days: int | None = Field(description="null: as long as the shopper is enrolled", examples=[396])
    reason: str = Field(examples=["a year's comparison of campaigns"])
    rows: int | None = Field(description="counted up to a million; null: nobody counts them")
    oldest_at: Instant | None

    @classmethod
    def of(cls, kept: KeptData) -> "KeptDataBody":
        """Render a class of data."""
        at_ms = kept.oldest_at_ms
        return cls(
            data=kept.data,
            days=kept.days,
            reason=kept.reason,
            rows=kept.rows,
            oldest_at=None if at_ms is None else render_instant(at_ms),
        )


class RetentionBody(Body):
    """Every class of data about persons, by name."""

    at: Instant
    next_run_at: Instant = Field(description="when what is too old is looked for again, at most")
    kept: tuple[KeptDataBody, ...]


@privacy_overview_routes.get(
    "/operator/privacy/requests", operation_id="getDataRequests", responses=problems()
)
async def get_data_requests(services: ServicesDep) -> DataRequestsBody:
    """Return exports and erasures of the last 30 days; whose they were is not stored."""
    since_ms = UnixMs(services.now_ms() - DAYS_BACK * DAY_MS)
    found = await services.read(
        lambda work: data_requests(work=work, since_ms=since_ms, limit=REQUESTS_MAX + 1)
    )
    shown = found[:REQUESTS_MAX]
    kinds = [one.kind for one in shown]
    return DataRequestsBody(
        since=render_instant(since_ms),
        requests=tuple(
            DataRequestBody(kind=one.kind, at=render_instant(one.at_ms)) for one in shown
        ),
        exports=kinds.count(DataRequestKind.EXPORT),
        erasures=kinds.count(DataRequestKind.ERASURE),
        has_more=len(found) > REQUESTS_MAX,
    )


@privacy_overview_routes.get(
    "/operator/privacy/retention", operation_id="getRetention", responses=problems()
)
async def get_retention(services: ServicesDep) -> RetentionBody:
    """Return how long each class of data is kept, how much there is, and from when the oldest."""
    async with services.report_turn:  # it counts every table: one at a time
        kept = await services.read(
            lambda work: (*work.retention.kept(), *services.kept_elsewhere())
        )
    now_ms = services.now_ms()
    return RetentionBody(
        at=render_instant(now_ms),
        next_run_at=render_instant(UnixMs(now_ms + round(1_000 * services.settings.sweep_every_s))),
        kept=tuple(KeptDataBody.of(one) for one in sorted(kept, key=lambda one: one.data)),
    )
