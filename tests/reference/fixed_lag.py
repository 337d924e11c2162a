"""The backward pass of Rauch, Tung and Striebel with whole matrices, and rings of plain rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rtls.model.fix import FIX_DTYPE
from rtls.model.units import UnixMs
from rtls.positioning.kernels.fixed_lag import WIDTH, drop_oldest, smooth_oldest
from rtls.positioning.smoothing import (
    NOT_HEARD_S,
    TAGS_MAX,
    FixArray,
    SmoothedFixes,
    SmoothingSettings,
)


@dataclass(frozen=True)
class Seen:
    """One fix of a walk."""

    at_s: float
    place: tuple[float, float]
    velocity: tuple[float, float]
    p_standing: float
    cov: tuple[float, float, float]


def smoothed(
    walk: Sequence[Seen], standing_m2_s: float, walking_m2_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the tag was at the first fix, and the covariance of that."""
    place, known = np.array(walk[-1].place), matrix(walk[-1])
    for fix, later in zip(walk[-2::-1], walk[:0:-1], strict=True):
        passed = later.at_s - fix.at_s
        cov = matrix(fix)
        p_walking = 1.0 - min(fix.p_standing, later.p_standing)
        ahead = cov + passed * (standing_m2_s + p_walking * walking_m2_s) * np.eye(2)
        velocity = (np.array(fix.velocity) + np.array(later.velocity)) / 2.0
        gain = cov @ np.linalg.inv(ahead)
        place = np.array(fix.place) + gain @ (place - np.array(fix.place) - passed * velocity)
        known = cov + gain @ (known - ahead) @ gain.T
    return place, known


def matrix(fix: Seen) -> np.ndarray:
    xx, xy, yy = fix.cov
    return np.array([[xx, xy], [xy, yy]])


@dataclass(slots=True)
class _Rings:
    """What is kept by tag slot: the kernel's columns, and the fixes as they were."""

    kept: npt.NDArray[np.float64]
    fixes: FixArray
    at_ms: npt.NDArray[np.int64]
    count: npt.NDArray[np.int32]

    @classmethod
    def empty(cls, capacity: int, size: int) -> "_Rings":
        return cls(
            kept=np.zeros((capacity, size, WIDTH)),
            fixes=np.zeros((capacity, size), FIX_DTYPE),
            at_ms=np.zeros((capacity, size), np.int64),
            count=np.zeros(capacity, np.int32),
        )


@dataclass(slots=True)
class PlainSmoother:
    """What FixedLagSmoother does, one fix after the other."""

    settings: SmoothingSettings = field(default_factory=SmoothingSettings)
    _rings: _Rings = field(init=False)

    def __post_init__(self) -> None:
        self._rings = _Rings.empty(1, self.settings.ring_size)

    def take(self, fixes: FixArray, *, at_ms: UnixMs) -> SmoothedFixes:
        """Keep the fixes of one instant; return those that have grown old by it.

        Parameters
        ----------
        fixes
            `FIX_DTYPE`, each tag at most once. Predicted ones are passed over: they know nothing
            that the last heard one did not.
        at_ms
            Their instant, later than the last one.
        """
        found: list[tuple[int, np.void]] = []
        horizon_ms = int(at_ms) - round(1e3 * self.settings.lag_s)
        found.extend(self._pop_older(horizon_ms))
        for fix in fixes[self._is_news(fixes, at_ms)]:
            self._make_room(int(fix["tag"]))
            found.extend(self._push(fix, at_ms))
        found.extend(self._pop_older(horizon_ms + 1))
        return _as_batch(found)

    def _pop_older(self, before_ms: int) -> list[tuple[int, np.void]]:
        found = []
        for slot in range(self._rings.count.size):
            while self._rings.count[slot] and self._rings.at_ms[slot, 0] < before_ms:
                found.append(self._pop(slot))
        return found

    def flush(self, slots: npt.NDArray[np.int32]) -> SmoothedFixes:
        """Return what is left of tags that are forgotten; their slots are free then."""
        known = [slot for slot in slots.tolist() if slot < self._rings.count.size]
        return _as_batch([
            self._pop(slot) for slot in known for _ in range(int(self._rings.count[slot]))
        ])  # fmt: skip

    def _is_news(self, fixes: FixArray, at_ms: UnixMs) -> npt.NDArray[np.bool_]:
        is_heard = int(at_ms) - fixes["evidence_at_ms"] < 1e3 * NOT_HEARD_S
        is_sound = np.isfinite(fixes["x_m"]) & np.isfinite(fixes["cov_xx"])
        return np.asarray(is_heard & is_sound & (fixes["tag"] < TAGS_MAX))

    def _make_room(self, slot: int) -> None:
        rings, capacity = self._rings, self._rings.count.size
        if slot < capacity:
            return
        more = _Rings.empty(max(slot + 1, 2 * capacity) - capacity, self.settings.ring_size)
        for name in ("kept", "fixes", "at_ms", "count"):
            setattr(rings, name, np.concatenate((getattr(rings, name), getattr(more, name))))

    def _push(self, fix: np.void, at_ms: UnixMs) -> list[tuple[int, np.void]]:
        rings, slot = self._rings, int(fix["tag"])
        count = int(rings.count[slot])
        found: list[tuple[int, np.void]] = []
        if count:
            last = rings.fixes[slot, count - 1]
            if int(at_ms) - rings.at_ms[slot, count - 1] < round(1e3 * self.settings.spacing_s):
                return found
            if last["floor"] != fix["floor"]:  # no line leads from one floor to another
                found = [self._pop(slot) for _ in range(count)]
                count = 0
            elif count == self.settings.ring_size:
                found = [self._pop(slot)]
                count -= 1
        rings.fixes[slot, count] = fix
        rings.at_ms[slot, count] = at_ms
        rings.kept[slot, count] = (
            1e-3 * (int(at_ms) - int(rings.at_ms[slot, 0])),
            *(fix[name] for name in ("x_m", "y_m", "vx_m_s", "vy_m_s", "p_standing")),
            *(fix[name] for name in ("cov_xx", "cov_xy", "cov_yy")),
        )
        rings.count[slot] = count + 1
        return found

    def _pop(self, slot: int) -> tuple[int, np.void]:
        rings, settings = self._rings, self.settings
        count = int(rings.count[slot])
        place = smooth_oldest(
            rings.kept[slot], count, settings.standing_m2_s, settings.walking_m2_s
        )
        at_ms, fix = int(rings.at_ms[slot, 0]), rings.fixes[slot, 0].copy()
        fix["x_m"], fix["y_m"], fix["cov_xx"], fix["cov_xy"], fix["cov_yy"] = place
        drop_oldest(rings.kept[slot], count)
        rings.kept[slot, :, 0] -= rings.kept[slot, 0, 0]
        rings.fixes[slot, :-1] = rings.fixes[slot, 1:].copy()
        rings.at_ms[slot, :-1] = rings.at_ms[slot, 1:].copy()
        rings.count[slot] = count - 1
        return at_ms, fix


def _as_batch(found: list[tuple[int, np.void]]) -> SmoothedFixes:
    ordered = sorted(found, key=lambda item: (int(item[1]["tag"]), item[0]))
    return SmoothedFixes(
        at_ms=np.array([at_ms for at_ms, _ in ordered], np.int64),
        rows=np.array([fix for _, fix in ordered], FIX_DTYPE),
    )
