"""Keep the alerts of key figures in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.KpiAlerts`. There is an
insert here, a delete of what is old, and no update.
"""

from datetime import date
from typing import Final

import sqlalchemy as sa

from offers.model.insight.drift import Change, Direction, DriftAlert
from offers.model.insight.kpi import KpiName
from offers.storage.insert_once import insert_once
from offers.storage.tables import KPI_ALERTS
from rtls.model.units import SiteId, UnixMs

MILLION: Final = 1_000_000
_A = KPI_ALERTS.c
_IS_SITE = _A.site == sa.bindparam("at_site")
_LAST = sa.select(sa.func.max(_A.found_week)).where(
    _IS_SITE, _A.kpi == sa.bindparam("name"), _A.direction == sa.bindparam("whereto")
)
_AFTER = (
    sa.select(KPI_ALERTS)
    .where(_IS_SITE, _A.sequence > sa.bindparam("cursor"))
    .order_by(_A.sequence)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(KPI_ALERTS).where(_A.noted_at_ms < sa.bindparam("before_ms"))


class SqlKpiAlerts:
    """Figures that have changed."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def last_week(self, site: SiteId, name: KpiName, direction: Direction) -> date | None:
        """Return the week in which such a change was found last, or None."""
        given = {"at_site": site, "name": name.value, "whereto": direction.value}
        found = self._connection.execute(_LAST, given).scalar_one()
        return None if found is None else date.fromisoformat(found)

    def add(self, site: SiteId, change: Change, *, at_ms: UnixMs) -> bool:
        """Write an alert; False where the same one stands there."""
        row = {
            "site": site,
            "kpi": change.name.value,
            "direction": change.direction.value,
            "found_week": change.found_week.isoformat(),
            "since_week": change.since_week.isoformat(),
            "before_millionths": round(change.before * MILLION),
            "after_millionths": round(change.after * MILLION),
            "noted_at_ms": at_ms,
        }
        insert = insert_once(KPI_ALERTS, self._connection.dialect.name)
        return self._connection.execute(insert, row).rowcount == 1

    def after(self, site: SiteId, *, after: int, limit: int) -> tuple[DriftAlert, ...]:
        """Return the alerts behind a number, the oldest first."""
        given = {"at_site": site, "cursor": after, "most": limit}
        return tuple(map(_alert, self._connection.execute(_AFTER, given)))

    def forget_before(self, before_ms: UnixMs) -> int:
        """Delete what is older; return how many."""
        return self._connection.execute(_FORGET, {"before_ms": before_ms}).rowcount


def _alert(row: sa.Row[*tuple[object, ...]]) -> DriftAlert:
    return DriftAlert(
        number=row.sequence,
        site=SiteId(row.site),
        change=Change(
            name=KpiName(row.kpi),
            direction=Direction(row.direction),
            found_week=date.fromisoformat(row.found_week),
            since_week=date.fromisoformat(row.since_week),
            before=row.before_millionths / MILLION,
            after=row.after_millionths / MILLION,
        ),
        noted_at_ms=row.noted_at_ms,
    )
