"""What a surveyor heard where: the material that radio maps and path-loss laws are fitted to.

Layer: nouns. Takes: columns from a recording's survey, an installer's walk or a table of points.
Gives: `Survey` to rtls.positioning.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import COORDINATE_M_MAX
from rtls.model.units import AnchorId

STOPS_MAX: Final = 500_000
HEARD_MAX: Final = 20_000_000

STOP_DTYPE: Final = np.dtype(
    [
        ("x_m", np.float64),
        ("y_m", np.float64),
        ("z_m", np.float64),
        ("floor", np.int32),
        ("device", np.int32),  # index into `devices`: what listened
        ("walk", np.int32),  # stops of one walk share a number
        ("t_s", np.float64),  # on the clock of its walk; NaN where somebody stood
    ]
)
HEARD_DTYPE: Final = np.dtype(
    [
        ("stop", np.int32),
        ("anchor", np.int32),  # index into `anchors`
        ("rssi", np.float32),  # dBm, the mean over the stay
        ("spread_db", np.float32),  # sd over the stay; NaN for a single reading
        ("count", np.int32),  # readings in the mean
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Places where a device listened, and what it heard of which anchor there.

    Parameters
    ----------
    stops
        (n_stops,) `STOP_DTYPE`: a surveyed point, or one scan of a walk.
    heard
        (n_heard,) `HEARD_DTYPE`. An anchor without a row at a stop was not heard there.
    anchors, devices
        Names that the rows point to.
    """

    stops: npt.NDArray[np.void]
    heard: npt.NDArray[np.void]
    anchors: tuple[AnchorId, ...]
    devices: tuple[str, ...]

    def __post_init__(self) -> None:
        self._refuse_sizes()
        for table, column, limit in (
            (self.stops, "device", len(self.devices)),
            (self.heard, "stop", len(self.stops)),
            (self.heard, "anchor", len(self.anchors)),
        ):
            if table[column].min() < 0 or table[column].max() >= limit:
                raise InvalidCalibration(
                    f"survey: {column} is {table[column].min()} to {table[column].max()}; "
                    f"expected 0 to {limit - 1}."
                )
        places = np.stack([self.stops[axis] for axis in ("x_m", "y_m", "z_m")])
        if not np.isfinite(places).all() or np.abs(places).max() > COORDINATE_M_MAX:
            raise InvalidCalibration(
                f"survey: a stop is not at finite metres within ±{COORDINATE_M_MAX:.0f}."
            )
        self._refuse_strengths()
        self.stops.flags.writeable = False
        self.heard.flags.writeable = False

    def _refuse_sizes(self) -> None:
        for name, table, most in (
            ("stops", self.stops, STOPS_MAX),
            ("heard", self.heard, HEARD_MAX),
        ):
            if not 0 < len(table) <= most:
                raise InvalidCalibration(
                    f"survey: {len(table)} rows of {name}; expected 1 to {most}. Thin it."
                )

    def _refuse_strengths(self) -> None:
        rssi, spread = self.heard["rssi"], self.heard["spread_db"]
        is_wrong = ~((rssi >= -150.0) & (rssi <= 20.0)) | (spread < 0.0) | np.isinf(spread)
        if is_wrong.any() or self.heard["count"].min() < 1:
            at = int(np.argmax(is_wrong | (self.heard["count"] < 1)))
            raise InvalidCalibration(
                f"survey: row {at} of heard is {self.heard[at]}; expected -150 to 20 dBm, a spread "
                "of 0 or more and a count of 1 or more."
            )
