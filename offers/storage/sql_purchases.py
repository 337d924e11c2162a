"""Keep purchases and returns in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Purchases`. A return
counts its pieces by conditional UPDATEs, a CHECK stands behind them, and UNIQUE (purchase, number)
lets only one of two returns at once be the next.
"""

import json

import sqlalchemy as sa

from offers.model.ids import (
    PurchaseId,
    RedemptionId,
    ReturnId,
    ShopperId,
    TillId,
    TransactionId,
)
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.money import Money
from offers.model.till.basket import BasketLine
from offers.model.till.purchase import (
    PointsMove,
    Purchase,
    PurchaseLine,
    PurchasePoints,
    PurchaseReturn,
    ReturnedLine,
)
from offers.storage.insert_once import insert_once
from offers.storage.tables import (
    PURCHASE_LINES,
    PURCHASE_POINTS,
    PURCHASE_REDEMPTIONS,
    PURCHASE_RETURNS,
    PURCHASES,
    REDEMPTIONS,
    RETURN_LINES,
)
from rtls.model.units import SiteId, UnixMs

_ADD_PURCHASES = sa.insert(PURCHASES)
_ADD_PURCHASE_LINES = sa.insert(PURCHASE_LINES)
_ADD_PURCHASE_POINTS = sa.insert(PURCHASE_POINTS)
_ADD_PURCHASE_REDEMPTIONS = sa.insert(PURCHASE_REDEMPTIONS)
_ADD_RETURN_LINES = sa.insert(RETURN_LINES)
_L = PURCHASE_LINES.c
_IS_PURCHASE: sa.BindParameter[str] = sa.bindparam("purchase")
_FIND = sa.select(PURCHASES).where(PURCHASES.c.purchase_id == _IS_PURCHASE)
_ANY_OF_SHOPPER = (
    sa.select(PURCHASES.c.purchase_id)
    .where(PURCHASES.c.shopper_id == sa.bindparam("shopper"))
    .limit(1)
)
_LINES = sa.select(PURCHASE_LINES).where(_L.purchase_id == _IS_PURCHASE).order_by(_L.line)
_SHARES = (
    sa.select(REDEMPTIONS.c.redemption_id, REDEMPTIONS.c.lines_minor)
    .join_from(
        PURCHASE_REDEMPTIONS,
        REDEMPTIONS,
        REDEMPTIONS.c.redemption_id == PURCHASE_REDEMPTIONS.c.redemption_id,
    )
    .where(PURCHASE_REDEMPTIONS.c.purchase_id == _IS_PURCHASE)
    .order_by(PURCHASE_REDEMPTIONS.c.position)
)
_POINTS = (
    sa.select(PURCHASE_POINTS)
    .where(PURCHASE_POINTS.c.purchase_id == _IS_PURCHASE)
    .order_by(PURCHASE_POINTS.c.position)
)
_RETURNS = (
    sa.select(PURCHASE_RETURNS)
    .where(PURCHASE_RETURNS.c.purchase_id == _IS_PURCHASE)
    .order_by(PURCHASE_RETURNS.c.number)
)
_RETURN_LINES = (
    sa.select(RETURN_LINES)
    .join_from(
        RETURN_LINES, PURCHASE_RETURNS, PURCHASE_RETURNS.c.return_id == RETURN_LINES.c.return_id
    )
    .where(PURCHASE_RETURNS.c.purchase_id == _IS_PURCHASE)
    .order_by(RETURN_LINES.c.line)
)
_IS_SAVER: sa.ColumnElement[bool] = REDEMPTIONS.c.shopper_id == sa.bindparam("shopper")
_SAVED = (
    sa.select(REDEMPTIONS.c.currency, sa.func.sum(REDEMPTIONS.c.discount_minor))
    .where(_IS_SAVER)
    .group_by(REDEMPTIONS.c.currency)
)
# The share of each redemption stands in the line of a return at the redemption's position.
_WENT_BACK = (
    sa.select(
        REDEMPTIONS.c.currency, PURCHASE_REDEMPTIONS.c.position, RETURN_LINES.c.discounts_minor
    )
    .join_from(
        REDEMPTIONS,
        PURCHASE_REDEMPTIONS,
        PURCHASE_REDEMPTIONS.c.redemption_id == REDEMPTIONS.c.redemption_id,
    )
    .join(PURCHASE_RETURNS, PURCHASE_RETURNS.c.purchase_id == PURCHASE_REDEMPTIONS.c.purchase_id)
    .join(RETURN_LINES, RETURN_LINES.c.return_id == PURCHASE_RETURNS.c.return_id)
    .where(_IS_SAVER)
)
_COUNT_RETURNED = (
    sa.update(PURCHASE_LINES)
    .where(
        _L.purchase_id == _IS_PURCHASE,
        _L.line == sa.bindparam("place"),
        _L.returned + sa.bindparam("pieces", type_=sa.BigInteger) <= _L.quantity,
    )
    .values(returned=_L.returned + sa.bindparam("pieces", type_=sa.BigInteger))
)


class SqlPurchases:
    """Purchases and their returns."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert_return = insert_once(PURCHASE_RETURNS, connection.dialect.name)

    def add(self, purchase: Purchase) -> None:
        """Write a purchase; its redemptions are written before."""
        self._connection.execute(
            _ADD_PURCHASES,
            {
                "purchase_id": purchase.purchase,
                "site": purchase.site,
                "till": purchase.till,
                "shopper_id": purchase.shopper,
                "at_ms": purchase.at_ms,
                "currency": purchase.currency,
                "total_minor": purchase.total.amount_minor,
                "discount_minor": purchase.discount.amount_minor,
                "tender_minor": purchase.tender.amount_minor,
            },
        )
        lines = [
            _row_of_line(purchase.purchase, place, line)
            for place, line in enumerate(purchase.lines)
        ]
        self._connection.execute(_ADD_PURCHASE_LINES, lines)
        uses = [
            {"purchase_id": purchase.purchase, "position": position, "redemption_id": redemption}
            for position, redemption in enumerate(purchase.redemptions)
        ]
        if uses:
            self._connection.execute(_ADD_PURCHASE_REDEMPTIONS, uses)
        moved = [
            _row_of_points(purchase.purchase, position, points)
            for position, points in enumerate(purchase.points)
        ]
        if moved:
            self._connection.execute(_ADD_PURCHASE_POINTS, moved)

    def find(self, purchase: PurchaseId) -> Purchase | None:
        """Return the purchase, with how much of each line has been returned, or None."""
        given = {"purchase": purchase}
        row = self._connection.execute(_FIND, given).one_or_none()
        if row is None:
            return None
        uses = self._connection.execute(_SHARES, given).all()
        shares = [json.loads(use.lines_minor) for use in uses]
        lines = self._connection.execute(_LINES, given)
        return Purchase(
            purchase=purchase,
            site=SiteId(row.site),
            till=TillId(row.till),
            shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
            at_ms=UnixMs(row.at_ms),
            currency=row.currency,
            lines=tuple(_line(line, tuple(share[line.line] for share in shares)) for line in lines),
            redemptions=tuple(RedemptionId(use.redemption_id) for use in uses),
            points=tuple(_points(row) for row in self._connection.execute(_POINTS, given)),
        )

    def has_any(self, shopper: ShopperId) -> bool:
        """Say whether the shopper has ever bought anything with the card."""
        return self._connection.execute(_ANY_OF_SHOPPER, {"shopper": shopper}).first() is not None

    def saved_of(self, shopper: ShopperId) -> tuple[Money, ...]:
        """Return what the shopper's coupons took off, less what went back with returned goods."""
        given = {"shopper": shopper}
        rows = self._connection.execute(_SAVED, given)
        saved = {currency: int(taken_off) for currency, taken_off in rows}
        for currency, position, shares in self._connection.execute(_WENT_BACK, given):
            saved[currency] -= json.loads(shares)[position]
        return tuple(
            Money(amount_minor=amount, currency=currency)
            for currency, amount in sorted(saved.items())
            if amount
        )

    def returns_of(self, purchase: PurchaseId) -> tuple[PurchaseReturn, ...]:
        """Return what was brought back, first things first."""
        given = {"purchase": purchase}
        returns = self._connection.execute(_RETURNS, given).all()
        if not returns:  # nearly always
            return ()
        lines: dict[str, list[ReturnedLine]] = {}
        for row in self._connection.execute(_RETURN_LINES, given):
            lines.setdefault(row.return_id, []).append(_returned_line(row))
        return tuple(_return(row, lines[row.return_id]) for row in returns)

    def add_return(self, returned: PurchaseReturn) -> bool:
        """Write a return and count its pieces; False where that cannot be."""
        row = {
            "return_id": returned.returned,
            "purchase_id": returned.purchase,
            "number": returned.number,
            "site": returned.site,
            "till": returned.till,
            "at_ms": returned.at_ms,
            "currency": returned.currency,
            "refund_minor": returned.refund.amount_minor,
        }
        if self._connection.execute(self._insert_return, row).rowcount != 1:
            return False
        for line in returned.lines:
            given = {
                "purchase": returned.purchase,
                "place": line.line,
                "pieces": line.quantity,
            }
            if self._connection.execute(_COUNT_RETURNED, given).rowcount != 1:
                return False
        lines = [_row_of_returned(returned.returned, line) for line in returned.lines]
        self._connection.execute(_ADD_RETURN_LINES, lines)
        return True


def _row_of_line(purchase: PurchaseId, place: int, line: PurchaseLine) -> dict[str, object]:
    return {
        "purchase_id": purchase,
        "line": place,
        "sku": line.item.sku,
        "category": line.item.category,
        "quantity": line.item.quantity,
        "unit_price_minor": line.item.unit_price_minor,
        "discount_minor": line.discount_minor,
        "tender_minor": line.tender_minor,
        "returned": line.returned,
    }


def _row_of_returned(returned: ReturnId, line: ReturnedLine) -> dict[str, object]:
    return {
        "return_id": returned,
        "line": line.line,
        "quantity": line.quantity,
        "refund_minor": line.refund_minor,
        "tender_minor": line.tender_minor,
        "discounts_minor": json.dumps(line.discounts_minor),
        "points_minor": json.dumps(line.points_minor),
    }


def _line(row: sa.Row[*tuple[object, ...]], shares: tuple[int, ...]) -> PurchaseLine:
    item = BasketLine(
        sku=row.sku,
        category=row.category,
        quantity=row.quantity,
        unit_price_minor=row.unit_price_minor,
    )
    return PurchaseLine(
        item=item,
        discounts_minor=shares,
        tender_minor=row.tender_minor,
        returned=row.returned,
    )


def _row_of_points(
    purchase: PurchaseId, position: int, points: PurchasePoints
) -> dict[str, object]:
    return {
        "purchase_id": purchase,
        "position": position,
        "move": points.move.value,
        "unit": points.unit,
        "transaction_id": points.transaction,
        "lines_minor": json.dumps(points.lines_minor),
    }


def _points(row: sa.Row[*tuple[object, ...]]) -> PurchasePoints:
    return PurchasePoints(
        move=PointsMove(row.move),
        unit=LedgerUnit(row.unit),
        transaction=TransactionId(row.transaction_id),
        lines_minor=tuple(json.loads(row.lines_minor)),
    )


def _return(row: sa.Row[*tuple[object, ...]], lines: list[ReturnedLine]) -> PurchaseReturn:
    return PurchaseReturn(
        returned=ReturnId(row.return_id),
        purchase=PurchaseId(row.purchase_id),
        number=row.number,
        site=SiteId(row.site),
        till=TillId(row.till),
        at_ms=UnixMs(row.at_ms),
        currency=row.currency,
        lines=tuple(lines),
    )


def _returned_line(row: sa.Row[*tuple[object, ...]]) -> ReturnedLine:
    return ReturnedLine(
        line=row.line,
        quantity=row.quantity,
        refund_minor=row.refund_minor,
        tender_minor=row.tender_minor,
        discounts_minor=tuple(json.loads(row.discounts_minor)),
        points_minor=tuple(json.loads(row.points_minor)),
    )
