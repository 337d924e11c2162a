"""Go wrong on purpose, the same way each time.

Layer: rules. Takes: a plan and a seed. Gives: lines that lose, double, swap and delay messages, and
which anchors and clocks are bad, to firmware_sim.device_fleet.
"""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from firmware_sim.errors import InvalidScenario, check_between
from firmware_sim.link import LineMessage, Link
from firmware_sim.scenario import Scenario
from rtls.model.units import AnchorId, GatewayId

HELD_MAX: Final = 10_000
SKEW_MS_MAX: Final = 10**13


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """What shall go wrong. Shares are probabilities a message.

    Parameters
    ----------
    drop
        Lost on the way to the broker; the spool sends it again.
    duplicate
        Sent twice.
    delay, delay_ms_max
        Held back for up to so long (time of the line); others overtake it.
    reorder
        Swapped with the message after it.
    skew_ms
        How far the clock of a gateway is ahead; negative: behind.
    dead
        Anchors that are silent, each with the instant from which on.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    delay_ms_max: int = 500
    reorder: float = 0.0
    skew_ms: Mapping[GatewayId, int] = field(default_factory=dict)
    dead: Mapping[AnchorId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("drop", "duplicate", "delay", "reorder"):
            check_between(what, getattr(self, what), 0.0, 1.0)
        check_between("delay_ms_max", self.delay_ms_max, 0, 3_600_000)
        for gateway, skew_ms in self.skew_ms.items():
            check_between(f"skew_ms of {gateway}", skew_ms, -SKEW_MS_MAX, SKEW_MS_MAX)

    @property
    def has_line_faults(self) -> bool:
        """Return whether lines are bad."""
        return max(self.drop, self.duplicate, self.delay, self.reorder) > 0.0

    def skew_of(self, gateway: GatewayId) -> int:
        """Return how far a gateway's clock is ahead, ms."""
        return self.skew_ms.get(gateway, 0)

    def kill_anchors(self, scenario: Scenario) -> None:
        """Silence the anchors whose time has come.

        Raises
        ------
        InvalidScenario
            If the plan names an anchor that the site does not have.
        """
        if not self.dead:
            return
        index = scenario.site_map.anchor_index
        for anchor, from_ms in self.dead.items():
            if anchor not in index:
                raise InvalidScenario(f"dead anchor {anchor!r} is not in the site map.")
            if scenario.now_ms >= from_ms:
                scenario.hearing.is_dead[index[anchor]] = True


class FaultyLink:
    """A line with faults around a good one. Births and goodbyes pass unharmed."""

    def __init__(self, link: Link, *, plan: FaultPlan, seed: int) -> None:
        self._link = link
        self._plan = plan
        self._random = random.Random(seed)
        self._delayed: deque[tuple[int, LineMessage]] = deque(maxlen=HELD_MAX)
        self._swapped: LineMessage | None = None
        self._line_ms = 0

    @property
    def is_up(self) -> bool:
        """Return whether the good line is up."""
        return self._link.is_up

    @property
    def in_flight(self) -> int:
        """Return what the good line has in flight."""
        return self._link.in_flight

    def open(self, *, subscription: str, will: LineMessage | None) -> None:
        """Open the good line."""
        self._link.open(subscription=subscription, will=will)

    def publish(self, message: LineMessage) -> None:
        """Pass the message on, or do to it what the plan says."""
        if message.is_retained:
            self._link.publish(message)
            return
        fate = self._random.random
        if fate() < self._plan.drop:
            return
        if fate() < self._plan.delay:
            wait_ms = self._random.randrange(self._plan.delay_ms_max + 1)
            self._delayed.append((self._line_ms + wait_ms, message))
            return
        if self._swapped is None and fate() < self._plan.reorder:
            self._swapped = message
            return
        for _ in range(2 if fate() < self._plan.duplicate else 1):
            self._link.publish(message)
        if self._swapped is not None:
            self._link.publish(self._swapped)
            self._swapped = None

    def turn(self, line_ms: int) -> list[LineMessage]:
        """Release what has been held back long enough; turn the good line."""
        self._line_ms = line_ms
        for _ in range(len(self._delayed)):
            due_ms, message = self._delayed.popleft()
            if due_ms <= line_ms:
                self._link.publish(message)
            else:
                self._delayed.append((due_ms, message))
        return self._link.turn(line_ms)

    def close(self) -> None:
        """Close the good line; what is held back is lost."""
        self._link.close()
