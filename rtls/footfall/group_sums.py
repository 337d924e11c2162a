"""Add up what is told of many zones, of one site or of many.

Layer: rules. Takes: `ToldZones` and `ToldOffers`, which the rules of release have let through.
Gives: `GroupSums` to reports over many sites. A sum of told blocks tells nothing that these do not
tell one by one: so a chain's report is as safe as those of its stores, whatever sites, regions or
kinds of zones are put together, and whatever sums are taken from each other.

Nothing else crosses: no quantile and no distinct visitor of a whole group, which would be counted
of persons anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from rtls.footfall.blocks import WindowBlocks, is_in_blocks
from rtls.footfall.release import Told
from rtls.footfall.shelf_report import ToldOffers
from rtls.footfall.zone_report import ToldZones
from rtls.model.footfall import Bools, Int32s

COUNTS: Final = ("visitors", "passers", "stoppers", "offered", "seen", "redeemed", "bought")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """What is told of a group of zones over the days of a window; None where nothing is.

    Somebody who was in two zones of a group, or on two days, counts twice.

    Parameters
    ----------
    visitors, passers, stoppers, offered, seen, redeemed, bought
        Sums of the told counts of each zone and day.
    dwell_s
        Seconds of the stops of which the stoppers are told.
    visitors_of_both, stoppers_of_both
        Of the blocks in which both are told: what the stop rate is made of.
    blocks
        Zones × days of which the visitors are told.
    """

    visitors: int | None = None
    passers: int | None = None
    stoppers: int | None = None
    offered: int | None = None
    seen: int | None = None
    redeemed: int | None = None
    bought: int | None = None
    dwell_s: float = 0.0
    visitors_of_both: int = 0
    stoppers_of_both: int = 0
    blocks: int = 0

    @property
    def stop_rate(self) -> float | None:
        """Stoppers of visitors, at most 1 since each is rounded by itself."""
        if not self.visitors_of_both:
            return None
        return min(self.stoppers_of_both / self.visitors_of_both, 1.0)

    @property
    def dwell_s_mean(self) -> float | None:
        """Seconds a stopper."""
        return self.dwell_s / self.stoppers if self.stoppers else None

    @property
    def redemption_rate(self) -> float | None:
        """Redeemed of the offered."""
        return _ratio(self.redeemed, self.offered)

    @property
    def purchase_rate(self) -> float | None:
        """Bought of the stoppers."""
        return _ratio(self.bought, self.stoppers)


def joined(sums: Iterable[GroupSums]) -> GroupSums:
    """Return the sum of several.

    Examples
    --------
    >>> one = joined([GroupSums(visitors=10, blocks=1), GroupSums(), GroupSums(visitors=15)])
    >>> one.visitors, one.stoppers, one.blocks
    (25, None, 1)
    """
    whole: dict[str, int | float | None] = {}
    for one in sums:
        for field in fields(GroupSums):
            more = getattr(one, field.name)
            if more is not None:
                whole[field.name] = (whole.get(field.name) or 0) + more
    return GroupSums(**whole)  # type: ignore[arg-type]  # the fields of GroupSums, each its own kind


def group_sums(
    stays: Iterable[ToldZones],
    offers: Iterable[ToldOffers],
    blocks: WindowBlocks,
    groups: Mapping[str, str],
) -> dict[str, GroupSums]:
    """Return the sums of each group of one site's zones.

    Parameters
    ----------
    blocks
        What of the told blocks belongs to the window.
    groups
        The group of each zone; a zone without one is in none.
    """
    found: dict[str, list[GroupSums]] = {group: [] for group in groups.values()}
    for part in stays:
        belongs = is_in_blocks(blocks, part.stays.day, part.stays.hour)
        for group, rows in _rows(part.stays.zone, part.stays.zone_names, groups, belongs).items():
            found[group].append(_stays(part, rows))
    for told in offers:
        belongs = is_in_blocks(blocks, told.offers.day, told.offers.hour)
        zones, names = told.offers.zone, told.offers.zone_names
        for group, rows in _rows(zones, names, groups, belongs).items():
            found[group].append(_offers(told, rows))
    return {group: joined(sums) for group, sums in found.items()}


def _rows(
    zone: Int32s, names: tuple[str, ...], groups: Mapping[str, str], belongs: Bools
) -> dict[str, Bools]:
    group_of = np.array([groups.get(name, "") for name in names], np.str_)
    if not len(zone):
        return {}
    of_row = group_of[zone]
    return {
        str(group): belongs & (of_row == group) for group in np.unique(of_row[belongs]) if group
    }


def _stays(part: ToldZones, rows: Bools) -> GroupSums:
    both = rows & part.visitors.is_told & part.stoppers.is_told
    return GroupSums(
        visitors=_sum(part.visitors, rows),
        passers=_sum(part.passers, rows),
        stoppers=_sum(part.stoppers, rows),
        dwell_s=float(part.dwell_s[rows].sum()),
        visitors_of_both=int(part.visitors.counts[both].sum()),
        stoppers_of_both=int(part.stoppers.counts[both].sum()),
        blocks=int((rows & part.visitors.is_told).sum()),
    )


def _offers(told: ToldOffers, rows: Bools) -> GroupSums:
    return GroupSums(
        offered=_sum(told.offered, rows),
        seen=_sum(told.seen, rows),
        redeemed=_sum(told.redeemed, rows),
        bought=_sum(told.bought, rows),
    )


def _sum(told: Told, rows: Bools) -> int | None:
    which = rows & told.is_told
    return int(told.counts[which].sum()) if which.any() else None


def _ratio(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else min(part / whole, 1.0)
