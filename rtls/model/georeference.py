"""Say where on the earth the frame of a site lies.

Layer: nouns. Takes: the member ``inaisle.georeference`` of a map file. Gives: `Georeference` to
rtls.plan_files, which reads and writes files in longitude and latitude.
"""

from dataclasses import dataclass

from rtls.model.errors import InvalidGeometry

LATITUDE_DEG_MAX = 89.0
"""Nearer to a pole, east is nearly everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Georeference:
    """Where the origin of the frame is, and how the frame is turned.

    Parameters
    ----------
    lon_deg, lat_deg
        WGS 84, of the origin: the lower left corner of each floor.
    rotation_deg
        From east counter-clockwise to the x axis of the frame.
    """

    lon_deg: float
    lat_deg: float
    rotation_deg: float = 0.0

    def __post_init__(self) -> None:
        bounds = (
            ("lon", self.lon_deg, 180.0),
            ("lat", self.lat_deg, LATITUDE_DEG_MAX),
            ("rotation_deg", self.rotation_deg, 360.0),
        )
        for what, number, most in bounds:
            if not -most <= number <= most:  # written so that NaN fails too
                raise InvalidGeometry(
                    f"georeference.{what} is {number}; expected -{most:g} to {most:g} degrees. "
                    "Give longitude and latitude of the lower left corner of the floors."
                )
