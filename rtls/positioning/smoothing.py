"""Look back: where a tag was some seconds ago, with all that was heard since.

Layer: rules. Takes: fixes as the engine emits them, and their instants.
Gives: the same fixes some seconds later, better placed, to the accounting of dwell and to heatmaps.

For analytics alone. What an offer rests on is known when it is made; a smoothed fix is not.

A frozen bias stays: it is in the covariance of every fix, and the smoothed one never falls below
that of the newest while the tag stands.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.fix import FIX_DTYPE
from rtls.model.units import Second, UnixMs
from rtls.positioning.kernels.fixed_lag import WIDTH, drop_oldest, smooth_oldest

FixArray = npt.NDArray[np.void]
LAG_S_MAX: Final = 60.0
RING_MAX: Final = 64
TAGS_MAX: Final = 65_536
NOT_HEARD_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingSettings:
    """How far to look back, and how people move.

    Parameters
    ----------
    lag_s
        A fix is stated anew when it is this old.
    spacing_s
        Fixes of one tag closer than this are passed over: they carry the same readings.
    standing_m2_s, walking_m2_s
        Diffusion per axis that the velocity of a fix does not explain. Who walks 1.2 m/s and turns
        every 1.4 s diffuses by 2 m²/s; who stands, leans and turns.
    """

    lag_s: Second = Second(10.0)
    spacing_s: Second = Second(0.5)
    standing_m2_s: float = 0.04
    walking_m2_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 < self.spacing_s <= self.lag_s <= LAG_S_MAX or self.ring_size > RING_MAX:
            raise InvalidCalibration(
                f"lag_s is {self.lag_s}, spacing_s {self.spacing_s}; expected a spacing above 0, "
                f"up to the lag, that up to {LAG_S_MAX:.0f} s, and {RING_MAX} fixes a tag at most."
            )
        if not (0.0 < self.standing_m2_s < 100.0 and 0.0 <= self.walking_m2_s < 100.0):  # noqa: PLR2004
            raise InvalidCalibration(
                f"diffusions are {self.standing_m2_s} and {self.walking_m2_s} m²/s; expected 0 to "
                "100, while standing above 0."
            )

    @property
    def ring_size(self) -> int:
        """Fixes that are kept of one tag."""
        return int(self.lag_s / self.spacing_s) + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothedFixes:
    """Fixes stated anew.

    Parameters
    ----------
    at_ms
        (n,) the instant that each is about.
    rows
        (n,) `FIX_DTYPE`, by tag slot, then instant.
    """

    at_ms: npt.NDArray[np.int64]
    rows: FixArray


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
class FixedLagSmoother:
    """The last seconds of each tag. One for each engine; its tags have the engine's slots."""

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
        for fix in fixes[self._is_news(fixes, at_ms)]:
            self._make_room(int(fix["tag"]))
            found.extend(self._push(fix, at_ms))
        oldest_ms = self._rings.at_ms[:, 0]
        is_due = (self._rings.count > 0) & (oldest_ms <= horizon_ms)
        for slot in np.flatnonzero(is_due).tolist():
            while self._rings.count[slot] and self._rings.at_ms[slot, 0] <= horizon_ms:
                found.append(self._pop(slot))
        return _as_batch(found)

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
