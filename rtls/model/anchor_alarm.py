"""An anchor that does not do what anchors do, and what is wrong with it.

Layer: nouns. Takes: what the rules of anchor health found. Gives: `AnchorAlarm` to the engine's
output, and from there to log, health and the operator.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from rtls.model.errors import InvalidReading
from rtls.model.units import AnchorId, UnixMs


class AlarmKind(StrEnum):
    """What is wrong."""

    SILENT = "silent"
    """others hear tags beside it; figure: seconds for which it has missed them"""
    BIASED = "biased"
    """its readings do not fit the tracks: moved, turned, or covered; figure: mean innovation in
    standard deviations"""
    STALE = "stale"
    """it repeats old values; figure: share of its readings"""
    CLOCK = "clock"
    """its gateway's clock is off; figure: seconds, NaN where it is no clock at all"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorAlarm:
    """One alarm of one anchor: raised, or over."""

    anchor: AnchorId
    kind: AlarmKind
    since_ms: UnixMs
    figure: float
    is_over: bool = False

    def __post_init__(self) -> None:
        if math.isnan(self.figure) and self.kind is not AlarmKind.CLOCK:
            raise InvalidReading(
                f"figure of the {self.kind.value} alarm of {self.anchor!r} is NaN; expected a "
                "number. Only a clock can be beyond measure."
            )
