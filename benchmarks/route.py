"""Walking routes: our A* against scipy's Dijkstra on the same grid, by turns.

Two sites: the demo shop, and 100 x 60 m with 40 aisles. The peer answers the grid's part, from a
sparse matrix prebuilt, and has to find ways of the same length; speed is compared on this part.
The time of a route is that of the whole, with its ends, its smoothing and its steps. The control
closes one aisle in the peer's grid, and the comparison of lengths must find it out.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from rtls.model.place import Place
from rtls.model.site_map import Fixture, Floor, SiteMap, Wall
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Metre, SiteId
from rtls.navigation.kernels.shortest import shortest_way
from rtls.navigation.route_finder import RouteFinder
from rtls.positioning.walk_grid import WalkGrid

DEMO = Path(__file__).resolve().parents[1] / "config" / "demo" / "site.geojson"
ROUTES = 200
AISLES = 40
PITCH_M = 2.4
SHELF_M = 0.9


def large_site() -> SiteMap:
    """Return 100 x 60 m with 40 aisles, which a cross aisle parts in the middle."""
    blocks = ((5.0, 28.0), (32.0, 55.0))
    fixtures = tuple(
        Fixture(
            fixture=f"shelf-{k}-{low:.0f}",
            floor=0,
            ring=((x, low), (x + SHELF_M, low), (x + SHELF_M, high), (x, high)),
        )
        for k in range(AISLES + 1)
        for x in (1.5 + k * PITCH_M,)
        for low, high in blocks
    )
    outer = ((0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0), (0.0, 0.0))
    return SiteMap(
        site=SiteId("bench"),
        name="Bench",
        floors=(Floor(floor=0, name="0", width_m=Metre(100.0), height_m=Metre(60.0)),),
        zones=(),
        anchors=(),
        walls=(Wall(floor=0, line=outer),),
        fixtures=fixtures,
    )


def matrix_of(grid: WalkGrid, closed: npt.NDArray[np.bool_]) -> csr_array:
    """Return the steps of a grid with their lengths, less those that touch closed nodes."""
    source, step = np.nonzero(grid.neighbours >= 0)
    target = grid.neighbours[source, step]
    is_open = ~(closed[source] | closed[target])
    source, target = source[is_open], target[is_open]
    length = np.hypot(*(grid.node_xy[source] - grid.node_xy[target]).T)
    return csr_array((length, (source, target)), shape=(len(grid), len(grid)))


def ours_m(grid: WalkGrid, start: int, end: int) -> float:
    """Return the length of our way over the grid."""
    zero = np.zeros(1)
    x, y = grid.node_xy[end].tolist()
    nodes = np.array([start]), zero, np.array([end]), zero
    way = shortest_way(grid.node_xy, grid.neighbours, *nodes, x, y)
    return float(np.hypot(*np.diff(grid.node_xy[way], axis=0).T).sum())


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall time and processor time of one call, in ms."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def measure(site: SiteMap, name: str) -> list[dict[str, str | float | bool]]:
    """Measure one site."""
    rng = np.random.default_rng(5)
    finder = RouteFinder.of_map(site)
    grid = finder.grid
    matrix = matrix_of(grid, np.zeros(len(grid), np.bool_))
    part = connected_components(matrix)[1]
    pairs = rng.choice(np.flatnonzero(part == np.bincount(part).argmax()), size=(ROUTES, 2))
    middle = float(np.median(grid.node_xy[:, 0]))
    closed = np.abs(grid.node_xy[:, 0] - middle) < 2 * grid.cell_m
    control = matrix_of(grid, closed)
    walls, whole, ours, theirs = [], [], [], []
    differing, control_differing = 0, 0
    _route(finder, *pairs[0])
    for start, end in pairs.tolist():
        wall, cpu = timed(lambda s=start, e=end: _route(finder, s, e))
        walls.append(wall)
        whole.append(cpu)
        ours.append(timed(lambda s=start, e=end: ours_m(grid, s, e))[1])
        theirs.append(timed(lambda s=start: dijkstra(matrix, indices=s))[1])
        mine = ours_m(grid, start, end)
        differing += not np.isclose(mine, dijkstra(matrix, indices=start)[end])
        control_differing += not np.isclose(mine, dijkstra(control, indices=start)[end])
    return [
        {
            "name": f"{name}: a route, p95",
            "value": float(np.percentile(whole, 95)),
            "unit": "ms of processor",
            "target": 20.0,
            "is_floor": False,
        },
        {
            "name": f"{name}: a route, p95 by the clock of the wall",
            "value": float(np.percentile(walls, 95)),
            "unit": "ms",
        },
        {"name": f"{name}: a route, median", "value": median(whole), "unit": "ms of processor"},
        {
            "name": f"{name}: speed over the grid against scipy's Dijkstra",
            "value": median(theirs) / median(ours),
            "unit": "times",
            "target": 1.0,
        },
        {
            "name": f"{name}: lengths over the grid that differ",
            "value": float(differing),
            "unit": "routes",
            "target": 0.0,
            "is_floor": False,
        },
        {
            "name": f"{name}: control, lengths that differ with an aisle closed",
            "value": float(control_differing),
            "unit": "routes",
            "target": 1.0,
        },
    ]


def _route(finder: RouteFinder, start: int, end: int) -> object:
    ends = [
        Place(floor=0, x_m=Metre(x), y_m=Metre(y))
        for x, y in (finder.grid.node_xy[start].tolist(), finder.grid.node_xy[end].tolist())
    ]
    return finder.to_place(*ends)


def run() -> list[dict[str, str | float | bool]]:
    """Measure both sites; return the figures."""
    demo = parse_site_map(DEMO.read_bytes(), source=DEMO.name)
    return [*measure(demo, "demo shop"), *measure(large_site(), "100 x 60 m, 40 aisles")]


if __name__ == "__main__":
    for figure in run():
        print(figure)
