"""The zones over points, by asking shapely about every polygon."""

import numpy as np
import numpy.typing as npt
import shapely

from rtls.model.site_map import SiteMap


def zones_at(
    site_map: SiteMap,
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    floor: npt.NDArray[np.int32],
) -> list[list[int]]:
    """Return the zones over each point, rising."""
    found: list[list[int]] = [[] for _ in x_m]
    for number, zone in enumerate(site_map.zones):
        inside = shapely.contains_xy(shapely.Polygon(zone.ring), x_m, y_m)
        for point in np.flatnonzero(inside & (floor == zone.floor)):
            found[point].append(number)
    return found


def distance_to_edges(
    site_map: SiteMap, x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how far each point is from the nearest outline of a zone."""
    outlines = shapely.union_all([shapely.Polygon(zone.ring).exterior for zone in site_map.zones])
    return np.asarray(shapely.distance(shapely.points(x_m, y_m), outlines))
