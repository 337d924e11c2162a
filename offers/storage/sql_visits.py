"""Keep visits and the ids of processed events in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Visits`.
"""

import sqlalchemy as sa

from offers.model.ids import PairingId, VisitId
from offers.model.visits.open_visit import OpenVisit
from offers.storage.insert_once import insert_once
from offers.storage.tables import PROCESSED_EVENTS, VISITS
from rtls.model.units import SiteId, UnixMs, ZoneId

_V = VISITS.c
_FIND = sa.select(VISITS).where(_V.visit_id == sa.bindparam("visit"))
_CLOSE = (
    sa.update(VISITS)
    .where(_V.visit_id == sa.bindparam("visit"), _V.left_at_ms.is_(None))
    .values(left_at_ms=sa.bindparam("at_ms"))
)
_REOPEN = sa.update(VISITS).where(_V.visit_id == sa.bindparam("visit")).values(left_at_ms=None)
_CLOSE_OF_PAIRING = (
    sa.update(VISITS)
    .where(_V.pairing_id == sa.bindparam("pairing"), _V.left_at_ms.is_(None))
    .values(left_at_ms=sa.bindparam("at_ms"))
)
_HAND_OVER = (
    sa.update(VISITS)
    .where(_V.pairing_id == sa.bindparam("before"), _V.left_at_ms.is_(None))
    .values(pairing_id=sa.bindparam("after"))
)
_E = PROCESSED_EVENTS.c
_NOTED = sa.select(_E.event_id).where(_E.event_id == sa.bindparam("event"))
_MOST = sa.bindparam("most", type_=sa.Integer)
_FORGET_VISITS = sa.delete(VISITS).where(
    _V.visit_id.in_(
        sa.select(_V.visit_id).where(_V.left_at_ms < sa.bindparam("before_ms")).limit(_MOST)
    )
)
_FORGET_EVENTS = sa.delete(PROCESSED_EVENTS).where(
    _E.event_id.in_(sa.select(_E.event_id).where(_E.at_ms < sa.bindparam("before_ms")).limit(_MOST))
)


class SqlVisits:
    """Which visits are open, and which events have been seen."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._note = insert_once(PROCESSED_EVENTS, connection.dialect.name)
        self._insert = insert_once(VISITS, connection.dialect.name)

    def note_event(self, event_id: str, *, at_ms: UnixMs) -> bool:
        """Write the id of an event; False where it has been written before."""
        row = {"event_id": event_id, "at_ms": at_ms}
        return self._connection.execute(self._note, row).rowcount == 1

    def is_noted(self, event_id: str) -> bool:
        """Say whether the id of an event has been written."""
        found = self._connection.execute(_NOTED, {"event": event_id}).one_or_none()
        return found is not None

    def add(self, visit: OpenVisit) -> None:
        """Write a visit; one that is known already stays as it is."""
        self._connection.execute(
            self._insert,
            {
                "visit_id": visit.visit,
                "site": visit.site,
                "zone": visit.zone,
                "pairing_id": visit.pairing,
                "entered_at_ms": visit.entered_at_ms,
                "left_at_ms": visit.left_at_ms,
            },
        )

    def find(self, visit: VisitId) -> OpenVisit | None:
        """Return the visit, or None."""
        row = self._connection.execute(_FIND, {"visit": visit}).one_or_none()
        if row is None:
            return None
        return OpenVisit(
            visit=VisitId(row.visit_id),
            site=SiteId(row.site),
            zone=ZoneId(row.zone),
            pairing=PairingId(row.pairing_id),
            entered_at_ms=UnixMs(row.entered_at_ms),
            left_at_ms=row.left_at_ms,
        )

    def close(self, visit: VisitId, *, at_ms: UnixMs) -> None:
        """Write when it ended; an unknown or ended one stays as it is."""
        self._connection.execute(_CLOSE, {"visit": visit, "at_ms": at_ms})

    def reopen(self, visit: VisitId) -> None:
        """Write that it has not ended after all; an unknown or open one stays as it is."""
        self._connection.execute(_REOPEN, {"visit": visit})

    def close_of_pairing(self, pairing: PairingId, *, at_ms: UnixMs) -> None:
        """End all open visits of a pairing that ends."""
        self._connection.execute(_CLOSE_OF_PAIRING, {"pairing": pairing, "at_ms": at_ms})

    def hand_over(self, before: PairingId, after: PairingId) -> None:
        """Give the open visits of a pairing that is renewed to the one that follows it."""
        self._connection.execute(_HAND_OVER, {"before": before, "after": after})

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete ended visits and event ids older than ``before_ms``; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        return sum(
            self._connection.execute(step, given).rowcount
            for step in (_FORGET_VISITS, _FORGET_EVENTS)
        )
