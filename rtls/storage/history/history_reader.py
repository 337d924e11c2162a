"""Answer what reports ask of the history, by DuckDB, within bounds.

Layer: edges. Takes: `ReportWindow`s. Gives: columns and counts (port `FootfallSource`) to
rtls.footfall, which alone decides what of them may be shown.

Each hour is a question of its own: what must be remembered (who was in which cell) is that of an
hour then, and fits the cache of the processor. That is faster than one question about a day, and
takes a third of the memory.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from rtls.model.errors import InvalidReport
from rtls.model.footfall import (
    DWELL_EDGES_S,
    WHOLE_DAY,
    Block,
    CellTimes,
    DayGap,
    FixColumns,
    ReportWindow,
    VisitColumns,
    ZoneStays,
    check_cell,
)
from rtls.model.units import Metre
from rtls.storage.history import history_queries as queries
from rtls.storage.history.history_asking import Columns, DayPart, HistoryAsking, ReaderSettings
from rtls.storage.history.history_folder import Table
from rtls.storage.history.site_days import Span, day_number, days_of, hour_spans

ROWS_MAX: Final = 5_000_000


class HistoryReader:
    """The history of all sites in a folder (port `FootfallSource`); from any thread.

    Parameters
    ----------
    folder
        As the writer has it.
    report
        Told in one sentence of each file that cannot be read.
    settings
        What a question may take.
    """

    def __init__(
        self,
        folder: Path,
        *,
        report: Callable[[str], None],
        settings: ReaderSettings | None = None,
    ) -> None:
        self._asking = HistoryAsking(folder, report=report, settings=settings or ReaderSettings())

    def close(self) -> None:
        """Let go of what is kept between two questions."""
        self._asking.close()

    def fixes(self, window: ReportWindow) -> FixColumns:
        """Return the fixes of the window; `InvalidReport` where they are too many to be held."""
        names = self._names(window, Table.FIXES, queries.COHORTS)
        found = self._rows(window, Table.FIXES, queries.FIX_ROWS, {"cohorts": names})
        return FixColumns(
            at_ms=found["at_ms"].astype(np.int64, copy=False),
            visitor=found["visitor"].astype(np.uint64, copy=False),
            floor=found["floor"].astype(np.int16, copy=False),
            x_m=found["x_m"].astype(np.float32, copy=False),
            y_m=found["y_m"].astype(np.float32, copy=False),
            sigma_m=found["sigma_m"].astype(np.float32, copy=False),
            weight_s=found["weight_s"].astype(np.float32, copy=False),
            cohort=found["cohort"].astype(np.int32, copy=False),
            cohort_names=tuple(names),
        )

    def visits(self, window: ReportWindow) -> VisitColumns:
        """Return the stays that began within the window; likewise."""
        cohorts = self._names(window, Table.VISITS, queries.COHORTS)
        zones = self._names(window, Table.VISITS, queries.ZONES)
        asked = {"cohorts": cohorts, "zones": zones}
        found = self._rows(window, Table.VISITS, queries.VISIT_ROWS, asked)
        return VisitColumns(
            visitor=found["visitor"].astype(np.uint64, copy=False),
            zone=found["zone"].astype(np.int32, copy=False),
            zone_names=tuple(zones),
            floor=found["floor"].astype(np.int16, copy=False),
            entered_at_ms=found["entered_at_ms"].astype(np.int64, copy=False),
            left_at_ms=found["left_at_ms"].astype(np.int64, copy=False),
            dwell_s=found["dwell_s"].astype(np.float32, copy=False),
            is_pass=found["is_pass"].astype(np.bool_, copy=False),
            cohort=found["cohort"].astype(np.int32, copy=False),
            cohort_names=tuple(cohorts),
        )

    def cell_times(self, window: ReportWindow, *, cell_m: Metre, block: Block) -> CellTimes:
        """Return the time in each cell and block, sorted by block, floor, row and column."""
        check_cell(cell_m)
        found = self._by_block(window, Table.FIXES, block, queries.CELL_TIMES, {"cell_m": cell_m})
        return CellTimes(
            cell_m=cell_m,
            block=block,
            day=found["day"].astype(np.int32),
            hour=found["hour"].astype(np.int8),
            floor=found["floor"].astype(np.int16),
            column=found["column"].astype(np.int32),
            row=found["row"].astype(np.int32),
            visitors=found["visitors"].astype(np.int64),
            person_s=found["person_s"].astype(np.float64),
        )

    def zone_stays(self, window: ReportWindow, *, block: Block) -> ZoneStays:
        """Return the stays in each zone and block, sorted by block and zone."""
        zones = self._names(window, Table.VISITS, queries.ZONES)
        found = self._by_block(window, Table.VISITS, block, queries.ZONE_STAYS, {"zones": zones})
        bins = [found[f"bin_{index}"] for index in range(len(DWELL_EDGES_S) + 1)]
        return ZoneStays(
            block=block,
            day=found["day"].astype(np.int32),
            hour=found["hour"].astype(np.int8),
            zone=found["zone"].astype(np.int32),
            zone_names=tuple(zones),
            visitors=found["visitors"].astype(np.int64),
            passers=found["passers"].astype(np.int64),
            stoppers=found["stoppers"].astype(np.int64),
            stops=found["stops"].astype(np.int64),
            dwell_s=found["dwell_s"].astype(np.float64),
            stops_in_bin=np.stack(bins, axis=1).astype(np.int64),
        )

    def cohorts(self, window: ReportWindow) -> tuple[str, ...]:
        """Return the segments that fixes or visits of the window name, "" included, sorted."""
        of_tables = (self._names(window, table, queries.COHORTS) for table in Table)
        return tuple(sorted({"", *(name for names in of_tables for name in names)}))

    def gaps(self, window: ReportWindow) -> tuple[DayGap, ...]:
        """Return the days of the window that are missing, wholly or in part, in their order."""
        days = dict.fromkeys(day for day, _, _ in _stretches(window, Block.DAY))
        return tuple(gap for day in days for gap in self._asking.gaps(window.site, day))

    def _rows(
        self, window: ReportWindow, table: Table, query: str, asked: Mapping[str, object]
    ) -> Columns:
        rows = 0
        for _, _, counted in self._answers(window, table, Block.DAY, queries.COUNT, {}):
            rows += int(counted["n"].sum())
            if rows > ROWS_MAX:
                raise InvalidReport(
                    f"the window holds more than {ROWS_MAX:,} {table}; expected fewer where they "
                    "are wanted one by one. Ask for a shorter window, or one floor or cohort."
                )
        answers = self._answers(window, table, Block.DAY, query, asked)
        return _joined([found for _, _, found in answers])

    def _by_block(
        self,
        window: ReportWindow,
        table: Table,
        block: Block,
        query: str,
        asked: Mapping[str, object],
    ) -> Columns:
        found = []
        for day, hour, answer in self._answers(window, table, block, query, asked):
            rows = len(answer["visitors"])
            times = {"day": np.full(rows, day_number(day)), "hour": np.full(rows, hour)}
            found.append(answer | times)
        return _joined(found)

    def _names(self, window: ReportWindow, table: Table, query: str) -> list[str]:
        answers = self._answers(window, table, Block.DAY, query, {})
        return sorted({str(name) for _, _, found in answers for name in found["name"].tolist()})

    def _answers(
        self,
        window: ReportWindow,
        table: Table,
        block: Block,
        query: str,
        asked: Mapping[str, object],
    ) -> list[tuple[dt.date, int, Columns]]:
        """Return day, hour and answer of each block of the window, in their order."""
        stretches = list(_stretches(window, block))
        parts = [
            DayPart(site=window.site, day=day, table=table, spans=spans)
            for day, _, spans in stretches
        ]
        given = {"floor": window.floor, "cohort": window.cohort, **asked}
        answers = self._asking.ask(query, parts, given)
        return [
            (day, hour, found) for (day, hour, _), found in zip(stretches, answers, strict=True)
        ]


def _stretches(
    window: ReportWindow, block: Block
) -> Iterator[tuple[dt.date, int, tuple[Span, ...]]]:
    """Yield each block of a window with its time. A window with nothing chosen has one, of no time.

    So that every answer has columns.
    """
    whole = Span(start_ms=window.start_ms, end_ms=window.end_ms)
    is_any = False
    for day in days_of(whole, window.time_zone):
        if window.weekdays is not None and day.weekday() not in window.weekdays:
            continue
        hours = [
            (hour, part)
            for hour, span in hour_spans(day, window.time_zone)
            if window.hours is None or hour in window.hours
            if (part := span.within(whole)) is not None
        ]
        is_any = is_any or bool(hours)
        if block is Block.HOUR:
            yield from ((day, hour, (part,)) for hour, part in hours)
        elif hours:
            yield day, WHOLE_DAY, tuple(part for _, part in hours)
    if not is_any:
        day = next(days_of(whole, window.time_zone))
        nothing = Span(start_ms=whole.start_ms, end_ms=whole.start_ms)
        yield day, WHOLE_DAY if block is Block.DAY else 0, (nothing,)


def _joined(found: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}
