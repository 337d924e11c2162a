"""The map filter: what it believes, against its plain twin and against what everybody knows."""

from dataclasses import replace

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration, InvalidSnapshot
from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap, Wall
from rtls.model.track import TRACK_DTYPE
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.beliefs import HEAD_BYTES, Beliefs
from rtls.positioning.grid_settings import GridSettings
from rtls.positioning.grid_tracking import GridFilter, scratch_for
from rtls.positioning.locator import Locator
from rtls.positioning.signal_map import SENSITIVITY_DBM, kinds_of_survey, signal_of_laws
from rtls.positioning.tracking import full_trust
from rtls.positioning.walk_grid import WalkGrid
from tests.reference.map_filter import PlainMapFilter

START_MS = 1_700_000_000_000
ONE_KIND = GridSettings(gains=(1.0,), pruned_mass=1e-9, kind_memory_s=1e9)
CORNERS = ((0.5, 0.5), (7.5, 0.5), (7.5, 7.5), (0.5, 7.5), (4.0, 4.0))


def site(*, walls: tuple[Wall, ...] = (), floors: int = 1) -> SiteMap:
    """Return 8 m by 8 m with an anchor in each corner and one in the middle, on every floor."""
    return SiteMap(
        site="s",
        name="s",
        floors=tuple(
            Floor(floor=floor, name=str(floor), width_m=8.0, height_m=8.0)
            for floor in range(floors)
        ),
        zones=(),
        walls=walls,
        anchors=tuple(
            Anchor(
                anchor=f"a{floor}{k}",
                radio=Radio.BLE,
                floor=floor,
                x_m=x,
                y_m=y,
                z_m=2.5,
                exponent=2.5,
            )
            for floor in range(floors)
            for k, (x, y) in enumerate(CORNERS)
        ),
    )


def grid_filter(site_map: SiteMap, settings: GridSettings = ONE_KIND) -> GridFilter:
    grid = WalkGrid.of_plan(site_map, cell_m=1.0)
    table = AnchorTable.build(site_map)
    signal = signal_of_laws(grid, table, tag_height_m=1.3, settings=settings)
    return GridFilter(signal, anchors=table, settings=settings)


def heard_at(site_map: SiteMap, x: float, y: float, *, louder: float = 0.0) -> np.ndarray:
    """Return what the path-loss law says that each anchor of floor 0 hears from (x, y)."""
    squared = np.array([(a.x_m - x) ** 2 + (a.y_m - y) ** 2 + 1.2**2 for a in site_map.anchors])
    return -61.0 - 12.5 * np.log10(squared) + louder


def readings(rssi: np.ndarray, at_ms: int, tag: int = 0) -> np.ndarray:
    rows = np.zeros(len(rssi), READING_DTYPE)
    rows["heard_at_ms"], rows["tag"] = at_ms, tag
    rows["anchor"] = np.arange(len(rssi))
    rows["value"], rows["kind"] = rssi, ReadingKind.RSSI
    rows["sigma"], rows["ref_anchor"] = np.nan, -1
    return rows


class Followed:
    """One tag on a site, and what the filter believes of it."""

    def __init__(self, site_map: SiteMap, settings: GridSettings = ONE_KIND) -> None:
        self.filter = grid_filter(site_map, settings)
        self.beliefs, self.tracks = Beliefs.empty(2), np.zeros(2, TRACK_DTYPE)
        self.trust = full_trust(len(site_map.anchors))

    def hear(self, rssi: np.ndarray, second: float) -> np.void:
        at_ms = START_MS + round(1000 * second)
        fixes = self.filter.update(
            self.beliefs,
            self.tracks,
            readings(rssi, at_ms),
            epoch_end_ms=at_ms,
            health=self.trust,
        )
        return fixes[0]

    def mass(self) -> np.ndarray:
        used = int(self.beliefs.rows["used"][0])
        nodes = len(self.filter.grid)
        states, masses = self.beliefs.states[0, :used], self.beliefs.masses[0, :used]
        return np.bincount(states % nodes, masses, minlength=nodes)


@pytest.mark.parametrize("louder", [7.0, -25.0])
def test_the_kernels_believe_what_their_plain_twin_believes(louder: float) -> None:
    """The kernels keep a list, prune it and approximate logarithms; the twin does none of that."""
    wall = Wall(floor=0, line=((2.0, 2.0), (6.0, 2.0)))
    site_map = site(walls=(wall,))
    tag = Followed(site_map, replace(ONE_KIND, settle_ms=1.0))
    model = tag.filter.model
    twin = PlainMapFilter(
        grid=tag.filter.grid,
        expected=model.expected / 100.0,
        spread=model.spread / 10.0,
        offset=0.0,
        offset_var=ONE_KIND.offset_sd_db**2,
        settings=ONE_KIND,
        least_dbm=SENSITIVITY_DBM,
    )
    random = np.random.default_rng(5)
    for step in range(8):
        rssi = heard_at(site_map, 1.0 + 0.6 * step, 3.0, louder=louder) + random.normal(0, 4, 5)
        fix = tag.hear(rssi, step)
        heard = dict(enumerate(rssi))
        if step == 0:
            twin.start(heard)
        else:
            twin.move_on(heard, 1.0)
        mean, cov = twin.moments()
        assert tag.mass() == pytest.approx(twin.mass, abs=2e-3)
        assert (fix["x_m"], fix["y_m"]) == pytest.approx(mean, abs=0.02)
        assert tag.beliefs.rows["cov"][0] == pytest.approx(cov[[0, 0, 1], [0, 1, 1]], abs=0.05)
        assert tag.beliefs.rows["offset"][0, 0] == pytest.approx(twin.offset, abs=0.05)


@pytest.mark.parametrize("louder", [-20.0, 0.0, 20.0])
def test_a_phone_20_db_louder_is_found_where_it_is(louder: float) -> None:
    """Phones differ by as much; taken for distance it would be a factor of six."""
    site_map = site()
    tag = Followed(site_map)
    for second in range(6):
        fix = tag.hear(heard_at(site_map, 2.5, 5.5, louder=louder), second)
    assert np.hypot(fix["x_m"] - 2.5, fix["y_m"] - 5.5) < 0.6
    assert tag.beliefs.rows["offset"][0, 0] == pytest.approx(louder, abs=2.0)


def shop() -> SiteMap:
    """Return 40 m by 40 m with 25 anchors, 8 m apart."""
    places = [(x, y) for x in range(4, 40, 8) for y in range(4, 40, 8)]
    anchors = tuple(
        replace(site().anchors[0], anchor=f"b{k}", x_m=float(x), y_m=float(y))
        for k, (x, y) in enumerate(places)
    )
    floors = (Floor(floor=0, name="0", width_m=40.0, height_m=40.0),)
    return replace(site(), floors=floors, anchors=anchors)


def heard_by_a_weak_phone(seed: int) -> np.ndarray:
    """Return ten seconds at (6, 6) of a phone 15 dB weaker than usual, NaN where nothing came."""
    random = np.random.default_rng(seed)
    rssi = heard_at(shop(), 6.0, 6.0, louder=-15.0) + random.normal(0.0, 5.0, (10, 25))
    return np.where(rssi > SENSITIVITY_DBM, rssi, np.nan)


def error_of(tag: Followed, heard: np.ndarray) -> float:
    for second, row in enumerate(heard):
        if np.isfinite(row).any():
            fix = tag.hear(row, second)
    return float(np.hypot(fix["x_m"] - 6.0, fix["y_m"] - 6.0))


def test_a_weak_phone_is_not_taken_for_one_that_is_far_from_everything() -> None:
    """It hears few anchors, all faintly; only that it hears no others says that it is near them."""
    known = replace(ONE_KIND, offset_sd_db=12.0)
    errors, without = [], []
    for seed in range(4):
        heard = heard_by_a_weak_phone(seed)
        errors.append(error_of(Followed(shop(), known), heard))
        deaf = Followed(shop(), known)
        deaf.filter.model = deaf.filter.model._replace(
            hearing=np.zeros_like(deaf.filter.model.hearing)
        )
        without.append(error_of(deaf, heard))
    assert max(errors) < 4.0
    assert min(without) > 10.0


def test_a_wrong_place_that_fits_is_doubted_again() -> None:
    """A first guess may be wrong and fit for minutes: no misfit would ever tell."""
    there, here = heard_at(shop(), 34.0, 34.0), heard_at(shop(), 6.0, 6.0)
    errors = []
    for settings in (ONE_KIND, replace(ONE_KIND, recheck_ms=1e9)):
        tag = Followed(shop(), settings)
        for second in range(12):
            fix = tag.hear(there if second < 4 else here, second)
            tag.beliefs.rows["misfit"] = 1.0
        errors.append(np.hypot(fix["x_m"] - 6.0, fix["y_m"] - 6.0))
    assert errors[0] < 6.0
    assert errors[1] > 20.0


def test_a_site_smaller_than_a_look_around_is_sought_whole() -> None:
    """A look around takes 512 places; on fewer it would write beyond the room there is."""
    tag = Followed(site())
    states = len(tag.filter.grid) * len(tag.filter.model.kinds)
    tag.filter.scratch = scratch_for(states + 600, student_dof=ONE_KIND.student_dof)
    for second in range(20):
        tag.hear(heard_at(site(), 2.0, 2.0), second)
    assert tag.beliefs.rows["rechecked_ms"][0] > START_MS + 5_000
    assert not tag.filter.scratch.precision[states:].any()


def test_no_mass_walks_through_a_wall() -> None:
    """The next aisle is often nearer than the noise of the radio."""
    wall = Wall(floor=0, line=((-1.0, 4.0), (9.0, 4.0)))
    site_map = site(walls=(wall,))
    tag = Followed(site_map, replace(ONE_KIND, settle_ms=1.0))
    tag.hear(heard_at(site_map, 4.5, 1.5), 0.0)
    is_north = tag.filter.grid.node_xy[:, 1] > 4.0
    south = tag.mass()[~is_north].sum()
    tag.filter.parameters = tag.filter.parameters._replace(credit_s=1e9, forget_s=0.0)
    for second in range(1, 20):
        tag.hear(heard_at(site_map, 4.5, 1.5), second)
    assert tag.mass()[~is_north].sum() == pytest.approx(south, abs=0.01)


def test_who_stands_for_a_minute_is_not_known_to_a_hand() -> None:
    """The error of a standing tag is frozen; sixty equal readings are not sixty readings."""
    site_map = site()
    tag = Followed(site_map)
    for second in range(60):
        fix = tag.hear(heard_at(site_map, 5.5, 2.5), second)
    assert fix["cov_xx"] > 0.5**2
    assert fix["p_standing"] > 0.6


def test_a_walk_is_followed_without_lag() -> None:
    """Half a metre a second: a filter that only diffuses trails by a metre and more."""
    site_map = site()
    tag = Followed(site_map)
    for second in range(13):
        fix = tag.hear(heard_at(site_map, 1.0 + 0.5 * second, 4.0), second)
    assert fix["x_m"] - 7.0 == pytest.approx(0.0, abs=0.6)
    assert fix["vx_m_s"] == pytest.approx(0.5, abs=0.25)


def test_the_floor_is_where_most_of_the_mass_is() -> None:
    site_map = site(floors=2)
    tag = Followed(site_map)
    strong = heard_at(site_map, 4.0, 4.0)
    rssi = np.where(np.arange(10) < 5, strong - 25.0, strong)
    assert tag.hear(rssi, 0.0)["floor"] == 1
    for second in range(1, 40):
        fix = tag.hear(rssi[::-1], second)
    assert fix["floor"] == 0


def test_a_tag_carried_off_unheard_is_found_again() -> None:
    """A fix that stays behind is worse than none: nobody notices."""
    site_map = site()
    tag = Followed(site_map)
    for second in range(20):
        tag.hear(heard_at(site_map, 1.0, 1.0), second)
    for second in range(20, 32):
        fix = tag.hear(heard_at(site_map, 7.0, 7.0), second)
    assert np.hypot(fix["x_m"] - 7.0, fix["y_m"] - 7.0) < 1.0


def test_what_no_radio_sends_moves_nothing() -> None:
    site_map = site()
    tag = Followed(site_map)
    tag.hear(heard_at(site_map, 2.0, 2.0), 0.0)
    before = tag.beliefs.states[0].copy()
    for value in (np.nan, np.inf, 3.0, -500.0):
        tag.hear(np.full(5, value), 1.0)
    assert np.array_equal(tag.beliefs.states[0], before)


def test_a_belief_without_room_for_all_keeps_some_of_everywhere() -> None:
    """One faint anchor says little: the list is then thinned, not cut off at a corner."""
    site_map = replace(
        site(),
        floors=(Floor(floor=0, name="0", width_m=40.0, height_m=40.0),),
        anchors=site().anchors,
    )
    tag = Followed(site_map)
    tag.hear(np.array([-90.0]), 0.0)
    assert tag.beliefs.rows["used"][0] > 400
    where = tag.filter.grid.node_xy[tag.mass() > 0.0]
    assert where.max() > 35.0
    assert where.min() < 5.0


def test_beliefs_come_back_from_their_bytes_and_only_what_is_used_is_written() -> None:
    site_map = site()
    tag = Followed(site_map)
    tag.hear(heard_at(site_map, 2.0, 2.0), 0.0)
    slots = np.array([0], np.int32)
    content = tag.beliefs.pack(slots)
    used = int(tag.beliefs.rows["used"][0])
    assert len(content) == HEAD_BYTES + tag.beliefs.rows.itemsize + 8 * used
    other = Beliefs.empty(2)
    other.unpack(content, slots)
    assert other.pack(slots) == content
    with pytest.raises(InvalidSnapshot, match="bytes of beliefs"):
        other.unpack(content[:-1], slots)
    with pytest.raises(InvalidSnapshot, match="bytes of beliefs"):
        other.unpack(content[:20], slots)
    with pytest.raises(InvalidSnapshot, match="bytes of beliefs; expected 0"):
        Beliefs.empty(0).unpack(content, slots)


def test_a_tag_off_the_grid_is_kept_in_a_few_bytes() -> None:
    """Nearly all tags of a shop with trolleys; their snapshot is written every second."""
    beliefs = Beliefs.empty(3)
    beliefs.rows["precise_ms"] = (START_MS, 0, START_MS + 5)
    slots = np.arange(3, dtype=np.int32)
    content = beliefs.pack(slots)
    assert len(content) == 3 * HEAD_BYTES
    other = Beliefs.empty(3)
    other.unpack(content, slots)
    assert np.array_equal(other.rows, beliefs.rows)


def test_rows_put_back_undo_what_came_between() -> None:
    site_map = site()
    tag = Followed(site_map)
    tag.hear(heard_at(site_map, 2.0, 2.0), 0.0)
    slots = np.array([0], np.int32)
    before, content = tag.beliefs.rows_of(slots), tag.beliefs.pack(slots)
    tag.hear(heard_at(site_map, 6.0, 6.0), 1.0)
    assert tag.beliefs.pack(slots) != content
    tag.beliefs.put_rows(slots, before)
    assert tag.beliefs.pack(slots) == content


def test_a_ranged_tag_is_not_for_the_grid_for_half_a_minute() -> None:
    """A lattice of half a metre would spoil a range of five centimetres."""
    site_map = site()
    locator = Locator(site_map)
    state = locator.empty_state(2)
    rssi = readings(heard_at(site_map, 3.0, 3.0), START_MS)
    ranges = readings(heard_at(site_map, 3.0, 3.0), START_MS)
    ranges["kind"] = ReadingKind.RANGE
    ranges["value"] = np.sqrt(
        [(a.x_m - 3) ** 2 + (a.y_m - 3) ** 2 + 1.44 for a in site_map.anchors]
    )
    methods = []
    for second, rows in ((0, rssi), (1, ranges), (2, rssi), (40, rssi)):
        rows["heard_at_ms"] = at_ms = START_MS + 1000 * second
        fixes = locator.update(state, rows, epoch_end_ms=at_ms)
        methods.append(fixes["method"].tolist())
    assert methods == [[1], [0], [0], [1]]


def test_a_kind_that_made_the_survey_is_believed_first() -> None:
    kinds = kinds_of_survey(np.array([-6.0, 6.0]), GridSettings(known_kind_share=0.8))
    assert kinds[:, 0].tolist() == [-6.0, 6.0, 0.0]
    assert kinds[:, 2].tolist() == pytest.approx([0.4, 0.4, 0.2])


@pytest.mark.parametrize("name", ["update_ms", "gains", "pruned_mass", "speed_sd_m_s"])
def test_settings_that_cannot_work_are_refused(name: str) -> None:
    wrong = (0.0,) if name == "gains" else 0.0
    with pytest.raises(InvalidCalibration, match=name):
        GridSettings(**{name: wrong})
