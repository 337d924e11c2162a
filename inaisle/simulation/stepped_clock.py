"""Show the time that a simulated day has come to: it stands until the day goes on.

Layer: doors. Takes: instants from inaisle.simulation.day_store. Gives: a `Clock` to all parts of a
shop that runs as fast as the machine can. Threads of the shop read it, one thread sets it.
"""

from rtls.model.units import UnixMs


class SteppedClock:
    """A clock that somebody sets.

    Attributes
    ----------
    at_ms
        What it shows.
    """

    def __init__(self, at_ms: UnixMs) -> None:
        self.at_ms = at_ms

    @property
    def speed(self) -> float:
        """Return 1: nobody may wait by this clock."""
        return 1.0

    def now_ms(self) -> UnixMs:
        """Return what it shows."""
        return self.at_ms

    def sleep(self, seconds: float) -> None:
        """Return at once: who waits would wait for himself."""
