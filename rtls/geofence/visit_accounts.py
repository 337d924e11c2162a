"""Keep accounts of visits that are under way or ended a few seconds ago, and count their dwell.

Layer: rules. Takes: visits by tag slot, smoothed fixes with their P(zone). Gives: the dwell of each
visit as counted in hindsight, to rtls.visit_analysis.

The rule is that of the live clock (docs/decisions/0001), at smoothed places.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.geofence.containment import ZoneProbabilities
from rtls.geofence.dwell import DwellSettings
from rtls.geofence.kernels.visit_account import (
    ACCOUNTS_A_TAG,
    NOT_YET,
    SETTLED_MS,
    count_dwell,
)
from rtls.model.site_map import SiteMap
from rtls.model.units import Second, UnixMs

__all__ = ["SETTLED_MS", "Place", "VisitAccounts"]

ACCOUNT_DTYPE: Final = np.dtype(
    [
        ("entered_at_ms", np.int64),
        ("left_at_ms", np.int64),  # `UNDER_WAY` while it is
        ("stepped_at_ms", np.int64),
        ("weight", np.float64),
        ("dwell_ms", np.float64),
        ("zone", np.int32),
        ("is_used", np.uint8),
    ],
    align=True,
)
UNDER_WAY: Final = 2**62
TAGS_MAX: Final = 65_536
Place = tuple[int, int]
"""slot of the tag, and which of its accounts"""


@dataclass(slots=True)
class VisitAccounts:
    """The accounts of one engine's tags, at most `ACCOUNTS_A_TAG` each.

    Parameters
    ----------
    site_map
        Its zones have rules.
    dwell
        From which probability on time counts in full, and who stands.
    """

    site_map: SiteMap
    dwell: DwellSettings
    _p_hold: npt.NDArray[np.float64] = field(init=False)
    _rows: npt.NDArray[np.void] = field(init=False)

    def __post_init__(self) -> None:
        self._p_hold = np.array([zone.rules.p_hold for zone in self.site_map.zones], np.float64)
        self._rows = np.zeros((1, ACCOUNTS_A_TAG), ACCOUNT_DTYPE)

    def begin(self, slot: int, *, zone: int, entered_at_ms: UnixMs) -> Place | None:
        """Open an account; None if there is no room for one more of this tag."""
        if not 0 <= slot < TAGS_MAX:
            return None
        self._make_room(slot)
        free = np.flatnonzero(self._rows["is_used"][slot] == 0)
        if not free.size:
            return None
        row = self._rows[slot, free[0]]
        row["entered_at_ms"], row["left_at_ms"] = entered_at_ms, UNDER_WAY
        row["stepped_at_ms"], row["weight"], row["dwell_ms"] = NOT_YET, 0.0, 0.0
        row["zone"], row["is_used"] = zone, 1
        return slot, int(free[0])

    def end(self, place: Place, *, left_at_ms: UnixMs) -> None:
        """Count no further than the end of the visit."""
        self._rows[place]["left_at_ms"] = left_at_ms

    def close(self, place: Place) -> Second:
        """Free the account; return the dwell that was counted."""
        dwell_ms = float(self._rows[place]["dwell_ms"])
        self._rows[place] = np.zeros((), ACCOUNT_DTYPE)
        return Second(dwell_ms / 1e3)

    def are_asked_for(self, slots: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Return (n,) which of ``slots`` have an account."""
        is_known = slots < len(self._rows)
        found: npt.NDArray[np.bool_] = np.zeros(slots.size, np.bool_)
        found[is_known] = self._rows["is_used"][slots[is_known]].any(axis=1)
        return found

    def count(
        self,
        fixes: npt.NDArray[np.void],
        at_ms: npt.NDArray[np.int64],
        places: ZoneProbabilities,
    ) -> None:
        """Count all accounts of the tags of smoothed fixes.

        Parameters
        ----------
        fixes, at_ms
            (n,) `FIX_DTYPE` and their instants, rising for each tag.
        places
            Their P(zone).
        """
        count_dwell(
            fixes,
            at_ms,
            (places.row_start, places.zone, places.probability),
            self._p_hold,
            float(self.dwell.p_certain),
            float(self.dwell.p_standing_min),
            self._rows,
        )

    def _make_room(self, slot: int) -> None:
        capacity = len(self._rows)
        if slot >= capacity:
            more = max(slot + 1, 2 * capacity) - capacity
            blank = np.zeros((more, ACCOUNTS_A_TAG), ACCOUNT_DTYPE)
            self._rows = np.concatenate((self._rows, blank))
