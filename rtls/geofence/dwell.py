"""Follow how long each tag has been in each zone: the state machine of visits, in event time.

Layer: rules. Takes: fixes and P(zone) from containment. Gives: rows of transitions, dwell reached
and visits ended to rtls.geofence.zone_events; the stays stay in one array that the engine owns.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ZoneProbabilities
from rtls.geofence.kernels.stay_slots import (
    ABSENT,
    COUNTERS,
    COUNTS,
    FREE,
    ROWS_A_TAG_MAX,
    SLOTS,
    THRESHOLDS_MAX,
    StepRules,
)
from rtls.geofence.kernels.zone_step import step_tags
from rtls.geofence.records import as_records
from rtls.geofence.zone_index import halo_numbers
from rtls.model.errors import InvalidGeometry
from rtls.model.site_map import SiteMap, Zone
from rtls.model.units import Metre, Second, UnixMs, ZoneId

STAY_DTYPE: Final = np.dtype(
    [
        ("zone", np.int32),  # index in the site map
        ("phase", np.uint8),  # FREE, CANDIDATE, INSIDE, LEAVING, ABSENT
        ("reached", np.uint8),  # thresholds already told
        ("reason", np.uint8),
        ("is_late", np.uint8),  # the youngest evidence came from a spool
        ("has_left", np.uint8),
        ("has_walked", np.uint8),  # since P fell
        ("pad", np.uint8, (6,)),
        ("entered_at_ms", np.int64),  # first instant as a candidate
        ("since_ms", np.int64),  # candidate or leaving since
        ("left_at_ms", np.int64),
        ("stepped_at_ms", np.int64),  # counted up to here
        ("evidence_at_ms", np.int64),
        ("p", np.float64),  # at stepped_at_ms
        ("held_x_m", np.float64),  # where the tag was last probably inside
        ("held_y_m", np.float64),
        ("p_best", np.float64),  # since the first instant as a candidate
        ("weight", np.float64),
        ("visit", np.float64, (COUNTS,)),  # dwell, its bounds and the time counted, ms
        ("pending", np.float64, (COUNTS,)),  # the same since the last evidence
        ("carried", np.float64, (COUNTS,)),  # the same of the visits that this one goes on from
    ],
    align=True,
)

ROW_DTYPE: Final = np.dtype(
    [
        ("tag", np.int32),
        ("zone", np.int32),
        ("what", np.uint8),  # ENTERED, DWELL_REACHED, LEFT, PASSED
        ("reason", np.uint8),
        ("is_late", np.uint8),
        ("pad", np.uint8, (5,)),
        ("at_ms", np.int64),
        ("decided_at_ms", np.int64),
        ("entered_at_ms", np.int64),
        ("evidence_at_ms", np.int64),
        ("threshold_ms", np.float64),
        ("dwell_ms", np.float64),
        ("dwell_ms_low", np.float64),
        ("dwell_ms_high", np.float64),
        ("probability", np.float64),
    ],
    align=True,
)

RULE_DTYPE: Final = np.dtype(
    [
        ("parent", np.int32),  # -1 for none
        ("depth", np.int32),  # 0 for a zone without a parent
        ("n_thresholds", np.int32),
        ("level", np.int32),  # zones of one level divide the floor between them
        ("halo", np.int32),  # index of the zone widened by its exit tolerance, -1 for none
        ("p_enter", np.float64),
        ("p_hold", np.float64),
        ("p_exit", np.float64),
        ("p_dwell", np.float64),
        ("min_enter_ms", np.int64),
        ("exit_delay_ms", np.int64),
        ("reset_after_ms", np.int64),
        ("tolerance_timeout_ms", np.int64),
        ("grace_ms", np.float64),  # 0 where the radio decides
        ("threshold_ms", np.float64, (THRESHOLDS_MAX,)),
    ],
    align=True,
)

ROWS_A_CALL_MAX: Final = 4096
SILENCE_S_MAX: Final = Second(3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellSettings:
    """How patient the state machine is with silence, and what counts in full.

    A tag is lost when it has been silent for longer than the grace of the most patient kind of
    reading it is heard by, and longer than `grace_intervals` times its own usual interval.
    """

    grace_rssi_s: Second = Second(30.0)
    grace_range_s: Second = Second(5.0)
    grace_other_s: Second = Second(5.0)
    """for TDoA, AoA and ready-made positions"""
    grace_intervals: float = 5.0
    grace_s_max: Second = Second(300.0)
    p_certain: float = 0.7
    p_standing_min: float = 0.5
    standing_patience: float = 6.0
    """a zone's exit delay is multiplied by this for a tag that has not walked since P fell"""
    step_m: Metre = Metre(0.5)
    """what counts as having walked, from where the tag was last probably inside"""

    def __post_init__(self) -> None:
        graces = (self.grace_rssi_s, self.grace_range_s, self.grace_other_s)
        if not all(0.0 < grace <= self.grace_s_max <= SILENCE_S_MAX for grace in graces):
            raise InvalidGeometry(
                f"graces are {graces} s with a maximum of {self.grace_s_max} s; expected each "
                f"above 0 and up to the maximum, and that up to {SILENCE_S_MAX} s."
            )
        for name in ("grace_intervals", "standing_patience"):
            if not 1.0 <= getattr(self, name) <= 100.0:  # noqa: PLR2004  stands beside its message
                raise InvalidGeometry(f"{name} is {getattr(self, name)}; expected 1 to 100.")
        if not 0.0 <= self.step_m <= 10.0:  # noqa: PLR2004  stands beside its message
            raise InvalidGeometry(f"step_m is {self.step_m}; expected 0 to 10 m.")
        if not (0.0 < self.p_certain <= 1.0 and 0.0 <= self.p_standing_min <= 1.0):
            raise InvalidGeometry(
                f"p_certain is {self.p_certain}, p_standing_min {self.p_standing_min}; expected "
                "probabilities, p_certain above 0."
            )

    @property
    def grace_ms(self) -> npt.NDArray[np.float64]:
        """The graces in the order of ReadingKind: rssi, range, tdoa, aoa, position."""
        other = self.grace_other_s
        return 1e3 * np.array([self.grace_rssi_s, self.grace_range_s, other, other, other])


@dataclass(slots=True)
class DwellCounters:
    """What the state machine could not keep, for health and metrics."""

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(COUNTERS, np.int64))

    @property
    def no_slot_left(self) -> int:
        """Stays that could not begin because the tag was in too many zones at once."""
        return int(self.counts[0])

    @property
    def absence_forgotten(self) -> int:
        """Ended visits that were forgotten before their time to make room."""
        return int(self.counts[1])


def step_rules(site_map: SiteMap, settings: DwellSettings) -> StepRules:
    """Lay out the rules of all zones of ``site_map`` for the kernel."""
    parents = {zone.zone: zone.parent for zone in site_map.zones}
    number = site_map.zone_index
    halo = halo_numbers(site_map)
    zones = np.zeros(len(site_map.zones), RULE_DTYPE)
    levels = sorted({(zone.kind, zone.floor) for zone in site_map.zones})
    for index, zone in enumerate(site_map.zones):
        _write_rule(zones[index : index + 1], zone)
        zones[index]["parent"] = -1 if zone.parent is None else number[zone.parent]
        zones[index]["level"] = levels.index((zone.kind, zone.floor))
        zones[index]["depth"] = _depth(zone.zone, parents)
        zones[index]["halo"] = halo.get(zone.zone, -1)
    return StepRules(
        zones=as_records(zones),
        depth_max=int(zones["depth"].max(initial=0)),
        grace_ms=settings.grace_ms,
        grace_intervals=float(settings.grace_intervals),
        grace_ms_max=1e3 * settings.grace_s_max,
        p_certain=float(settings.p_certain),
        p_standing_min=float(settings.p_standing_min),
        standing_patience=float(settings.standing_patience),
        step_m=float(settings.step_m),
    )


def _write_rule(row: npt.NDArray[np.void], zone: Zone) -> None:
    rules = zone.rules
    for name in ("p_enter", "p_hold", "p_exit", "p_dwell"):
        row[name] = getattr(rules, name)
    row["grace_ms"] = 0.0 if rules.grace_s is None else 1e3 * rules.grace_s
    for name in ("min_enter", "exit_delay", "reset_after", "tolerance_timeout"):
        row[f"{name}_ms"] = round(1e3 * getattr(rules, f"{name}_s"))
    thresholds = rules.dwell_thresholds_s
    row["n_thresholds"] = len(thresholds)
    row["threshold_ms"][0, : len(thresholds)] = [round(1e3 * s) for s in thresholds]


def _depth(zone: ZoneId, parents: dict[ZoneId, ZoneId | None]) -> int:
    depth = 0
    above = parents[zone]
    while above is not None:  # ends: SiteMap refuses a circle of parents
        depth += 1
        above = parents[above]
    return depth


def empty_stays(capacity: int) -> npt.NDArray[np.void]:
    """Return (capacity, `SLOTS`) free stays."""
    return np.zeros((capacity, SLOTS), STAY_DTYPE)


def has_open_stay(
    stays: npt.NDArray[np.void], slots: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Return (n,) whether the tags of ``slots`` are candidates for, or in, any zone."""
    phase = stays["phase"][slots]
    is_open = (phase != FREE) & (phase != ABSENT)
    return np.asarray(is_open.any(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellStep:
    """One instant for some tags: their fixes and what else the state machine must know.

    Parameters
    ----------
    fixes
        (n,) `FIX_DTYPE`, each tag at most once.
    places
        P(zone) of these fixes.
    interval_ms
        (capacity,) each tag's own usual interval between epochs with readings.
    is_late
        (n,) 1 where the fix stands on readings from a spool.
    at_ms
        The instant; never earlier than the last one.
    is_heard
        True for fixes from new readings, False for predictions of silent tags.
    """

    fixes: npt.NDArray[np.void]
    places: ZoneProbabilities
    interval_ms: npt.NDArray[np.float64]
    is_late: npt.NDArray[np.uint8]
    at_ms: UnixMs
    is_heard: bool


def step_stays(
    stays: npt.NDArray[np.void],
    step: DwellStep,
    *,
    rules: StepRules,
    counters: DwellCounters,
) -> npt.NDArray[np.void]:
    """Step the stays of some tags by one instant, in place; return what happened.

    Parameters
    ----------
    stays
        (capacity, `SLOTS`) `STAY_DTYPE`.
    step
        The fixes of the instant.
    rules
        From `step_rules`.
    counters
        Increased.

    Returns
    -------
    `ROW_DTYPE` rows, in the order of the fixes. The buffer is bounded; a step with more rows takes
    more calls of the kernel, so that none is lost.
    """
    size = min(max(ROWS_A_TAG_MAX, 2 * step.fixes.size + ROWS_A_TAG_MAX), ROWS_A_CALL_MAX)
    buffer = np.zeros(size, ROW_DTYPE)
    parts = []
    place = -1
    while place < step.fixes.size:
        place, used = step_tags(
            as_records(stays),
            rules,
            as_records(step.fixes),
            max(place, 0),
            step.places.row_start,
            step.places.zone,
            step.places.probability,
            step.interval_ms,
            step.is_late,
            step.at_ms,
            int(step.is_heard),
            as_records(buffer),
            counters.counts,
        )
        parts.append(buffer[:used].copy())
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
