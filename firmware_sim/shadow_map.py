"""Draw what furniture and multipath do to the radio, as maps that stay as they are.

Layer: rules. Takes: the site map and a generator. Gives: a smooth random field an anchor (RSSI) and
the places where a rack stands between tag and anchor (UWB) to firmware_sim.measured_channel.

The error of RSSI in a building is not noise: it is a function of the place. Measured as a Gaussian
process with a length of 2 to 5 m; standing still does not average it away.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from firmware_sim.radio_channel import AnchorColumns, Column, Index
from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import SiteMap

FIELD_CELL_M: Final = 0.5
RACK_CELL_M: Final = 1.0
RACK_TOP_M: Final = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """One frozen field an anchor, by bilinear interpolation.

    Parameters
    ----------
    field
        (n_anchors, rows, columns), at corners `cell_m` apart from the origin on.
    """

    field: npt.NDArray[np.float32]
    cell_m: float

    def at(self, anchor: Index, *, x_m: Column, y_m: Column) -> Column:
        """Return the field of each anchor at each place, (n,)."""
        rows, columns = self.field.shape[1:]
        across = np.clip(x_m / self.cell_m, 0.0, columns - 1.001)
        along = np.clip(y_m / self.cell_m, 0.0, rows - 1.001)
        column, row = across.astype(np.intp), along.astype(np.intp)
        right, up = across - column, along - row
        low = self.field[anchor, row, column] * (1 - right)
        low += self.field[anchor, row, column + 1] * right
        high = self.field[anchor, row + 1, column] * (1 - right)
        high += self.field[anchor, row + 1, column + 1] * right
        value: Column = low * (1 - up) + high * up
        return value


def draw_fields(
    site_map: SiteMap,
    *,
    sd: float,
    length_m_min: float,
    length_m_max: float,
    rng: np.random.Generator,
) -> FieldMap:
    """Draw a Gaussian process with squared-exponential covariance for each anchor.

    White noise on a torus larger than the floor, filtered in the frequency domain by the square
    root of the spectrum: exact up to the grid, and 0.1 s for 60 anchors.

    Parameters
    ----------
    sd
        Standard deviation of the field.
    length_m_min, length_m_max
        The correlation length of each anchor is drawn between them.

    Raises
    ------
    InvalidSiteMap
        If the map has no floor 0.
    """
    floor = next((f for f in site_map.floors if f.floor == 0), None)
    if floor is None:
        raise InvalidSiteMap(f"site {site_map.site}: no floor 0; the simulator plays on that one.")
    columns = int(np.ceil(floor.width_m / FIELD_CELL_M)) + 2
    rows = int(np.ceil(floor.height_m / FIELD_CELL_M)) + 2
    margin = int(np.ceil(4.0 * length_m_max / FIELD_CELL_M))  # so that edges do not meet
    shape = (rows + margin, columns + margin)
    wave_y = np.fft.fftfreq(shape[0], FIELD_CELL_M)[:, None]
    wave_x = np.fft.rfftfreq(shape[1], FIELD_CELL_M)[None, :]
    squared = (2.0 * np.pi) ** 2 * (wave_x**2 + wave_y**2)
    field = np.empty((len(site_map.anchors), rows, columns), np.float32)
    for anchor in range(len(site_map.anchors)):
        length = rng.uniform(length_m_min, length_m_max)
        noise = np.fft.rfft2(rng.standard_normal(shape))
        smooth = np.fft.irfft2(noise * np.exp(-squared * length**2 / 4.0), s=shape)
        field[anchor] = sd * (smooth / smooth.std())[:rows, :columns]
    return FieldMap(field=field, cell_m=FIELD_CELL_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackShadow:
    """Where goods stand between tag and anchor: excess path in metres, 0 where they do not.

    Parameters
    ----------
    excess_m
        (n_anchors, rows, columns) cells of `RACK_CELL_M`.
    """

    excess_m: npt.NDArray[np.float32]

    def at(self, anchor: Index, *, x_m: Column, y_m: Column) -> Column:
        """Return the excess of each link, (n,) metres."""
        rows, columns = self.excess_m.shape[1:]
        row = np.clip((y_m / RACK_CELL_M).astype(np.intp), 0, rows - 1)
        column = np.clip((x_m / RACK_CELL_M).astype(np.intp), 0, columns - 1)
        excess: Column = self.excess_m[anchor, row, column].astype(np.float64)
        return excess


def draw_rack_shadow(
    site_map: SiteMap,
    *,
    blocked_share: float,
    tag_height_m: float,
    rng: np.random.Generator,
    excess_m: Column,
) -> RackShadow:
    """Find the cells whose line to an anchor passes furniture below its top, and block some.

    Parameters
    ----------
    blocked_share
        How many of those really are: racks are full of gaps.
    excess_m
        A pool of values to draw the excess from.
    """
    floor = next(f for f in site_map.floors if f.floor == 0)
    anchors = AnchorColumns.of(site_map)
    across = np.arange(RACK_CELL_M / 2, floor.width_m, RACK_CELL_M)
    along = np.arange(RACK_CELL_M / 2, floor.height_m, RACK_CELL_M)
    cell_x, cell_y = np.meshgrid(across, along)
    bodies = [shapely.Polygon(f.ring) for f in site_map.fixtures if f.floor == 0]
    racks = shapely.unary_union(bodies)
    shapely.prepare(racks)
    shape = (len(site_map.anchors), len(along), len(across))
    excess = np.zeros(shape, np.float32)
    for anchor in range(len(site_map.anchors)):
        # The line rises from the tag to the ceiling: only its first part runs lower than a rack.
        rise = max(anchors.z_m[anchor] - tag_height_m, 0.01)
        share = float(np.clip((RACK_TOP_M - tag_height_m) / rise, 0.0, 1.0))
        ends_x = cell_x + share * (anchors.x_m[anchor] - cell_x)
        ends_y = cell_y + share * (anchors.y_m[anchor] - cell_y)
        pairs = np.stack([np.stack([cell_x, cell_y], -1), np.stack([ends_x, ends_y], -1)], axis=-2)
        crosses = shapely.intersects(racks, shapely.linestrings(pairs))
        drawn = rng.random(crosses.shape) < blocked_share
        excess[anchor] = np.where(crosses & drawn, rng.choice(excess_m, crosses.shape), 0.0)
    return RackShadow(excess_m=excess)
