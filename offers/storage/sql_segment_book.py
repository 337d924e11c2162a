"""Sum up what segments are made of, and keep levels and reviews, in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.SegmentBook`.
"""

from typing import Final

import sqlalchemy as sa

from offers.model.conditions.fact import DAY_MS, FactKind
from offers.model.ids import ShopperId
from offers.model.loyalty.segment import PurchaseHistory, SegmentLevels, SegmentReview
from offers.storage.insert_once import insert_once
from offers.storage.tables import SEGMENT_LEVELS, SEGMENT_REVIEWS, SHOPPER_FACTS
from rtls.model.units import SiteId, UnixMs

YEAR_MS: Final = 365 * DAY_MS
_F = SHOPPER_FACTS.c
_L = SEGMENT_LEVELS.c
_R = SEGMENT_REVIEWS.c
_IS_PURCHASE = _F.kind == FactKind.PURCHASE.value
_SPEND = sa.func.sum(
    sa.case(
        (_F.currency != sa.bindparam("paid_in"), 0),
        (_IS_PURCHASE, _F.amount_minor),
        else_=-_F.amount_minor,
    )
)
_IS_PAID = (
    _F.kind.in_([FactKind.PURCHASE.value, FactKind.RETURN.value]),
    _F.site == sa.bindparam("place"),
    _F.amount_minor.is_not(None),
)
_IN_YEAR = (
    *_IS_PAID,
    _F.at_ms > sa.bindparam("since_ms"),
    _F.at_ms <= sa.bindparam("as_of_ms"),
)
_NEXT = sa.select(sa.func.min(_F.at_ms)).where(
    _F.shopper_id == sa.bindparam("shopper"), *_IS_PAID, _F.at_ms > sa.bindparam("as_of_ms")
)
_bought_at = sa.case((_IS_PURCHASE, _F.at_ms))
_HISTORY = sa.select(
    sa.func.count(_bought_at).label("purchases"),
    sa.func.min(_bought_at).label("first_at_ms"),
    sa.func.max(_bought_at).label("last_at_ms"),
    sa.func.min(_F.at_ms).label("oldest_at_ms"),
    sa.func.coalesce(_SPEND, 0).label("spend_minor"),
).where(_F.shopper_id == sa.bindparam("shopper"), *_IN_YEAR)
_SPENDS = (
    sa.select(_SPEND.label("spend_minor"))
    .where(*_IN_YEAR)
    .group_by(_F.shopper_id)
    .having(sa.func.count(_bought_at) > 0)
    .subquery()
)
_BUYERS = sa.select(sa.func.count()).select_from(_SPENDS)
_AT_RANK = (
    sa.select(_SPENDS.c.spend_minor)
    .order_by(_SPENDS.c.spend_minor)
    .limit(1)
    .offset(sa.bindparam("rank", type_=sa.Integer))
)
_LEVELS = sa.select(SEGMENT_LEVELS).where(
    _L.site == sa.bindparam("place"), _L.number == sa.bindparam("wanted")
)
_NEWEST = (
    sa.select(SEGMENT_LEVELS)
    .where(_L.site == sa.bindparam("place"))
    .order_by(_L.number.desc())
    .limit(1)
)
_REVIEW = sa.select(SEGMENT_REVIEWS).where(
    _R.shopper_id == sa.bindparam("shopper"), _R.site == sa.bindparam("place")
)
_PUT = (
    sa.update(SEGMENT_REVIEWS)
    .where(_R.shopper_id == sa.bindparam("shopper"), _R.site == sa.bindparam("place"))
    .values(levels_seen=sa.bindparam("seen"), due_at_ms=sa.bindparam("due"))
)
_MARK = (
    sa.update(SEGMENT_REVIEWS)
    .where(
        _R.shopper_id == sa.bindparam("shopper"),
        _R.site == sa.bindparam("place"),
        sa.or_(_R.due_at_ms.is_(None), _R.due_at_ms > sa.bindparam("due")),
    )
    .values(due_at_ms=sa.bindparam("due"))
)
_MOST = sa.bindparam("most", type_=sa.Integer)
_DUE = (
    sa.select(SEGMENT_REVIEWS)
    .where(_R.due_at_ms <= sa.bindparam("now_ms"))
    .order_by(_R.due_at_ms)
    .limit(_MOST)
)
_BEHIND = (
    sa.select(SEGMENT_REVIEWS)
    .where(_R.site == sa.bindparam("place"), _R.levels_seen < sa.bindparam("newest"))
    .limit(_MOST)
)
_SITES = sa.select(_L.site).where(_L.number == 1).order_by(_L.site)
_LOOK = (
    sa.update(SEGMENT_LEVELS)
    .where(
        _L.site == sa.bindparam("place"),
        _L.number == sa.bindparam("newest"),
        _L.looked_at_ms <= sa.bindparam("before_ms"),
    )
    .values(looked_at_ms=sa.bindparam("now_ms"))
)
_ERASE = sa.delete(SEGMENT_REVIEWS).where(_R.shopper_id == sa.bindparam("shopper"))


class SqlSegmentBook:
    """What segments are made of, and when each shopper's is to be looked at again."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert_levels = insert_once(SEGMENT_LEVELS, connection.dialect.name)
        self._insert_review = insert_once(SEGMENT_REVIEWS, connection.dialect.name)

    def purchases_of(
        self, shopper: ShopperId, site: SiteId, *, currency: str, as_of_ms: UnixMs
    ) -> PurchaseHistory:
        """Sum up what the shopper bought within the year before ``as_of_ms``."""
        asked = _year_before(as_of_ms, site, currency) | {"shopper": shopper}
        row = self._connection.execute(_HISTORY, asked).one()
        return PurchaseHistory(
            purchases=row.purchases,
            first_at_ms=row.first_at_ms,
            last_at_ms=row.last_at_ms,
            oldest_at_ms=row.oldest_at_ms,
            next_at_ms=self._connection.execute(_NEXT, asked).scalar_one(),
            spend_minor=int(row.spend_minor),
        )

    def spend_at_share(
        self, site: SiteId, *, currency: str, percent: int, buyers_min: int, as_of_ms: UnixMs
    ) -> int | None:
        """Return the spend that ``percent`` of the year's buyers do not exceed, by nearest rank."""
        asked = _year_before(as_of_ms, site, currency)
        buyers = self._connection.execute(_BUYERS, asked).scalar_one()
        if buyers < max(buyers_min, 1):
            return None
        rank = max(-(-percent * buyers // 100) - 1, 0)
        return int(self._connection.execute(_AT_RANK, asked | {"rank": rank}).scalar_one())

    def levels(self, site: SiteId, number: int) -> SegmentLevels | None:
        """Return the levels with this number, or None."""
        asked = {"place": site, "wanted": number}
        return _levels(self._connection.execute(_LEVELS, asked).one_or_none())

    def newest_levels(self, site: SiteId) -> SegmentLevels | None:
        """Return the levels that hold now, or None where none were ever set."""
        return _levels(self._connection.execute(_NEWEST, {"place": site}).one_or_none())

    def add_levels(self, levels: SegmentLevels) -> bool:
        """Write new levels; False where the number is taken."""
        row = {
            "site": levels.site,
            "number": levels.number,
            "at_ms": levels.at_ms,
            "high_value_minor": levels.high_value_minor,
            "looked_at_ms": levels.at_ms,
        }
        return self._connection.execute(self._insert_levels, row).rowcount == 1

    def take_look(self, site: SiteId, *, now_ms: UnixMs, after_ms: int) -> bool:
        """Mark that it is asked whether the newest levels still fit; once in ``after_ms``."""
        newest = self.newest_levels(site)
        if newest is None:
            return False
        asked = {
            "place": site,
            "newest": newest.number,
            "now_ms": now_ms,
            "before_ms": now_ms - after_ms,
        }
        return self._connection.execute(_LOOK, asked).rowcount == 1

    def review_of(self, shopper: ShopperId, site: SiteId) -> SegmentReview | None:
        """Return when to look at the shopper again, or None where that was never asked."""
        asked = {"shopper": shopper, "place": site}
        row = self._connection.execute(_REVIEW, asked).one_or_none()
        return None if row is None else _review(row)

    def put_review(self, review: SegmentReview) -> None:
        """Write when to look again, in place of what was written before."""
        if self._connection.execute(self._insert_review, _row(review)).rowcount == 0:
            self._connection.execute(
                _PUT,
                {
                    "shopper": review.shopper,
                    "place": review.site,
                    "seen": review.levels_seen,
                    "due": review.due_at_ms,
                },
            )

    def mark_due(self, review: SegmentReview) -> None:
        """Write when to look again, unless an earlier instant is written already."""
        if self._connection.execute(self._insert_review, _row(review)).rowcount == 0:
            asked = {"shopper": review.shopper, "place": review.site, "due": review.due_at_ms}
            self._connection.execute(_MARK, asked)

    def due(self, *, now_ms: UnixMs, limit: int) -> tuple[SegmentReview, ...]:
        """Return reviews whose time has come or that have not seen the newest levels."""
        rows = self._connection.execute(_DUE, {"now_ms": now_ms, "most": limit}).all()
        found = {(row.shopper_id, row.site): _review(row) for row in rows}
        for site in self.sites():
            newest = self.newest_levels(site)
            if newest is not None and len(found) < limit:
                asked = {"place": site, "newest": newest.number, "most": limit - len(found)}
                for row in self._connection.execute(_BEHIND, asked):
                    found.setdefault((row.shopper_id, row.site), _review(row))
        return tuple(found.values())

    def sites(self) -> tuple[SiteId, ...]:
        """Return the sites that have levels."""
        return tuple(map(SiteId, self._connection.execute(_SITES).scalars()))

    def erase(self, shopper: ShopperId) -> None:
        """Delete a shopper's reviews."""
        self._connection.execute(_ERASE, {"shopper": shopper})


def _year_before(as_of_ms: UnixMs, site: SiteId, currency: str) -> dict[str, object]:
    return {
        "as_of_ms": as_of_ms,
        "since_ms": as_of_ms - YEAR_MS,
        "place": site,
        "paid_in": currency,
    }


def _levels(row: sa.Row[*tuple[object, ...]] | None) -> SegmentLevels | None:
    if row is None:
        return None
    return SegmentLevels(
        number=row.number,
        site=SiteId(row.site),
        at_ms=UnixMs(row.at_ms),
        high_value_minor=row.high_value_minor,
    )


def _row(review: SegmentReview) -> dict[str, object]:
    return {
        "shopper_id": review.shopper,
        "site": review.site,
        "levels_seen": review.levels_seen,
        "due_at_ms": review.due_at_ms,
    }


def _review(row: sa.Row[*tuple[object, ...]]) -> SegmentReview:
    return SegmentReview(
        shopper=ShopperId(row.shopper_id),
        site=SiteId(row.site),
        levels_seen=row.levels_seen,
        due_at_ms=row.due_at_ms,
    )
