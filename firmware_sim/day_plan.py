"""Draw who comes on one day: when, with which tag, to stand where for how long, to buy what.

Layer: rules. Takes: the site map, a seed, opening hours. Gives: `DayShopper`s to the door that
plays the day; their scripts to firmware_sim.scenario.

Everybody came for one thing, where he stands longest, and looks at others on the way. What is
looked at falls off as 1 / rank (Zipf), and the arrivals swell before noon and after work.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from firmware_sim.errors import check_between
from firmware_sim.trip import PACE_M_S_MIN, PAYING_S, ScriptedShopper
from rtls.model.site_map import Radio, SiteMap, ZoneKind
from rtls.model.units import Second, TagId, UnixMs, ZoneId

HOUR_MS: Final = 3_600_000
ARRIVALS: Final = (0.5, 0.9, 1.2, 1.2, 0.9, 0.8, 0.9, 1.2, 1.5, 1.0)
"""how many come in each tenth of the time in which somebody is let in, against the mean"""
LAST_ENTRY_MS: Final = HOUR_MS * 3 // 4
"""before closing: who comes in has done his shopping by then"""
OTHERS_MAX: Final = 5
MAIN_S: Final = (210.0, 0.7)
OTHER_S: Final = (40.0, 0.8)
"""median of a stand, and standard deviation of its logarithm"""
STAND_S_MIN: Final = 3.0
STAND_S_MAX: Final = 720.0
PACE_M_S: Final = (0.6, 1.3)
WALK_S_MAX: Final = 900.0
TROLLEY_REST_S: Final = 420.0
"""before the next one takes it: until then the app of the last one has let it go"""
BUYS_MAIN: Final = 0.6
BUYS_OTHER: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySettings:
    """How full the day is, and what people are like.

    Parameters
    ----------
    opens_ms, closes_ms
        Instants; the last one comes in `LAST_ENTRY_MS` before closing.
    popular
        Shelves that are looked at most, the first one most of all; the others follow as they fall.
    counts_share, card_share, opens_share
        Of the shoppers: who agrees to be counted, who shows the card, who opens an offer.
    """

    shoppers: int
    opens_ms: UnixMs
    closes_ms: UnixMs
    popular: tuple[ZoneId, ...] = ()
    phone_share: float = 0.2
    counts_share: float = 0.92
    card_share: float = 0.9
    opens_share: float = 0.7

    def __post_init__(self) -> None:
        check_between("shoppers", self.shoppers, 1, 5_000)
        hours = (self.closes_ms - self.opens_ms) / HOUR_MS
        check_between("hours from opening to closing", hours, 1.0, 18.0)
        for name in ("phone_share", "counts_share", "card_share", "opens_share"):
            check_between(name, getattr(self, name), 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShopper:
    """One shopper of the day.

    Parameters
    ----------
    number
        From 0, in the order of their coming.
    buys
        The shelves of which something is in the trolley at the checkout.
    """

    number: int
    script: ScriptedShopper
    buys: tuple[ZoneId, ...]
    is_counted: bool
    shows_card: bool
    opens_offers: bool

    @property
    def arrives_at_ms(self) -> UnixMs:
        """Return when he comes in."""
        assert self.script.arrives_at_ms is not None
        return self.script.arrives_at_ms


class DayPlanner:
    """Draws the shoppers of one day, one after the other, from one seed."""

    def __init__(self, site_map: SiteMap, *, settings: DaySettings, seed: int) -> None:
        self._settings = settings
        self._rng = np.random.default_rng(np.random.SeedSequence([seed, settings.opens_ms]))
        shelves = [zone.zone for zone in site_map.zones if zone.kind is ZoneKind.SHELF]
        first = [zone for zone in settings.popular if zone in shelves]
        rest = [zone for zone in shelves if zone not in first]
        # Of the seed alone: two days of one shop are alike.
        fallen = np.random.default_rng(seed).permutation(np.array(rest)).tolist()
        self._shelves = [*first, *fallen]
        weights = 1.0 / (np.arange(len(self._shelves)) + 2.0)
        self._weights = weights / weights.sum()
        self._trolleys: list[tuple[float, int]] = []  # free from, number
        self._trolleys_made = 0

    def draw(self) -> tuple[DayShopper, ...]:
        """Return all shoppers, by their coming."""
        return tuple(self._shopper(n, at_ms) for n, at_ms in enumerate(self._arrivals()))

    def _arrivals(self) -> Sequence[UnixMs]:
        settings = self._settings
        span_ms = settings.closes_ms - settings.opens_ms - LAST_ENTRY_MS
        share = np.array(ARRIVALS) / sum(ARRIVALS)
        slices = self._rng.choice(len(share), size=settings.shoppers, p=share)
        within = self._rng.random(settings.shoppers)
        at_ms = settings.opens_ms + np.sort((slices + within) / len(share)) * span_ms
        return [UnixMs(int(at) // 1000 * 1000) for at in at_ms]

    def _shopper(self, number: int, at_ms: UnixMs) -> DayShopper:
        rng, settings = self._rng, self._settings
        is_phone = bool(rng.random() < settings.phone_share)
        count = 1 + int(rng.integers(0, OTHERS_MAX))
        chosen = rng.choice(
            len(self._shelves), size=min(count, len(self._shelves)), replace=False, p=self._weights
        )
        main = int(rng.integers(0, len(chosen)))
        zones = [ZoneId(self._shelves[index]) for index in chosen]
        stands = tuple((zone, self._stand_s(n == main)) for n, zone in enumerate(zones))
        buys = tuple(
            zone
            for n, zone in enumerate(zones)
            if rng.random() < (BUYS_MAIN if n == main else BUYS_OTHER)
        )
        pays_s = float(rng.uniform(*PAYING_S))
        stay_s = pays_s + sum(seconds for _, seconds in stands) + WALK_S_MAX
        script = ScriptedShopper(
            tag=self._phone() if is_phone else self._trolley(at_ms, stay_s),
            radio=Radio.BLE if is_phone else Radio.UWB,
            stands=stands,
            arrives_at_ms=at_ms,
            pays_s=Second(pays_s),
            pace_m_s=max(PACE_M_S_MIN, float(rng.uniform(*PACE_M_S))),
        )
        return DayShopper(
            number=number,
            script=script,
            buys=buys,
            is_counted=bool(rng.random() < settings.counts_share),
            shows_card=bool(rng.random() < settings.card_share),
            opens_offers=bool(rng.random() < settings.opens_share),
        )

    def _stand_s(self, is_main: bool) -> Second:  # noqa: FBT001 - of the two kinds of stands
        median_s, spread = MAIN_S if is_main else OTHER_S
        drawn = float(self._rng.lognormal(np.log(median_s), spread))
        return Second(round(min(max(drawn, STAND_S_MIN), STAND_S_MAX), 1))

    def _phone(self) -> TagId:
        return TagId(f"app:{self._rng.bytes(6).hex()}")

    def _trolley(self, at_ms: UnixMs, stay_s: float) -> TagId:
        """Take the trolley that has stood longest, or one more."""
        if self._trolleys and self._trolleys[0][0] <= at_ms:
            _, number = heapq.heappop(self._trolleys)
        else:
            number, self._trolleys_made = self._trolleys_made, self._trolleys_made + 1
        free_ms = at_ms + 1000.0 * (stay_s + TROLLEY_REST_S)
        heapq.heappush(self._trolleys, (free_ms, number))
        return TagId(f"tag:{number:04x}")
