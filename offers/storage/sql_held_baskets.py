"""Keep baskets that are held at tills in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.HeldBaskets`. A hold
ends by one conditional UPDATE, so that it is paid, given up or timed out, and only one of them.
"""

import json
from collections.abc import Mapping

import sqlalchemy as sa

from offers.model.ids import BasketId, CouponId, ShopperId, TillId
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.money import Money
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import HeldBasket, HeldCoupon, HoldState, Tender
from offers.model.till.redemption import Discount
from offers.storage.tables import HELD_BASKETS, HELD_COUPONS
from rtls.model.units import SiteId, UnixMs

_ADD_HELD_BASKETS = sa.insert(HELD_BASKETS)
_ADD_HELD_COUPONS = sa.insert(HELD_COUPONS)
_B = HELD_BASKETS.c
_C = HELD_COUPONS.c
_MOST = sa.bindparam("most", type_=sa.Integer)
_FIND = sa.select(HELD_BASKETS).where(_B.basket_id == sa.bindparam("basket"))
_COUPONS = (
    sa.select(HELD_COUPONS).where(_C.basket_id == sa.bindparam("basket")).order_by(_C.position)
)
_HOLDING = (
    sa.select(HELD_BASKETS)
    .join_from(HELD_BASKETS, HELD_COUPONS, _C.basket_id == _B.basket_id)
    .where(_C.coupon_id == sa.bindparam("coupon"), _B.state == HoldState.HELD.value)
)
_HELD_FOR = sa.select(HELD_BASKETS).where(
    _B.shopper_id == sa.bindparam("shopper"), _B.state == HoldState.HELD.value
)
_END = (
    sa.update(HELD_BASKETS)
    .where(_B.basket_id == sa.bindparam("basket"), _B.state == HoldState.HELD.value)
    .values(state=sa.bindparam("after"), ended_at_ms=sa.bindparam("at_ms"))
)
_OVERDUE = (
    sa.select(HELD_BASKETS)
    .where(_B.state == HoldState.HELD.value, _B.until_ms <= sa.bindparam("now_ms"))
    .order_by(_B.until_ms)
    .limit(_MOST)
)
_OLD = sa.select(_B.basket_id).where(_B.ended_at_ms < sa.bindparam("before_ms")).limit(_MOST)
_THESE: sa.BindParameter[str] = sa.bindparam("baskets", expanding=True)
_FORGET_COUPONS = sa.delete(HELD_COUPONS).where(_C.basket_id.in_(_THESE))
_FORGET = sa.delete(HELD_BASKETS).where(_B.basket_id.in_(_THESE))


class SqlHeldBaskets:
    """Baskets at tills that are neither paid nor given up, and what became of the others."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, held: HeldBasket) -> None:
        """Write a held basket with its coupons."""
        self._connection.execute(_ADD_HELD_BASKETS, _row_of(held))
        coupons = [
            {
                "basket_id": held.held,
                "position": position,
                "coupon_id": coupon.coupon,
                "lines_minor": json.dumps(coupon.discount.lines_minor),
            }
            for position, coupon in enumerate(held.coupons)
        ]
        if coupons:
            self._connection.execute(_ADD_HELD_COUPONS, coupons)

    def find(self, held: BasketId) -> HeldBasket | None:
        """Return the basket, or None."""
        return self._first(_FIND, {"basket": held})

    def holding(self, coupon: CouponId) -> HeldBasket | None:
        """Return the basket that holds the coupon now, or None."""
        return self._first(_HOLDING, {"coupon": coupon})

    def held_for(self, shopper: ShopperId) -> tuple[HeldBasket, ...]:
        """Return the baskets that are held now for the shopper's card."""
        rows = self._connection.execute(_HELD_FOR, {"shopper": shopper}).all()
        return tuple(self._held(row) for row in rows)

    def end(self, held: BasketId, state: HoldState, *, at_ms: UnixMs) -> bool:
        """Write how it ended, if it is still held; else False."""
        given = {"basket": held, "after": state.value, "at_ms": at_ms}
        return self._connection.execute(_END, given).rowcount == 1

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[HeldBasket, ...]:
        """Return baskets that are held for too long."""
        given = {"now_ms": now_ms, "most": limit}
        rows = self._connection.execute(_OVERDUE, given).all()
        return tuple(self._held(row) for row in rows)

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete baskets that ended before ``before_ms``; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        old = list(self._connection.execute(_OLD, given).scalars())
        if old:
            self._connection.execute(_FORGET_COUPONS, {"baskets": old})
            self._connection.execute(_FORGET, {"baskets": old})
        return len(old)

    def _first(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> HeldBasket | None:
        row = self._connection.execute(query, given).one_or_none()
        return None if row is None else self._held(row)

    def _held(self, row: sa.Row[*tuple[object, ...]]) -> HeldBasket:
        coupons = self._connection.execute(_COUPONS, {"basket": row.basket_id})
        lines = tuple(BasketLine(**line) for line in json.loads(row.lines))
        return HeldBasket(
            held=BasketId(row.basket_id),
            site=SiteId(row.site),
            till=TillId(row.till),
            shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
            basket=Basket(currency=row.currency, lines=lines),
            coupons=tuple(_coupon(coupon, currency=row.currency) for coupon in coupons),
            state=HoldState(row.state),
            held_at_ms=UnixMs(row.held_at_ms),
            until_ms=UnixMs(row.until_ms),
            tender=None if row.tender_unit is None else _tender(row),
        )


def _row_of(held: HeldBasket) -> dict[str, object]:
    lines = [
        {
            "sku": line.sku,
            "category": line.category,
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price_minor,
        }
        for line in held.basket.lines
    ]
    return {
        "basket_id": held.held,
        "site": held.site,
        "till": held.till,
        "shopper_id": held.shopper,
        "currency": held.basket.currency,
        "lines": json.dumps(lines),
        "tender_unit": None if held.tender is None else held.tender.unit,
        "tender_amount_minor": 0 if held.tender is None else held.tender.amount_minor,
        "tender_worth_minor": 0 if held.tender is None else held.tender.worth.amount_minor,
        "state": held.state.value,
        "held_at_ms": held.held_at_ms,
        "until_ms": held.until_ms,
        "ended_at_ms": None,
    }


def _coupon(row: sa.Row[*tuple[object, ...]], *, currency: str) -> HeldCoupon:
    shares = tuple(json.loads(row.lines_minor))
    return HeldCoupon(
        coupon=CouponId(row.coupon_id), discount=Discount(currency=currency, lines_minor=shares)
    )


def _tender(row: sa.Row[*tuple[object, ...]]) -> Tender:
    return Tender(
        unit=LedgerUnit(row.tender_unit),
        amount_minor=row.tender_amount_minor,
        worth=Money(amount_minor=row.tender_worth_minor, currency=row.currency),
    )
