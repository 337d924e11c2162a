"""Count in SQL what assigned shoppers did since they were assigned, and before.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.OutcomeBook`. One row
of the answer is one shopper: who did nothing counts as zero. Of a purchase counts what was kept,
line by line, so that what is brought back after the end counts, too.
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
    PURCHASES,
    REDEMPTIONS,
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
    source, at_ms, counted = _source(metric)
    since = sa.case((at_ms >= _S.at_ms, counted), else_=_ZERO)
    before = sa.case((at_ms < _S.at_ms, counted), else_=_ZERO)
    return (
        sa.select(
            _S.arm,
            _plain(sa.func.sum(since)).label("value"),
            _plain(sa.func.sum(before)).label("before"),
        )
        .select_from(source)
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
) -> tuple[sa.FromClause, sa.ColumnElement[int], sa.ColumnElement[float]]:
    """Return what is joined to the assigned shoppers, when it happened, and what it counts."""
    match metric:
        case Metric.DISMISSALS:
            offers = OFFERS.c
            is_dismissed = offers.state == OfferState.DISMISSED.value
            return _with(OFFERS, offers.ended_at_ms, is_dismissed), offers.ended_at_ms, _ONE
        case Metric.REDEMPTIONS:
            used = REDEMPTIONS.c
            is_reversed = (
                sa.select(REVERSALS.c.reversal_id)
                .where(REVERSALS.c.redemption_id == used.redemption_id)
                .exists()
            )
            return _with(REDEMPTIONS, used.at_ms, sa.not_(is_reversed)), used.at_ms, _ONE
        case Metric.PURCHASES:
            return _with(PURCHASES, _P.at_ms), _P.at_ms, _ONE
        case _:
            lines = _with(PURCHASES, _P.at_ms).outerjoin(
                PURCHASE_LINES, _L.purchase_id == _P.purchase_id
            )
            return lines, _P.at_ms, _of_line(metric)


def _with(table: sa.Table, at_ms: sa.ColumnElement[int], *more: sa.ColumnElement[bool]) -> sa.Join:
    is_theirs = sa.and_(
        table.c.shopper_id == _S.shopper_id,
        table.c.site == _S.site,
        at_ms >= _S.at_ms - sa.bindparam("before_ms", type_=sa.BigInteger),
        at_ms < sa.bindparam("until_ms", type_=sa.BigInteger),
        *more,
    )
    return _ASSIGNED.outerjoin(table, is_theirs)


def _of_line(metric: Metric) -> sa.ColumnElement[float]:
    """Return what a line counts: of its pieces those that were not brought back."""
    kept = sa.cast(_L.quantity - _L.returned, sa.Double) / sa.cast(_L.quantity, sa.Double)
    price = sa.cast(_L.quantity * _L.unit_price_minor, sa.Double)
    discount = sa.cast(_L.discount_minor, sa.Double)
    worth: sa.ColumnElement[float]
    match metric:
        case Metric.DISCOUNT:
            worth = discount
        case Metric.MARGIN:
            worth = price - discount - price * sa.bindparam("cost", type_=sa.Double)
        case _:
            worth = price - discount
    return sa.func.coalesce(kept * worth, _ZERO)
