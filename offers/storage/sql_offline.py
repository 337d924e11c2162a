"""Keep what tills did while they had no line in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.OfflineItems`.
"""

import sqlalchemy as sa

from offers.model.ids import CouponId, RedemptionId, TillId
from offers.model.till.offline_coupon import FirstUse, OfflineItem, OfflineOutcome, OfflineReason
from offers.storage.tables import OFFLINE_ITEMS, REDEMPTIONS
from rtls.model.units import SiteId, UnixMs

_ADD_OFFLINE_ITEMS = sa.insert(OFFLINE_ITEMS)
_I = OFFLINE_ITEMS.c
_R = REDEMPTIONS.c
_FIND = sa.select(OFFLINE_ITEMS).where(
    _I.site == sa.bindparam("at_site"),
    _I.till == sa.bindparam("at_till"),
    _I.reference == sa.bindparam("name"),
)
_FIRST_USE = (
    sa.select(_R.redemption_id, _R.till, _R.at_ms, _I.reference)
    .join_from(REDEMPTIONS, OFFLINE_ITEMS, _I.redemption_id == _R.redemption_id, isouter=True)
    .where(_R.coupon_id == sa.bindparam("coupon"))
    .order_by(_R.use_number.desc())
    .limit(1)
)
_CONFLICTS = (
    sa.select(OFFLINE_ITEMS)
    .where(
        _I.site == sa.bindparam("at_site"),
        _I.reasons != "",
        _I.sequence > sa.bindparam("after"),
    )
    .order_by(_I.sequence)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class SqlOfflineItems:
    """What became of each coupon that a till took without asking."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(
        self,
        item: OfflineItem,
        outcome: OfflineOutcome,
        *,
        site: SiteId,
        till: TillId,
        now_ms: UnixMs,
    ) -> None:
        """Write an item and its outcome; the till has used the reference for no other."""
        first = outcome.first
        row = {
            "site": site,
            "till": till,
            "reference": item.reference,
            "coupon_id": outcome.coupon,
            "redemption_id": outcome.redemption,
            "reasons": " ".join(outcome.reasons),
            "first_redemption_id": None if first is None else first.redemption,
            "first_till": None if first is None else first.till,
            "first_at_ms": None if first is None else first.at_ms,
            "first_reference": None if first is None else first.reference,
            "currency": item.discount.currency,
            "discount_minor": item.discount.total.amount_minor,
            "redeemed_at_ms": item.redeemed_at_ms,
            "received_at_ms": now_ms,
        }
        self._connection.execute(_ADD_OFFLINE_ITEMS, row)

    def find(self, site: SiteId, till: TillId, reference: str) -> OfflineOutcome | None:
        """Return what became of the item that the till calls so, or None."""
        given = {"at_site": site, "at_till": till, "name": reference}
        row = self._connection.execute(_FIND, given).one_or_none()
        return None if row is None else _outcome(row)

    def first_use(self, coupon: CouponId) -> FirstUse | None:
        """Return the newest redemption of the coupon, or None."""
        row = self._connection.execute(_FIRST_USE, {"coupon": coupon}).one_or_none()
        if row is None:
            return None
        return FirstUse(
            redemption=RedemptionId(row.redemption_id),
            till=TillId(row.till),
            at_ms=UnixMs(row.at_ms),
            reference=row.reference,
        )

    def conflicts(
        self, site: SiteId, *, after: int, limit: int
    ) -> tuple[tuple[int, TillId, OfflineOutcome], ...]:
        """Return the items of a site with a reason, behind the cursor, oldest first."""
        rows = self._connection.execute(
            _CONFLICTS, {"at_site": site, "after": after, "most": limit}
        )
        return tuple((row.sequence, TillId(row.till), _outcome(row)) for row in rows)


def _outcome(row: sa.Row[*tuple[object, ...]]) -> OfflineOutcome:
    first = None
    if row.first_redemption_id is not None:
        first = FirstUse(
            redemption=RedemptionId(row.first_redemption_id),
            till=TillId(row.first_till),
            at_ms=UnixMs(row.first_at_ms),
            reference=row.first_reference,
        )
    return OfflineOutcome(
        reference=row.reference,
        coupon=None if row.coupon_id is None else CouponId(row.coupon_id),
        redemption=None if row.redemption_id is None else RedemptionId(row.redemption_id),
        reasons=tuple(OfflineReason(reason) for reason in row.reasons.split()),
        first=first,
    )
