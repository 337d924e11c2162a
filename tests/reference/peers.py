"""The usual ways of locating, plainly written, to stand beside ours in one run.

Layer: tests. Takes: one tag's readings of a recording. Gives: places at given instants, each from
readings up to its instant only. Each is the textbook's version, with settings that serve it well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares, minimize

Floats = npt.NDArray[np.float64]
Method = Callable[[Floats], Floats | None]
SILENT_DBM = -100.0  # what a fingerprint holds for an anchor that was not heard
NEIGHBOURS = 5
ANCHORS_MIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardTag:
    """What one tag's readings were.

    Parameters
    ----------
    at_ms, anchor, value
        (n,) each, by time.
    anchors
        How many anchors there are.
    """

    at_ms: npt.NDArray[np.int64]
    anchor: npt.NDArray[np.int32]
    value: Floats
    anchors: int

    def window(self, end_ms: int, window_ms: int) -> Floats:
        """Return (anchors,) means over (end - window, end], NaN where unheard."""
        first, last = np.searchsorted(self.at_ms, (end_ms - window_ms, end_ms), side="right")
        which, value = self.anchor[first:last], self.value[first:last]
        count = np.bincount(which, minlength=self.anchors)
        total = np.bincount(which, weights=value, minlength=self.anchors)
        means = np.full(self.anchors, np.nan)
        means[count > 0] = total[count > 0] / count[count > 0]
        return means


def at_instants(
    tag: HeardTag, instants_ms: npt.NDArray[np.int64], *, window_ms: int, method: Method
) -> Floats:
    """Return (n, 2) places, NaN where the method gives none."""
    places = np.full((len(instants_ms), 2), np.nan)
    for row, at_ms in enumerate(instants_ms.tolist()):
        found = method(tag.window(at_ms, window_ms))
        if found is not None:
            places[row] = found
    return places


def weighted_centroid(anchor_m: Floats) -> Method:
    """Return the mean of the anchors' places weighted by received power (in milliwatts^½)."""

    def locate(rssi: Floats) -> Floats | None:
        heard = np.isfinite(rssi)
        if not heard.any():
            return None
        weight = 10.0 ** (rssi[heard] / 20.0)
        return np.asarray(weight @ anchor_m[heard, :2] / weight.sum())

    return locate


def least_squares_of_ranges(anchor_m: Floats, *, tag_z_m: float, loss: str) -> Method:
    """Return scipy's trf on ranges; ``loss`` is one of scipy's."""

    def locate(range_m: Floats) -> Floats | None:
        heard = np.isfinite(range_m)
        if heard.sum() < ANCHORS_MIN:
            return None

        def residual(place: Floats) -> Floats:
            away = anchor_m[heard] - np.array([place[0], place[1], tag_z_m])
            return np.asarray(np.linalg.norm(away, axis=1) - range_m[heard])

        start = anchor_m[heard, :2].mean(axis=0)
        return np.asarray(least_squares(residual, start, loss=loss, f_scale=0.15).x)

    return locate


def least_squares_of_log_distance(anchor_m: Floats, law: Floats, *, tag_z_m: float) -> Method:
    """Return scipy's soft_l1 fit in dB of place and offset; ``law`` is (n, 2): dBm at 1 m, n."""

    def locate(rssi: Floats) -> Floats | None:
        heard = np.isfinite(rssi)
        if heard.sum() < ANCHORS_MIN:
            return None

        def residual(unknown: Floats) -> Floats:
            away = anchor_m[heard] - np.array([unknown[0], unknown[1], tag_z_m])
            distance = np.maximum(np.linalg.norm(away, axis=1), 0.3)
            expected = law[heard, 0] - 10.0 * law[heard, 1] * np.log10(distance) + unknown[2]
            return np.asarray(rssi[heard] - expected)

        centre = weighted_centroid(anchor_m)(rssi)
        assert centre is not None
        low, high = anchor_m[:, :2].min(axis=0) - 2.0, anchor_m[:, :2].max(axis=0) + 2.0
        fit = least_squares(
            residual,
            [*centre, 0.0],
            loss="soft_l1",
            f_scale=4.0,
            bounds=([*low, -30.0], [*high, 30.0]),
        )
        return np.asarray(fit.x[:2])

    return locate


def nelder_mead_in_metres(anchor_m: Floats, law: Floats) -> Method:
    """Return the companion's way: metres from RSSI, then a simplex search, near ones weighing more.

    Its distances are flat, and symmetric noise in dB has become skewed noise in metres.
    """

    def locate(rssi: Floats) -> Floats | None:
        heard = np.isfinite(rssi)
        if heard.sum() < ANCHORS_MIN:
            return None
        distance = 10.0 ** ((law[heard, 0] - rssi[heard]) / (10.0 * law[heard, 1]))
        return fix_in_metres(anchor_m[heard, :2], distance)

    return locate


def fix_in_metres(anchor_m: Floats, distance_m: Floats) -> Floats:
    """Return x, y that minimise squared errors of distance, near anchors weighing more.

    Parameters
    ----------
    anchor_m
        (n, 2).
    distance_m
        (n,).
    """
    weight = 1.0 / np.maximum(distance_m, 0.1) ** 2
    start = weight @ anchor_m / weight.sum()

    def cost(place: Floats) -> float:
        away = np.hypot(anchor_m[:, 0] - place[0], anchor_m[:, 1] - place[1])
        return float(weight @ (away - distance_m) ** 2)

    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-4})
    return np.asarray(found.x)


def nearest_neighbours(fingerprints: Floats, places: Floats) -> Method:
    """Return the mean place of the five surveyed scans that are most alike in dBm.

    Parameters
    ----------
    fingerprints
        (m, anchors), NaN where unheard.
    places
        (m, 2).
    """
    known = np.where(np.isfinite(fingerprints), fingerprints, SILENT_DBM).astype(np.float32)
    squares = np.einsum("ij,ij->i", known, known)

    def locate(rssi: Floats) -> Floats | None:
        if not np.isfinite(rssi).any():
            return None
        own = np.where(np.isfinite(rssi), rssi, SILENT_DBM).astype(np.float32)
        distance = squares - 2.0 * (known @ own)
        nearest = np.argpartition(distance, NEIGHBOURS)[:NEIGHBOURS]
        return np.asarray(places[nearest].mean(axis=0))

    return locate


@dataclass(slots=True, kw_only=True)
class TextbookFilter:
    """An extended Kalman filter with constant velocity and a gate of three sigmas.

    Parameters
    ----------
    anchor_m
        (n, 3).
    sigma
        Of a reading, m or dB.
    law
        (n, 2) for RSSI: dBm at 1 m and exponent; None for ranges.
    """

    anchor_m: Floats
    tag_z_m: float
    sigma: float
    law: Floats | None = None
    acceleration: float = 0.5
    gate_sigmas: float = 3.0

    def follow(self, tag: HeardTag, start: Floats, instants_ms: npt.NDArray[np.int64]) -> Floats:
        """Return (n, 2) places at the instants, from ``start`` at the first reading."""
        state = np.array([*start, 0.0, 0.0])
        cov = np.diag([4.0, 4.0, 1.0, 1.0])
        places = np.full((len(instants_ms), 2), np.nan)
        row, now_ms = 0, int(tag.at_ms[0])
        for at_ms, anchor, value in zip(
            tag.at_ms.tolist(), tag.anchor.tolist(), tag.value.tolist(), strict=True
        ):
            while row < len(instants_ms) and instants_ms[row] < at_ms:
                ahead = (instants_ms[row] - now_ms) / 1000.0
                if ahead >= 0.0:
                    places[row] = state[:2] + ahead * state[2:]
                row += 1
            state, cov = self._predicted(state, cov, (at_ms - now_ms) / 1000.0)
            now_ms = at_ms
            state, cov = self._updated(state, cov, anchor, value)
        places[row:] = state[:2]
        return places

    def _predicted(self, state: Floats, cov: Floats, dt_s: float) -> tuple[Floats, Floats]:
        move = np.eye(4)
        move[0, 2] = move[1, 3] = dt_s
        push = np.array([[dt_s**4 / 4.0, dt_s**3 / 2.0], [dt_s**3 / 2.0, dt_s**2]])
        noise = self.acceleration**2 * np.kron(push, np.eye(2))
        return move @ state, move @ cov @ move.T + noise

    def _updated(
        self, state: Floats, cov: Floats, anchor: int, value: float
    ) -> tuple[Floats, Floats]:
        away = np.array([state[0], state[1], self.tag_z_m]) - self.anchor_m[anchor]
        distance = max(float(np.linalg.norm(away)), 0.3)
        slope = np.zeros(4)
        if self.law is None:
            expected, slope[:2] = distance, away[:2] / distance
        else:
            at_1m, exponent = self.law[anchor]
            expected = at_1m - 10.0 * exponent * np.log10(distance)
            slope[:2] = -10.0 * exponent / np.log(10.0) * away[:2] / distance**2
        innovation = value - expected
        variance = float(slope @ cov @ slope) + self.sigma**2
        if innovation**2 > self.gate_sigmas**2 * variance:
            return state, cov
        gain = cov @ slope / variance
        return state + gain * innovation, cov - np.outer(gain, slope @ cov)
