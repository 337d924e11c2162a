"""Make reports over many sites: visits, dwell, conversions by site, region, kind of zone.

Layer: doors. Takes: the settled archive, the library of sites, offers' database, days.
Gives: `ChainReport` to the command. Each site is asked by itself, under the rules of release; what
these let through is added up, and nothing else is known here.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from inaisle.chain.site_library import SiteLibrary
from inaisle.errors import InvalidSettings
from inaisle.reports.chain_regions import NO_REGION
from rtls.footfall.blocks import SETTLED_MS
from rtls.footfall.group_sums import GroupSums, joined
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.footfall import DayGap, ReportWindow
from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import SiteId, UnixMs
from rtls.ports import FootfallSource, ZoneOffersSource
from rtls.storage.history.site_days import day_span

WEEK_DAYS: Final = 7
WEEKS_MAX: Final = 52


class GroupBy(StrEnum):
    """What a row of the report stands for."""

    SITE = "site"
    REGION = "region"
    KIND = "kind"
    """a kind of zone, over all sites"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAsked:
    """What is asked of a chain.

    Parameters
    ----------
    from_day, until_day
        Days by the clocks of each site; `until_day` is no longer part.
    level
        The zones that count, of rows by site and region: one kind, since zones lie within zones.
    by_week
        A row for each week; the days are whole weeks then.
    """

    from_day: dt.date
    until_day: dt.date
    by: GroupBy = GroupBy.SITE
    level: ZoneKind = ZoneKind.SHELF
    by_week: bool = False

    def __post_init__(self) -> None:
        days = (self.until_day - self.from_day).days
        if not 1 <= days <= WEEK_DAYS * WEEKS_MAX or (self.by_week and days % WEEK_DAYS):
            raise InvalidSettings(
                f"--from is {self.from_day} and --until {self.until_day}, {days} days apart; "
                f"expected 1 to {WEEK_DAYS * WEEKS_MAX}, and whole weeks with --by-week."
            )

    def spans(self) -> Iterator[tuple[dt.date, dt.date]]:
        """Yield the days of each row's time."""
        step = WEEK_DAYS if self.by_week else (self.until_day - self.from_day).days
        day = self.from_day
        while day < self.until_day:
            yield day, day + dt.timedelta(days=step)
            day += dt.timedelta(days=step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRow:
    """One group over one time.

    Parameters
    ----------
    sites
        Of which something is told.
    change
        Of visitors, against the week before; None where one of both is not told.
    """

    group: str
    from_day: dt.date
    until_day: dt.date
    sites: int
    sums: GroupSums
    change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """Rows by group, then by time; and the days of sites that are not in them."""

    asked: ChainAsked
    sites: int
    rows: tuple[ChainRow, ...]
    gaps: Mapping[SiteId, tuple[DayGap, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSources:
    """What the reports of a chain are made of.

    Parameters
    ----------
    rules_of
        What may be told of a site.
    offers_of
        Where its offers and purchases are counted; None where nobody knows them.
    let_go
        Called when a site is done.
    settle_ms
        How long after its end a day is told.
    """

    library: SiteLibrary
    source: FootfallSource
    regions: Mapping[SiteId, str]
    rules_of: Callable[[SiteId], ReleaseRules]
    offers_of: Callable[[SiteMap], ZoneOffersSource | None]
    let_go: Callable[[SiteId], None]
    settle_ms: int


def chain_report(asked: ChainAsked, sources: ChainSources, *, now_ms: UnixMs) -> ChainReport:
    """Return the report; `InvalidReport` where a day of it is not told yet.

    Raises
    ------
    InvalidSettings
        If the library holds no site.
    """
    names = sources.library.sites()
    if not names:
        raise InvalidSettings(
            "the library of sites is empty; expected a sub-folder with a map for each site. Give "
            "it with --sites."
        )
    told: dict[tuple[str, dt.date], list[GroupSums]] = {}
    gaps: dict[SiteId, tuple[DayGap, ...]] = {}
    for name in names:
        found = sources.library.find(name)
        if found is None:  # taken out of the library just now
            continue
        missing: list[DayGap] = []
        for day, sums, more in _site_sums(asked, sources, found.site_map, now_ms):
            missing += more
            for group, one in sums.items():
                told.setdefault((group, day), []).append(one)
        if missing:
            gaps[name] = tuple(missing)
        sources.let_go(name)
    return ChainReport(asked=asked, sites=len(names), rows=_rows(asked, told), gaps=gaps)


def _site_sums(
    asked: ChainAsked, sources: ChainSources, site_map: SiteMap, now_ms: UnixMs
) -> Iterator[tuple[dt.date, Mapping[str, GroupSums], Sequence[DayGap]]]:
    groups = _groups(asked, site_map, sources.regions.get(site_map.site, NO_REGION))
    if not groups:
        return
    reports = FootfallReports(
        sources.source,
        site_map=site_map,
        settings=ReportSettings(rules=sources.rules_of(site_map.site)),
        offers=sources.offers_of(site_map),
    )
    # A day is told an hour after its end by the rules; an archive waits longer for what comes late.
    settled_ms = UnixMs(now_ms - max(0, sources.settle_ms - SETTLED_MS))
    for from_day, until_day in asked.spans():
        window = ReportWindow(
            site=site_map.site,
            time_zone=site_map.time_zone,
            start_ms=day_span(from_day, site_map.time_zone).start_ms,
            end_ms=day_span(until_day, site_map.time_zone).start_ms,
        )
        found = reports.sums(window, groups, now_ms=settled_ms)
        yield from_day, found.groups, found.gaps


def _groups(asked: ChainAsked, site_map: SiteMap, region: str) -> dict[str, str]:
    match asked.by:
        case GroupBy.KIND:
            return {zone.zone: zone.kind.value for zone in site_map.zones}
        case GroupBy.SITE:
            group: str = site_map.site
        case GroupBy.REGION:
            group = region
        case _:
            assert_never(asked.by)
    return {zone.zone: group for zone in site_map.zones if zone.kind is asked.level}


def _rows(
    asked: ChainAsked, told: Mapping[tuple[str, dt.date], Sequence[GroupSums]]
) -> tuple[ChainRow, ...]:
    rows: list[ChainRow] = []
    for group in sorted({group for group, _ in told}):
        before: int | None = None
        for from_day, until_day in asked.spans():
            parts = told.get((group, from_day), ())
            row = ChainRow(
                group=group,
                from_day=from_day,
                until_day=until_day,
                sites=sum(one.visitors is not None for one in parts),
                sums=joined(parts),
            )
            now = row.sums.visitors
            change = None if not before or now is None else now / before - 1.0
            rows.append(dataclasses.replace(row, change=change))
            before = now
    return tuple(rows)
