"""The map filter as one would write it on paper: every node, every time, nothing left out.

Layer: reference. Takes: grid, expected RSSI and spread at its nodes, settings; one kind of tag.
Gives: mass, offset and velocity, to be compared with the kernels.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import t as student

from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.walk_grid import STEPS, WalkGrid

PULL_MAX = 0.4
OUTFLOW_MAX = 0.8
SPEED_MAX = 1.2


@dataclass
class PlainMapFilter:
    """One tag; ``expected`` and ``spread`` are (n_anchors, n_nodes), the offset N(mean, sd²)."""

    grid: WalkGrid
    expected: np.ndarray
    spread: np.ndarray
    offset: float
    offset_var: float
    settings: GridSettings
    least_dbm: float
    mass: np.ndarray = field(init=False)
    velocity: np.ndarray = field(init=False)
    pull: float = 0.0
    velocity_var: float = 0.0

    def __post_init__(self) -> None:
        self.offset_sd = math.sqrt(self.offset_var)
        self.mass = np.full(len(self.grid), 1.0 / len(self.grid))
        self.velocity = np.zeros(2)
        self.velocity_var = self.settings.speed_sd_m_s**2

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        xy = self.grid.node_xy
        mean = self.mass @ xy / self.mass.sum()
        away = xy - mean
        cov = (away * self.mass[:, None]).T @ away / self.mass.sum()
        return mean, cov + np.eye(2) * self.grid.cell_m**2 / 12.0

    def start(self, heard: dict[int, float]) -> None:
        cost, offset, precision = self.weigh(heard)
        self.mass = self.mass * np.exp(cost.min() - cost)
        self.mass /= self.mass.sum()
        self.take_offset(offset, precision, 1.0)

    def move_on(self, heard: dict[int, float], dt_s: float) -> None:
        self.predict(dt_s)
        before, _ = self.moments()
        drifted = self.offset_var + self.settings.offset_drift_db2_s * dt_s
        self.offset_var = min(drifted, self.offset_sd**2)
        cost, offset, precision = self.weigh(heard)
        credit = 1.0 - math.exp(-dt_s / self.settings.credit_s)
        keep = math.exp(-dt_s / self.settings.forget_s)
        self.mass = self.mass**keep * np.exp(credit * (cost.min() - cost))
        self.mass /= self.mass.sum()
        self.take_offset(offset, precision, credit)
        after, _ = self.moments()
        self.velocity = self.velocity + self.pull * (after - before)
        speed = float(np.hypot(*self.velocity))
        if speed > SPEED_MAX:
            self.velocity *= SPEED_MAX / speed

    def weigh(self, heard: dict[int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dof = self.settings.student_dof
        cost = np.zeros(len(self.grid))
        best = np.zeros(len(self.grid))
        information = np.zeros(len(self.grid))
        for node in range(len(self.grid)):
            at = self.offset
            rounds = 4 if self.offset_var > 9.0 else 1
            for step in range(rounds):
                away = {a: rssi - self.expected[a, node] - at for a, rssi in heard.items()}
                var = {a: self.spread[a, node] ** 2 * (1.0 - 2.0 / dof) for a in heard}
                weight = {a: (dof + 1.0) / (dof * var[a] + away[a] ** 2) for a in heard}
                slope = sum(weight[a] * away[a] for a in heard)
                slope -= (at - self.offset) / self.offset_var
                share = self.should_be_heard(node, at)
                steep = (self.should_be_heard(node, at + 1e-6) - share) / 1e-6
                slope -= len(heard) * steep
                precision = sum(weight.values())
                newton = slope / (precision + 1.0 / self.offset_var)
                if step == rounds - 1:
                    cost[node] = sum(
                        0.5 * (dof + 1.0) * math.log1p(away[a] ** 2 / (dof * var[a]))
                        + math.log(self.spread[a, node])
                        for a in heard
                    )
                    cost[node] += len(heard) * share
                    cost[node] += 0.5 * (at - self.offset) ** 2 / self.offset_var
                    cost[node] += 0.5 * math.log1p(self.offset_var * precision)
                    cost[node] -= 0.5 * slope * newton
                    information[node] = precision
                at += newton
            best[node] = at
        return cost, best, information

    def should_be_heard(self, node: int, offset: float) -> float:
        offsets = np.arange(-45.0, 34.0, 3.0)
        away = self.expected[:, node, None] + offsets - self.least_dbm
        p = student.cdf(away / self.spread[:, node, None] * math.sqrt(2.0), 4)
        return float(np.interp(offset, offsets, np.log(1.0 + p.sum(axis=0))))

    def take_offset(self, best: np.ndarray, precision: np.ndarray, credit: float) -> None:
        part = credit * precision + 1.0 / self.offset_var
        step = (best - self.offset) * credit * (precision + 1.0 / self.offset_var) / part
        mean = float(self.mass @ step)
        var = float(self.mass @ (1.0 / part) + self.mass @ step**2 - mean**2)
        self.offset += mean
        self.offset_var = min(max(var, self.settings.offset_sd_db_min**2), self.offset_sd**2)

    def predict(self, dt_s: float) -> None:
        own, cell = self.settings, self.grid.cell_m
        mean, cov = self.moments()
        before = np.trace(cov) / 2.0
        memory, variance = own.speed_memory_s, own.speed_sd_m_s**2
        keep = math.exp(-dt_s / memory)
        reach = memory * (1.0 - keep)
        ratio = dt_s / memory
        drift = variance * memory**2 * (2.0 * ratio - 3.0 + 4.0 * keep - keep**2)
        spread = reach**2 * self.velocity_var + drift + 2.0 * own.diffusion_m2_s * dt_s
        fastest = np.abs(self.velocity).max()
        most = max(spread / cell**2 * 5.0 / 3.0, reach * fastest / cell)
        steps = int(most / OUTFLOW_MAX) + 1
        for _ in range(steps):
            self.step(mean, reach / cell / steps, spread / cell**2 / steps)
        joint = self.pull * before
        total = self.velocity_var + self.pull * joint
        joint = keep * (joint + reach * total) + variance * memory * (1.0 - keep) ** 2
        total = keep**2 * total + variance * (1.0 - keep**2)
        _, cov = self.moments()
        self.pull = min(max(joint / (np.trace(cov) / 2.0), 0.0), PULL_MAX)
        self.velocity_var = max(total - self.pull * joint, 1e-4)
        self.velocity = self.velocity * keep

    def step(self, mean: np.ndarray, reach: float, spread: float) -> None:
        moved = self.mass.copy()
        half = 0.5 * spread
        for node, mass in enumerate(self.mass):
            if mass < 1e-9:
                continue
            way = reach * (self.velocity + self.pull * (self.grid.node_xy[node] - mean))
            room = 1.0 - 10.0 / 3.0 * half
            fast = max(np.abs(way).max(), 1e-12)
            if fast > room:
                way = way * room / fast
            for column, share in self.shares(node, way, half).items():
                target = self.grid.neighbours[node, column]
                moved[target] += mass * share
                moved[node] -= mass * share
        self.mass = np.maximum(moved, 0.0)

    def shares(self, node: int, way: np.ndarray, half: float) -> dict[int, float]:
        ahead = STEPS.index((1 if way[0] > 0 else -1, 1 if way[1] > 0 else -1))
        ahead_x = 0 if way[0] > 0 else 4
        ahead_y = 2 if way[1] > 0 else 6
        across = abs(way[0] * way[1])
        straight = {ahead_x: abs(way[0]) - across, ahead_y: abs(way[1]) - across, ahead: across}
        if self.grid.neighbours[node, ahead] < 0:
            straight[ahead_x] += across / 2.0
            straight[ahead_y] += across / 2.0
            straight[ahead] = 0.0
        return {
            column: half * (2.0 / 3.0 if column % 2 == 0 else 1.0 / 6.0) + straight.get(column, 0.0)
            for column in range(8)
            if self.grid.neighbours[node, column] >= 0
        }
