"""Say how strongly each anchor is heard at each place where a tag may be, as a survey taught it.

Layer: rules. Takes: arrays from rtls.positioning.radio_map_fit or from a stored file.
Gives: `RadioMap` to the map filter, whose nodes it is stated over, as part of the calibration.

A reading of anchor a with strength r speaks for node n by

    ln share(a, n) + ln t(r - offset; strength(a, n), spread(a, n))

where the share answers "something was heard here: how likely was it this anchor?". So nothing has
to be summed over the anchors that were not heard, a scan cut to its twenty strongest is no
different from a whole one, and a phone that hears less than the surveyor's is not sent elsewhere.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.positioning.walk_grid import WalkGrid

CELLS_MAX: Final = 100_000_000
"""anchors times nodes: 400 MB"""
CDB: Final = 100.0
DDB: Final = 10.0
RARITY_STEPS: Final = 16.0
UNHEARD_CDB: Final = np.int16(-32_768)
SPREAD_DB_MAX: Final = 25.5
LAG_S_MAX: Final = 30.0
BIAS_SD_M_MAX: Final = 50.0
OFFSET_DB_MAX: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadioMap:
    """Strength, spread and share of each anchor at each node; immutable.

    Parameters
    ----------
    grid
        The nodes.
    strength_cdb
        (n_anchors, n_nodes) int16, 1/100 dBm, anchors in the order of the site map: what a tag
        with offset 0 is expected to be heard with; `UNHEARD_CDB` where no reading can say.
    spread_ddb
        (n_anchors, n_nodes) uint8, 1/10 dB: how far a reading strays, for what the map does not
        know, for what time does, and because maps age.
    rarity
        (n_anchors, n_nodes) uint8, 1/16 nat: -ln share.
    lag_s
        How old the readings of this site's phones are when they are delivered: a Wi-Fi scan takes
        seconds. A reading speaks about the place where the tag was so long before.
    bias_sd_m
        Standard deviation, along each axis, of what places found by this map err by beyond their
        own spread, and keep erring by while the tag stands.
    device_offsets_db
        How much louder each kind of device that surveyed hears than the mean of them.
    """

    grid: WalkGrid
    strength_cdb: npt.NDArray[np.int16]
    spread_ddb: npt.NDArray[np.uint8]
    rarity: npt.NDArray[np.uint8]
    lag_s: float = 0.0
    bias_sd_m: float = 0.0
    device_offsets_db: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        shape = self.strength_cdb.shape
        refuse_size(shape[0], len(self.grid))
        for name, array, kind in (
            ("strength_cdb", self.strength_cdb, np.int16),
            ("spread_ddb", self.spread_ddb, np.uint8),
            ("rarity", self.rarity, np.uint8),
        ):
            if array.dtype != kind or array.shape != (shape[0], len(self.grid)):
                raise InvalidCalibration(
                    f"radio map: {name} is {array.dtype} {array.shape}; expected "
                    f"{np.dtype(kind)} {(shape[0], len(self.grid))}. Fit the map again."
                )
            array.flags.writeable = False
        if not self.spread_ddb.all():
            raise InvalidCalibration(
                "radio map: a spread is 0 dB; expected above 0, or one reading would be certain."
            )
        self._refuse_numbers()

    def _refuse_numbers(self) -> None:
        for name, value, most in (
            ("lag_s", self.lag_s, LAG_S_MAX),
            ("bias_sd_m", self.bias_sd_m, BIAS_SD_M_MAX),
        ):
            if not (math.isfinite(value) and 0.0 <= value <= most):
                raise InvalidCalibration(f"radio map: {name} is {value}; expected 0 to {most:.0f}.")
        offsets = self.device_offsets_db
        if not offsets or not all(abs(offset) <= OFFSET_DB_MAX for offset in offsets):
            raise InvalidCalibration(
                f"radio map: device_offsets_db is {offsets}; expected one or more, each within "
                f"±{OFFSET_DB_MAX:.0f} dB."
            )

    @property
    def n_anchors(self) -> int:
        """Return how many anchors the map is stated for."""
        return int(self.strength_cdb.shape[0])

    @property
    def is_heard(self) -> npt.NDArray[np.bool_]:
        """Return (n_anchors,) whether the survey heard the anchor anywhere."""
        return np.asarray((self.strength_cdb != UNHEARD_CDB).any(axis=1))

    @classmethod
    def of_fields(
        cls,
        grid: WalkGrid,
        *,
        strength_dbm: npt.NDArray[np.floating],
        spread_db: npt.NDArray[np.floating],
        share: npt.NDArray[np.floating],
        lag_s: float = 0.0,
        bias_sd_m: float = 0.0,
        device_offsets_db: tuple[float, ...] = (0.0,),
    ) -> "RadioMap":
        """Pack fields in dB, each (n_anchors, n_nodes); strength is NaN where nothing is known."""
        known = np.isfinite(strength_dbm)
        packed = np.clip(np.where(known, strength_dbm, 0.0) * CDB, -32_767, 32_767)
        spread = np.clip(np.rint(spread_db * DDB), 1, SPREAD_DB_MAX * DDB)
        rarity = np.clip(np.rint(-RARITY_STEPS * np.log(np.maximum(share, 1e-9))), 0, 255)
        return cls(
            grid=grid,
            strength_cdb=np.where(known, np.rint(packed), UNHEARD_CDB).astype(np.int16),
            spread_ddb=spread.astype(np.uint8),
            rarity=rarity.astype(np.uint8),
            lag_s=lag_s,
            bias_sd_m=bias_sd_m,
            device_offsets_db=device_offsets_db,
        )


def refuse_size(n_anchors: int, n_nodes: int) -> None:
    """Refuse a map that would not fit the memory of a small server.

    Raises
    ------
    InvalidCalibration
        If there is no anchor, or anchors times nodes are above `CELLS_MAX`.
    """
    if not 0 < n_anchors * n_nodes <= CELLS_MAX:
        raise InvalidCalibration(
            f"radio map of {n_anchors} anchors at {n_nodes} nodes; expected 1 to {CELLS_MAX} "
            "together. Take larger cells, or leave out anchors that are seldom heard."
        )
