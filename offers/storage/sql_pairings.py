"""Keep pairings in SQL. A partial UNIQUE index lets a tag have one that has not ended.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Pairings`.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import ConsentId, PairingId, ShopperId
from offers.model.people.pairing import Pairing, PairingEnd
from offers.storage.insert_once import insert_once
from offers.storage.tables import PAIRINGS
from rtls.model.units import TagId, UnixMs

_IS_OPEN = PAIRINGS.c.ended_at_ms.is_(None)
_OPEN_OF_TAG = sa.select(PAIRINGS).where(PAIRINGS.c.tag == sa.bindparam("tag"), _IS_OPEN)
_ACTIVE_OF_SHOPPER = (
    sa.select(PAIRINGS)
    .where(
        PAIRINGS.c.shopper_id == sa.bindparam("shopper"),
        _IS_OPEN,
        PAIRINGS.c.expires_at_ms > sa.bindparam("now_ms"),
    )
    .order_by(PAIRINGS.c.paired_at_ms, PAIRINGS.c.pairing_id)
)
_OPEN_OF_SHOPPER = (
    sa.select(PAIRINGS)
    .where(PAIRINGS.c.shopper_id == sa.bindparam("shopper"), _IS_OPEN)
    .order_by(PAIRINGS.c.paired_at_ms, PAIRINGS.c.pairing_id)
)
_OVERDUE = (
    sa.select(PAIRINGS)
    .where(_IS_OPEN, PAIRINGS.c.expires_at_ms <= sa.bindparam("now_ms"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ADMITTED = sa.select(PAIRINGS.c.tag).where(
    _IS_OPEN, PAIRINGS.c.expires_at_ms > sa.bindparam("now_ms")
)
_END = (
    sa.update(PAIRINGS)
    .where(PAIRINGS.c.pairing_id == sa.bindparam("pairing"), _IS_OPEN)
    .values(ended_at_ms=sa.bindparam("at_ms"), end_reason=sa.bindparam("end"))
)


class SqlPairings:
    """Which tag stands for which shopper."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(PAIRINGS, connection.dialect.name)

    def add(self, pairing: Pairing) -> bool:
        """Write a new pairing; False where the tag has one that has not ended."""
        row = {
            "pairing_id": pairing.pairing,
            "tag": pairing.tag,
            "shopper_id": pairing.shopper,
            "consent_id": pairing.consent,
            "paired_at_ms": pairing.paired_at_ms,
            "expires_at_ms": pairing.expires_at_ms,
            "ended_at_ms": pairing.ended_at_ms,
            "end_reason": None if pairing.end is None else pairing.end.value,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def open_of_tag(self, tag: TagId) -> Pairing | None:
        """Return the pairing of the tag that has not been ended, or None."""
        found = self._read(_OPEN_OF_TAG, {"tag": tag})
        return found[0] if found else None

    def active_of_shopper(self, shopper: ShopperId, *, now_ms: UnixMs) -> tuple[Pairing, ...]:
        """Return the active pairings of the shopper, oldest first."""
        return self._read(_ACTIVE_OF_SHOPPER, {"shopper": shopper, "now_ms": now_ms})

    def open_of_shopper(self, shopper: ShopperId) -> tuple[Pairing, ...]:
        """Return the pairings of the shopper that have not been ended, expired or not."""
        return self._read(_OPEN_OF_SHOPPER, {"shopper": shopper})

    def end(self, pairing: PairingId, *, at_ms: UnixMs, end: PairingEnd) -> bool:
        """End a pairing; False where it is unknown or ended."""
        given = {"pairing": pairing, "at_ms": at_ms, "end": end.value}
        return self._connection.execute(_END, given).rowcount == 1

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Pairing, ...]:
        """Return pairings that have expired but are not ended yet."""
        return self._read(_OVERDUE, {"now_ms": now_ms, "most": limit})

    def admitted_tags(self, *, now_ms: UnixMs) -> frozenset[TagId]:
        """Return all tags with an active pairing."""
        rows = self._connection.execute(_ADMITTED, {"now_ms": now_ms})
        return frozenset(TagId(row.tag) for row in rows)

    def _read(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> tuple[Pairing, ...]:
        rows = self._connection.execute(query, given)
        return tuple(
            Pairing(
                pairing=PairingId(row.pairing_id),
                tag=TagId(row.tag),
                shopper=ShopperId(row.shopper_id),
                consent=ConsentId(row.consent_id),
                paired_at_ms=UnixMs(row.paired_at_ms),
                expires_at_ms=UnixMs(row.expires_at_ms),
                ended_at_ms=row.ended_at_ms,
                end=None if row.end_reason is None else PairingEnd(row.end_reason),
            )
            for row in rows
        )
