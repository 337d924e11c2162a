"""Read the seconds of a few minutes from the history, as a live map plays them back.

Layer: edges. Takes: a floor and a stretch of time. Gives: `PlayedColumns` to rtls.api (port
`PlaybackSource`). Unlike a report it may begin at any second; what of it may be asked for, and by
whom, is decided before.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from rtls.model.errors import InvalidReport
from rtls.model.units import SiteId, UnixMs
from rtls.ports import PlayedColumns
from rtls.storage.history.history_asking import DayPart, HistoryAsking, ReaderSettings
from rtls.storage.history.history_folder import Table
from rtls.storage.history.history_queries import COUNT, PLAYED_ROWS
from rtls.storage.history.site_days import Span, days_of

ROWS_MAX: Final = 3_000_000
"""a quarter of an hour of 3,300 shoppers on one floor"""


class PlaybackReader:
    """The history of one site in a folder (port `PlaybackSource`); from any thread.

    Parameters
    ----------
    folder
        As the writer has it.
    site, time_zone
        Whose days.
    report
        Told in one sentence of each file that cannot be read.
    settings
        What a question may take.
    """

    def __init__(
        self,
        folder: Path,
        *,
        site: SiteId,
        time_zone: str,
        report: Callable[[str], None],
        settings: ReaderSettings | None = None,
    ) -> None:
        self._site = site
        self._time_zone = time_zone
        self._asking = HistoryAsking(folder, report=report, settings=settings or ReaderSettings())

    def played(self, *, floor: int, start_ms: UnixMs, end_ms: UnixMs) -> PlayedColumns:
        """Return the rows of a floor, in no order.

        Raises
        ------
        InvalidReport
            If they are too many to be held.
        """
        span = Span(start_ms=start_ms, end_ms=end_ms)
        parts = [
            DayPart(site=self._site, day=day, table=Table.FIXES, spans=(span,))
            for day in days_of(span, self._time_zone)
        ]
        given = {"floor": floor, "cohort": None}
        rows = sum(int(found["n"].sum()) for found in self._asking.ask(COUNT, parts, given))
        if rows > ROWS_MAX:
            raise InvalidReport(
                f"the playback holds {rows:,} positions; expected at most {ROWS_MAX:,}. Ask for a "
                "shorter time."
            )
        found = self._asking.ask(PLAYED_ROWS, parts, given)
        columns = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        return PlayedColumns(
            at_ms=columns["at_ms"].astype(np.int64, copy=False),
            visitor=columns["visitor"].astype(np.uint64, copy=False),
            x_m=columns["x_m"].astype(np.float32, copy=False),
            y_m=columns["y_m"].astype(np.float32, copy=False),
        )
