"""Radio maps: what a survey heard, stated over all places, and how surely."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.survey import HEARD_DTYPE, STOP_DTYPE, Survey
from rtls.model.units import AnchorId, Metre, SiteId
from rtls.positioning.kernels.survey_smoothing import smooth
from rtls.positioning.radio_map import UNHEARD_CDB, RadioMap, refuse_size
from rtls.positioning.radio_map_choice import chosen_reading
from rtls.positioning.radio_map_fit import fit_radio_map
from rtls.positioning.residual_field import Field, Residual
from rtls.positioning.survey_bins import bins_of, places_before
from rtls.positioning.survey_level import level_survey
from rtls.positioning.walk_grid import WalkGrid
from tests.reference import radio_map as plain

NAN = math.nan
Stop = tuple[float, float, float, int, int, int, float]
Heard = tuple[int, int, float, float, int]


def site(*places: tuple[float, float] | None) -> SiteMap:
    """Return a hall of 20 by 10 m with anchors a0, a1, ...; None has no known place."""
    return SiteMap(
        site=SiteId("hall"),
        name="hall",
        floors=(Floor(floor=0, name="0", width_m=Metre(20), height_m=Metre(10)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(f"a{number}"),
                radio=Radio.BLE,
                floor=0,
                x_m=Metre(place[0] if place else 0.0),
                y_m=Metre(place[1] if place else 0.0),
                z_m=Metre(2.5),
                is_placed=place is not None,
            )
            for number, place in enumerate(places)
        ),
    )


def survey(stops: list[Stop], heard: list[Heard], *, anchors: int = 1, devices: int = 1) -> Survey:
    return Survey(
        stops=np.array(stops, STOP_DTYPE),
        heard=np.array(heard, HEARD_DTYPE),
        anchors=tuple(AnchorId(f"a{number}") for number in range(anchors)),
        devices=tuple(f"phone{number}" for number in range(devices)),
    )


def law(anchor: tuple[float, float], x: float, y: float) -> float:
    """-60 dBm at 1 m, exponent 2, the phone 1.5 m below the anchor."""
    return -60.0 - 20.0 * math.log10(math.hypot(x - anchor[0], y - anchor[1], 1.5))


def points(offsets: tuple[float, ...] = (0.0,), *, wall_db: float = 0.0) -> tuple[Survey, SiteMap]:
    """Survey the left half of the hall, a point each 2 m, by phones of several offsets.

    ``wall_db`` is what a wall takes away from x = 6 m on.
    """
    anchor = (5.0, 5.0)
    stops: list[Stop] = []
    heard: list[Heard] = []
    for device, offset in enumerate(offsets):
        for x in range(1, 10, 2):
            for y in range(1, 10, 2):
                more = -wall_db if x > 6.0 else 0.0
                stops.append((x, y, 1.0, 0, device, len(stops), NAN))
                heard.append((len(stops) - 1, 0, law(anchor, x, y) + offset + more, 2.0, 20))
    return survey(stops, heard, devices=len(offsets)), site(anchor)


def at(radio_map: RadioMap, x: float, y: float) -> tuple[float, float]:
    """Return strength and spread of the first anchor at the node next to a place, dB."""
    away = ((radio_map.grid.node_xy - np.array([x, y])) ** 2).sum(axis=1)
    node = int(away.argmin())
    return radio_map.strength_cdb[0, node] / 100.0, radio_map.spread_ddb[0, node] / 10.0


def test_a_map_says_what_was_heard_where_somebody_stood() -> None:
    """What a wall of 12 dB takes away is missing on the map behind it, and not before it."""
    taken, hall = points(wall_db=12.0)
    radio_map = fit_radio_map(hall, WalkGrid.of_plan(hall), taken)
    behind = law((5.0, 5.0), 9.0, 5.0) - 12.0
    assert at(radio_map, 9.0, 5.0)[0] == pytest.approx(behind, abs=2.0)
    assert at(radio_map, 1.0, 5.0)[0] == pytest.approx(law((5.0, 5.0), 1.0, 5.0), abs=2.0)


def test_a_map_is_less_sure_away_from_the_survey() -> None:
    """Nobody stood in the right half: there the law alone speaks, with all its error."""
    taken, hall = points(wall_db=12.0)
    radio_map = fit_radio_map(hall, WalkGrid.of_plan(hall), taken)
    assert at(radio_map, 19.0, 5.0)[1] > at(radio_map, 5.0, 3.0)[1] + 1.0


def test_offsets_of_phones_do_not_enter_the_map() -> None:
    """Three phones 20 dB apart tell the same map as one, and their offsets are found."""
    offsets = (12.0, -8.0, -4.0)
    taken, hall = points(offsets)
    radio_map = fit_radio_map(hall, WalkGrid.of_plan(hall), taken)
    assert radio_map.device_offsets_db == pytest.approx(offsets, abs=0.1)
    assert at(radio_map, 7.0, 3.0)[0] == pytest.approx(law((5.0, 5.0), 7.0, 3.0), abs=1.5)


def test_phones_are_compared_where_anchors_have_no_place() -> None:
    """Two phones at the same points differ by 14 dB; the map is that of their mean."""
    taken, _ = points((7.0, -7.0))
    hall = site(None)
    level, losses = level_survey(hall, taken)
    assert not losses
    assert level.offsets_db == pytest.approx([7.0, -7.0], abs=1e-5)


def walks(lag_s: float) -> tuple[Survey, SiteMap]:
    """Ten walks of 1 m/s, each the other way; scans every 2 s speak of ``lag_s`` before."""
    stops: list[Stop] = []
    heard: list[Heard] = []
    for walk in range(10):
        for t_s in range(0, 18, 2):
            x = t_s + 1.0 if walk % 2 else 17.0 - t_s
            then = min(x + lag_s, 17.0) if walk % 2 == 0 else max(x - lag_s, 1.0)
            stops.append((x, 5.0, 1.0, 0, 0, walk, float(t_s)))
            for number, place in enumerate(((2.0, 5.0), (9.0, 5.0), (16.0, 5.0))):
                rssi = -50.0 - 2.0 * abs(then - place[0])
                heard.append((len(stops) - 1, number, rssi, NAN, 1))
    return survey(stops, heard, anchors=3), site(None, None, None)


@pytest.mark.parametrize("lag_s", [0.0, 4.0])
def test_the_survey_says_how_old_its_readings_are(lag_s: float) -> None:
    """Scans that are handed over late contradict those of walks the other way, until moved back."""
    taken, hall = walks(lag_s)
    assert chosen_reading(level_survey(hall, taken)[0]).lag_s == lag_s


def test_the_place_before_is_on_the_way() -> None:
    """Half of the way for half of the time; before the first stop it counts as the place."""
    taken, _ = walks(0.0)
    places = places_before(taken, 3.0)
    assert places[9:13, 0].tolist() == [1.0, 1.0, 2.0, 4.0]


def test_an_anchor_without_a_place_is_mapped_by_what_was_heard_around() -> None:
    """Loud in the middle, faint at both ends; one the survey never heard stays unknown."""
    taken, _ = walks(0.0)
    hall = site(None, None, None, None)
    stops = np.stack([taken.stops["x_m"], taken.stops["y_m"]], axis=1)
    grid = WalkGrid.around(stops, taken.stops["floor"], reach_m=Metre(1.0), cell_m=Metre(1.0))
    radio_map = fit_radio_map(hall, grid, taken)
    row = radio_map.strength_cdb[1]
    x = grid.node_xy[:, 0]
    assert row[np.abs(x - 9.0) < 1.0].min() > row[np.abs(x - 9.0) > 6.0].max() + 500
    assert (radio_map.strength_cdb[3] == UNHEARD_CDB).all()
    assert radio_map.is_heard.tolist() == [True, True, True, False]
    assert radio_map.bias_sd_m > 0.0


@given(
    st.lists(
        st.tuples(st.floats(0, 12), st.floats(0, 12), st.integers(0, 3), st.floats(-99, -30)),
        min_size=1,
        max_size=12,
    ),
    st.floats(1, 4),
)
def test_smoothing_is_the_sum_that_a_loop_would_make(
    readings: list[tuple[float, float, int, float]], width_m: float
) -> None:
    """The compiled kernel and the plain twin agree on every anchor and node."""
    nodes = np.array([(0.0, 0.0), (6.0, 5.0), (11.5, 11.5)])
    out = np.empty((4, len(nodes), 3), np.float32)
    count = len(readings)
    sums = np.array([(1.0, rssi, rssi * rssi) for *_, rssi in readings])
    smooth(
        nodes,
        np.zeros(len(nodes), np.int64),
        np.array([row[:2] for row in readings], np.float64),
        np.zeros(count, np.int64),
        np.arange(count + 1),
        np.array([row[2] for row in readings], np.int64),
        sums,
        width_m,
        out,
    )
    for number, node in enumerate(nodes):
        expected = plain.smoothed((node[0], node[1]), readings, width_m=width_m)
        heard = {anchor for anchor in range(4) if not np.isnan(out[anchor, number, 0])}
        assert heard == set(expected)
        for anchor, fields in expected.items():
            assert out[anchor, number] == pytest.approx(fields, rel=1e-3)


@given(st.integers(0, 10_000), st.sampled_from([1.0, 3.0]))
def test_the_process_is_that_of_the_textbook(seed: int, length_m: float) -> None:
    """Solved by Cholesky and by the plain inverse, mean and variance are the same."""
    draw = np.random.default_rng(seed)
    residual = Residual(
        xy=draw.uniform(0, 10, (6, 2)),
        value_db=draw.normal(0, 5, 6),
        noise_db2=draw.uniform(0.5, 4, 6),
        temporal_db2=9.0,
    )
    field = Field(length_m=length_m, size_db=4.5, nugget_db=2.0)
    place = np.array([[4.0, 6.0]])
    mean, variance = residual.at(place, field)
    expected = plain.gaussian_process(
        residual.xy,
        residual.value_db,
        residual.noise_db2 + 4.0,
        place[0],
        length_m=length_m,
        size_db=4.5,
    )
    assert mean[0] == pytest.approx(expected[0], abs=1e-8)
    assert variance[0] == pytest.approx(expected[1] + 4.0 + 9.0)


def test_readings_are_summed_by_place_and_anchor() -> None:
    """A stay of an hour counts as thirty readings: all of them share the place's multipath."""
    taken = survey([(1.2, 1.2, 1, 0, 0, 0, NAN)], [(0, 0, -60.0, 3.0, 3_600)])
    bins = bins_of(
        taken,
        np.array([[1.2, 1.2]]),
        anchor_of=np.array([5]),
        level_db=np.array([10.0]),
        chosen=np.array([True]),
    )
    assert bins.anchor.tolist() == [5]
    assert bins.sums.tolist() == [[30.0, 30.0 * -70.0, 30.0 * (70.0**2 + 9.0)]]


def small_map(**changes: object) -> RadioMap:
    hall = site((5.0, 5.0))
    grid = WalkGrid.of_plan(hall)
    fields: dict[str, object] = {
        "grid": grid,
        "strength_cdb": np.zeros((1, len(grid)), np.int16),
        "spread_ddb": np.ones((1, len(grid)), np.uint8),
        "rarity": np.zeros((1, len(grid)), np.uint8),
    }
    return RadioMap(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rarity": np.zeros((1, 3), np.uint8)}, "rarity is uint8 \\(1, 3\\)"),
        ({"strength_cdb": np.zeros((1, 3), np.int16)}, "strength_cdb"),
        ({"lag_s": -1.0}, "lag_s is -1"),
        ({"bias_sd_m": NAN}, "bias_sd_m is nan"),
        ({"device_offsets_db": (NAN,)}, "device_offsets_db"),
    ],
)
def test_a_map_of_another_shape_is_refused(changes: dict[str, object], said: str) -> None:
    """It would be read at the wrong nodes, and nobody would notice."""
    with pytest.raises(InvalidCalibration, match=said):
        small_map(**changes)


def test_a_spread_of_zero_is_refused() -> None:
    """One reading would then outweigh all others."""
    with pytest.raises(InvalidCalibration, match="spread is 0"):
        small_map(spread_ddb=np.zeros(small_map().spread_ddb.shape, np.uint8))


def test_a_map_too_large_for_memory_is_refused_before_it_is_made() -> None:
    """32,767 anchors at 4,000 nodes would take half a gigabyte."""
    with pytest.raises(InvalidCalibration, match="Take larger cells"):
        refuse_size(32_767, 4_000)


def test_a_survey_of_a_strange_anchor_is_refused() -> None:
    """Its name was mistyped on one side; the map would lack it in silence."""
    taken, _ = walks(0.0)
    hall = site(None)
    with pytest.raises(InvalidCalibration, match="anchor a1, which is not on the map"):
        fit_radio_map(hall, WalkGrid.of_plan(hall), taken)


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("stops", "x_m", math.inf, "finite metres"),
        ("stops", "device", 3, "device is 0 to 3"),
        ("heard", "stop", -1, "stop is -1"),
        ("heard", "anchor", 9, "anchor is 0 to 9"),
        ("heard", "rssi", NAN, "row 1 of heard"),
        ("heard", "spread_db", -1.0, "row 1 of heard"),
        ("heard", "count", 0, "row 1 of heard"),
    ],
)
def test_a_survey_that_nobody_can_have_made_is_refused(
    table: str, column: str, value: float, said: str
) -> None:
    """A map fitted to it would be wrong without a word."""
    taken, _ = walks(0.0)
    rows: Callable[[str], np.ndarray] = lambda name: getattr(taken, name).copy()  # noqa: E731
    stops, heard = rows("stops"), rows("heard")
    {"stops": stops, "heard": heard}[table][column][1] = value
    with pytest.raises(InvalidCalibration, match=said):
        Survey(stops=stops, heard=heard, anchors=taken.anchors, devices=taken.devices)


@settings(max_examples=15)
@given(st.integers(0, 1_000))
def test_no_survey_makes_a_map_that_is_not_finite(seed: int) -> None:
    """Few readings, far apart, of several phones: still a number at every node."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(1, 8))
    stops = [(*draw.uniform(0, 9, 2), 1.0, 0, int(draw.integers(2)), k, NAN) for k in range(n)]
    heard = [
        (int(draw.integers(n)), int(draw.integers(2)), draw.uniform(-110, 0), NAN, 1)
        for _ in range(int(draw.integers(1, 12)))
    ]
    hall = site((1.0, 1.0), None)
    radio_map = fit_radio_map(
        hall, WalkGrid.of_plan(hall, cell_m=Metre(2.0)), survey(stops, heard, anchors=2, devices=2)
    )
    known = radio_map.strength_cdb[radio_map.strength_cdb != UNHEARD_CDB]
    assert (np.abs(known.astype(np.int64)) <= 25_000).all()
    assert radio_map.spread_ddb.min() > 0
