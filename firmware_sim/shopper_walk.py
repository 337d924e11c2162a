"""Move all shoppers one step along their ways.

Layer: rules. Takes: ways from firmware_sim.walk_graph, orders from firmware_sim.scenario.
Gives: positions after each step, and who has arrived or has stood long enough.

One column a shopper, whole columns at once: 200 shoppers cost what one would.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from firmware_sim.walk_graph import WAY_POINTS_MAX
from rtls.model.errors import InvalidSiteMap

Slots = npt.NDArray[np.intp]
Column = npt.NDArray[np.float64]

# A walker starts and stops within about two paces.
SPEED_UP_M_S2: Final = 1.0
SLOW_DOWN_M_S2: Final = 1.3
CREEP_M_S: Final = 0.1  # braking by v² = 2as alone would never quite arrive
CORNERS_A_STEP: Final = 4
TOUCHING_M: Final = 1e-6


class Gait(IntEnum):
    """What a shopper does."""

    ABSENT = 0
    WALKING = 1
    STANDING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """Who reached the end of something in a step; slots in rising order."""

    arrived: Slots
    rested: Slots


class Walkers:
    """The movement of up to ``capacity`` shoppers.

    Parameters
    ----------
    capacity
        Number of slots; a slot holds one shopper at a time.

    Attributes
    ----------
    gait, x_m, y_m, heading_rad, speed_m_s, pace_m_s, until_ms
        (capacity,) columns. ``heading_rad`` is the last direction of walking, 0 along x.
    before_x_m, before_y_m
        Where everybody was one step ago.
    """

    def __init__(self, capacity: int) -> None:
        self.gait = np.zeros(capacity, np.int8)
        self.x_m, self.y_m = np.zeros(capacity), np.zeros(capacity)
        self.before_x_m, self.before_y_m = np.zeros(capacity), np.zeros(capacity)
        self.heading_rad = np.zeros(capacity)
        self.speed_m_s = np.zeros(capacity)
        self.pace_m_s = np.ones(capacity)
        self.until_ms = np.zeros(capacity, np.int64)
        self._way = np.zeros((capacity, WAY_POINTS_MAX, 2))
        self._left_m = np.zeros((capacity, WAY_POINTS_MAX))  # from each corner to the goal
        self._corners = np.zeros(capacity, np.intp)
        self._corner = np.zeros(capacity, np.intp)  # the next one

    def appear(self, slot: int, *, x_m: float, y_m: float, pace_m_s: float) -> None:
        """Put a shopper on the floor, standing until he is sent somewhere."""
        self.x_m[slot] = self.before_x_m[slot] = x_m
        self.y_m[slot] = self.before_y_m[slot] = y_m
        self.pace_m_s[slot] = pace_m_s
        self.speed_m_s[slot] = 0.0
        self.gait[slot] = Gait.STANDING
        self.until_ms[slot] = np.iinfo(np.int64).max

    def send(self, slot: int, way: npt.NDArray[np.float64]) -> None:
        """Let a shopper walk along ``way``, (k, 2) corner points with the goal last.

        Raises
        ------
        InvalidSiteMap
            If the way has more than `WAY_POINTS_MAX` corners.
        """
        corners = len(way)
        if not 1 <= corners <= WAY_POINTS_MAX:
            raise InvalidSiteMap(
                f"a way has {corners} corners; expected 1 to {WAY_POINTS_MAX}. Simplify the "
                "outlines of the fixtures."
            )
        self._way[slot, :corners] = way
        gaps = np.hypot(*np.diff(way, axis=0).T)
        self._left_m[slot, :corners] = np.append(np.cumsum(gaps[::-1])[::-1], 0.0)
        self._corners[slot], self._corner[slot] = corners, 0
        self.gait[slot] = Gait.WALKING

    def stand(self, slot: int, *, until_ms: int, heading_rad: float) -> None:
        """Let a shopper stand where he is."""
        self.gait[slot] = Gait.STANDING
        self.speed_m_s[slot] = 0.0
        self.until_ms[slot] = until_ms
        self.heading_rad[slot] = heading_rad

    def vanish(self, slot: int) -> None:
        """Take a shopper off the floor."""
        self.gait[slot] = Gait.ABSENT

    def advance(self, now_ms: int, *, step_ms: int) -> StepEnd:
        """Move everybody from ``now_ms − step_ms`` to ``now_ms``."""
        self.before_x_m[:] = self.x_m
        self.before_y_m[:] = self.y_m
        standing = self.gait == Gait.STANDING
        walking = np.flatnonzero(self.gait == Gait.WALKING)
        rested = np.flatnonzero(standing & (self.until_ms <= now_ms))
        return StepEnd(arrived=self._walk(walking, step_s=step_ms / 1000.0), rested=rested)

    def _walk(self, slots: Slots, *, step_s: float) -> Slots:
        goal, gap = self._next_corner(slots)
        left = gap + self._left_m[slots, self._corner[slots]]
        brake = np.maximum(np.sqrt(2.0 * SLOW_DOWN_M_S2 * left), CREEP_M_S)
        speed = np.minimum(self.speed_m_s[slots] + SPEED_UP_M_S2 * step_s, self.pace_m_s[slots])
        speed = np.minimum(speed, brake)
        self.speed_m_s[slots] = speed
        travel = speed * step_s
        for _ in range(CORNERS_A_STEP):
            share = np.minimum(travel / np.maximum(gap, TOUCHING_M), 1.0)
            ahead_x, ahead_y = goal[:, 0] - self.x_m[slots], goal[:, 1] - self.y_m[slots]
            turned = gap > TOUCHING_M
            facing = np.arctan2(ahead_y, ahead_x)
            self.heading_rad[slots] = np.where(turned, facing, self.heading_rad[slots])
            self.x_m[slots] += share * ahead_x
            self.y_m[slots] += share * ahead_y
            reached = share >= 1.0
            travel = np.where(reached, travel - gap, 0.0)
            self._corner[slots] += reached
            if not reached.any():
                break
            arrived = self._corner[slots] >= self._corners[slots]
            travel[arrived] = 0.0
            self._corner[slots] -= arrived  # the goal stays the next corner
            goal, gap = self._next_corner(slots)
        at_goal = (self._corner[slots] == self._corners[slots] - 1) & (gap <= TOUCHING_M)
        arrived_slots: Slots = slots[at_goal]
        return arrived_slots

    def _next_corner(self, slots: Slots) -> tuple[npt.NDArray[np.float64], Column]:
        goal = self._way[slots, self._corner[slots]]
        return goal, np.hypot(goal[:, 0] - self.x_m[slots], goal[:, 1] - self.y_m[slots])
