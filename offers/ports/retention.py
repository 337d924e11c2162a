"""Delete what has been kept for as long as it may be.

Layer: ports. Takes: the time. Gives: `Retention` to storage.
"""

from typing import Protocol

from offers.model.people.kept_data import KeptData
from rtls.model.units import UnixMs


class Retention(Protocol):
    """What is older than it may be. What is kept how long is a list of storage."""

    def forget_old(self, *, now_ms: UnixMs, limit: int) -> int:
        """Delete at most ``limit`` rows of each table that are too old; return how many."""
        ...

    def kept(self) -> tuple[KeptData, ...]:
        """Return each class of data about persons with its time, its rows and its oldest one."""
        ...
