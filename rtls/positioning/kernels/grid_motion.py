"""Carry the mass of one tag over the grid through time.

Layer: kernels. Takes: the list of states in the scratch, and what is known of the velocity.
Gives: the same later to rtls.positioning.kernels.grid_epoch.

The place is free to have any shape; the velocity, given the place, is Gaussian (a Rao-Blackwellised
filter): a tag at x walks with ``velocity + pull (x - mean)``, give or take `velocity_var`. So mass
ahead of the mean runs ahead, as it must have walked faster to be there, and walls hold it up. The
velocity is an Ornstein-Uhlenbeck process, as in rtls.positioning.kernels.motion.
"""

import math

from numba import njit

from rtls.positioning.kernels.grid_records import (
    EAST,
    NORTH,
    SOUTH,
    WEST,
    GridModel,
    GridParameters,
    Scratch,
)
from rtls.positioning.kernels.records import Record

PULL_MAX = 0.4  # 1/s; walls squeeze the mass, and the regression must not answer with a burst
SPEED_M_S_MAX = 1.2
OUTFLOW_MAX = 0.8  # of a node's mass in one step: more would overshoot
AXIS_SHARE = 2.0 / 3.0  # the nine-point Laplacian, whose error is the same in all directions
DIAGONAL_SHARE = 1.0 / 6.0
FAINT = 1e-9  # mass below it stays where it is


@njit(cache=True, nogil=True, error_model="numpy")
def moments(
    model: GridModel, s: Scratch, n: int
) -> tuple[float, float, float, float, float, float]:
    """Return total, mean x and y, and covariance xx, xy, yy of the list; a cell has a width."""
    total = 0.0
    x = 0.0
    y = 0.0
    for k in range(n):
        node = s.node[k]
        mass = s.mass[k]
        total += mass
        x += mass * model.xy[node, 0]
        y += mass * model.xy[node, 1]
    x /= total
    y /= total
    own = model.cell_m * model.cell_m / 12.0
    xx = 0.0
    xy = 0.0
    yy = 0.0
    for k in range(n):
        node = s.node[k]
        dx = model.xy[node, 0] - x
        dy = model.xy[node, 1] - y
        mass = s.mass[k]
        xx += mass * dx * dx
        xy += mass * dx * dy
        yy += mass * dy * dy
    return total, x, y, xx / total + own, xy / total, yy / total + own


@njit(cache=True, nogil=True, error_model="numpy")
def give(s: Scratch, n: int, base: int, node: int, kind: int, mass: float) -> int:
    """Add mass to a state of the list, which grows where it is new; return its length.

    ``base`` is the state of node 0 under the hypothesis ``kind``.
    """
    place = s.place[base + node]
    if place < 0:
        s.place[base + node] = n
        s.state[n] = base + node
        s.node[n] = node
        s.kind[n] = kind
        s.mass[n] = 0.0
        s.other[n] = mass
        return n + 1
    s.other[place] += mass
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def heading(
    model: GridModel, node: int, u: float, v: float
) -> tuple[int, int, int, float, float, float]:
    """Split a way of (u, v) cells among the neighbours ahead, ahead in x and ahead in y.

    Returned are their columns, and the share of the mass that goes along x, along y and across.
    """
    across = abs(u) * abs(v)
    along_x = abs(u) - across
    along_y = abs(v) - across
    ahead_x = EAST if u > 0.0 else WEST
    ahead_y = NORTH if v > 0.0 else SOUTH
    ahead = 7 if (ahead_x == EAST and ahead_y == SOUTH) else (ahead_x + ahead_y) // 2
    if model.neighbours[node, ahead] < 0:  # around the corner, one way or the other
        along_x += 0.5 * across
        along_y += 0.5 * across
        across = 0.0
    return ahead_x, ahead_y, ahead, along_x, along_y, across


@njit(cache=True, nogil=True, error_model="numpy")
def step_mass(
    model: GridModel,
    s: Scratch,
    n: int,
    x: float,
    y: float,
    ways: tuple[float, float, float],
    spread: float,
) -> int:
    """Move all mass by one short step; return the new length of the list.

    ``ways`` are cells to the east and north at (x, y) and cells more for each metre from there;
    ``spread`` is the variance of the step over the square of a cell.
    """
    for k in range(n):
        s.other[k] = s.mass[k]
    length = n
    half = 0.5 * spread
    room = 1.0 - 10.0 / 3.0 * half
    for k in range(n):
        mass = s.mass[k]
        if mass < FAINT:
            continue
        node = s.node[k]
        u = ways[0] + ways[2] * (model.xy[node, 0] - x)
        v = ways[1] + ways[2] * (model.xy[node, 1] - y)
        slower = min(room / max(abs(u), abs(v), 1e-12), 1.0)
        ahead_x, ahead_y, ahead, along_x, along_y, across = heading(
            model, node, u * slower, v * slower
        )
        gone = 0.0
        for way in range(8):
            other = model.neighbours[node, way]
            if other < 0:
                continue
            share = half * (AXIS_SHARE if way % 2 == 0 else DIAGONAL_SHARE)
            if way == ahead_x:
                share += along_x
            if way == ahead_y:
                share += along_y
            if way == ahead:
                share += across
            if share > 0.0:
                length = give(s, length, s.state[k] - node, other, s.kind[k], mass * share)
                gone += mass * share
        s.other[k] -= gone
    for k in range(length):
        s.mass[k] = max(s.other[k], 0.0)
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def change_floors(model: GridModel, s: Scratch, n: int, share: float) -> int:
    """Let ``share`` of the mass take a lift or stairs, up and down alike."""
    length = n
    for k in range(n):
        s.other[k] = s.mass[k]
    for k in range(n):
        node = s.node[k]
        for way in range(2):
            other = model.between[node, way]
            if other >= 0:
                part = 0.5 * share * s.mass[k]
                length = give(s, length, s.state[k] - node, other, s.kind[k], part)
                s.other[k] -= part
    for k in range(length):
        s.mass[k] = s.other[k]
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def predict(
    model: GridModel, p: GridParameters, s: Scratch, n: int, belief: Record, dt_s: float
) -> int:
    """Carry mass and velocity by ``dt_s``; return the new length of the list."""
    x = belief["x_m"]
    y = belief["y_m"]
    before = 0.5 * (belief["cov"][0] + belief["cov"][2])
    memory = p.speed_memory_s
    keep = math.exp(-dt_s / memory)
    reach = memory * (1.0 - keep)
    variance = p.speed_sd_m_s * p.speed_sd_m_s
    ratio = dt_s / memory
    if ratio < 0.02:  # noqa: PLR2004  the closed form loses its digits here
        drift = variance * memory * memory * ratio**3 * (2.0 / 3.0)
    else:
        drift = variance * memory * memory * (2.0 * ratio - 3.0 + 4.0 * keep - keep * keep)
    pull = belief["pull"]
    velocity = belief["velocity"]
    # The variance of the steps is that of the velocity where the place is known, and what is new.
    spread = reach * reach * belief["velocity_var"] + drift + 2.0 * p.diffusion_m2_s * dt_s
    cell = model.cell_m
    fastest = max(abs(velocity[0]), abs(velocity[1]))
    steps = int(max(spread / cell / cell * (5.0 / 3.0), reach * fastest / cell) / OUTFLOW_MAX) + 1
    ways = (
        reach * velocity[0] / cell / steps,
        reach * velocity[1] / cell / steps,
        reach * pull / cell / steps,
    )
    length = n
    for _ in range(steps):
        length = step_mass(model, s, length, x, y, ways, spread / cell / cell / steps)
    if p.floor_change_s > 0.0:
        length = change_floors(model, s, length, min(dt_s / p.floor_change_s, 0.5))
    carry_velocity(model, p, s, length, belief, (before, keep, reach))
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def carry_velocity(
    model: GridModel,
    p: GridParameters,
    s: Scratch,
    n: int,
    belief: Record,
    step: tuple[float, float, float],
) -> None:
    """Forget a part of the velocity, and regress what is left on the place anew."""
    before, keep, reach = step
    variance = p.speed_sd_m_s * p.speed_sd_m_s
    pull = belief["pull"]
    joint = pull * before  # covariance of place and velocity, an axis
    own = belief["velocity_var"] + pull * joint
    joint = keep * (joint + reach * own) + variance * p.speed_memory_s * (1.0 - keep) ** 2
    own = keep * keep * own + variance * (1.0 - keep * keep)
    _, x, y, xx, xy, yy = moments(model, s, n)
    after = 0.5 * (xx + yy)
    pull = min(max(joint / after, 0.0), PULL_MAX)
    belief["pull"] = pull
    belief["velocity_var"] = max(own - pull * joint, 1e-4)
    belief["velocity"][0] *= keep
    belief["velocity"][1] *= keep
    belief["x_m"] = x
    belief["y_m"] = y
    belief["cov"][0] = xx
    belief["cov"][1] = xy
    belief["cov"][2] = yy


@njit(cache=True, nogil=True, error_model="numpy")
def note_moments(model: GridModel, s: Scratch, n: int, belief: Record) -> None:
    """Take the moments of the mass into the belief; the velocity follows the shift of the mean."""
    _, x, y, xx, xy, yy = moments(model, s, n)
    velocity = belief["velocity"]
    velocity[0] += belief["pull"] * (x - belief["x_m"])
    velocity[1] += belief["pull"] * (y - belief["y_m"])
    speed = math.hypot(velocity[0], velocity[1])
    if speed > SPEED_M_S_MAX:
        velocity[0] *= SPEED_M_S_MAX / speed
        velocity[1] *= SPEED_M_S_MAX / speed
    belief["x_m"] = x
    belief["y_m"] = y
    belief["cov"][0] = xx
    belief["cov"][1] = xy
    belief["cov"][2] = yy
