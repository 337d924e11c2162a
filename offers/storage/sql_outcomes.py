"""Count in SQL what assigned shoppers did since they were assigned, and before.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.OutcomeBook`. One row
of the answer is one shopper: who did nothing counts as zero. Of a purchase counts what was kept, so
that what is brought back after the end counts, too.
"""

from functools import cache
from typing import Final

import numpy as np
import sqlalchemy as sa

from offers.model.experiments.metric import Metric
from offers.model.experiments.outcomes import Design, Outcomes
from offers.model.offering.offer import OfferState
from offers.storage.tables import (
    ASSIGNMENTS,
    OFFERS,
    PURCHASE_LINES,
    PURCHASE_RETURNS,
    PURCHASES,
    REDEMPTIONS,
    RETURN_LINES,
    REVERSALS,
)
from rtls.model.units import UnixMs

_P = PURCHASES.c
_L = PURCHASE_LINES.c
_A = ASSIGNMENTS.c
_ASSIGNED: Final = (
    sa.select(_A.site, _A.shopper_id, _A.arm, _A.at_ms)
    .where(
        _A.site == sa.bindparam("of_site"),
        _A.experiment_id == sa.bindparam("experiment"),
        _A.salt == sa.bindparam("of_salt"),
    )
    .order_by(_A.at_ms, _A.shopper_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .subquery("assigned")
)
_S: Final = _ASSIGNED.c
_G: Final = RETURN_LINES.c
_R: Final = PURCHASE_RETURNS.c
# One look into an index for each purchase: most have no return, and no lines are read then.
_PAID_BACK: Final = (
    sa.select(sa.func.sum(_G.refund_minor + _G.tender_minor))
    .join_from(PURCHASE_RETURNS, RETURN_LINES, _G.return_id == _R.return_id)
    .where(_R.purchase_id == _P.purchase_id)
    .correlate(PURCHASES)
    .scalar_subquery()
)
_PRICE_BACK: Final = (
    sa.select(sa.func.sum(_G.quantity * _L.unit_price_minor))
    .join_from(PURCHASE_RETURNS, RETURN_LINES, _G.return_id == _R.return_id)
    .join(PURCHASE_LINES, sa.and_(_L.purchase_id == _R.purchase_id, _L.line == _G.line))
    .where(_R.purchase_id == _P.purchase_id)
    .correlate(PURCHASES)
    .scalar_subquery()
)


class SqlOutcomes:
    """What came of assignments."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of_design(
        self,
        design: Design,
        metric: Metric,
        *,
        margin_per_mille: int,
        before_ms: int,
        until_ms: UnixMs,
        limit: int,
    ) -> Outcomes:
        """Return one row for each assigned shopper, the earliest assigned first to be counted."""
        given = {
            "of_site": design.site,
            "experiment": design.experiment,
            "of_salt": design.salt,
            "before_ms": before_ms,
            "until_ms": until_ms,
            "most": limit + 1,
        }
        if metric is Metric.MARGIN:
            given["cost"] = (1_000 - margin_per_mille) / 1_000
        rows = self._connection.execute(_query(metric), given).all()
        kept = rows[:limit]
        return Outcomes(
            arm=np.array([row.arm for row in kept], np.int64),
            value=np.array([row.value for row in kept], np.float64),
            before=np.array([row.before for row in kept], np.float64),
            is_cut=len(rows) > limit,
        )


@cache
def _query(metric: Metric) -> sa.Select[tuple[int, None, None]]:
    table, at_ms, is_meant, counted = _source(metric)
    # Only shopper and time are joined by: with site or state there, too, SQLite takes their index
    # and reads the whole site for each shopper.
    is_near = sa.and_(
        table.c.shopper_id == _S.shopper_id,
        at_ms >= _S.at_ms - sa.bindparam("before_ms", type_=sa.BigInteger),
        at_ms < sa.bindparam("until_ms", type_=sa.BigInteger),
    )
    is_theirs = sa.and_(table.c.site == _S.site, is_meant)
    since = sa.case((sa.and_(is_theirs, at_ms >= _S.at_ms), counted), else_=_ZERO)
    before = sa.case((sa.and_(is_theirs, at_ms < _S.at_ms), counted), else_=_ZERO)
    return (
        sa.select(
            _S.arm,
            _plain(sa.func.sum(since)).label("value"),
            _plain(sa.func.sum(before)).label("before"),
        )
        .select_from(_ASSIGNED.outerjoin(table, is_near))
        .group_by(_S.shopper_id, _S.arm, _S.at_ms)
        .order_by(_S.at_ms, _S.shopper_id)
    )


_ZERO: Final = sa.cast(sa.literal_column("0"), sa.Double)
_ONE: Final = sa.cast(sa.literal_column("1"), sa.Double)


def _plain(total: sa.ColumnElement[float]) -> sa.ColumnElement[None]:
    # Without a type of ours: the drivers give a float as it is, and SQLAlchemy need not convert it.
    return sa.type_coerce(sa.func.coalesce(total, _ZERO), sa.types.NullType())


def _source(
    metric: Metric,
) -> tuple[sa.Table, sa.ColumnElement[int], sa.ColumnElement[bool], sa.ColumnElement[float]]:
    """Return what is counted: where it stands, when it happened, which rows, and how much each."""
    match metric:
        case Metric.DISMISSALS:
            offers = OFFERS.c
            is_dismissed = offers.state == OfferState.DISMISSED.value
            return OFFERS, offers.ended_at_ms, is_dismissed, _ONE
        case Metric.OFFERS | Metric.OPENED:
            offers = OFFERS.c
            is_opened = offers.opened_at_ms.is_not(None)
            is_meant = is_opened if metric is Metric.OPENED else sa.true()
            return OFFERS, offers.issued_at_ms, is_meant, _ONE
        case Metric.REDEMPTIONS:
            used = REDEMPTIONS.c
            is_reversed = (
                sa.select(REVERSALS.c.reversal_id)
                .where(REVERSALS.c.redemption_id == used.redemption_id)
                .exists()
            )
            return REDEMPTIONS, used.at_ms, sa.not_(is_reversed), _ONE
        case Metric.PURCHASES:
            return PURCHASES, _P.at_ms, sa.true(), _ONE
        case _:
            return PURCHASES, _P.at_ms, sa.true(), _of_purchase(metric)


def _of_purchase(metric: Metric) -> sa.ColumnElement[float]:
    """Return what a purchase counts, less what was brought back of it."""
    price = _P.total_minor - sa.func.coalesce(_PRICE_BACK, 0)
    paid = _P.total_minor - _P.discount_minor - sa.func.coalesce(_PAID_BACK, 0)
    worth: sa.ColumnElement[float]
    match metric:
        case Metric.DISCOUNT:
            worth = sa.cast(price - paid, sa.Double)
        case Metric.MARGIN:
            cost = sa.cast(price, sa.Double) * sa.bindparam("cost", type_=sa.Double)
            worth = sa.cast(paid, sa.Double) - cost
        case _:
            worth = sa.cast(paid, sa.Double)
    return sa.func.coalesce(worth, _ZERO)
