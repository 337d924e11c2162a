"""Find in SQL the shoppers whose day it is.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Occasions`. Every query
begins at an index and has a limit; whom a decision names for the occasion is left out.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.campaigns.trigger import TriggerKind
from offers.model.ids import ShopperId, TripId, VisitId
from offers.model.loyalty.ledger import POINTS
from offers.model.visits.stay import Stay
from offers.storage.tables import (
    DECISIONS,
    LEDGER_LOTS,
    PAIRINGS,
    PURCHASES,
    SHOPPER_ATTRIBUTES,
    SHOPPERS,
    TRIPS,
    VISITS,
    WALLETS,
)
from rtls.model.units import SiteId, UnixMs, ZoneId

BIRTHDAY = "birthday"
_FROM = sa.bindparam("from_ms", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until_ms", type_=sa.BigInteger)
_SITE = sa.bindparam("site", type_=sa.Text)
_OCCASION = sa.bindparam("occasion", type_=sa.Text)
_MOST = sa.bindparam("most", type_=sa.Integer)
_A, _P, _L, _W, _T = (
    table.c for table in (SHOPPER_ATTRIBUTES, PURCHASES, LEDGER_LOTS, WALLETS, TRIPS)
)


def _is_undecided(
    shopper: sa.ColumnElement[str], occasion: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(
        DECISIONS.c.shopper_id == shopper,
        DECISIONS.c.site == _SITE,
        DECISIONS.c.occasion == occasion,
    )


def _named(kind: TriggerKind, *parts: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    name: sa.ColumnElement[str] = sa.literal(f"{kind.value}:")
    for part in parts:
        name = name + part
    return name


_BIRTHDAYS = (
    sa.select(_A.shopper_id)
    .where(
        _A.name == BIRTHDAY,
        _A.value.in_(sa.bindparam("days", expanding=True)),
        _is_undecided(_A.shopper_id, _OCCASION),
    )
    .distinct()
    .order_by(_A.shopper_id)
    .limit(_MOST)
)
_EARLIER = PURCHASES.alias("earlier")
_FIRST_PURCHASES = (
    sa.select(_P.shopper_id)
    .where(
        _P.site == _SITE,
        _P.at_ms >= _FROM,
        _P.at_ms < _UNTIL,
        _P.shopper_id.is_not(None),
        ~sa.exists().where(
            _EARLIER.c.shopper_id == _P.shopper_id,
            _EARLIER.c.site == _SITE,
            _EARLIER.c.at_ms < _FROM,
        ),
        _is_undecided(_P.shopper_id, _OCCASION),
    )
    .distinct()
    .order_by(_P.shopper_id)
    .limit(_MOST)
)
_EXPIRING_LOTS = (
    sa.select(_W.shopper_id, _L.lot_id)
    .join_from(LEDGER_LOTS, WALLETS, _W.account_id == _L.account_id)
    .where(
        _W.unit == POINTS,
        _L.open_minor > 0,
        _L.expires_at_ms >= _FROM,
        _L.expires_at_ms < _UNTIL,
        _is_undecided(
            _W.shopper_id,
            _named(TriggerKind.POINTS_EXPIRING, _L.lot_id, sa.bindparam("ahead", type_=sa.Text)),
        ),
    )
    .order_by(_L.expires_at_ms, _L.lot_id)
    .limit(_MOST)
)
_ENDED_TRIPS = (
    sa.select(_T.shopper_id, _T.trip_id)
    .where(
        _T.site == _SITE,
        _T.seen_at_ms >= _FROM,
        _T.seen_at_ms < _UNTIL,
        _is_undecided(_T.shopper_id, _named(TriggerKind.TRIP_END, _T.trip_id)),
    )
    .order_by(_T.seen_at_ms, _T.trip_id)
    .limit(_MOST)
)
_V, _R, _S = (table.c for table in (VISITS, PAIRINGS, SHOPPERS))
_STAYS = (
    sa.select(_V.visit_id, _R.shopper_id, _V.entered_at_ms, _V.left_at_ms)
    .join_from(VISITS, PAIRINGS, _R.pairing_id == _V.pairing_id)
    .where(
        _V.site == _SITE,
        _V.zone == sa.bindparam("zone"),
        _V.entered_at_ms >= _FROM,
        _V.entered_at_ms < _UNTIL,
    )
    .order_by(_V.entered_at_ms, _V.visit_id)
    .limit(_MOST)
)
_ENROLMENTS = (
    sa.select(_S.shopper_id, _S.enrolled_at_ms)
    .where(_S.enrolled_at_ms >= _FROM, _S.enrolled_at_ms < _UNTIL)
    .order_by(_S.enrolled_at_ms, _S.shopper_id)
    .limit(_MOST)
)
_PURCHASE_COUNT = sa.select(sa.func.count()).where(_P.shopper_id == sa.bindparam("shopper"))


class SqlOccasions:
    """Who has an occasion now, and has not had a decision about it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def birthdays(
        self, site: SiteId, days: Sequence[str], *, occasion: str, limit: int
    ) -> tuple[ShopperId, ...]:
        """Return shoppers whose attribute ``birthday`` is one of the days, as in "12-24"."""
        given = {"site": site, "days": list(days), "occasion": occasion, "most": limit}
        return tuple(map(ShopperId, self._connection.execute(_BIRTHDAYS, given).scalars()))

    def first_purchases(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, occasion: str, limit: int
    ) -> tuple[ShopperId, ...]:
        """Return shoppers whose first purchase at the site lies between the instants."""
        given = {
            "site": site,
            "from_ms": from_ms,
            "until_ms": until_ms,
            "occasion": occasion,
            "most": limit,
        }
        return tuple(map(ShopperId, self._connection.execute(_FIRST_PURCHASES, given).scalars()))

    def expiring_lots(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, days_ahead: int, limit: int
    ) -> tuple[tuple[ShopperId, str], ...]:
        """Return lots of points with something left that expire between the instants."""
        given = {
            "site": site,
            "from_ms": from_ms,
            "until_ms": until_ms,
            "ahead": f"-{days_ahead}",
            "most": limit,
        }
        rows = self._connection.execute(_EXPIRING_LOTS, given)
        return tuple((ShopperId(row.shopper_id), row.lot_id) for row in rows)

    def ended_trips(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[tuple[ShopperId, TripId], ...]:
        """Return trips in which something was seen last between the instants."""
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms, "most": limit}
        rows = self._connection.execute(_ENDED_TRIPS, given)
        return tuple((ShopperId(row.shopper_id), TripId(row.trip_id)) for row in rows)

    def purchase_count(self, shopper: ShopperId) -> int:
        """Return how many purchases the shopper has made in all."""
        count: int = self._connection.execute(_PURCHASE_COUNT, {"shopper": shopper}).scalar_one()
        return count

    def stays(
        self, site: SiteId, zone: ZoneId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Stay, ...]:
        """Return stays of shoppers in the zone that began between the instants, oldest first."""
        given = {
            "site": site,
            "zone": zone,
            "from_ms": from_ms,
            "until_ms": until_ms,
            "most": limit,
        }
        return tuple(
            Stay(
                visit=VisitId(row.visit_id),
                shopper=ShopperId(row.shopper_id),
                entered_at_ms=UnixMs(row.entered_at_ms),
                left_at_ms=None if row.left_at_ms is None else UnixMs(row.left_at_ms),
            )
            for row in self._connection.execute(_STAYS, given)
        )

    def enrolments(
        self, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[tuple[ShopperId, UnixMs], ...]:
        """Return who became a shopper between the instants, and when, oldest first."""
        given = {"from_ms": from_ms, "until_ms": until_ms, "most": limit}
        rows = self._connection.execute(_ENROLMENTS, given)
        return tuple((ShopperId(row.shopper_id), UnixMs(row.enrolled_at_ms)) for row in rows)
