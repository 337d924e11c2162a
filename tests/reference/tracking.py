"""The filter of one tag in plain numpy: two modes, full matrices, no packing, no sub-spaces.

Layer: tests. Takes: readings of one tag, instant by instant. Gives: what the kernels must agree
with. Every formula is written again from the papers, none is imported.

Both modes have the state (x, y, vx, vy, offset); of the standing one the velocity is nothing.
"""

import math
from dataclasses import dataclass

import numpy as np

from rtls.positioning.tracking import TrackingSettings

PLACE = [0, 1, 4]


@dataclass
class PlainReading:
    is_range: bool
    x: float
    y: float
    rise: float
    value: float
    """metres, or dB above the anchor's strength at 1 m"""
    sigma: float
    exponent: float = 0.0
    credit: float = 1.0
    age_s: float = 0.0
    long_share: float = 0.25


@dataclass
class PlainMode:
    state: np.ndarray
    cov: np.ndarray
    weight: float


def mixed(parts: list[PlainMode]) -> PlainMode:
    """Return the first two moments of a mixture."""
    total = sum(part.weight for part in parts)
    shares = [part.weight / total for part in parts]
    mean = sum(share * part.state for share, part in zip(shares, parts, strict=True))
    cov = sum(
        share * (part.cov + np.outer(part.state - mean, part.state - mean))
        for share, part in zip(shares, parts, strict=True)
    )
    return PlainMode(mean, cov, total)


class PlainTrack:
    def __init__(self, settings: TrackingSettings, *, stand: PlainMode, walk: PlainMode) -> None:
        self.settings, self.stand, self.walk = settings, stand, walk

    @property
    def both(self) -> PlainMode:
        return mixed([self.stand, self.walk])

    def predict(self, dt: float) -> None:
        settings = self.settings
        stay = math.exp(-dt / settings.mode_memory_s)
        to_walk = (1.0 - settings.standing_prior) * (1.0 - stay)
        to_stand = settings.standing_prior * (1.0 - stay)
        stand, walk = self.stand, self.walk
        fresh = settings.speed_sd_m_s**2
        halt = np.diag([1.0, 1.0, 0.0, 0.0, 1.0])
        begun = PlainMode(
            stand.state, stand.cov + np.diag([0, 0, fresh, fresh, 0]), stand.weight * to_walk
        )
        halted = PlainMode(halt @ walk.state, halt @ walk.cov @ halt, walk.weight * to_stand)
        stays = PlainMode(stand.state, stand.cov, stand.weight * (1.0 - to_walk))
        goes = PlainMode(walk.state, walk.cov, walk.weight * (1.0 - to_stand))
        self.stand, self.walk = mixed([stays, halted]), mixed([goes, begun])
        self.carry_walk(dt)
        sway = settings.standing_sway_m2_s * dt
        self.stand.cov = self.stand.cov + np.diag([sway, sway, 0.0, 0.0, 0.0])
        for mode in (self.stand, self.walk):
            self.drift(mode, dt)

    def carry_walk(self, dt: float) -> None:
        tau, variance = self.settings.speed_memory_s, self.settings.speed_sd_m_s**2
        keep = math.exp(-dt / tau)
        move = np.eye(5)
        move[0, 2] = move[1, 3] = tau * (1.0 - keep)
        move[2, 2] = move[3, 3] = keep
        noise = np.zeros((5, 5))
        for place, speed in ((0, 2), (1, 3)):
            noise[place, place] = variance * tau**2 * (2.0 * dt / tau - 3.0 + 4.0 * keep - keep**2)
            noise[place, speed] = noise[speed, place] = variance * tau * (1.0 - keep) ** 2
            noise[speed, speed] = variance * (1.0 - keep**2)
        self.walk.state = move @ self.walk.state
        self.walk.cov = move @ self.walk.cov @ move.T + noise

    def drift(self, mode: PlainMode, dt: float) -> None:
        drift = self.settings.measurement.offset_drift_db2_s * dt
        mode.cov[4, 4] = min(mode.cov[4, 4] + drift, self.settings.measurement.offset_sd_db**2)

    def update(self, readings: list[PlainReading]) -> None:
        at, information, right = self.settled(readings)
        evidence = []
        for mode in (self.stand, self.walk):
            prior = mode.cov[np.ix_(PLACE, PLACE)]
            known = np.linalg.inv(prior)
            miss = mode.state[PLACE] - at
            after = np.linalg.inv(known + information)
            pull = known @ miss + right
            place = at + after @ pull
            evidence.append(
                0.5 * (pull @ after @ pull - miss @ known @ miss)
                + 0.5 * math.log(np.linalg.det(after) / np.linalg.det(prior))
            )
            gain = mode.cov[:, PLACE] @ known
            mode.state = mode.state + gain @ (place - mode.state[PLACE])
            mode.cov = mode.cov + gain @ (after - prior) @ gain.T
        top = max(evidence)
        weights = [
            mode.weight * math.exp(one - top)
            for mode, one in zip((self.stand, self.walk), evidence, strict=True)
        ]
        self.stand.weight = min(max(weights[0] / sum(weights), 1e-3), 1.0 - 1e-3)
        self.walk.weight = 1.0 - self.stand.weight

    def settled(self, readings: list[PlainReading]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where readings and both modes meet, and curvature and slope of the readings."""
        both = self.both
        prior = both.cov[np.ix_(PLACE, PLACE)]
        known, still_unknown = np.linalg.inv(prior), prior
        speed_variance = 0.5 * (both.cov[2, 2] + both.cov[3, 3])
        at, step = both.state[PLACE], np.zeros(3)
        information, right = np.zeros((3, 3)), np.zeros(3)
        for _ in range(5):
            at = at + step
            information, right = np.zeros((3, 3)), np.zeros(3)
            for reading in readings:
                residual, slope = self.expected(reading, at, both.state[2:4])
                noise = reading.sigma**2
                noise += (slope[0] ** 2 + slope[1] ** 2) * speed_variance * reading.age_s**2
                scale = math.sqrt(noise + slope @ still_unknown @ slope)
                weight = self.weight(reading, residual, scale) * reading.credit / noise
                information += weight * np.outer(slope, slope)
                right += weight * slope * residual
            still_unknown = np.linalg.inv(known + information)
            step = still_unknown @ (right + known @ (both.state[PLACE] - at))
            if math.hypot(step[0], step[1]) < 0.03:
                break
        return at, information, right

    def expected(
        self, reading: PlainReading, at: np.ndarray, velocity: np.ndarray
    ) -> tuple[float, np.ndarray]:
        dx = at[0] - velocity[0] * reading.age_s - reading.x
        dy = at[1] - velocity[1] * reading.age_s - reading.y
        distance = math.sqrt(dx * dx + dy * dy + reading.rise**2)
        if reading.is_range:
            return reading.value - distance, np.array([dx / distance, dy / distance, 0.0])
        distance = max(distance, 0.3)
        loss = -10.0 * reading.exponent * math.log10(distance) + at[2]
        steep = -10.0 * reading.exponent / math.log(10.0) / distance**2
        return reading.value - loss, np.array([steep * dx, steep * dy, 1.0])

    def weight(self, reading: PlainReading, residual: float, scale: float) -> float:
        noise = self.settings.measurement
        if not reading.is_range:
            z = residual / scale
            return (noise.student_dof + 1.0) / (noise.student_dof + z * z)
        is_long = residual > 0.0
        share = reading.long_share if is_long else noise.short_share
        tail = noise.long_scale_m if is_long else noise.short_scale_m
        away = abs(residual)
        direct_share = 1.0 - reading.long_share - noise.short_share
        direct = direct_share / (math.sqrt(2.0 * math.pi) * scale)
        direct *= math.exp(-0.5 * (away / scale) ** 2)
        blocked = share / tail * math.exp(-away / tail)
        p_direct = direct / (direct + blocked)
        return p_direct + (1.0 - p_direct) * min(1.0, scale**2 / (tail * max(away, scale)))
