"""Look back in SQL at what happened at a site.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.History`. Nothing here
is written, and nothing asks what was decided at the time: a simulation wants to know what a
campaign would have done that was not there.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.campaigns.history import Happened, PastBasket, PastPurchase
from offers.model.campaigns.trigger import Movement
from offers.model.conditions.fact import DAY_MS, FactKind
from offers.model.ids import ShopperId, SurveyId, TripId
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import HoldState
from offers.model.visits.trip import Trip
from offers.storage.sql_occasions import BIRTHDAY
from offers.storage.tables import (
    HELD_BASKETS,
    LEDGER_ALLOCATIONS,
    LEDGER_LOTS,
    LEDGER_TRANSACTIONS,
    MEMBERSHIPS,
    PURCHASES,
    SHOPPER_ATTRIBUTES,
    SHOPPER_FACTS,
    SURVEY_ANSWERS,
    TRIPS,
    WALLETS,
)
from rtls.model.units import SiteId, UnixMs

_FROM = sa.bindparam("from_ms", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until_ms", type_=sa.BigInteger)
_SITE = sa.bindparam("site", type_=sa.Text)
_MOST = sa.bindparam("most", type_=sa.Integer)
_P, _B, _T, _M, _A, _F, _Y = (
    table.c
    for table in (
        PURCHASES,
        HELD_BASKETS,
        TRIPS,
        MEMBERSHIPS,
        SHOPPER_ATTRIBUTES,
        SHOPPER_FACTS,
        SURVEY_ANSWERS,
    )
)
_EARLIER = PURCHASES.alias("earlier")
_NUMBER = (
    sa.select(sa.func.count())
    .where(
        _EARLIER.c.shopper_id == _P.shopper_id,
        sa.tuple_(_EARLIER.c.at_ms, _EARLIER.c.purchase_id) <= sa.tuple_(_P.at_ms, _P.purchase_id),
    )
    .scalar_subquery()
)
_PURCHASES = (
    sa.select(
        _P.purchase_id,
        _P.shopper_id,
        _P.at_ms,
        _P.currency,
        (_P.total_minor - _P.discount_minor).label("paid_minor"),
        _NUMBER.label("number"),
    )
    .where(_P.site == _SITE, _P.at_ms >= _FROM, _P.at_ms < _UNTIL, _P.shopper_id.is_not(None))
    .order_by(_P.at_ms, _P.purchase_id)
    .limit(_MOST)
)
_REPLACED = HELD_BASKETS.alias("replaced")
_BASKETS = (
    sa.select(_B.basket_id, _B.shopper_id, _B.held_at_ms, _B.currency, _B.lines)
    .where(
        _B.site == _SITE,
        _B.held_at_ms >= _FROM,
        _B.held_at_ms < _UNTIL,
        _B.shopper_id.is_not(None),
        # A basket that takes another's place is held in the instant in which the other ends.
        ~sa.exists().where(
            _REPLACED.c.basket_id != _B.basket_id,  # it may itself be given up at once
            _REPLACED.c.shopper_id == _B.shopper_id,
            _REPLACED.c.state == HoldState.CANCELLED.value,
            _REPLACED.c.ended_at_ms == _B.held_at_ms,
        ),
    )
    .order_by(_B.held_at_ms, _B.basket_id)
    .limit(_MOST)
)
_BEGUN = (
    sa.select(TRIPS)
    .where(_T.site == _SITE, _T.began_at_ms >= _FROM, _T.began_at_ms < _UNTIL)
    .order_by(_T.began_at_ms, _T.trip_id)
    .limit(_MOST)
)
_ENDED = (
    sa.select(TRIPS)
    .where(_T.site == _SITE, _T.seen_at_ms >= _FROM, _T.seen_at_ms < _UNTIL)
    .order_by(_T.seen_at_ms, _T.trip_id)
    .limit(_MOST)
)
_TRIPS_OF = (
    sa.select(TRIPS)
    .where(_T.shopper_id == sa.bindparam("shopper"), _T.site == _SITE)
    .order_by(_T.number)
)


def _moves(at_ms: sa.Column[int]) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(_M.shopper_id, at_ms.label("at_ms"), _M.segment.label("name"))
        .where(
            _M.site == _SITE,
            _M.segment == sa.bindparam("segment"),
            at_ms >= _FROM,
            at_ms < _UNTIL,
        )
        .order_by(at_ms, _M.sequence)
        .limit(_MOST)
    )


_MOVES = {Movement.ENTERED: _moves(_M.entered_at_ms), Movement.LEFT: _moves(_M.left_at_ms)}
_BIRTHDAYS = (
    sa.select(_A.shopper_id, _A.at_ms, _A.value.label("name"))
    .where(
        _A.name == BIRTHDAY,
        _A.value.in_(sa.bindparam("days", expanding=True)),
        _A.at_ms < _UNTIL,
    )
    .order_by(_A.at_ms, _A.shopper_id)
    .limit(_MOST)
)
_L, _W, _X, _G = (
    table.c for table in (LEDGER_LOTS, WALLETS, LEDGER_ALLOCATIONS, LEDGER_TRANSACTIONS)
)
_TAKER = LEDGER_TRANSACTIONS.alias("taker")
_SEEN = sa.bindparam("seen_at_ms", type_=sa.BigInteger)
_SEEN_FIRST = sa.case((_G.at_ms > _SEEN, _G.at_ms), else_=_SEEN)
_TAKEN = (
    sa.select(sa.func.coalesce(sa.func.sum(_X.amount_minor), 0))
    .join_from(LEDGER_ALLOCATIONS, _TAKER, _TAKER.c.transaction_id == _X.transaction_id)
    .where(_X.lot_id == _L.lot_id, _TAKER.c.at_ms <= _SEEN_FIRST)
    .correlate(LEDGER_LOTS, LEDGER_TRANSACTIONS)
    .scalar_subquery()
)
_EXPIRING = (
    sa.select(_W.shopper_id, _SEEN_FIRST.label("at_ms"), _L.lot_id.label("name"))
    .join_from(LEDGER_LOTS, WALLETS, _W.account_id == _L.account_id)
    .join(LEDGER_TRANSACTIONS, _G.transaction_id == _L.lot_id)
    .where(
        _W.unit == POINTS,
        _L.expires_at_ms >= _FROM,
        _L.expires_at_ms < _UNTIL,
        _G.at_ms < _SEEN + DAY_MS,
        _L.amount_minor > _TAKEN,
    )
    .order_by(_L.expires_at_ms, _L.lot_id)
    .limit(_MOST)
)
_ANSWERS = (
    sa.select(_Y.shopper_id, _Y.at_ms, _Y.survey_id.label("name"))
    .where(_Y.survey_id == sa.bindparam("survey"), _Y.at_ms >= _FROM, _Y.at_ms < _UNTIL)
    .order_by(_Y.at_ms, _Y.shopper_id)
    .limit(_MOST)
)
_CONVERSIONS = (
    sa.select(_F.shopper_id, _F.at_ms, _F.reference.label("name"))
    .where(
        _F.kind == FactKind.REFERRAL.value,
        _F.site == _SITE,
        _F.at_ms >= _FROM,
        _F.at_ms < _UNTIL,
    )
    .order_by(_F.at_ms, _F.sequence)
    .limit(_MOST)
)


class SqlHistory:
    """What happened, whoever was told of it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def purchases(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[PastPurchase, ...]:
        """Return purchases with a card between the instants."""
        rows = self._connection.execute(_PURCHASES, _span(site, from_ms, until_ms, limit))
        return tuple(
            PastPurchase(
                purchase=row.purchase_id,
                shopper=ShopperId(row.shopper_id),
                at_ms=UnixMs(row.at_ms),
                paid=Money(amount_minor=row.paid_minor, currency=row.currency),
                number=row.number,
            )
            for row in rows
        )

    def baskets(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[PastBasket, ...]:
        """Return baskets that were held for a card between the instants."""
        rows = self._connection.execute(_BASKETS, _span(site, from_ms, until_ms, limit))
        return tuple(
            PastBasket(
                basket_id=row.basket_id,
                shopper=ShopperId(row.shopper_id),
                at_ms=UnixMs(row.held_at_ms),
                basket=Basket(
                    currency=row.currency,
                    lines=tuple(BasketLine(**line) for line in json.loads(row.lines)),
                ),
            )
            for row in rows
        )

    def trips_begun(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Trip, ...]:
        """Return trips that began between the instants."""
        rows = self._connection.execute(_BEGUN, _span(site, from_ms, until_ms, limit))
        return tuple(map(_trip, rows))

    def trips_ended(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Trip, ...]:
        """Return trips in which something was seen last between the instants."""
        rows = self._connection.execute(_ENDED, _span(site, from_ms, until_ms, limit))
        return tuple(map(_trip, rows))

    def trips_of(self, shopper: ShopperId, site: SiteId) -> tuple[Trip, ...]:
        """Return all trips of a shopper to the site that are kept."""
        rows = self._connection.execute(_TRIPS_OF, {"shopper": shopper, "site": site})
        return tuple(map(_trip, rows))

    def segment_moves(
        self,
        site: SiteId,
        segment: Segment,
        movement: Movement,
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        limit: int,
    ) -> tuple[Happened, ...]:
        """Return who entered, or left, the segment between the instants."""
        given = _span(site, from_ms, until_ms, limit) | {"segment": segment.value}
        return self._happened(_MOVES[movement], given)

    def birthdays(
        self, days: Sequence[str], *, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return who said before an instant that the birthday is one of these, and when."""
        given: dict[str, object] = {"days": list(days), "until_ms": until_ms, "most": limit}
        return self._happened(_BIRTHDAYS, given)

    def expiring_lots(
        self, *, from_ms: UnixMs, until_ms: UnixMs, seen_at_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return lots of points that expire between the instants, as they were at ``seen_at_ms``.

        One that was earned later that day, but within a day of it, is told with that instant.
        """
        given: dict[str, object] = {
            "from_ms": from_ms,
            "until_ms": until_ms,
            "seen_at_ms": seen_at_ms,
            "most": limit,
        }
        return self._happened(_EXPIRING, given)

    def survey_answers(
        self, survey: SurveyId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return who answered the survey between the instants."""
        given: dict[str, object] = {
            "survey": survey,
            "from_ms": from_ms,
            "until_ms": until_ms,
            "most": limit,
        }
        return self._happened(_ANSWERS, given)

    def conversions(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[Happened, ...]:
        """Return whose friends bought for the first time between the instants."""
        return self._happened(_CONVERSIONS, _span(site, from_ms, until_ms, limit))

    def _happened(
        self, query: sa.Select[*tuple[object, ...]], given: dict[str, object]
    ) -> tuple[Happened, ...]:
        return tuple(
            Happened(shopper=ShopperId(row.shopper_id), at_ms=UnixMs(row.at_ms), name=row.name)
            for row in self._connection.execute(query, given)
        )


def _span(site: SiteId, from_ms: UnixMs, until_ms: UnixMs, limit: int) -> dict[str, object]:
    return {"site": site, "from_ms": from_ms, "until_ms": until_ms, "most": limit}


def _trip(row: sa.Row[*tuple[object, ...]]) -> Trip:
    return Trip(
        trip=TripId(row.trip_id),
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        number=row.number,
        began_at_ms=UnixMs(row.began_at_ms),
        seen_at_ms=UnixMs(row.seen_at_ms),
    )
