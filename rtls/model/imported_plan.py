"""What a plan of foreign make says, in our words: features with a suggested kind, or a picture.

Layer: nouns. Takes: what rtls.plan_files found in a file. Gives: `ImportedPlan` to the floor
studio and to `inaisle site-map import`. Nothing here is checked as a map is: drafts are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rtls.model.errors import InvalidPlanFile
from rtls.model.georeference import Georeference

Json = Mapping[str, object]
Corner = tuple[float, ...]
Line = tuple[Corner, ...]
Extent = tuple[float, float, float, float]


class PlanFormat(StrEnum):
    """What a plan was drawn with."""

    IMAGE = "image"
    PDF = "pdf"
    DXF = "dxf"
    SVG = "svg"
    GEOJSON = "geojson"
    IMDF = "imdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """How a file is to be read.

    Parameters
    ----------
    source
        The file's name, for messages.
    form
        What the file is; its content is not guessed from its name.
    floor
        Where features go of a file that knows no floors.
    page
        Of a PDF, from 1.
    georeference
        Where the frame lies, for files in longitude and latitude; None: the lower left corner of
        what is drawn becomes the origin, and north is up.
    """

    source: str
    form: PlanFormat
    floor: int = 0
    page: int = 1
    georeference: Georeference | None = None


class PlanUnits(StrEnum):
    """What the coordinates of an imported plan count."""

    METRE = "m"
    """metres of the frame of a floor; x right, y up"""
    PIXEL = "px"
    """of the picture, or units of an SVG; y runs down, as in a picture"""
    UNKNOWN = "unknown"
    """the drawing does not say; x right, y up"""


class FeatureKind(StrEnum):
    """What a feature of a site map is (docs/site_map.md)."""

    ZONE = "zone"
    FIXTURE = "fixture"
    WALL = "wall"
    WALKABLE = "walkable"
    CONNECTOR = "connector"
    ANCHOR = "anchor"


class ShapeType(StrEnum):
    """The geometries of a site map, as GeoJSON names them."""

    POINT = "Point"
    LINE = "LineString"
    POLYGON = "Polygon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A geometry: one corner, one line, or an outline with its holes.

    Parameters
    ----------
    lines
        Of a point: one line of one corner. Rings are not closed: the last corner is not the first.
    """

    shape: ShapeType
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        fewest = {ShapeType.POINT: 1, ShapeType.LINE: 2, ShapeType.POLYGON: 3}[self.shape]
        if not self.lines or any(len(line) < fewest for line in self.lines):
            raise InvalidPlanFile(
                f"a {self.shape.value} has {[len(line) for line in self.lines]} corners; expected "
                f"{fewest} or more. Draw it anew, or leave it out."
            )
        for corner in self.corners:
            if len(corner) not in {2, 3} or not all(map(math.isfinite, corner)):
                raise InvalidPlanFile(
                    f"coordinates are {list(corner)}; expected two or three finite numbers. "
                    "Correct them in the drawing."
                )

    @property
    def corners(self) -> Line:
        """Return all corners, one after another."""
        return tuple(corner for line in self.lines for corner in line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFeature:
    """One thing of a plan, with the kind that it seems to be of.

    Parameters
    ----------
    feature
        An id that no other feature of the plan has.
    shape
        None for what has no place of its own: a connector, a pair of bays.
    properties
        As a site map has them, `kind` not among them.
    """

    feature: str
    kind: FeatureKind
    shape: Shape | None
    properties: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPicture:
    """A picture to draw over: PNG, made anew from what was sent."""

    png: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFloor:
    """A floor that a plan names; its size where the plan says it."""

    floor: int
    name: str
    width_m: float | None = None
    height_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPlan:
    """What is in a plan file.

    Parameters
    ----------
    extent
        x0, y0, x1, y1 of all features, or of the picture, in `units`; zeros of an empty plan.
    floors
        That the plan names.
    warnings
        What was left out, and why, for people.
    pages
        Of the file; one of them was read.
    georeference
        Where the frame lies on the earth, if the file says so.
    site
        ``site``, ``name`` and ``time_zone`` of a map of ours; empty for others.
    """

    features: tuple[ImportedFeature, ...]
    units: PlanUnits
    extent: Extent
    picture: PlanPicture | None = None
    floors: tuple[PlanFloor, ...] = ()
    warnings: tuple[str, ...] = ()
    pages: int = 1
    georeference: Georeference | None = None
    site: Mapping[str, str] | None = None


def extent_of(features: tuple[ImportedFeature, ...]) -> Extent:
    """Return the box around features: x0, y0, x1, y1.

    Examples
    --------
    >>> extent_of(())
    (0.0, 0.0, 0.0, 0.0)
    """
    corners = [corner for each in features if each.shape for corner in each.shape.corners]
    if not corners:
        return (0.0, 0.0, 0.0, 0.0)
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return (min(xs), min(ys), max(xs), max(ys))
