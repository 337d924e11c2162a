"""Turn longitude and latitude into metres of a site's frame, and back.

Layer: rules. Takes: a `Georeference`, and WGS 84 degrees or metres. Gives: the other of the two to
the readers of GeoJSON and IMDF, and to the writer of IMDF.

The frame is the plane that touches the ellipsoid at its origin, seen from straight above (the
orthographic projection, by way of earth-centred coordinates). One kilometre from the origin,
lengths are 0.004 mm short, so that a building is drawn as it was built; both ways are
exact enough for a round trip to come back to the hundredth of a millimetre.
"""

import math
from typing import Final

from rtls.model.georeference import Georeference

MAJOR_M: Final = 6_378_137.0
FLATTENING: Final = 1.0 / 298.257223563
E2: Final = FLATTENING * (2.0 - FLATTENING)
TURNS: Final = 6
"""of Newton's iteration; each leaves a thousandth of the error, at 10 km from the origin"""


def to_metres(at: Georeference, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Return x, y in the frame of a point on the ellipsoid.

    Examples
    --------
    >>> at = Georeference(lon_deg=9.0, lat_deg=48.0)
    >>> x, y = to_metres(at, 9.001, 48.001)  # 74.6 km and 111.2 km for a degree there
    >>> round(x, 2), round(y, 2)
    (74.62, 111.19)
    """
    east, north = _east_north(at, lon_deg, lat_deg)
    cos, sin = _turn(at)
    return cos * east + sin * north, cos * north - sin * east


def to_degrees(at: Georeference, x_m: float, y_m: float) -> tuple[float, float]:
    """Return longitude and latitude of a point of the frame."""
    cos, sin = _turn(at)
    east, north = cos * x_m - sin * y_m, sin * x_m + cos * y_m
    lat0 = math.radians(at.lat_deg)
    flat = math.sqrt(1.0 - E2 * math.sin(lat0) ** 2)
    north_m = math.radians(MAJOR_M * (1.0 - E2) / flat**3)  # of one degree
    east_m = math.radians(MAJOR_M / flat * math.cos(lat0))
    lon_deg, lat_deg = at.lon_deg, at.lat_deg
    for _ in range(TURNS):
        reached_east, reached_north = _east_north(at, lon_deg, lat_deg)
        lon_deg += (east - reached_east) / east_m
        lat_deg += (north - reached_north) / north_m
    return lon_deg, lat_deg


def _turn(at: Georeference) -> tuple[float, float]:
    angle = math.radians(at.rotation_deg)
    return math.cos(angle), math.sin(angle)


def _east_north(at: Georeference, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    x, y, z = _earth_centred(lon_deg, lat_deg)
    x0, y0, z0 = _earth_centred(at.lon_deg, at.lat_deg)
    lon, lat = math.radians(at.lon_deg), math.radians(at.lat_deg)
    dx, dy, dz = x - x0, y - y0, z - z0
    outward = math.cos(lon) * dx + math.sin(lon) * dy
    east = math.cos(lon) * dy - math.sin(lon) * dx
    return east, math.cos(lat) * dz - math.sin(lat) * outward


def _earth_centred(lon_deg: float, lat_deg: float) -> tuple[float, float, float]:
    lon, lat = math.radians(lon_deg), math.radians(lat_deg)
    across = MAJOR_M / math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
    return (
        across * math.cos(lat) * math.cos(lon),
        across * math.cos(lat) * math.sin(lon),
        across * (1.0 - E2) * math.sin(lat),
    )
