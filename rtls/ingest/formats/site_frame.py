"""Turn ready-made positions of another system into metres of our floor, and back.

Layer: rules. Takes: coordinates of a foreign frame, or longitude and latitude. Gives: coordinates
in the frame of one floor of the site map, to the decoders of ready-made positions and to those who
render ours outwards. A frame is shifted and turned against ours, never stretched; degrees go
through the plane that touches the WGS 84 ellipsoid at the frame's origin, exactly: the usual short
cut, metres a degree, is off by 5 cm half a kilometre from the origin.
"""

import math
from dataclasses import dataclass
from typing import Final

from rtls.model.errors import InvalidFormat
from rtls.model.site_map import COORDINATE_M_MAX

# WGS 84 (NIMA TR8350.2, table 3.1): semi-major axis and first eccentricity squared.
SEMI_MAJOR_M: Final = 6_378_137.0
ECCENTRICITY_SQ: Final = 6.694_379_990_14e-3
INVERSE_STEPS: Final = 5  # each takes away all but a ten-thousandth of the rest
LATITUDE_DEG_MAX: Final = 89.0  # at the poles a metre to the east is any angle


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFrame:
    """Where the origin of a foreign frame lies in ours, and how far it is turned.

    Raises
    ------
    InvalidFormat
        If a number cannot be a place or an angle, or only one of the two degrees is given.

    Examples
    --------
    A frame whose origin is at (10, 5) of ours and whose x axis points along our y axis:

    >>> frame = SiteFrame(x_m=10.0, y_m=5.0, rotation_deg=90.0)
    >>> tuple(round(c, 9) for c in frame.to_site(2.0, 1.0, 0.5))
    (9.0, 7.0, 0.5)
    """

    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = 0.0
    """of the frame's origin, in the frame of our floor"""
    rotation_deg: float = 0.0
    """of the frame's x axis against ours, counter-clockwise; for degrees: of east against our x"""
    longitude_deg: float | None = None
    """of the frame's origin, where positions come as longitude and latitude (EPSG:4326)"""
    latitude_deg: float | None = None
    anchor: str = ""
    """anchor of the site map that stands for this source of positions; its floor is theirs"""

    def __post_init__(self) -> None:
        for name in ("x_m", "y_m", "z_m"):
            if not abs(getattr(self, name)) <= COORDINATE_M_MAX:
                raise InvalidFormat(
                    f"frame: {name} is {getattr(self, name)}; expected within "
                    f"±{COORDINATE_M_MAX:.0f}. Give the place of the foreign frame's origin in "
                    "metres of the floor."
                )
        if not abs(self.rotation_deg) <= 360.0:  # noqa: PLR2004 # a full turn
            raise InvalidFormat(
                f"frame: rotation_deg is {self.rotation_deg}; expected -360 to 360 degrees, "
                "counter-clockwise from our x axis."
            )
        if (self.longitude_deg is None) != (self.latitude_deg is None):
            raise InvalidFormat(
                f"frame: longitude_deg is {self.longitude_deg} and latitude_deg "
                f"{self.latitude_deg}; expected both or none. Give those of the frame's origin."
            )
        if not (
            abs(self.longitude_deg or 0.0) <= 180.0  # noqa: PLR2004 # half a turn
            and abs(self.latitude_deg or 0.0) <= LATITUDE_DEG_MAX
        ):
            raise InvalidFormat(
                f"frame: longitude_deg is {self.longitude_deg} and latitude_deg "
                f"{self.latitude_deg}; expected ±180 and ±{LATITUDE_DEG_MAX:.0f}. Longitude comes "
                "first in GeoJSON; they may be exchanged."
            )

    @property
    def has_degrees(self) -> bool:
        """Say whether longitude and latitude can be turned into metres."""
        return self.longitude_deg is not None

    def to_site(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Return a point of the foreign frame in ours."""
        turn = math.radians(self.rotation_deg)
        cos, sin = math.cos(turn), math.sin(turn)
        return self.x_m + cos * x - sin * y, self.y_m + sin * x + cos * y, self.z_m + z

    def from_site(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Return a point of our frame in the foreign one."""
        turn = math.radians(self.rotation_deg)
        cos, sin = math.cos(turn), math.sin(turn)
        dx, dy = x - self.x_m, y - self.y_m
        return cos * dx + sin * dy, cos * dy - sin * dx, z - self.z_m

    def degrees_to_site(
        self, longitude: float, latitude: float, z: float
    ) -> tuple[float, float, float]:
        """Return a place on earth in our frame; only for a frame that `has_degrees`."""
        east, north = self._plane(longitude, latitude)
        return self.to_site(east, north, z)

    def site_to_degrees(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Return a point of our frame as (longitude, latitude, height)."""
        longitude, latitude = self._origin()
        east_m, north_m = self._metres_a_degree()
        east, north, up = self.from_site(x, y, z)
        for _ in range(INVERSE_STEPS):
            east_now, north_now = self._plane(longitude, latitude)
            longitude += (east - east_now) / east_m
            latitude += (north - north_now) / north_m
        return longitude, latitude, up

    def _origin(self) -> tuple[float, float]:
        assert self.longitude_deg is not None
        assert self.latitude_deg is not None
        return self.longitude_deg, self.latitude_deg

    def _plane(self, longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
        """Return (east, north) in the plane that touches the ellipsoid at the origin.

        Earth-centred coordinates, then their projection on the axes of the plane (Snyder, Map
        Projections: A Working Manual, USGS 1395).
        """
        longitude_0, latitude_0 = (math.radians(angle) for angle in self._origin())
        turn = math.radians(longitude_deg) - longitude_0
        radius, height = _meridian_point(math.radians(latitude_deg))
        radius_0, height_0 = _meridian_point(latitude_0)
        outward = radius * math.cos(turn) - radius_0
        north = (height - height_0) * math.cos(latitude_0) - outward * math.sin(latitude_0)
        return radius * math.sin(turn), north

    def _metres_a_degree(self) -> tuple[float, float]:
        """Return how long a degree of longitude and one of latitude are at the origin."""
        latitude = math.radians(self._origin()[1])
        w_sq = 1.0 - ECCENTRICITY_SQ * math.sin(latitude) ** 2
        meridian_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQ) / w_sq**1.5
        return math.radians(_meridian_point(latitude)[0]), math.radians(meridian_m)


def _meridian_point(latitude: float) -> tuple[float, float]:
    """Return (distance from the axis, height over the equator) on the ellipsoid, in metres."""
    sin = math.sin(latitude)
    prime_vertical_m = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY_SQ * sin * sin)
    return prime_vertical_m * math.cos(latitude), prime_vertical_m * (1.0 - ECCENTRICITY_SQ) * sin


OURS: Final = SiteFrame()
