"""Say what the engine is set by, what it gives for a batch, and what it counts.

Layer: flow. Takes: settings of the steps. Gives: `EngineSettings`, `EngineOutput` and
`EngineCounters` to rtls.engine and the doors.
"""

from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ContainmentSettings
from rtls.geofence.dwell import DwellCounters, DwellSettings
from rtls.model.anchor_alarm import AnchorAlarm
from rtls.model.errors import InvalidGeometry
from rtls.model.fix import FixBatch
from rtls.model.units import Second, TagId
from rtls.model.visit import Passed, ZoneEvent
from rtls.positioning.tracking import TrackingSettings

Slots = npt.NDArray[np.int32]
NO_SLOTS: Final = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the steps of the engine are set, and how long a silent tag is kept.

    Parameters
    ----------
    tracking, containment, dwell
        Of the three steps.
    coast_s
        A silent tag's fix is predicted for so long, and as long as it is in a zone.
    track_ttl_s
        A tag silent for longer is forgotten and its slot given back.
    late_ms_max
        Readings older than the last batch by more than this are dropped and counted.
    """

    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    containment: ContainmentSettings = field(default_factory=ContainmentSettings)
    dwell: DwellSettings = field(default_factory=DwellSettings)
    coast_s: Second = Second(30.0)
    track_ttl_s: Second = Second(600.0)
    late_ms_max: int = 2000

    def __post_init__(self) -> None:
        if not self.dwell.grace_s_max < self.track_ttl_s <= 86_400.0:  # noqa: PLR2004  one day
            raise InvalidGeometry(
                f"track_ttl_s is {self.track_ttl_s}; expected above grace_s_max "
                f"{self.dwell.grace_s_max}, so that visits end before their tag is forgotten, "
                "and at most 86400."
            )
        if not 0.0 <= self.coast_s <= self.track_ttl_s or self.late_ms_max < 0:
            raise InvalidGeometry(
                f"coast_s is {self.coast_s}, late_ms_max {self.late_ms_max}; expected 0 up to "
                "track_ttl_s, and 0 or more."
            )


@dataclass(slots=True)
class EngineCounters:
    """What the engine passed over, for health and metrics; not part of its state."""

    batches_seen_before: int = 0
    batches_too_old: int = 0
    readings_of_no_tag: int = 0
    readings_of_no_anchor: int = 0
    readings_too_old: int = 0
    readings_too_young: int = 0
    tags_refused: int = 0
    zones_left_out: int = 0
    dwell: DwellCounters = field(default_factory=DwellCounters)

    def as_dict(self) -> dict[str, int]:
        """Return all counters by name."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "dwell"}
        return own | {
            "stays_without_slot": self.dwell.no_slot_left,
            "absences_forgotten": self.dwell.absence_forgotten,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOutput:
    """What one batch gave.

    Parameters
    ----------
    fixes
        The tags heard in this epoch and, at whole seconds, the silent ones as predicted.
    tag_names
        (n,) ASCII ids of the rows of `fixes`.
    events
        In canonical order: when decided, tag id, zone id.
    passes
        Zones walked through without a visit, in the same order; for analytics alone.
    alarms
        Of anchors, that began or ended.
    released
        Slots whose tags were forgotten; they may be given to other tags from the next batch on.
    """

    fixes: FixBatch
    tag_names: npt.NDArray[np.bytes_]
    events: tuple[ZoneEvent, ...] = ()
    passes: tuple[Passed, ...] = ()
    alarms: tuple[AnchorAlarm, ...] = ()
    released: Slots = field(default_factory=NO_SLOTS.copy)

    @property
    def tags(self) -> tuple[TagId, ...]:
        """The ids of the rows of `fixes`, made when asked for."""
        return tuple(TagId(name.decode("ascii")) for name in self.tag_names.tolist())
