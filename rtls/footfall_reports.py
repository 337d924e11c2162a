"""Make each report of footfall: ask the history, tell what may be told, put it together.

Layer: flow. Takes: the history by its port, the plan, the rules of release; the time as an
argument. Gives: reports to the API and the command line. Days that are missing or damaged are named
in the report; the others are in it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rtls.footfall.blocks import WindowBlocks, blocks_of, check_is_over, hours_of
from rtls.footfall.cell_ground import CellGround, cell_grounds
from rtls.footfall.group_sums import GroupSums, group_sums
from rtls.footfall.heatmap import Heatmap, HeatmapChange, heatmap_change, heatmaps_of
from rtls.footfall.release import ReleaseRules
from rtls.footfall.shelf_report import ShelfFigures, shelf_figures
from rtls.footfall.walk_paths import WalkWay, walk_ways
from rtls.footfall.what_if import MoveEstimate, move_estimate, place_of
from rtls.footfall.zone_paths import ZonePath, zone_path_list
from rtls.footfall.zone_report import ZoneFigures, zone_figures
from rtls.footfall_told import ToldHistory
from rtls.model.errors import InvalidReport
from rtls.model.footfall import DayGap, ReportWindow
from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import Metre, UnixMs, ZoneId
from rtls.ports import FootfallSource, ZoneOffersSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """How the reports of a site are made.

    Parameters
    ----------
    rules
        What may be told.
    cell_m
        The cells of the heatmap: one size for a site, since two would tell, one taken from the
        other, what is in neither.
    tells_cohorts
        Whether single cohorts may be asked for. It has its price: cohorts add up to everybody, so
        that what is told of everybody's days is then the sum of the told cohorts and no more.
    """

    rules: ReleaseRules
    cell_m: Metre = Metre(1.0)
    tells_cohorts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapReport:
    """The heatmap of each floor."""

    window: ReportWindow
    floors: tuple[Heatmap, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReport:
    """What changed between two windows, on each floor."""

    earlier: ReportWindow
    later: ReportWindow
    floors: tuple[HeatmapChange, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneReport:
    """Every zone over the window, and in each hour of its days where hours are told."""

    window: ReportWindow
    zones: tuple[ZoneFigures, ...]
    hours: tuple[ZoneFigures, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfReport:
    """The zone report with offers and purchases."""

    window: ReportWindow
    zones: tuple[ShelfFigures, ...]
    hours: tuple[ShelfFigures, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReport:
    """Runs of zones, the most walked first."""

    window: ReportWindow
    paths: tuple[ZonePath, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayReport:
    """The ways of the plan that people walk."""

    window: ReportWindow
    ways: tuple[WalkWay, ...]
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveReport:
    """What is expected of a moved category."""

    window: ReportWindow
    estimate: MoveEstimate
    gaps: tuple[DayGap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSums:
    """What is told of groups of one site's zones, added up."""

    window: ReportWindow
    groups: Mapping[str, GroupSums]
    gaps: tuple[DayGap, ...]


class FootfallReports:
    """All reports of one site.

    Parameters
    ----------
    source
        The position history.
    offers
        Where offers and purchases are counted; None where nobody knows them.
    """

    def __init__(
        self,
        source: FootfallSource,
        *,
        site_map: SiteMap,
        settings: ReportSettings,
        offers: ZoneOffersSource | None = None,
    ) -> None:
        self._source = source
        self._tells_cohorts = settings.tells_cohorts
        self._told = ToldHistory(
            source,
            offers,
            rules=settings.rules,
            cell_m=settings.cell_m,
            tells_cohorts=settings.tells_cohorts,
        )
        self.rules = settings.rules
        self.site_map = site_map
        self._cell_m = settings.cell_m

    @cached_property
    def grounds(self) -> tuple[CellGround, ...]:
        """The walkable ground of each floor, cut into cells; only some reports need it."""
        return cell_grounds(self.site_map, self._cell_m)

    def heatmap(self, window: ReportWindow, *, now_ms: UnixMs) -> HeatmapReport:
        """Return where people stood."""
        blocks = self._blocks(window, now_ms)
        grounds = [g for g in self.grounds if window.floor in {None, g.floor}]
        floors = heatmaps_of(self._told.cells(window, blocks), grounds, blocks)
        return HeatmapReport(window=window, floors=floors, gaps=self._source.gaps(window))

    def change(self, earlier: ReportWindow, later: ReportWindow, *, now_ms: UnixMs) -> ChangeReport:
        """Return where people stood longer or shorter than before; both are told by themselves."""
        before = self.heatmap(earlier, now_ms=now_ms)
        after = self.heatmap(later, now_ms=now_ms)
        floors = [
            heatmap_change(one, other)
            for one, other in zip(before.floors, after.floors, strict=True)
        ]
        return ChangeReport(
            earlier=earlier,
            later=later,
            floors=tuple(floors),
            gaps=(*before.gaps, *after.gaps),
        )

    def zones(self, window: ReportWindow, *, now_ms: UnixMs) -> ZoneReport:
        """Return who passed by, who stopped and for how long, by zone and hour."""
        blocks = self._blocks(window, now_ms)
        names = self._zones_on(window.floor)
        by_hour: list[ZoneFigures] = []
        if window.cohort is None:
            single = hours_of(blocks)
            hourly = list(self._told.stays(window, single))
            for hour in sorted({hour for _, hour in single.hours}):
                by_hour.extend(zone_figures(hourly, single, names, hour=hour))
        whole = self.whole_zones(window, now_ms=now_ms)
        return dataclasses.replace(whole, hours=tuple(by_hour))

    def whole_zones(self, window: ReportWindow, *, now_ms: UnixMs) -> ZoneReport:
        """Return the same without single hours, for who asks for the sums of weeks."""
        blocks = self._blocks(window, now_ms)
        names = self._zones_on(window.floor)
        zones = zone_figures(self._told.stays(window, blocks), blocks, names)
        return ZoneReport(window=window, zones=zones, hours=(), gaps=self._source.gaps(window))

    def sums(self, window: ReportWindow, groups: Mapping[str, str], *, now_ms: UnixMs) -> SiteSums:
        """Return the told sums of each group of zones, for reports over many sites."""
        blocks = self._blocks(window, now_ms, whole_days=True)
        sums = group_sums(
            self._told.stays(window, blocks), self._told.offers(window, blocks), blocks, groups
        )
        return SiteSums(window=window, groups=sums, gaps=self._source.gaps(window))

    def shelves(self, window: ReportWindow, *, now_ms: UnixMs) -> ShelfReport:
        """Return the zone report with what became of offers and purchases.

        Raises
        ------
        InvalidReport
            If the window asks for a cohort: of offers, cohorts are told by the KPIs.
        """
        if window.cohort is not None:
            raise InvalidReport(
                f"the shelf report asks for the cohort {window.cohort!r}; expected everybody. "
                "Leave out the cohort."
            )
        report = self.zones(window, now_ms=now_ms)
        blocks = blocks_of(window)
        single = hours_of(blocks)
        return ShelfReport(
            window=window,
            zones=shelf_figures(report.zones, self._told.offers(window, blocks), blocks),
            hours=shelf_figures(report.hours, self._told.offers(window, single), single),
            gaps=report.gaps,
        )

    def flows(
        self, window: ReportWindow, *, level: ZoneKind, stops_only: bool, now_ms: UnixMs
    ) -> PathReport:
        """Return how many went from each zone of a level to each other, or in and out."""
        return self._paths(window, level=level, length=2, stops_only=stops_only, now_ms=now_ms)

    def paths(
        self, window: ReportWindow, *, level: ZoneKind, length: int, now_ms: UnixMs
    ) -> PathReport:
        """Return the runs of zones of a level that are walked most."""
        return self._paths(window, level=level, length=length, stops_only=False, now_ms=now_ms)

    def ways(self, window: ReportWindow, *, now_ms: UnixMs) -> WayReport:
        """Return on which ways of the plan people walk.

        Raises
        ------
        InvalidReport
            If the window asks for a cohort, of which ways are not told.
        """
        if window.cohort is not None:
            raise InvalidReport(
                f"the ways ask for the cohort {window.cohort!r}; expected everybody. Leave out "
                "the cohort, or ask for its heatmap."
            )
        blocks = self._blocks(window, now_ms, whole_days=True)
        ways = walk_ways(self._told.walk_days(window), blocks, self.rules)
        shown = tuple(way for way in ways if window.floor in {None, way.floor})
        return WayReport(window=window, ways=shown, gaps=self._source.gaps(window))

    def move(
        self, window: ReportWindow, *, category_zone: ZoneId, to_zone: ZoneId, now_ms: UnixMs
    ) -> MoveReport:
        """Return what is expected if the category of one zone moves to another of its level.

        Raises
        ------
        InvalidReport
            If a zone is unknown or they are of two kinds, or too little is told of them.
        """
        kinds = {zone.zone: zone.kind for zone in self.site_map.zones}
        if category_zone not in kinds or kinds.get(to_zone) is not kinds[category_zone]:
            raise InvalidReport(
                f"the category of {category_zone!r} would move to {to_zone!r}; expected two zones "
                "of the site map of one kind, e.g. two shelves."
            )
        blocks = self._blocks(window, now_ms, whole_days=True)
        figures = zone_figures(self._told.stays(window, blocks), blocks, [category_zone, to_zone])
        report = self.paths(window, level=kinds[category_zone], length=3, now_ms=now_ms)
        here, there = (place_of(one, report.paths, blocks=blocks.count) for one in figures)
        estimate = move_estimate(
            category_zone=category_zone, to_zone=to_zone, here=here, there=there
        )
        return MoveReport(window=window, estimate=estimate, gaps=report.gaps)

    def _paths(
        self,
        window: ReportWindow,
        *,
        level: ZoneKind,
        length: int,
        stops_only: bool,
        now_ms: UnixMs,
    ) -> PathReport:
        blocks = self._blocks(window, now_ms, whole_days=True)
        shown = {None, *self._zones_on(window.floor, level)}
        told = self._told.paths(
            window, level=level, zones=self._zones_on(None, level), length=length,
            stops_only=stops_only,
        )  # fmt: skip
        paths = zone_path_list(told, blocks)
        return PathReport(
            window=window,
            paths=tuple(path for path in paths if shown.issuperset(path.zones)),
            gaps=self._source.gaps(window),
        )

    def _blocks(
        self, window: ReportWindow, now_ms: UnixMs, *, whole_days: bool = False
    ) -> WindowBlocks:
        self._check_site(window)
        check_is_over(window, now_ms)
        if window.cohort is not None and not self._tells_cohorts:
            raise InvalidReport(
                f"the window asks for the cohort {window.cohort!r}, and this site tells none; "
                "expected everybody. Set footfall.tells_cohorts, which withholds more of everybody."
            )
        blocks = blocks_of(window)
        if whole_days and blocks.hours:
            raise InvalidReport(
                "the window holds parts of days; expected whole days by the clocks of the site, "
                "for ways and paths are counted by the day."
            )
        return blocks

    def _check_site(self, window: ReportWindow) -> None:
        floors = {floor.floor for floor in self.site_map.floors}
        if window.site != self.site_map.site:
            raise InvalidReport(
                f"the window is of site {window.site!r}; expected {self.site_map.site!r}."
            )
        if window.floor is not None and window.floor not in floors:
            raise InvalidReport(f"floor is {window.floor}; expected one of {sorted(floors)}.")

    def _zones_on(self, floor: int | None, level: ZoneKind | None = None) -> list[ZoneId]:
        """Return the zones of a floor and level.

        Raises
        ------
        InvalidReport
            If the plan has none.
        """
        found = [
            zone.zone
            for zone in self.site_map.zones
            if floor in {None, zone.floor} and level in {None, zone.kind}
        ]
        if not found:
            what = "zone" if level is None else f"zone of kind {level.value}"
            raise InvalidReport(
                f"the plan of site {self.site_map.site} has no {what}; expected one at least. "
                "Draw zones into the site map, or choose another level."
            )
        return found
