"""How long to wait, how much to keep: the settings of reception.

Layer: nouns. Takes: numbers from the door's settings. Gives: `ReceptionSettings` to
rtls.ingest.reception and its parts.
"""

from dataclasses import dataclass
from typing import Final

from rtls.model.errors import InvalidReading

SECOND_MS: Final = 1_000
EPOCH_MS_MIN: Final = 10
READINGS_LEAST: Final = 1_024
NUMBERS_MAX: Final = 2**24  # rtls.ingest.canonical_order packs a tag into 24 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionSettings:
    """Times in milliseconds; bounds on all that grows.

    Raises
    ------
    InvalidReading
        If a time is negative, or the epochs do not divide a second evenly.
    """

    epoch_ms: int = 100
    """length of the time slice that makes one batch"""
    lateness_ms: int = 500
    """how long an epoch waits for readings before it closes; 0 for recordings"""
    late_max_ms: int = 2_000
    """a reading older than the last closed epoch by more than this is counted, not located"""
    revise_max_ms: int = 0
    """a reading that is older still is kept up to this age, for whoever runs its tag again
    (rtls.revision); 0: nobody does"""
    spool_after_ms: int = 30_000
    """a reading that arrives later than this is marked as coming from a spool"""
    silence_hold_after_ms: int = 2_000
    """after so long without any message the watermark stands still; with what gateways hold back
    before they send no more than `lateness_ms` and `late_max_ms`, or the first readings that a line
    did not bring come too late"""
    recovery_hold_ms: int = 2_500
    """so long after the first message it stands on, for the gateways to empty their spools"""
    hold_ms_max: int = 15_000
    """never stand still for longer; 0 switches holding off"""
    quiet_after_ms: int = 900_000
    """without readings for so long no more empty batches are made"""
    readings_max: int = 524_288
    """readings that wait for their epoch; 15 s of a hold at 16,000 a second and as much again"""
    tags_max: int = 32_768
    """tags followed at a time: slots are 0 to tags_max - 1"""

    def __post_init__(self) -> None:
        if not EPOCH_MS_MIN <= self.epoch_ms <= SECOND_MS or SECOND_MS % self.epoch_ms:
            raise InvalidReading(
                f"epoch_ms is {self.epoch_ms}; expected a divisor of 1000 from "
                f"{EPOCH_MS_MIN} to {SECOND_MS}, so that every whole second ends an epoch."
            )
        for name in (
            "lateness_ms",
            "late_max_ms",
            "revise_max_ms",
            "recovery_hold_ms",
            "hold_ms_max",
        ):
            if not 0 <= getattr(self, name) <= 600_000:  # noqa: PLR2004 # ten minutes
                raise InvalidReading(
                    f"{name} is {getattr(self, name)}; expected 0 to 600000 milliseconds."
                )
        for name in ("spool_after_ms", "silence_hold_after_ms", "quiet_after_ms"):
            if not 1 <= getattr(self, name) <= 86_400_000:  # noqa: PLR2004 # one day
                raise InvalidReading(
                    f"{name} is {getattr(self, name)}; expected 1 to 86400000 milliseconds."
                )
        if not (
            READINGS_LEAST <= self.readings_max <= NUMBERS_MAX and 1 <= self.tags_max <= NUMBERS_MAX
        ):
            raise InvalidReading(
                f"readings_max is {self.readings_max} and tags_max {self.tags_max}; expected "
                f"{READINGS_LEAST} to {NUMBERS_MAX} readings and 1 to {NUMBERS_MAX} tags."
            )

    @classmethod
    def for_recordings(cls, *, epoch_ms: int = 100) -> "ReceptionSettings":
        """Return settings that neither wait nor hold: a recording is in order and cannot fail."""
        return cls(epoch_ms=epoch_ms, lateness_ms=0, hold_ms_max=0)
