"""Write down which figures have changed, each change once.

Layer: flow. Takes: the changes that the weeks of a site show. Gives: alerts to merchandisers. A
change that is seen again, by the weeks that followed it, is no further one.
"""

from collections.abc import Iterable
from typing import Final

from offers.model.conditions.fact import DAY_MS
from offers.model.insight.drift import Change
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

KEPT_DAYS: Final = 1_096


def note_changes(
    site: SiteId, changes: Iterable[Change], *, work: UnitOfWork, now_ms: UnixMs
) -> int:
    """Write what is new and forget what is three years old; return how many were new."""
    noted = 0
    for change in changes:
        told = work.kpi_alerts.last_week(site, change.name, change.direction)
        # The week in which a change is found may move when older weeks fall out of sight.
        if told is None or told < change.since_week:
            noted += work.kpi_alerts.add(site, change, at_ms=now_ms)
    work.kpi_alerts.forget_before(UnixMs(now_ms - KEPT_DAYS * DAY_MS))
    return noted
