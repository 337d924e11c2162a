"""Read the time, once for the whole program.

Layer: doors. Takes: the machine's clock. Gives: `UnixMs` to locating, offers and the simulator,
which never read a clock themselves. The demo runs faster than life, so its parts share one
`ScaledClock`; a child process gets the same one by its text.
"""

import time
from dataclasses import dataclass
from typing import Protocol

from rtls.model.errors import InaisleError
from rtls.model.units import UnixMs

SPEED_MAX = 1000.0


class InvalidClock(InaisleError, ValueError):
    """A clock that could not run."""


class Clock(Protocol):
    """What tells the time."""

    @property
    def speed(self) -> float:
        """How many seconds of this clock pass in one second of the machine's."""
        ...

    def now_ms(self) -> UnixMs:
        """Return the present instant."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait until ``seconds`` of this clock have passed."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, as it is."""

    @property
    def speed(self) -> float:
        """Return 1: this clock is the machine's."""
        return 1.0

    def now_ms(self) -> UnixMs:
        """Return the present instant."""
        return UnixMs(time.time_ns() // 1_000_000)

    def sleep(self, seconds: float) -> None:
        """Wait; a time that has passed already is no wait."""
        time.sleep(max(seconds, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledClock:
    """A clock that shows `origin_ms` at the monotonic instant `started_ns` and runs `speed` × life.

    Monotonic time is the same in all processes of one machine since its start, so that a copy in a
    child process shows the same instant.
    """

    origin_ms: UnixMs
    speed: float = 1.0
    started_ns: int

    def __post_init__(self) -> None:
        if not 0.0 < self.speed <= SPEED_MAX:
            raise InvalidClock(
                f"speed is {self.speed}; expected above 0 and at most {SPEED_MAX:.0f}."
            )

    @classmethod
    def start(cls, *, origin_ms: UnixMs, speed: float) -> "ScaledClock":
        """Return a clock that shows ``origin_ms`` now."""
        return cls(origin_ms=origin_ms, speed=speed, started_ns=time.monotonic_ns())

    def now_ms(self) -> UnixMs:
        """Return the present instant of this clock."""
        passed_ms = (time.monotonic_ns() - self.started_ns) / 1e6
        return UnixMs(self.origin_ms + int(passed_ms * self.speed))

    def sleep(self, seconds: float) -> None:
        """Wait until ``seconds`` of this clock have passed."""
        time.sleep(max(seconds, 0.0) / self.speed)


def render_clock(clock: ScaledClock) -> str:
    """Return the text from which another process of this machine makes the same clock."""
    return f"{clock.origin_ms}:{clock.speed!r}:{clock.started_ns}"


def parse_clock(text: str) -> ScaledClock:
    """Return the clock that `render_clock` wrote.

    Raises
    ------
    InvalidClock
        If the text is not ``origin_ms:speed:started_ns``.

    Examples
    --------
    >>> parse_clock("1000:10.0:5").speed
    10.0
    """
    try:
        origin_ms, speed, started_ns = text.split(":")
        return ScaledClock(
            origin_ms=UnixMs(int(origin_ms)), speed=float(speed), started_ns=int(started_ns)
        )
    except ValueError as error:
        raise InvalidClock(f"clock is {text!r}; expected origin_ms:speed:started_ns.") from error
