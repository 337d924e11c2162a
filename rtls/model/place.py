"""Name a point of one floor. Layer: nouns. Takes: metres. Gives: `Place` to maps and routes."""

import math
from dataclasses import dataclass

from rtls.model.errors import InvalidGeometry
from rtls.model.units import Metre


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point of one floor, in its frame."""

    floor: int
    x_m: Metre
    y_m: Metre

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x_m) and math.isfinite(self.y_m)):
            raise InvalidGeometry(
                f"place is ({self.x_m}, {self.y_m}); expected finite metres of a floor's frame."
            )
