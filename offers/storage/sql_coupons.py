"""Keep coupons, fingerprints of their codes, and redemptions in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Coupons`. A coupon has
at most one redemption that is not reversed by UNIQUE (coupon, use number): the use number is one
more than the coupon has reversals.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import sqlalchemy as sa

from offers.model.ids import (
    CampaignId,
    CouponId,
    OfferId,
    PurchaseId,
    RedemptionId,
    ShopperId,
    TillId,
)
from offers.model.money import Money
from offers.model.offering.coupon import Coupon, CouponState
from offers.model.offering.offer import OfferState
from offers.model.till.redemption import Discount, Redemption, Reversal
from offers.storage.insert_once import insert_once
from offers.storage.tables import (
    COUPON_CODES,
    COUPONS,
    OFFERS,
    PURCHASE_REDEMPTIONS,
    REDEMPTIONS,
    REVERSALS,
)
from rtls.model.units import SiteId, UnixMs

_ADD_COUPONS = sa.insert(COUPONS)
CODES_KEPT: Final = 2  # of each kind: ours, and that of GS1
_C = COUPONS.c
_FIND = sa.select(COUPONS).where(_C.coupon_id == sa.bindparam("coupon"))
_FIND_BY_CODE = (
    sa.select(COUPONS)
    .join_from(COUPONS, COUPON_CODES, COUPON_CODES.c.coupon_id == _C.coupon_id)
    .where(COUPON_CODES.c.fingerprint == sa.bindparam("fingerprint"))
)
_OF_OFFER = sa.select(COUPONS).where(_C.offer_id == sa.bindparam("offer"))
_OVERDUE = (
    sa.select(COUPONS)
    .where(_C.state == CouponState.ISSUED.value, _C.expires_at_ms <= sa.bindparam("now_ms"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_MOVE = (
    sa.update(COUPONS)
    .where(_C.coupon_id == sa.bindparam("coupon"), _C.state == sa.bindparam("before"))
    .values(state=sa.bindparam("after"))
)
_NEWEST_CODES = (
    sa.select(COUPON_CODES.c.sequence)
    .where(COUPON_CODES.c.coupon_id == sa.bindparam("coupon"))
    .order_by(COUPON_CODES.c.sequence.desc())
    .limit(sa.bindparam("kept", type_=sa.Integer))
)
_DROP_OLD_CODES = sa.delete(COUPON_CODES).where(
    COUPON_CODES.c.coupon_id == sa.bindparam("coupon"),
    COUPON_CODES.c.sequence.not_in(_NEWEST_CODES.scalar_subquery()),
)
_R = REDEMPTIONS.c
_FIND_REDEMPTION = (
    sa.select(REDEMPTIONS, PURCHASE_REDEMPTIONS.c.purchase_id)
    .join_from(
        REDEMPTIONS,
        PURCHASE_REDEMPTIONS,
        PURCHASE_REDEMPTIONS.c.redemption_id == _R.redemption_id,
        isouter=True,
    )
    .where(_R.redemption_id == sa.bindparam("redemption"))
)
_USE_NUMBER = (
    sa.select(sa.func.count() + 1)
    .select_from(REVERSALS)
    .where(REVERSALS.c.coupon_id == sa.bindparam("coupon"))
    .scalar_subquery()
)
_IN_HAND = (
    sa.select(COUPONS)
    .join_from(COUPONS, OFFERS, OFFERS.c.offer_id == _C.offer_id)
    .where(
        _C.shopper_id == sa.bindparam("shopper"),
        _C.site == sa.bindparam("at_site"),
        _C.state.in_([CouponState.ISSUED.value, CouponState.HELD.value]),
        _C.expires_at_ms > sa.bindparam("now_ms"),
        sa.or_(
            OFFERS.c.state.in_([OfferState.OPENED.value, OfferState.REDEEMED.value]),
            sa.and_(
                OFFERS.c.state == OfferState.DELIVERED.value,
                OFFERS.c.expires_at_ms > sa.bindparam("now_ms"),
            ),
        ),
    )
    .order_by(_C.expires_at_ms, _C.coupon_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


@cache
def _insert_redemption(dialect: str) -> sa.Insert:
    return insert_once(REDEMPTIONS, dialect).values(use_number=_USE_NUMBER)


class SqlCoupons:
    """Coupons and their redemptions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = connection.dialect.name
        self._insert_redemption = _insert_redemption(dialect)
        self._insert_reversal = insert_once(REVERSALS, dialect)
        self._insert_code = insert_once(COUPON_CODES, dialect)

    def add(self, coupon: Coupon) -> None:
        """Write a coupon, without a code yet."""
        self._connection.execute(
            _ADD_COUPONS,
            {
                "coupon_id": coupon.coupon,
                "offer_id": coupon.offer,
                "shopper_id": coupon.shopper,
                "campaign_id": coupon.campaign,
                "revision": coupon.revision,
                "site": coupon.site,
                "state": coupon.state.value,
                "issued_at_ms": coupon.issued_at_ms,
                "expires_at_ms": coupon.expires_at_ms,
                "is_reserved": coupon.is_reserved,
            },
        )

    def find(self, coupon: CouponId) -> Coupon | None:
        """Return the coupon, or None."""
        return self._first(_FIND, {"coupon": coupon})

    def find_by_code(self, fingerprint: str) -> Coupon | None:
        """Return the coupon whose code has this fingerprint, or None."""
        return self._first(_FIND_BY_CODE, {"fingerprint": fingerprint})

    def of_offer(self, offer: OfferId) -> Coupon | None:
        """Return the coupon that the offer brought, or None."""
        return self._first(_OF_OFFER, {"offer": offer})

    def set_codes(self, coupon: CouponId, *, fingerprints: Sequence[str]) -> bool:
        """Give it new codes; False where one of them is another coupon's."""
        for fingerprint in fingerprints:
            row = {"coupon_id": coupon, "fingerprint": fingerprint}
            if self._connection.execute(self._insert_code, row).rowcount == 0:
                return False
        given = {"coupon": coupon, "kept": CODES_KEPT * len(fingerprints)}
        self._connection.execute(_DROP_OLD_CODES, given)
        return True

    def move(self, coupon: CouponId, *, before: CouponState, after: CouponState) -> bool:
        """Write the new state, if the stored one is still ``before``; else False."""
        given = {"coupon": coupon, "before": before.value, "after": after.value}
        return self._connection.execute(_MOVE, given).rowcount == 1

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Coupon, ...]:
        """Return issued coupons whose time is over."""
        rows = self._connection.execute(_OVERDUE, {"now_ms": now_ms, "most": limit})
        return tuple(_coupon(row) for row in rows)

    def add_redemption(self, redemption: Redemption) -> bool:
        """Write a redemption; False where the coupon has one that is not reversed."""
        row = {
            "redemption_id": redemption.redemption,
            "coupon": redemption.coupon,
            "coupon_id": redemption.coupon,
            "offer_id": redemption.offer,
            "shopper_id": redemption.shopper,
            "campaign_id": redemption.campaign,
            "revision": redemption.revision,
            "till": redemption.till,
            "site": redemption.site,
            "at_ms": redemption.at_ms,
            "currency": redemption.basket_total.currency,
            "basket_total_minor": redemption.basket_total.amount_minor,
            "discount_minor": redemption.discount.total.amount_minor,
            "lines_minor": json.dumps(redemption.discount.lines_minor),
        }
        return self._connection.execute(self._insert_redemption, row).rowcount == 1

    def in_hand(
        self, shopper: ShopperId, *, site: SiteId, now_ms: UnixMs, limit: int
    ) -> tuple[Coupon, ...]:
        """Return what the shopper can use at the site, the soonest to expire first."""
        given = {"shopper": shopper, "at_site": site, "now_ms": now_ms, "most": limit}
        return tuple(_coupon(row) for row in self._connection.execute(_IN_HAND, given))

    def add_reversal(self, reversal: Reversal) -> bool:
        """Write a reversal; False where the redemption has one already."""
        row = {
            "reversal_id": reversal.reversal,
            "redemption_id": reversal.redemption,
            "coupon_id": reversal.coupon,
            "return_id": reversal.returned_with,
            "at_ms": reversal.at_ms,
            "is_given_back": reversal.is_given_back,
        }
        return self._connection.execute(self._insert_reversal, row).rowcount == 1

    def find_redemption(self, redemption: RedemptionId) -> Redemption | None:
        """Return the redemption, or None."""
        given = {"redemption": redemption}
        row = self._connection.execute(_FIND_REDEMPTION, given).one_or_none()
        # Who was erased has no redemptions any more; the till's books still have the row.
        return None if row is None or row.shopper_id is None else _redemption(row)

    def _first(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> Coupon | None:
        row = self._connection.execute(query, given).one_or_none()
        return None if row is None else _coupon(row)


def _coupon(row: sa.Row[*tuple[object, ...]]) -> Coupon:
    return Coupon(
        coupon=CouponId(row.coupon_id),
        offer=OfferId(row.offer_id),
        shopper=ShopperId(row.shopper_id),
        campaign=CampaignId(row.campaign_id),
        revision=row.revision,
        site=SiteId(row.site),
        state=CouponState(row.state),
        issued_at_ms=UnixMs(row.issued_at_ms),
        expires_at_ms=UnixMs(row.expires_at_ms),
        is_reserved=row.is_reserved,
    )


def _redemption(row: sa.Row[*tuple[object, ...]]) -> Redemption:
    return Redemption(
        redemption=RedemptionId(row.redemption_id),
        purchase=None if row.purchase_id is None else PurchaseId(row.purchase_id),
        coupon=CouponId(row.coupon_id),
        offer=OfferId(row.offer_id),
        shopper=ShopperId(row.shopper_id),
        campaign=CampaignId(row.campaign_id),
        revision=row.revision,
        till=TillId(row.till),
        site=SiteId(row.site),
        at_ms=UnixMs(row.at_ms),
        basket_total=Money(amount_minor=row.basket_total_minor, currency=row.currency),
        discount=Discount(currency=row.currency, lines_minor=tuple(json.loads(row.lines_minor))),
    )
