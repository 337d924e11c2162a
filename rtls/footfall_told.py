"""Ask the history for whole days, and let through what may be told of them.

Layer: flow. Takes: the history by its port, the rules of release. Gives: told blocks to
rtls.footfall_reports. What is told of a block hangs on all blocks of its day, never on what was
asked for, so that all are read even where few are shown.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from rtls.footfall.blocks import (
    WindowBlocks,
    asked_blocks,
    days_of,
    hour_windows,
    whole_day_parts,
)
from rtls.footfall.heatmap import ToldCells, told_cells, told_cohort_cells
from rtls.footfall.release import ReleaseRules
from rtls.footfall.shelf_report import ToldOffers, told_offers
from rtls.footfall.walk_paths import WalkSteps, joined_steps, walk_steps_of
from rtls.footfall.zone_paths import (
    PathCounts,
    ToldPaths,
    path_counts,
    steps_of,
    told_paths,
)
from rtls.footfall.zone_report import ToldZones, told_cohort_zones, told_zones
from rtls.model.footfall import Block, ReportWindow
from rtls.model.site_map import ZoneKind
from rtls.model.units import Metre, ZoneId
from rtls.ports import FootfallSource, ZoneOffersSource


class ToldHistory:
    """The history of one site, as far as it may be told.

    Parameters
    ----------
    offers
        Where offers and purchases are counted; None where nobody knows them.
    tells_cohorts
        Whether cohorts are told; everybody's days are then the sums of their told blocks.
    """

    def __init__(
        self,
        source: FootfallSource,
        offers: ZoneOffersSource | None,
        *,
        rules: ReleaseRules,
        cell_m: Metre,
        tells_cohorts: bool,
    ) -> None:
        self._source = source
        self._offers = offers
        self._rules = rules
        self._cell_m = cell_m
        self._tells_cohorts = tells_cohorts

    def cells(self, window: ReportWindow, blocks: WindowBlocks) -> Iterator[ToldCells]:
        """Yield the told cells of the days of a window, of its cohort or of everybody."""
        for part in whole_day_parts(window):
            for block in asked_blocks(blocks):
                if block is Block.DAY and self._tells_cohorts:
                    times = {
                        name: self._source.cell_times(one, cell_m=self._cell_m, block=block)
                        for name, one in self._by_cohort(part).items()
                    }
                    yield told_cohort_cells(times, window.cohort, self._rules)
                else:
                    found = self._source.cell_times(part, cell_m=self._cell_m, block=block)
                    yield told_cells(found, self._rules)

    def stays(self, window: ReportWindow, blocks: WindowBlocks) -> Iterator[ToldZones]:
        """Yield the told zones of the days of a window, of its cohort or of everybody."""
        for part in whole_day_parts(window):
            for block in asked_blocks(blocks):
                if block is Block.DAY and self._tells_cohorts:
                    for name, one in self._by_cohort(part).items():
                        stays = self._source.zone_stays(one, block=block)
                        yield told_cohort_zones(stays, name, self._rules)
                else:
                    yield told_zones(self._source.zone_stays(part, block=block), self._rules)

    def paths(
        self,
        window: ReportWindow,
        *,
        level: ZoneKind,
        zones: Sequence[ZoneId],
        length: int,
        stops_only: bool,
    ) -> Iterator[ToldPaths]:
        """Yield the told runs of zones of the days of a window, over all floors."""
        kind = f"{'stops' if stops_only else 'ways'} of {level.value} of {length}"

        def counts(part: ReportWindow) -> PathCounts:
            visits = self._source.visits(part)
            steps = steps_of(visits, zones=zones, time_zone=part.time_zone, stops_only=stops_only)
            return path_counts(steps, length)

        for part in whole_day_parts(dataclasses.replace(window, floor=None)):
            if not self._tells_cohorts:
                yield told_paths(counts(part), self._rules, kind=kind)
                continue
            for name, one in self._by_cohort(part).items():
                yield told_paths(counts(one), self._rules, kind=kind, cohort=name)

    def walk_days(self, window: ReportWindow) -> Iterator[WalkSteps]:
        """Yield the ways of each day, read an hour at a time: a day of fixes may not fit."""
        for day in days_of(dataclasses.replace(window, floor=None)):
            hours = [
                walk_steps_of(self._source.fixes(hour), time_zone=window.time_zone)
                for hour in hour_windows(day)
            ]
            yield joined_steps(hours)

    def offers(self, window: ReportWindow, blocks: WindowBlocks) -> Iterator[ToldOffers]:
        """Yield what is told of offers and purchases; nothing where nobody counts them."""
        if self._offers is None:
            return
        for part in whole_day_parts(window):
            for block in asked_blocks(blocks):
                yield told_offers(self._offers.zone_offers(part, block=block), self._rules)

    def _by_cohort(self, part: ReportWindow) -> Mapping[str, ReportWindow]:
        """Return the window of each cohort that counts: the one asked for, or all."""
        everybody = dataclasses.replace(part, cohort=None)
        asked = [part.cohort] if part.cohort is not None else self._source.cohorts(everybody)
        names = asked or [""]
        return {name: dataclasses.replace(part, cohort=name) for name in names}
