"""Plan what a shopper does between entrance and exit.

Layer: rules. Takes: the site map and a generator of numbers. Gives: trips, each a row of stops, to
firmware_sim.scenario.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from firmware_sim.errors import InvalidScenario, check_between
from firmware_sim.walk_graph import Points, standing_room, standing_spots
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import Radio, SiteMap, ZoneKind
from rtls.model.track import TAG_ID_BYTES_MAX
from rtls.model.units import Second, TagId, UnixMs, ZoneId

FLOOR: Final = 0  # the simulator plays on the ground floor
PACE_M_S_MIN: Final = 0.2
PACE_M_S_MAX: Final = 3.0
STAND_S_MAX: Final = 86_400.0
PAYING_S: Final = (15.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One place on a trip. A stop of 0 ms is walked through."""

    zone: ZoneId
    x_m: float
    y_m: float
    stand_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedShopper:
    """A shopper who does what a test or the demo says, then pays and leaves.

    Parameters
    ----------
    tag
        As the pairing knows it: ``app:…`` for a phone, ``tag:…`` for a trolley.
    stands
        (zone, seconds) in order.
    arrives_at_ms
        When he comes in; None for at once.
    """

    tag: TagId
    radio: Radio
    stands: tuple[tuple[ZoneId, Second], ...]
    arrives_at_ms: UnixMs | None = None
    pays_s: Second = Second(20.0)
    pace_m_s: float = 1.0

    def __post_init__(self) -> None:
        if not self.tag.isascii():
            raise InvalidScenario(f"tag is {self.tag!r}; expected ASCII characters.")
        check_between(f"length of tag {self.tag!r}", len(self.tag), 1, TAG_ID_BYTES_MAX)
        for zone, seconds in self.stands:
            check_between(f"seconds at {zone}", seconds, 0.0, STAND_S_MAX)
        check_between("pays_s", self.pays_s, 0.0, STAND_S_MAX)
        check_between("pace_m_s", self.pace_m_s, PACE_M_S_MIN, PACE_M_S_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class TripSettings:
    """What unscripted shoppers are like."""

    stops_min: int = 2
    stops_max: int = 6
    dwell_s_median: float = 45.0
    dwell_spread: float = 0.8
    """standard deviation of the logarithm of the dwell"""
    dwell_s_max: float = 900.0
    pace_m_s_min: float = 0.6
    pace_m_s_max: float = 1.3

    def __post_init__(self) -> None:
        check_between("stops_min", self.stops_min, 1, self.stops_max)
        check_between("stops_max", self.stops_max, self.stops_min, 100)
        check_between("pace_m_s_min", self.pace_m_s_min, PACE_M_S_MIN, self.pace_m_s_max)
        check_between("pace_m_s_max", self.pace_m_s_max, self.pace_m_s_min, PACE_M_S_MAX)
        check_between("dwell_s_median", self.dwell_s_median, 1.0, self.dwell_s_max)
        check_between("dwell_s_max", self.dwell_s_max, self.dwell_s_median, STAND_S_MAX)
        check_between("dwell_spread", self.dwell_spread, 0.0, 3.0)


@dataclass(slots=True, kw_only=True)
class Trip:
    """What one shopper still has to do. The stop he walks to or stands at is ``stops[0]``."""

    tag: TagId
    stops: deque[Stop] = field(default_factory=deque)
    is_scripted: bool = False


class TripPlanner:
    """Draws trips through one shop."""

    def __init__(
        self, site_map: SiteMap, *, settings: TripSettings, rng: np.random.Generator
    ) -> None:
        self._settings = settings
        self._rng = rng
        self._spots: dict[ZoneId, Points] = {}
        self._of_kind: dict[ZoneKind, list[ZoneId]] = {kind: [] for kind in ZoneKind}
        room = standing_room(site_map, floor=FLOOR)
        for zone in site_map.zones:
            is_stop = zone.kind in {ZoneKind.SHELF, ZoneKind.ENTRANCE, ZoneKind.CHECKOUT}
            if is_stop and zone.floor == FLOOR:
                self._spots[zone.zone] = standing_spots(zone, room, rng=rng)
                self._of_kind[zone.kind].append(zone.zone)
        for kind in (ZoneKind.SHELF, ZoneKind.ENTRANCE, ZoneKind.CHECKOUT):
            if not self._of_kind[kind]:
                raise InvalidSiteMap(
                    f"site {site_map.site}: no zone of kind {kind}; shoppers need one. Add it to "
                    "the map."
                )

    @property
    def shelves(self) -> tuple[ZoneId, ...]:
        """Return the zones that shoppers go to."""
        return tuple(self._of_kind[ZoneKind.SHELF])

    def entrance(self) -> Stop:
        """Return where the next shopper comes in: the first entrance of the map."""
        return self._stop(self._of_kind[ZoneKind.ENTRANCE][0], stand_s=0.0)

    def pace(self) -> float:
        """Draw how fast a shopper walks, m/s."""
        return float(self._rng.uniform(self._settings.pace_m_s_min, self._settings.pace_m_s_max))

    def draw(self) -> deque[Stop]:
        """Draw a shopping list with the time at each shelf, and the way out."""
        count = int(self._rng.integers(self._settings.stops_min, self._settings.stops_max + 1))
        shelves = self._of_kind[ZoneKind.SHELF]
        chosen = self._rng.choice(len(shelves), size=min(count, len(shelves)), replace=False)
        stops = deque(self._stop(shelves[index], stand_s=self._dwell_s()) for index in chosen)
        stops.extend(self._way_out(float(self._rng.uniform(*PAYING_S))))
        return stops

    def follow(self, script: ScriptedShopper) -> deque[Stop]:
        """Return the stops of a scripted shopper, and his way out."""
        stops = deque(self._stop(zone, stand_s=seconds) for zone, seconds in script.stands)
        stops.extend(self._way_out(script.pays_s))
        return stops

    def check(self, script: ScriptedShopper) -> None:
        """Refuse a script that cannot be played in this shop.

        Raises
        ------
        InvalidScenario
            If it names a zone that nobody can stand in or that does not exist.
        """
        for zone, _ in script.stands:
            if zone not in self._spots:
                raise InvalidScenario(
                    f"scripted shopper {script.tag}: zone {zone!r} is not a shelf, an entrance or "
                    f"a checkout of this site. Shelves are {', '.join(self.shelves)}."
                )

    def _way_out(self, pays_s: float) -> tuple[Stop, Stop]:
        checkouts = self._of_kind[ZoneKind.CHECKOUT]
        checkout = checkouts[int(self._rng.integers(len(checkouts)))]
        last = self._of_kind[ZoneKind.ENTRANCE][-1]
        return self._stop(checkout, stand_s=pays_s), self._stop(last, stand_s=0.0)

    def _dwell_s(self) -> float:
        middle = np.log(self._settings.dwell_s_median)
        drawn = float(self._rng.lognormal(middle, self._settings.dwell_spread))
        return min(drawn, self._settings.dwell_s_max)

    def _stop(self, zone: ZoneId, *, stand_s: float) -> Stop:
        spots = self._spots[zone]
        x_m, y_m = spots[int(self._rng.integers(len(spots)))]
        return Stop(zone=zone, x_m=float(x_m), y_m=float(y_m), stand_ms=round(stand_s * 1000.0))
