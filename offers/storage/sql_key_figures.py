"""Read receipts and offers as columns in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.KeyFigures`. The time
that counts is the end of the window: what was brought back, taken back or redeemed later does not,
so that a window tells the same whenever it is asked. One thing is as of now: who has withdrawn
`analytics` since is followed through no window any more.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import date
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
from offers.model.insight.kpi_window import day_number, site_days
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
_WHO_COUNTS = sa.select(COUNTED.c.shopper_id)
# Looked up row by row in Python: joined, SQLite would walk all members of the site for each row.
_MEMBERS = sa.select(_M.shopper_id, _M.segment).where(
    _M.site == _SITE,
    _M.entered_at_ms < _UNTIL,
    sa.or_(_M.left_at_ms.is_(None), _M.left_at_ms >= _UNTIL),
)
_BACK = (
    sa.select(_B.purchase_id, sa.func.sum(_L.refund_minor + _L.tender_minor).label("back_minor"))
    .join_from(PURCHASE_RETURNS, RETURN_LINES, _L.return_id == _B.return_id)
    .where(_B.site == _SITE, _B.at_ms < _UNTIL)
    .group_by(_B.purchase_id)
    .subquery("back")
)


_IN_SPAN = sa.and_(_P.site == _SITE, _P.at_ms >= _FROM, _P.at_ms < _UNTIL)
_CURRENCIES = (
    sa.select(_P.currency).where(_IN_SPAN).group_by(_P.currency)
    .order_by(sa.func.count().desc(), _P.currency).limit(1)
)  # fmt: skip
_PAID = _P.total_minor - _P.discount_minor - sa.func.coalesce(_BACK.c.back_minor, 0)


_RECEIPTS = (
    sa.select(_P.shopper_id, _P.at_ms, _PAID.label("paid_minor"))
    .join_from(PURCHASES, _BACK, _BACK.c.purchase_id == _P.purchase_id, isouter=True)
    .where(_IN_SPAN, _P.currency == sa.bindparam("money"), _PAID > 0)
    .limit(_MOST)
)
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
        _O.issued_at_ms,
        _O.zone,
        _C.coupon_id,
        _O.opened_at_ms,
        _R.at_ms,
        _IS_KEPT.label("is_kept"),
    )
    .select_from(OFFERS)
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
        limit: int,
    ) -> PurchaseColumns:
        """Return the receipts between the instants as they stood at the second one.

        It raises `InvalidReport` if there are more than ``limit``.
        """
        given = {"site": site, "from_ms": from_ms, "until_ms": until_ms, "money": currency}
        found = self._connection.execute(_RECEIPTS, given | {"most": limit + 1}).all()
        _check_count("receipts", len(found), limit)
        left_out = self._connection.execute(_OTHER_MONEY, given).scalar_one()
        counted, segments = self._counted(), self._segments(site, until_ms)
        shoppers = [row[0] for row in found]
        return PurchaseColumns(
            shopper=_numbers(shoppers, counted),
            segment=_codes(shoppers, segments),
            day=site_days(np.array([row[1] for row in found], np.int64), time_zone),
            paid_minor=np.array([row[2] for row in found], np.int64),
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
        every = self._connection.execute(_OFFERS, given).all()
        _check_count("offers", len(every), limit)
        counted, segments = self._counted(), self._segments(site, until_ms)
        found = [row for row in every if row.shopper_id in counted]
        shoppers = [row.shopper_id for row in found]
        names = sorted({row.zone for row in found if row.zone is not None})
        places = {name: place for place, name in enumerate(names)} | {None: -1}
        redeemed_at = [row.issued_at_ms if row.at_ms is None else row.at_ms for row in found]
        is_redeemed = np.array([row.at_ms is not None for row in found], np.bool_)
        is_opened = np.array([_is_before(row.opened_at_ms, until_ms) for row in found], np.bool_)
        return OfferColumns(
            shopper=_numbers(shoppers, counted),
            segment=_codes(shoppers, segments),
            day=site_days(np.array([row.issued_at_ms for row in found], np.int64), time_zone),
            zone=np.array([places[row.zone] for row in found], np.int32),
            zone_names=tuple(map(ZoneId, names)),
            has_coupon=np.array([row.coupon_id is not None for row in found], np.bool_),
            is_seen=is_opened | is_redeemed,
            is_redeemed=is_redeemed,
            is_bought=is_redeemed & np.array([bool(row.is_kept) for row in found], np.bool_),
            redeemed_day=site_days(np.array(redeemed_at, np.int64), time_zone),
        )

    def _counted(self) -> frozenset[str]:
        """Return who has granted to be counted."""
        return frozenset(row.shopper_id for row in self._connection.execute(_WHO_COUNTS))

    def _segments(self, site: SiteId, until_ms: UnixMs) -> Mapping[str | None, int]:
        """Return the code of the segment that each member was in just before an instant."""
        found = self._connection.execute(_MEMBERS, {"site": site, "until_ms": until_ms})
        return {row.shopper_id: _CODES[row.segment] for row in found}

    def totals(
        self, site: SiteId, *, from_day: date, until_day: date, currency: str
    ) -> Mapping[int, TillDay]:
        """Return what the tills took in all, by days since 1970-01-01."""
        given = {
            "site": site,
            "first": from_day.isoformat(),
            "end": until_day.isoformat(),
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


def _is_before(at_ms: int | None, until_ms: int) -> bool:
    return at_ms is not None and at_ms < until_ms


def _numbers(shoppers: Sequence[str | None], counted: Container[str | None]) -> Int32s:
    """Return (n,) a number for each key: from 0 up for who counts, from -2 down for others."""
    known: dict[str | None, int] = {None: ERASED}
    for one in shoppers:
        if one not in known:
            known[one] = len(known) - 1 if one in counted else -1 - len(known)
    return np.array([known[one] for one in shoppers], np.int32)


def _codes(shoppers: Sequence[str | None], segments: Mapping[str | None, int]) -> Int8s:
    return np.array([segments.get(one, NO_SEGMENT) for one in shoppers], np.int8)
