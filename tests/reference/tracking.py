"""The filter of one tag in plain numpy: full matrices, no packing, no trick with sub-spaces.

Layer: tests. Takes: readings of one tag, instant by instant. Gives: what the kernels must agree
with. Every formula is written again from the papers, none is imported.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from rtls.positioning.tracking import TrackingSettings


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


@dataclass
class PlainTrack:
    settings: TrackingSettings
    state: np.ndarray
    cov: np.ndarray
    surprise: float = field(default=0.0)

    def predict(self, dt: float) -> None:
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
        self.state = move @ self.state
        self.cov = move @ self.cov @ move.T + noise
        drift = self.settings.measurement.offset_drift_db2_s * dt
        self.cov[4, 4] = min(self.cov[4, 4] + drift, self.settings.measurement.offset_sd_db**2)

    def update(self, readings: list[PlainReading]) -> None:
        prior = self.state.copy()
        known = np.linalg.inv(self.cov)
        speed_variance = 0.5 * (self.cov[2, 2] + self.cov[3, 3])
        place = prior.copy()
        still_unknown = self.cov
        for _ in range(5):
            information = known.copy()
            right = known @ (prior - place)
            for reading in readings:
                residual, slope = self.expected(reading, place, prior)
                noise = reading.sigma**2
                noise += (slope[0] ** 2 + slope[1] ** 2) * speed_variance * reading.age_s**2
                scale = math.sqrt(noise + slope @ still_unknown @ slope)
                weight = self.weight(reading, residual, scale) * reading.credit / noise
                information += weight * np.outer(slope, slope)
                right = right + weight * slope * residual
            still_unknown = np.linalg.inv(information)
            step = still_unknown @ right
            place = place + step
            if math.hypot(step[0], step[1]) < 1e-3:
                break
        self.state, self.cov = place, still_unknown

    def expected(
        self, reading: PlainReading, place: np.ndarray, prior: np.ndarray
    ) -> tuple[float, np.ndarray]:
        dx = place[0] - prior[2] * reading.age_s - reading.x
        dy = place[1] - prior[3] * reading.age_s - reading.y
        distance = math.sqrt(dx * dx + dy * dy + reading.rise**2)
        if reading.is_range:
            return reading.value - distance, np.array([dx / distance, dy / distance, 0, 0, 0])
        distance = max(distance, 0.3)
        loss = -10.0 * reading.exponent * math.log10(distance) + place[4]
        steep = -10.0 * reading.exponent / math.log(10.0) / distance**2
        return reading.value - loss, np.array([steep * dx, steep * dy, 0.0, 0.0, 1.0])

    def weight(self, reading: PlainReading, residual: float, scale: float) -> float:
        noise = self.settings.measurement
        if not reading.is_range:
            z = residual / scale
            return (noise.student_dof + 1.0) / (noise.student_dof + z * z)
        is_long = residual > 0.0
        share = noise.long_share if is_long else noise.short_share
        tail = noise.long_scale_m if is_long else noise.short_scale_m
        away = abs(residual)
        direct_share = 1.0 - noise.long_share - noise.short_share
        direct = direct_share / (math.sqrt(2.0 * math.pi) * scale)
        direct *= math.exp(-0.5 * (away / scale) ** 2)
        blocked = share / tail * math.exp(-away / tail)
        p_direct = direct / (direct + blocked)
        return p_direct + (1.0 - p_direct) * min(1.0, scale**2 / (tail * max(away, scale)))
