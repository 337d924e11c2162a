"""Take the stays of tags along to another map of the same site.

Layer: rules. Takes: the stays on the map before, and the two maps. Gives: the stays by the numbers
of the new map to rtls.engine_handover, and the visits that end because their zone is gone.

A zone is the same one if its outline, floor, kind and rules are, and those of all zones around it:
what was dwelt there goes on to the millisecond. What it is called does not matter. In any other
zone nobody can say what the dwell would have been: a visit ends there with its last evidence, and
begins anew where the new zone is entered.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.dwell import ROW_DTYPE, STAY_DTYPE
from rtls.geofence.kernels.stay_slots import (
    COUNTS,
    DWELL,
    FREE,
    HIGH,
    INSIDE,
    LEAVING,
    LEFT,
    LOST,
    LOW,
    WALKED_AWAY,
)
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import UnixMs, ZoneId

Rows = npt.NDArray[np.void]
Numbers = npt.NDArray[np.int32]
GONE: Final = -1


def zone_numbers(before: SiteMap, now: SiteMap) -> Numbers:
    """Return (n_zones before,) the number of each zone on the new map, `GONE` where it changed."""
    told_before, told_now = _identities(before), _identities(now)
    number = now.zone_index
    return np.array(
        [
            number[zone.zone] if told_now.get(zone.zone) == told_before[zone.zone] else GONE
            for zone in before.zones
        ],
        np.int32,
    )


def hand_over_stays(
    stays: Rows, *, tags: Numbers, before: SiteMap, now: SiteMap, at_ms: UnixMs
) -> tuple[Rows, Rows]:
    """Return the stays by the zones of the new map, and a row for each visit that ends.

    Parameters
    ----------
    stays
        (n, slots) `STAY_DTYPE` by the zones of the map before.
    tags
        (n,) whose they are: slots of the engine.
    before, now
        The maps.
    at_ms
        The last instant of the map before: these ends are decided then.

    Returns
    -------
    The stays, and `ROW_DTYPE` rows whose zones are those of the map before.
    """
    taken = stays.copy()
    numbers = zone_numbers(before, now)
    is_taken = taken["phase"] != FREE
    number = np.where(is_taken, numbers[taken["zone"]], GONE) if len(numbers) else taken["zone"]
    is_gone = is_taken & (number == GONE)
    is_visit = is_gone & np.isin(taken["phase"], (INSIDE, LEAVING))
    which, _ = np.nonzero(is_visit)
    rows = _ends(taken[is_visit], tags[which], at_ms)
    taken["zone"] = np.where(is_taken, number, taken["zone"])
    taken[is_gone] = np.zeros((), STAY_DTYPE)
    return taken, rows


def _ends(visits: Rows, tags: Numbers, at_ms: UnixMs) -> Rows:
    """Return a row LEFT for each visit, as rtls.geofence.kernels.zone_stay writes them."""
    rows = np.zeros(visits.size, ROW_DTYPE)
    is_leaving = visits["phase"] == LEAVING
    left_ms = np.where(is_leaving, visits["since_ms"], visits["evidence_at_ms"])
    left_ms = np.maximum(left_ms, visits["entered_at_ms"])
    longest = (left_ms - visits["entered_at_ms"]).astype(np.float64)
    counted = np.minimum(visits["visit"].reshape(-1, COUNTS), longest[:, None])
    rows["tag"] = tags
    rows["what"] = LEFT
    rows["reason"] = np.where(is_leaving, WALKED_AWAY, LOST)
    rows["at_ms"] = left_ms
    rows["decided_at_ms"] = max(at_ms, 0)
    for name, same in (
        ("zone", "zone"),
        ("is_late", "is_late"),
        ("entered_at_ms", "entered_at_ms"),
        ("evidence_at_ms", "evidence_at_ms"),
        ("probability", "p"),
    ):
        rows[name] = visits[same]
    for name, count in (("dwell_ms", DWELL), ("dwell_ms_low", LOW), ("dwell_ms_high", HIGH)):
        rows[name] = counted[:, count]
    return rows


def _identities(site_map: SiteMap) -> dict[ZoneId, tuple[object, ...]]:
    """Return of each zone what it is, and what all around it are."""
    zones = {zone.zone: zone for zone in site_map.zones}
    return {name: tuple(_line_of(zone, zones)) for name, zone in zones.items()}


def _line_of(zone: Zone, zones: dict[ZoneId, Zone]) -> list[object]:
    line: list[object] = []
    above: Zone | None = zone
    while above is not None:  # ends: SiteMap refuses a circle of parents
        line.append((above.zone, above.floor, above.kind, above.ring, above.rules))
        above = None if above.parent is None else zones[above.parent]
    return line
