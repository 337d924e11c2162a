"""Take down what the tills of a site took on a day.

Layer: flow. Takes: a `TillDay` of staff. Gives: a further row; the newest of a day counts, and no
row is changed.
"""

from offers.handlers.insight.read_kpis import today_of
from offers.model.errors import Busy
from offers.model.insight.till_day import TillDay
from offers.ports import UnitOfWork
from rtls.model.errors import InvalidReport
from rtls.model.units import UnixMs


def note_till_day(total: TillDay, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """Write the total.

    Raises
    ------
    InvalidReport
        If the day has not begun.
    Busy
        If another total of the day has just been written.
    """
    today = today_of(now_ms, work.sites.budgets(total.site).time_zone)
    if total.day > today:
        raise InvalidReport(
            f"day is {total.day}; expected {today} or earlier, by the clocks of the site. Send a "
            "total when its day is over."
        )
    if not work.key_figures.note_total(total, at_ms=now_ms):
        raise Busy(f"another total of {total.day} has just been written. Try again.")
