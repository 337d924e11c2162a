"""Name the instants at which a score compares fixes with the truth.

Layer: doors. Takes: nothing. Gives: `Instants` to the command line, which must start without numpy,
and to inaisle.recording.score_instants, which explains them.
"""

from enum import StrEnum


class Instants(StrEnum):
    """Which instants count."""

    AUTO = "auto"
    HALF_SECOND = "0.5s"
    TWO_SECONDS = "2s"
    TRUTH = "truth"
