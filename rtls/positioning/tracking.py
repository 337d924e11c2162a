"""Follow all tags at once: readings of one epoch in, updated tracks and fixes out.

Layer: rules. Takes: a sorted reading array from the engine, the anchor table.
Gives: `FIX_DTYPE` rows to geofence; updates the engine's `TRACK_DTYPE` array in place.

A tightly coupled filter: readings, not fixes, update the track, so two anchors are of use as well.
No reading is gated away; its weight falls with its residual (rtls.positioning.measurement). A
track that keeps being surprised is compared with a fix from the same readings, and restarts there
when that explains them decidedly better.
"""

import math
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import ReadingArray
from rtls.model.units import UnixMs
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.kernels.records import HEALTH_DTYPE, PARAMETERS_DTYPE, Parameters
from rtls.positioning.kernels.track_epoch import ROOM_DTYPE, coast_slots, track_epoch
from rtls.positioning.measurement import MeasurementSettings

TrackArray = npt.NDArray[np.void]
FixArray = npt.NDArray[np.void]
HealthArray = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How tags move and when a track is trusted.

    Parameters
    ----------
    measurement
        Noise of the radios.
    speed_sd_m_s, speed_memory_s
        Velocity per axis is an Ornstein-Uhlenbeck process with this spread and memory.
    standing_sway_m2_s
        How the place of a standing tag wanders: a shopper turns and leans.
    standing_prior, mode_memory_s
        P(stands) of a tag of which nothing is known, and how soon nothing is known of it again: in
        a shop people stand and walk by turns.
    instant_ms
        Readings within this time of the first count as one instant.
    first_fix_window_ms
        How far back readings may lie that join into a first fix.
    lost_after_ms
        A tag silent for longer starts anew.
    surprise_max, surprise_memory
        Running mean of squared normalised innovations above which a fix is sought, and the
        weight of the newest; 1 is what an honest filter expects.
    recovery_cost
        By how much log likelihood that fix must be better for the track to restart.
    recheck_ms, recovery_cost_rssi
        A track that lives on RSSI alone may sit in a wrong valley without surprise; so it is
        compared this often, with this threshold.
    rssi_mean_s
        Memory of the running mean of each RSSI link, for fixes from the links.
    bias_window_ms
        Links heard within it carry the fix: their frozen biases enter its covariance.
    anchor_spread_m_min
        Narrowest spread of the anchors that still tells one side from the other.
    outside_sd_m
        How far outside the box of a floor's anchors a tag may be that is heard by RSSI alone.
    floor_nats_per_db, floor_say_max
        What a decibel between the loudest anchors of two floors says in a second, and the most
        that a second may say: a slab costs 15 dB, give or take 8.
    floor_log_odds_max, floor_change_odds
        How sure of its floor a track can be, and how sure of another one it must be to go there.
    """

    measurement: MeasurementSettings = field(default_factory=MeasurementSettings)
    speed_sd_m_s: float = 0.5
    speed_memory_s: float = 8.0
    standing_sway_m2_s: float = 0.0004
    standing_prior: float = 0.5
    mode_memory_s: float = 8.0
    instant_ms: float = 50.0
    first_fix_window_ms: float = 2_000.0
    lost_after_ms: float = 15_000.0
    surprise_max: float = 4.0
    surprise_memory: float = 0.2
    recovery_cost: float = 10.0
    recheck_ms: float = 2_000.0
    recovery_cost_rssi: float = 3.0
    rssi_mean_s: float = 2.0
    bias_window_ms: float = 3_000.0
    anchor_spread_m_min: float = 0.5
    outside_sd_m: float = 2.0
    floor_nats_per_db: float = 0.25
    floor_say_max: float = 2.0
    floor_log_odds_max: float = 3.5
    floor_change_odds: float = 2.2

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, MeasurementSettings):
                continue
            if not (math.isfinite(value) and value > 0.0):
                raise InvalidCalibration(
                    f"{item.name} is {value}; expected a finite number above 0."
                )
        if not self.standing_prior < 1.0:
            raise InvalidCalibration(
                f"standing_prior is {self.standing_prior}; expected between 0 and 1."
            )


def update_tracks(
    tracks: TrackArray,
    readings: ReadingArray,
    *,
    anchors: AnchorTable,
    epoch_end_ms: UnixMs,
    settings: TrackingSettings,
    health: HealthArray | None = None,
) -> FixArray:
    """Take the readings of one epoch into the tracks, in place.

    Parameters
    ----------
    tracks
        `TRACK_DTYPE`, (capacity,). A new slot is all zero but for tag_id and calibration_row.
    readings
        `READING_DTYPE`, sorted by (tag, heard_at_ms, anchor, kind, value). Kinds other than RSSI
        and range, unknown anchors and numbers that no radio gives are passed over.
    anchors
        The anchors that the readings index.
    epoch_end_ms
        The instant that the fixes are stated for.
    settings
        Movement and noise.
    health
        `HEALTH_DTYPE`, (n_anchors,): its weights are used, its sums and times updated in place.
        None trusts every anchor in full and keeps nothing.

    Returns
    -------
    FixArray
        `FIX_DTYPE`, one row for each tag heard that is located, sorted by tag slot.
    """
    parameters = parameters_of(settings)
    fixes = np.zeros(tags_in(readings), FIX_DTYPE)
    # A read-only array is another type to the compiler: it would compile in the middle of the day.
    writable = readings if readings.flags.writeable else readings.copy()
    if health is None:
        health = full_trust(len(anchors))
    written = track_epoch(
        writable,
        tracks,
        anchors.records,
        health,
        parameters,
        int(epoch_end_ms),
        fixes,
        np.empty(1, ROOM_DTYPE),
    )
    return fixes[:written]


def full_trust(n_anchors: int) -> HealthArray:
    """Return `HEALTH_DTYPE` rows of anchors not heard yet, each with weight 1."""
    health = np.zeros(n_anchors, HEALTH_DTYPE)
    health["weight"] = 1.0
    return health


def coast_tracks(
    tracks: TrackArray,
    slots: npt.NDArray[np.int32],
    *,
    at_ms: UnixMs,
    settings: TrackingSettings,
) -> FixArray:
    """Predict the fixes of located ``slots`` at ``at_ms``, without readings.

    The tracks stay as they are: coasting is a way of looking at them, so how often one looks
    changes nothing.
    """
    fixes = np.zeros(slots.size, FIX_DTYPE)
    own_slots = np.array(slots, dtype=np.int32)
    written = coast_slots(own_slots, tracks, parameters_of(settings), int(at_ms), fixes)
    return fixes[:written]


def tags_in(readings: ReadingArray) -> int:
    """Return how many tags have readings, in an array sorted by tag."""
    tag = readings["tag"]
    return int(np.count_nonzero(tag[1:] != tag[:-1])) + 1 if tag.size else 0


@lru_cache(maxsize=16)
def parameters_of(settings: TrackingSettings) -> Parameters:
    """Return the settings as the kernels take them, one `PARAMETERS_DTYPE` record."""
    noise = settings.measurement
    own = {item.name for item in fields(settings)}
    row = np.zeros(1, PARAMETERS_DTYPE)
    for name in PARAMETERS_DTYPE.names or ():
        row[name] = float(getattr(settings if name in own else noise, name))
    return cast("Parameters", row[0])
