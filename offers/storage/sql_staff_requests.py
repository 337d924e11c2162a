"""Keep calls for staff in SQL. A partial UNIQUE index lets a shopper wait once.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.StaffRequests`.
"""

import sqlalchemy as sa

from offers.model.ids import ShopperId, StaffRequestId
from offers.model.people.staff_request import StaffRequest, StaffRequestState
from offers.storage.insert_once import insert_once
from offers.storage.tables import STAFF_REQUESTS
from rtls.model.units import SiteId, UnixMs, ZoneId

_R = STAFF_REQUESTS.c
_IS_OPEN = _R.ended_at_ms.is_(None)
_FIND = sa.select(STAFF_REQUESTS).where(_R.request_id == sa.bindparam("request"))
_OPEN_OF_SITE = (
    sa.select(STAFF_REQUESTS)
    .where(_R.site == sa.bindparam("of_site"), _IS_OPEN)
    .order_by(_R.at_ms, _R.request_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_OPEN_OF_SHOPPER = sa.select(STAFF_REQUESTS).where(
    _R.shopper_id == sa.bindparam("shopper"), _IS_OPEN
)
_MOVE = (
    sa.update(STAFF_REQUESTS)
    .where(_R.request_id == sa.bindparam("request"), _R.state == sa.bindparam("before"))
    .values(state=sa.bindparam("after"), ended_at_ms=sa.bindparam("ended_ms"))
)
_OVERDUE = (
    sa.select(STAFF_REQUESTS)
    .where(_IS_OPEN, _R.at_ms <= sa.bindparam("before_ms"))
    .order_by(_R.at_ms)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class SqlStaffRequests:
    """Who waits for advice."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(STAFF_REQUESTS, connection.dialect.name)

    def add(self, request: StaffRequest) -> bool:
        """Write a request; False where the shopper has one that has not ended."""
        row = {
            "request_id": request.request,
            "shopper_id": request.shopper,
            "site": request.site,
            "zone": request.zone,
            "state": request.state.value,
            "at_ms": request.at_ms,
            "ended_at_ms": request.ended_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def find(self, request: StaffRequestId) -> StaffRequest | None:
        """Return the request, or None."""
        row = self._connection.execute(_FIND, {"request": request}).one_or_none()
        return None if row is None else _request(row)

    def open_of_site(self, site: SiteId, *, limit: int) -> tuple[StaffRequest, ...]:
        """Return the requests that have not ended, longest waiting first."""
        rows = self._connection.execute(_OPEN_OF_SITE, {"of_site": site, "most": limit})
        return tuple(_request(row) for row in rows)

    def open_of_shopper(self, shopper: ShopperId) -> StaffRequest | None:
        """Return the shopper's request that has not ended, or None."""
        row = self._connection.execute(_OPEN_OF_SHOPPER, {"shopper": shopper}).one_or_none()
        return None if row is None else _request(row)

    def move(
        self,
        request: StaffRequestId,
        *,
        before: StaffRequestState,
        after: StaffRequestState,
        at_ms: UnixMs,
    ) -> bool:
        """Write the new state, if the stored one is still ``before``; else False."""
        given = {
            "request": request,
            "before": before.value,
            "after": after.value,
            "ended_ms": None if after.is_open else at_ms,
        }
        return self._connection.execute(_MOVE, given).rowcount == 1

    def overdue(self, *, before_ms: UnixMs, limit: int) -> tuple[StaffRequest, ...]:
        """Return requests that have not ended and were made before an instant."""
        rows = self._connection.execute(_OVERDUE, {"before_ms": before_ms, "most": limit})
        return tuple(_request(row) for row in rows)


def _request(row: sa.Row[*tuple[object, ...]]) -> StaffRequest:
    return StaffRequest(
        request=StaffRequestId(row.request_id),
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        zone=ZoneId(row.zone),
        state=StaffRequestState(row.state),
        at_ms=UnixMs(row.at_ms),
        ended_at_ms=None if row.ended_at_ms is None else UnixMs(row.ended_at_ms),
    )
