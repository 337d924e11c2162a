"""Put beside what people did at a shelf what became of offers and purchases there.

Layer: rules. Takes: told `ZoneFigures`, and `ZoneOffers` of the same window. Gives: `ShelfFigures`
to the API, each count told or withheld by itself.

    offers a stop          = offered / stoppers
    redemption rate        = redeemed / offered
    purchase rate          = bought / stoppers
    dwell without purchase = 1 - bought / stoppers

`stoppers` counts every located visitor who agreed to analytics; `bought` only those of them who
showed their card at the till, so that the last figure is an upper bound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rtls.footfall.blocks import WindowBlocks, is_in_blocks
from rtls.footfall.release import ReleaseRules, Told, block_words, name_word, told_counts
from rtls.footfall.runs import run_numbers
from rtls.footfall.zone_report import ZoneFigures
from rtls.model.footfall import Block, Int64s
from rtls.model.zone_offers import ZoneOffers


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOffers:
    """What of `ZoneOffers` may be shown; the rows are those of `offers`."""

    offers: ZoneOffers
    offered: Told
    seen: Told
    redeemed: Told
    bought: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfFigures:
    """One zone over a window, or one hour of its days. What is withheld is None."""

    zone: ZoneFigures
    offered: int | None
    seen: int | None
    redeemed: int | None
    bought: int | None

    @property
    def offers_a_stop(self) -> float | None:
        """Offered to the stoppers."""
        return _ratio(self.offered, self.zone.stoppers)

    @property
    def redemption_rate(self) -> float | None:
        """Redeemed of the offered."""
        return _ratio(self.redeemed, self.offered)

    @property
    def purchase_rate(self) -> float | None:
        """Bought of the stoppers."""
        return _ratio(self.bought, self.zone.stoppers)

    @property
    def dwell_without_purchase(self) -> float | None:
        """The share of the stoppers who are not known to have bought."""
        rate = self.purchase_rate
        return None if rate is None else 1.0 - rate


def told_offers(offers: ZoneOffers, rules: ReleaseRules) -> ToldOffers:
    """Return what is told; ``offers`` holds whole days, or all hours of days."""
    names = np.array([name_word(name) for name in offers.zone_names], np.uint64).view(np.int64)
    words = block_words(offers.day, offers.hour, names[offers.zone])
    sums = run_numbers(offers.day, offers.zone) if offers.block is Block.HOUR else None

    def told(counts: Int64s, kind: str) -> Told:
        return told_counts(counts, words, kind=kind, rules=rules, sums=sums)

    return ToldOffers(
        offers=offers,
        offered=told(offers.offered, "offered"),
        seen=told(offers.seen, "seen"),
        redeemed=told(offers.redeemed, "redeemed"),
        bought=told(offers.bought, "bought"),
    )


def shelf_figures(
    zones: Sequence[ZoneFigures], told: Iterable[ToldOffers], blocks: WindowBlocks
) -> tuple[ShelfFigures, ...]:
    """Return a row for each row of ``zones``, of the same zone and hour."""
    parts = list(told)
    return tuple(_joined(one, parts, blocks) for one in zones)


def _joined(zone: ZoneFigures, parts: Sequence[ToldOffers], blocks: WindowBlocks) -> ShelfFigures:
    sums: dict[str, int | None] = dict.fromkeys(("offered", "seen", "redeemed", "bought"))
    for part in parts:
        if zone.zone not in part.offers.zone_names:
            continue
        belongs = is_in_blocks(blocks, part.offers.day, part.offers.hour)
        belongs &= part.offers.zone == part.offers.zone_names.index(zone.zone)
        if zone.hour is not None:
            belongs &= part.offers.hour == zone.hour
        columns = {
            "offered": part.offered,
            "seen": part.seen,
            "redeemed": part.redeemed,
            "bought": part.bought,
        }
        for name, column in columns.items():
            rows = column.rows(belongs & column.is_told)
            if len(rows.counts):
                sums[name] = (sums[name] or 0) + int(rows.counts.sum())
    return ShelfFigures(zone=zone, **sums)


def _ratio(part: int | None, whole: int | None) -> float | None:
    """Return a share of told counts, at most 1 since each is rounded by itself."""
    return None if part is None or not whole else min(part / whole, 1.0)
