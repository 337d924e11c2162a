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
from rtls.positioning.kernels.fixed_lag import (
    WIDTH,
    LagParameters,
    Rings,
    flush_rings,
    most_to_come,
    take_fixes,
)

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
class FixedLagSmoother:
    """The last seconds of each tag. One for each engine; its tags have the engine's slots."""

    settings: SmoothingSettings = field(default_factory=SmoothingSettings)
    _rings: Rings = field(init=False)
    _parameters: LagParameters = field(init=False)

    def __post_init__(self) -> None:
        own = self.settings
        self._rings = _empty_rings(1, own.ring_size)
        self._parameters = LagParameters(
            lag_ms=round(1e3 * own.lag_s),
            spacing_ms=round(1e3 * own.spacing_s),
            not_heard_ms=1e3 * NOT_HEARD_S,
            standing_m2_s=float(own.standing_m2_s),
            walking_m2_s=float(own.walking_m2_s),
        )

    def take(
        self, fixes: FixArray, *, at_ms: UnixMs, is_wanted: npt.NDArray[np.bool_] | None = None
    ) -> SmoothedFixes:
        """Keep the fixes of one instant; return those that have grown old by it.

        Parameters
        ----------
        fixes
            `FIX_DTYPE`, each tag at most once. Predicted ones are passed over: they know nothing
            that the last heard one did not.
        at_ms
            Their instant, later than the last one.
        is_wanted
            (n,) which of them somebody will ask for; all if not given.
        """
        wanted = fixes["tag"] < TAGS_MAX
        if is_wanted is not None:
            wanted &= is_wanted
        self._make_room(int(fixes["tag"][wanted].max(initial=-1)))
        most = int(most_to_come(fixes, int(at_ms), self._rings, self._parameters))
        then_ms, rows = np.empty(most, np.int64), np.empty(most, FIX_DTYPE)
        written = take_fixes(
            fixes, wanted, int(at_ms), self._rings, self._parameters, then_ms, rows
        )
        return _in_order(then_ms[:written], rows[:written])

    def flush(self, slots: npt.NDArray[np.int32]) -> SmoothedFixes:
        """Return what is left of tags that are forgotten; their slots are free then."""
        known = slots[slots < self._rings.filled.size].astype(np.int32)
        most = int(self._rings.filled[known].sum())
        then_ms, rows = np.empty(most, np.int64), np.empty(most, FIX_DTYPE)
        flush_rings(known, self._rings, self._parameters, then_ms, rows)
        return _in_order(then_ms, rows)

    def warm_up(self) -> None:
        """Compile the kernels, or load them from the cache, with the dtypes of real fixes."""
        nobody = FixedLagSmoother(self.settings)
        nobody.take(np.empty(0, FIX_DTYPE), at_ms=UnixMs(0))
        nobody.flush(np.empty(0, np.int32))

    def _make_room(self, slot: int) -> None:
        capacity = self._rings.filled.size
        if slot < capacity:
            return
        more = _empty_rings(max(slot + 1, 2 * capacity) - capacity, self.settings.ring_size)
        pairs = zip(self._rings, more, strict=True)
        self._rings = Rings(
            *(np.concatenate([np.asarray(part) for part in pair]) for pair in pairs)
        )


def _empty_rings(capacity: int, size: int) -> Rings:
    return Rings(
        kept=np.zeros((capacity, size, WIDTH)),
        fixes=np.zeros((capacity, size), FIX_DTYPE),
        at_ms=np.zeros((capacity, size), np.int64),
        filled=np.zeros(capacity, np.int32),
    )


def _in_order(then_ms: npt.NDArray[np.int64], rows: FixArray) -> SmoothedFixes:
    order = np.lexsort((then_ms, rows["tag"]))
    return SmoothedFixes(at_ms=then_ms[order], rows=rows[order])
