"""Look up in SQL what offers came to and what was sold.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.ShelfEvents`. Rows come
one by one: a month of a large shop is a million of them.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.offering.shelf_event import ShelfOffer, ShelfSale
from offers.model.people.consent import Purpose
from offers.storage.tables import (
    CONSENTS,
    COUPONS,
    OFFERS,
    PURCHASE_LINES,
    PURCHASES,
    REDEMPTIONS,
    REVERSALS,
)
from rtls.model.units import SiteId, UnixMs, ZoneId

_SITE = sa.bindparam("of_site", type_=sa.Text)
_FROM = sa.bindparam("from_ms", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until_ms", type_=sa.BigInteger)
_O, _P, _L, _R, _C = OFFERS.c, PURCHASES.c, PURCHASE_LINES.c, REDEMPTIONS.c, CONSENTS.c


def _has_agreed(
    shopper_id: sa.Column[str], at_ms: sa.Column[int], table: sa.Table
) -> sa.ColumnElement[bool]:
    """Return whether the newest word on `analytics` before an instant was yes."""
    newest = (
        sa.select(_C.is_granted)
        .where(
            _C.shopper_id == shopper_id,
            _C.purpose == Purpose.ANALYTICS.value,
            _C.at_ms <= at_ms,
        )
        .order_by(_C.sequence.desc())
        .limit(1)
        .correlate(table)
        .scalar_subquery()
    )
    return sa.func.coalesce(newest, sa.false())


# By way of the coupon: that is how redemptions are found.
_IS_REDEEMED = sa.exists().where(
    COUPONS.c.offer_id == _O.offer_id,
    _R.coupon_id == COUPONS.c.coupon_id,
    ~sa.exists().where(REVERSALS.c.redemption_id == _R.redemption_id).correlate(REDEMPTIONS),
)
_OFFERS = sa.select(
    _O.shopper_id,
    _O.zone,
    _O.issued_at_ms,
    _O.opened_at_ms.is_not(None).label("is_opened"),
    _IS_REDEEMED.correlate(OFFERS).label("is_redeemed"),
).where(
    _O.site == _SITE,
    _O.issued_at_ms >= _FROM,
    _O.issued_at_ms < _UNTIL,
    _O.zone.is_not(None),
    _has_agreed(_O.shopper_id, _O.issued_at_ms, OFFERS),
)
_SOLD = (
    sa.select(_P.shopper_id, _P.at_ms, _L.sku, _L.category)
    .join(PURCHASE_LINES, _L.purchase_id == _P.purchase_id)
    .where(
        _P.site == _SITE,
        _P.at_ms >= _FROM,
        _P.at_ms < _UNTIL,
        _P.shopper_id.is_not(None),
        _L.returned < _L.quantity,
        _has_agreed(_P.shopper_id, _P.at_ms, PURCHASES),
    )
)


class SqlShelfEvents:
    """Offers and sales of a site."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def offers_made(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> Iterator[ShelfOffer]:
        """Yield the offers that were made for a zone between the instants."""
        asked = {"of_site": site, "from_ms": from_ms, "until_ms": until_ms}
        for row in self._connection.execute(_OFFERS, asked):
            yield ShelfOffer(
                shopper=ShopperId(row.shopper_id),
                zone=ZoneId(row.zone),
                at_ms=UnixMs(row.issued_at_ms),
                is_opened=bool(row.is_opened),
                is_redeemed=bool(row.is_redeemed),
            )

    def sold(self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs) -> Iterator[ShelfSale]:
        """Yield what was bought with a card between the instants."""
        asked = {"of_site": site, "from_ms": from_ms, "until_ms": until_ms}
        for row in self._connection.execute(_SOLD, asked):
            yield ShelfSale(
                shopper=ShopperId(row.shopper_id),
                sku=row.sku,
                category=row.category,
                at_ms=UnixMs(row.at_ms),
            )
