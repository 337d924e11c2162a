"""Keep pairings in SQL. A partial UNIQUE index lets a tag have one that has not ended.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Pairings`.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import ConsentId, PairingId, ShopperId
from offers.model.people.consent import Purpose
from offers.model.people.pairing import Pairing, PairingEnd
from offers.storage.insert_once import insert_once
from offers.storage.tables import CONSENTS, MEMBERSHIPS, PAIRINGS
from rtls.model.counted_tag import CountedTag
from rtls.model.units import SiteId, TagId, UnixMs

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
_NEWEST_WORD = (
    sa.select(sa.func.max(CONSENTS.c.sequence))
    .where(
        CONSENTS.c.shopper_id == PAIRINGS.c.shopper_id,
        CONSENTS.c.purpose == Purpose.ANALYTICS.value,
    )
    .correlate(PAIRINGS)
    .scalar_subquery()
)
_GIVEN_UP = sa.alias(PAIRINGS, "given_up")
_HELD = sa.alias(PAIRINGS, "held")
# Renewed pairings are one: what began in the first goes on in the last.
_LAST_GIVEN_UP = (
    sa.select(sa.func.coalesce(sa.func.max(_GIVEN_UP.c.ended_at_ms), 0))
    .where(
        _GIVEN_UP.c.shopper_id == PAIRINGS.c.shopper_id,
        _GIVEN_UP.c.tag == PAIRINGS.c.tag,
        _GIVEN_UP.c.end_reason != PairingEnd.RENEWED.value,
    )
    .correlate(PAIRINGS)
    .scalar_subquery()
)
_HELD_SINCE = (
    sa.select(sa.func.min(_HELD.c.paired_at_ms))
    .where(
        _HELD.c.shopper_id == PAIRINGS.c.shopper_id,
        _HELD.c.tag == PAIRINGS.c.tag,
        _HELD.c.paired_at_ms >= _LAST_GIVEN_UP,
    )
    .correlate(PAIRINGS)
    .scalar_subquery()
)
# Whatever was given back or expired in between: the same shopper is never counted as two.
_FIRST_HELD = (
    sa.select(sa.func.min(_HELD.c.paired_at_ms))
    .where(_HELD.c.shopper_id == PAIRINGS.c.shopper_id, _HELD.c.tag == PAIRINGS.c.tag)
    .correlate(PAIRINGS)
    .scalar_subquery()
)
_COUNTED = (
    sa.select(
        PAIRINGS.c.tag,
        CONSENTS.c.at_ms.label("agreed_at_ms"),
        _HELD_SINCE.label("held_since_ms"),
        _FIRST_HELD.label("first_held_ms"),
        MEMBERSHIPS.c.segment,
    )
    .join(CONSENTS, CONSENTS.c.sequence == _NEWEST_WORD)
    .outerjoin(
        MEMBERSHIPS,
        sa.and_(
            MEMBERSHIPS.c.shopper_id == PAIRINGS.c.shopper_id,
            MEMBERSHIPS.c.site == sa.bindparam("place"),
            MEMBERSHIPS.c.left_at_ms.is_(None),
        ),
    )
    .where(_IS_OPEN, PAIRINGS.c.expires_at_ms > sa.bindparam("now_ms"), CONSENTS.c.is_granted)
)
_COUNTED_OF_TAG = _COUNTED.where(PAIRINGS.c.tag == sa.bindparam("asked"))
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

    def counted_tags(
        self, site: SiteId, *, now_ms: UnixMs, tag: TagId | None = None
    ) -> tuple[CountedTag, ...]:
        """Return the tags, or the one, that count in reports."""
        query = _COUNTED if tag is None else _COUNTED_OF_TAG
        asked = {"place": site, "now_ms": now_ms} | ({} if tag is None else {"asked": tag})
        return tuple(
            CountedTag(
                tag=TagId(row.tag),
                since_ms=UnixMs(max(row.agreed_at_ms, row.held_since_ms)),
                cohort=row.segment or "",
                first_held_ms=UnixMs(row.first_held_ms),
            )
            for row in self._connection.execute(query, asked)
        )

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
