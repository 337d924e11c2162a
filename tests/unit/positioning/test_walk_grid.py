"""WalkGrid: where one can stand, and where one can step from there."""

import numpy as np
import pytest

from rtls.model.errors import InvalidGeometry, InvalidSiteMap
from rtls.model.site_map import Anchor, Fixture, Floor, Radio, SiteMap, Walkable, Wall
from rtls.positioning.walk_grid import NODES_MAX, STEPS, WalkGrid, cell_for


def square(low: float, high: float) -> tuple[tuple[float, float], ...]:
    return ((low, low), (high, low), (high, high), (low, high))


def site(**parts) -> SiteMap:
    floors = parts.pop("floors", (0,))
    return SiteMap(
        site="s",
        name="s",
        floors=tuple(Floor(floor=f, name=str(f), width_m=4.0, height_m=4.0) for f in floors),
        zones=(),
        anchors=parts.pop("anchors", ()),
        **parts,
    )


def node_at(grid: WalkGrid, x: float, y: float, floor: int = 0) -> int:
    away = np.hypot(*(grid.node_xy - (x, y)).T) + 1e9 * (grid.node_floor != floor)
    return int(np.argmin(away))


def test_an_empty_floor_is_a_chessboard() -> None:
    """4 m by 4 m in cells of 1 m: 16 nodes, the inner ones with all eight steps."""
    grid = WalkGrid.of_plan(site(), cell_m=1.0)
    assert len(grid) == 16
    assert grid.node_xy[node_at(grid, 1.5, 2.5)].tolist() == pytest.approx([1.5, 2.5])
    assert (grid.neighbours[node_at(grid, 1.5, 1.5)] >= 0).sum() == 8
    assert (grid.neighbours[node_at(grid, 0.5, 0.5)] >= 0).sum() == 3


def test_each_step_leads_where_its_name_says_and_back() -> None:
    """Mass that could go but not return would pile up behind furniture."""
    grid = WalkGrid.of_plan(site(fixtures=(Fixture(fixture="f", floor=0, ring=square(1.2, 2.2)),)))
    for node, steps in enumerate(grid.neighbours):
        for k, other in enumerate(steps):
            if other >= 0:
                assert grid.neighbours[other, (k + 4) % 8] == node
                way = grid.node_xy[other] - grid.node_xy[node]
                assert np.sign(np.round(way / grid.cell_m)).tolist() == list(STEPS[k])


def test_nobody_walks_through_a_wall() -> None:
    """A fix in the next room is the complaint that a map is there to end."""
    wall = Wall(floor=0, line=((2.0, -1.0), (2.0, 5.0)))
    grid = WalkGrid.of_plan(site(walls=(wall,)), cell_m=1.0)
    here, there = node_at(grid, 1.5, 1.5), node_at(grid, 2.5, 1.5)
    assert there not in grid.neighbours[here]
    assert (grid.neighbours[here] >= 0).sum() == 5


def test_nobody_stands_in_a_shelf() -> None:
    shelf = Fixture(fixture="shelf", floor=0, ring=square(0.8, 3.1))
    grid = WalkGrid.of_plan(site(fixtures=(shelf,)), cell_m=1.0)
    assert len(grid) == 12
    corner, beside = node_at(grid, 0.5, 1.5), node_at(grid, 1.5, 0.5)
    assert beside not in grid.neighbours[corner]  # that way would cut the shelf's corner


def test_an_aisle_narrower_than_a_cell_still_has_nodes() -> None:
    """Aisles between shelves are 0.6 to 1.2 m; missing one would send its shoppers elsewhere."""
    shelves = (
        Fixture(fixture="a", floor=0, ring=((0, 0), (1.7, 0), (1.7, 4), (0, 4))),
        Fixture(fixture="b", floor=0, ring=((2.3, 0), (4, 0), (4, 4), (2.3, 4))),
    )
    grid = WalkGrid.of_plan(site(fixtures=shelves), cell_m=1.0)
    assert np.all((grid.node_xy[:, 0] > 1.7) & (grid.node_xy[:, 0] < 2.3))
    bottom = grid.neighbours[node_at(grid, 1.9, 0.5)]
    assert node_at(grid, 1.9, 1.5) in bottom


def test_ground_that_is_given_goes_before_the_rectangle() -> None:
    """Two squares that touch at no edge: nothing between them is ground."""
    areas = (
        Walkable(floor=0, ring=square(0.0, 2.0)),
        Walkable(floor=0, ring=square(2.5, 4.5), holes=(square(3.0, 3.5),)),
    )
    grid = WalkGrid.of_plan(site(walkable=areas), cell_m=0.5)
    assert len(grid) == 16 + 15
    assert node_at(grid, 3.25, 2.75) not in grid.neighbours[node_at(grid, 1.75, 1.75)]


def test_the_street_is_not_ground_and_the_rooms_are() -> None:
    """A wall around all: who is heard from the street must not pull fixes out of the house."""
    house = Wall(floor=0, line=(*square(1.0, 4.0), (1.0, 1.0)))
    indoors = Anchor(anchor="a", radio=Radio.BLE, floor=0, x_m=1.1, y_m=1.1, z_m=2.0)
    grid = WalkGrid.of_plan(site(walls=(house,), anchors=(indoors,)), cell_m=0.5)
    assert len(grid) == 36
    assert grid.node_xy.min() > 1.0
    assert grid.node_xy.max() < 4.0


def test_floors_hang_together_only_from_above_to_below() -> None:
    grid = WalkGrid.of_plan(site(floors=(0, 1, 3)), cell_m=1.0)
    low, high, top = (node_at(grid, 2.5, 1.5, floor) for floor in (0, 1, 3))
    assert grid.between_floors[low].tolist() == [-1, high]
    assert grid.between_floors[high].tolist() == [low, -1]
    assert grid.between_floors[top].tolist() == [-1, -1]
    steps = grid.neighbours[low]
    assert set(grid.node_floor[steps[steps >= 0]].tolist()) == {0}


def test_a_plan_whose_frame_begins_elsewhere_is_not_cut_off() -> None:
    """Recorded sites keep the coordinates of their surveyors."""
    far = tuple(
        Anchor(anchor=f"a{x}", radio=Radio.BLE, floor=0, x_m=x, y_m=50.0, z_m=2.0)
        for x in (100.0, 104.0)
    )
    grid = WalkGrid.of_plan(site(anchors=far), cell_m=1.0)
    assert grid.node_xy.min(axis=0).tolist() == pytest.approx([99.5, 49.5])
    assert grid.node_xy.max(axis=0).tolist() == pytest.approx([104.5, 50.5])


def test_without_a_plan_ground_is_what_is_near_a_walk() -> None:
    grid = WalkGrid.around(
        np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 0.0]]), np.array([4, 4, 5]), reach_m=1.0
    )
    away = np.minimum(np.hypot(*grid.node_xy.T), np.hypot(*(grid.node_xy - (10.0, 0.0)).T))
    assert away.max() < 1.1
    assert np.unique(grid.node_floor, return_counts=True)[1].tolist() == [32, 16]
    assert grid.between_floors[node_at(grid, 9.75, 0.25, 4)].tolist() == [-1, -1]


def test_a_site_too_large_gets_larger_cells() -> None:
    """A trade fair must not eat the memory of a supermarket's server."""
    assert cell_for(1e6, 0.5) == pytest.approx(np.sqrt(2e6 / NODES_MAX))
    assert cell_for(1e3, 0.5) == 0.5


def test_what_is_no_ground_is_refused() -> None:
    everything = Fixture(fixture="f", floor=0, ring=square(-1.0, 5.0))
    with pytest.raises(InvalidGeometry, match="grid has 0 nodes"):
        WalkGrid.of_plan(site(fixtures=(everything,)))
    with pytest.raises(InvalidGeometry, match="cell_m is 0"):
        WalkGrid.of_plan(site(), cell_m=0.0)
    with pytest.raises(InvalidGeometry, match="reach_m nan"):
        WalkGrid.around(np.zeros((1, 2)), np.zeros(1, np.int32), reach_m=float("nan"))
    with pytest.raises(InvalidSiteMap, match="2 corners"):
        Walkable(floor=0, ring=((0.0, 0.0), (1.0, 1.0)))
