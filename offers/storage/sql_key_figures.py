"""Read receipts and offers as columns in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.KeyFigures`. The time
that counts is the end of the window: what was brought back, taken back or redeemed later does not,
so that a window tells the same whenever it is asked. One thing is as of now: who has withdrawn
`analytics` since is followed through no window any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import Final

import numpy as np
import sqlalchemy as sa

from offers.model.insight.kpi_columns import (
    ERASED,
    NO_SEGMENT,
    SEGMENTS,
    Int8s,
    Int32s,
    OfferColumns,
    PurchaseColumns,
)
from offers.model.insight.kpi_window import KpiWindow, day_number, site_days
from offers.model.insight.till_day import TillDay
from offers.model.people.consent import Purpose
from offers.storage.insert_once import insert_once
from offers.storage.tables import (
    CONSENTS,
    COUPONS,
    MEMBERSHIPS,
    OFFERS,
    PURCHASE_LINES,
    PURCHASE_REDEMPTIONS,
    PURCHASE_RETURNS,
    PURCHASES,
    REDEMPTIONS,
    RETURN_LINES,
    REVERSALS,
    TILL_DAYS,
)
from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs, ZoneId

_FROM = sa.bindparam("from_ms", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until_ms", type_=sa.BigInteger)
_SITE = sa.bindparam("site", type_=sa.Text)
_MOST = sa.bindparam("most", type_=sa.Integer)
TOTALS_A_DAY_MAX: Final = 100
_CODES: Final = {segment.value: code for code, segment in enumerate(SEGMENTS)}
_P, _O, _C, _R, _M, _B, _L, _V, _J, _N = (
    table.c
    for table in (
        PURCHASES,
        OFFERS,
        COUPONS,
        REDEMPTIONS,
        MEMBERSHIPS,
        PURCHASE_RETURNS,
        RETURN_LINES,
        REVERSALS,
        PURCHASE_REDEMPTIONS,
        PURCHASE_LINES,
    )
)
_NEWEST = (
    sa.select(sa.func.max(CONSENTS.c.sequence))
    .where(CONSENTS.c.purpose == Purpose.ANALYTICS.value)
    .group_by(CONSENTS.c.shopper_id)
)
COUNTED = (
    sa.select(CONSENTS.c.shopper_id)
    .where(CONSENTS.c.sequence.in_(_NEWEST.scalar_subquery()), CONSENTS.c.is_granted)
    .subquery("counted")
)
_BACK = (
    sa.select(_B.purchase_id, sa.func.sum(_L.refund_minor + _L.tender_minor).label("back_minor"))
    .join_from(PURCHASE_RETURNS, RETURN_LINES, _L.return_id == _B.return_id)
    .where(_B.site == _SITE, _B.at_ms < _UNTIL)
    .group_by(_B.purchase_id)
    .subquery("back")
)


def _member_of(shopper: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Join the segment that a shopper was in just before the end of the window."""
    return sa.and_(
        _M.shopper_id == shopper,
        _M.site == _SITE,
        _M.entered_at_ms < _UNTIL,
        sa.or_(_M.left_at_ms.is_(None), _M.left_at_ms >= _UNTIL),
    )


_IN_SPAN = sa.and_(_P.site == _SITE, _P.at_ms >= _FROM, _P.at_ms < _UNTIL)
_CURRENCIES = (
    sa.select(_P.currency).where(_IN_SPAN).group_by(_P.currency)
    .order_by(sa.func.count().desc(), _P.currency).limit(1)
)  # fmt: skip
_PAID = _P.total_minor - _P.discount_minor - sa.func.coalesce(_BACK.c.back_minor, 0)


def _receipts(*, only_members: bool) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(
            _P.shopper_id,
            COUNTED.c.shopper_id.is_not(None).label("is_counted"),
            _M.segment,
            _P.at_ms,
            _PAID.label("paid_minor"),
        )
        .join_from(
            PURCHASES, COUNTED, COUNTED.c.shopper_id == _P.shopper_id, isouter=not only_members
        )
        .join(MEMBERSHIPS, _member_of(COUNTED.c.shopper_id), isouter=True)
        .join(_BACK, _BACK.c.purchase_id == _P.purchase_id, isouter=True)
        .where(_IN_SPAN, _P.currency == sa.bindparam("money"), _PAID > 0)
        .limit(_MOST)
    )


_RECEIPTS: Final = {is_only: _receipts(only_members=is_only) for is_only in (False, True)}
_OTHER_MONEY = sa.select(sa.func.count()).where(_IN_SPAN, _P.currency != sa.bindparam("money"))
_IS_KEPT = (
    sa.exists()
    .where(
        _J.redemption_id == _R.redemption_id,
        _N.purchase_id == _J.purchase_id,
        _N.returned < _N.quantity,
    )
    .correlate(REDEMPTIONS)
)
_OFFERS = (
    sa.select(
        _O.shopper_id,
        _M.segment,
        _O.issued_at_ms,
        _O.zone,
        _C.coupon_id,
        _O.opened_at_ms,
        _R.at_ms,
        _IS_KEPT.label("is_kept"),
    )
    .join_from(OFFERS, COUNTED, COUNTED.c.shopper_id == _O.shopper_id)
    .join(MEMBERSHIPS, _member_of(_O.shopper_id), isouter=True)
    .join(COUPONS, _C.offer_id == _O.offer_id, isouter=True)
    .join(
        REDEMPTIONS,
        sa.and_(
            _R.coupon_id == _C.coupon_id,
            _R.at_ms < _UNTIL,
            # So that one redemption at most is left of each coupon.
            ~sa.exists().where(_V.redemption_id == _R.redemption_id, _V.at_ms < _UNTIL),
        ),
        isouter=True,
    )
    .where(_O.site == _SITE, _O.issued_at_ms >= _FROM, _O.issued_at_ms < _UNTIL)
    .limit(_MOST)
)


_T = TILL_DAYS.c
_LATER = TILL_DAYS.alias("later")
_TOTALS = sa.select(TILL_DAYS).where(
    _T.site == _SITE,
    _T.day >= sa.bindparam("first", type_=sa.Text),
    _T.day < sa.bindparam("end", type_=sa.Text),
    _T.currency == sa.bindparam("money"),
    # A day is corrected by a further row: the newest counts.
    ~sa.exists().where(
        _LATER.c.site == _T.site,
        _LATER.c.day == _T.day,
        _LATER.c.currency == _T.currency,
        _LATER.c.number > _T.number,
    ),
)
_LAST_TOTAL = sa.select(sa.func.max(_T.number)).where(
    _T.site == _SITE, _T.day == sa.bindparam("first"), _T.currency == sa.bindparam("money")
)


class SqlKeyFigures:
    """Receipts and offers as columns."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def currency(self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs) -> str:
        """Return the currency of most receipts; empty where there are none."""
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms}
        return self._connection.execute(_CURRENCIES, given).scalar_one_or_none() or ""

    def receipts(
        self,
        site: SiteId,
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        currency: str,
        time_zone: str,
        only_members: bool,
        limit: int,
    ) -> PurchaseColumns:
        """Return the receipts between the instants as they stood at the second one.

        It raises `InvalidReport` if there are more than ``limit``.
        """
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms, "money": currency}
        found = self._connection.execute(_RECEIPTS[only_members], given | {"most": limit + 1}).all()
        _check_count("receipts", len(found), limit)
        left_out = self._connection.execute(_OTHER_MONEY, given).scalar_one()
        shoppers, counted, segments, at_ms, paid = _columns(found, 5)
        return PurchaseColumns(
            shopper=_numbers(shoppers, map(bool, counted)),
            segment=_segments(segments),
            day=site_days(np.array(at_ms, np.int64), time_zone),
            paid_minor=np.array(paid, np.int64),
            currency=currency,
            left_out=int(left_out),
        )

    def offers(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, time_zone: str, limit: int
    ) -> OfferColumns:
        """Return the offers issued between the instants, as they stood at the second one.

        It raises `InvalidReport` if there are more than ``limit``.
        """
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms, "most": limit + 1}
        found = self._connection.execute(_OFFERS, given).all()
        _check_count("offers", len(found), limit)
        shoppers, segments, issued, zones, coupons, opened, used, kept = _columns(found, 8)
        names = tuple(sorted({str(zone) for zone in zones if zone is not None}))
        is_redeemed = np.array([one is not None for one in used], np.bool_)
        redeemed_at = np.array(
            [at if one is None else one for one, at in zip(used, issued, strict=True)], np.int64
        )
        is_opened = np.array(
            [one is not None and int(str(one)) < until_ms for one in opened], np.bool_
        )
        return OfferColumns(
            shopper=_numbers(shoppers, repeat(True)),
            segment=_segments(segments),
            day=site_days(np.array(issued, np.int64), time_zone),
            zone=np.array([-1 if z is None else names.index(str(z)) for z in zones], np.int32),
            zone_names=tuple(map(ZoneId, names)),
            has_coupon=np.array([one is not None for one in coupons], np.bool_),
            is_seen=is_opened | is_redeemed,
            is_redeemed=is_redeemed,
            is_bought=is_redeemed & np.array(list(map(bool, kept)), np.bool_),
            redeemed_day=site_days(redeemed_at, time_zone),
        )

    def totals(self, window: KpiWindow, *, currency: str) -> Mapping[int, TillDay]:
        """Return what the tills took in all, by the days of the window since 1970-01-01."""
        given = {
            "site": window.site,
            "first": window.from_day.isoformat(),
            "end": window.until_day.isoformat(),
            "money": currency,
        }
        found = [_till_day(row) for row in self._connection.execute(_TOTALS, given)]
        return {day_number(one.day): one for one in found}

    def note_total(self, total: TillDay, *, at_ms: UnixMs) -> bool:
        """Write a day's total behind all earlier ones of it; False where another came between.

        Raises
        ------
        InvalidReport
            If the day has been corrected too often.
        """
        given = {"site": total.site, "first": total.day.isoformat(), "money": total.currency}
        number = int(self._connection.execute(_LAST_TOTAL, given).scalar_one() or 0) + 1
        if number > TOTALS_A_DAY_MAX:
            raise InvalidReport(
                f"the total of {total.day} has been corrected {TOTALS_A_DAY_MAX - 1} times; "
                "expected a till that knows what it took. Send it once, when the day is over."
            )
        row = {
            "site": total.site,
            "day": total.day.isoformat(),
            "currency": total.currency,
            "number": number,
            "receipts": total.receipts,
            "sales_minor": total.sales_minor,
            "at_ms": at_ms,
        }
        insert = insert_once(TILL_DAYS, self._connection.dialect.name)
        return self._connection.execute(insert, row).rowcount == 1


def _till_day(row: sa.Row[*tuple[object, ...]]) -> TillDay:
    return TillDay(
        site=SiteId(row.site),
        day=date.fromisoformat(row.day),
        currency=row.currency,
        receipts=row.receipts,
        sales_minor=row.sales_minor,
    )


def _check_count(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise InvalidReport(
            f"the window holds more than {limit} {what}; expected that many at most. Ask for a "
            "shorter one."
        )


def _columns(rows: Sequence[sa.Row[*tuple[object, ...]]], count: int) -> Sequence[Sequence[object]]:
    return tuple(zip(*rows, strict=True)) if rows else ((),) * count


def _numbers(shoppers: Iterable[object], counted: Iterable[bool]) -> Int32s:
    """Return (n,) a number for each key: from 0 up for who counts, from -2 down for others."""
    known: dict[object, int] = {None: ERASED}
    return np.array(
        [
            known.setdefault(one, len(known) - 1 if counts else -1 - len(known))
            for one, counts in zip(shoppers, counted, strict=False)
        ],
        np.int32,
    )


def _segments(names: Iterable[object]) -> Int8s:
    return np.array([_CODES.get(str(name), NO_SEGMENT) for name in names], np.int8)
