"""Bring shapes in longitude and latitude into the frame of a site.

Layer: rules. Takes: shapes in degrees. Gives: shapes in metres, to the millimetre, to the readers
of GeoJSON and IMDF.
"""

from collections.abc import Iterable

from rtls.model.errors import InvalidPlanFile
from rtls.model.georeference import LATITUDE_DEG_MAX, Georeference
from rtls.model.imported_plan import Corner, Shape
from rtls.plan_files.drawn_features import rounded
from rtls.plan_files.geojson_shapes import Place
from rtls.plan_files.wgs84 import to_metres


def degrees(corner: Corner) -> Corner:
    """Return a corner that can be longitude and latitude.

    Raises
    ------
    InvalidPlanFile
        If it cannot.
    """
    if abs(corner[0]) > 180.0 or abs(corner[1]) > LATITUDE_DEG_MAX:  # noqa: PLR2004  half a turn
        raise InvalidPlanFile(
            f"coordinates are {list(corner)}; expected longitude -180 to 180 and latitude "
            f"-{LATITUDE_DEG_MAX:g} to {LATITUDE_DEG_MAX:g}. If they are metres, add the member "
            "'inaisle' that docs/site_map.md shows."
        )
    return corner


def lower_left(shapes: Iterable[Shape]) -> Georeference:
    """Return the south-west corner of shapes in degrees; the origin of a frame with north up."""
    corners = [corner for shape in shapes for corner in shape.corners]
    return Georeference(
        lon_deg=min((corner[0] for corner in corners), default=0.0),
        lat_deg=min((corner[1] for corner in corners), default=0.0),
    )


def placed(corner: Corner, *, at: Georeference) -> Corner:
    """Return a corner in metres of the frame, its height as it is."""
    return rounded((*to_metres(at, corner[0], corner[1]), *corner[2:]))


def moved(shape: Shape, place: Place) -> Shape:
    """Return a shape with every corner at another place."""
    lines = tuple(tuple(place(corner) for corner in line) for line in shape.lines)
    return Shape(shape=shape.shape, lines=lines)
