"""Let go of days that are too old.

Layer: edges. Takes: the folder of the history, the time, how long to keep. Gives: nothing but
space; the history's thread calls it every few seconds.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtls.model.errors import NotDurable
from rtls.model.units import SiteId, UnixMs
from rtls.storage.history.history_folder import Table, days_there
from rtls.storage.history.site_days import day_span

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How many days a row is kept, counted from its own instant."""

    fixes_days: int = 30
    visits_days: int = 30

    def days_of(self, table: Table) -> int:
        """Return the days of one table."""
        return self.fixes_days if table is Table.FIXES else self.visits_days


def sweep(folder: Path, site: SiteId, *, time_zone: str, keep: Keep, now_ms: UnixMs) -> int:
    """Remove every file with a row that may be older than is kept; return how many.

    A day goes as a whole when its first instant is too old, so that no row is ever kept longer.

    Raises
    ------
    NotDurable
        If a file cannot be removed: what was promised to shoppers is not held then.
    """
    gone = 0
    for day, within in days_there(folder, site):
        try:
            gone += sum(
                _remove(within, table)
                for table in Table
                if is_too_old(day, time_zone=time_zone, days=keep.days_of(table), now_ms=now_ms)
            )
            if not any(within.iterdir()):
                within.rmdir()
        except OSError as error:
            raise NotDurable(
                f"{within} is older than history is kept and cannot be removed ({error}); "
                "expected a writable folder. Remove it."
            ) from error
    return gone


def is_too_old(day: dt.date, *, time_zone: str, days: int, now_ms: UnixMs) -> bool:
    """Return whether the first instant of a day is ``days`` of 24 hours ago, or more."""
    return now_ms >= day_span(day, time_zone).start_ms + days * DAY_MS


def remove_unfinished(folder: Path, site: SiteId) -> int:
    """Remove what a kill left half written, before anything is written; return how many files."""
    gone = 0
    for _, within in days_there(folder, site):
        for path in within.glob("*.writing"):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _remove(within: Path, table: Table) -> int:
    gone = 0
    for path in within.glob(f"{table}-*"):
        path.unlink(missing_ok=True)
        gone += 1
    return gone
