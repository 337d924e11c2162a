"""What was passed between two fixes is found by the kernel as by its twin, to the last bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtls.geofence.containment import ContainmentSettings
from rtls.geofence.crossing import TRAIL_DTYPE, crossed_zones
from rtls.geofence.dwell import DwellSettings, empty_stays, step_rules
from rtls.geofence.kernels.stay_slots import ABSENT, CANDIDATE, INSIDE, LEAVING
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FIX_DTYPE
from rtls.model.reading import ReadingKind
from rtls.model.site_map import DwellRules, ZoneKind
from tests.reference.crossing import crossed_zones as crossed_by_twin
from tests.reference.shelf_site import START_MS, make_site, make_zone, rectangle, shelf_zones

EASY = DwellRules(p_enter=0.12, p_hold=0.1, p_exit=0.05, exit_tolerance_m=0.5)
BAYS = [
    make_zone(f"bay-{number}", rectangle(1.2 * number, 6.5, 1.2 * number + 1.2, 7.3), rules=rules)
    for number, rules in enumerate([DwellRules(), EASY, DwellRules()] * 5)
]
KITE = make_zone("kite", ((14, 1), (18, 3), (15, 5), (13, 2.5)), kind=ZoneKind.ENTRANCE)
SITE = make_site([*shelf_zones(DwellRules(exit_tolerance_m=0.4)), *BAYS, KITE], floors=2)
INDEX = ZoneIndex.build(SITE)
RULES = step_rules(SITE, DwellSettings())
TAGS = 3
GAPS_MS = st.sampled_from([100, 1000, 2500, 4003, 9999, 10_000, 10_001])
SIGMAS = st.sampled_from([0.0, 0.1, 0.3, 0.8, 2.0])
PLACES = st.tuples(st.floats(-3, 23), st.floats(-3, 13))


@st.composite
def walks(draw):
    """Give some instants with the fixes of some tags, rarely of a number that is none."""
    steps = []
    at_ms = START_MS
    for _ in range(draw(st.integers(2, 6))):
        at_ms += draw(GAPS_MS)
        tags = sorted(draw(st.sets(st.integers(0, TAGS - 1), min_size=1)))
        fixes = np.zeros(len(tags), FIX_DTYPE)
        for row, tag in zip(fixes, tags, strict=True):
            row["tag"] = tag
            row["x_m"], row["y_m"] = draw(PLACES)
            sigma_x, sigma_y, lean = draw(SIGMAS), draw(SIGMAS), draw(st.floats(-0.95, 0.95))
            row["cov_xx"], row["cov_yy"] = sigma_x**2, sigma_y**2
            row["cov_xy"] = lean * sigma_x * sigma_y
            row["p_standing"] = draw(st.sampled_from([0.1, 0.1, 0.1, 0.7]))
            row["floor"] = draw(st.sampled_from([0, 0, 0, 0, 1]))
            row["kinds"] = draw(st.sampled_from([1 << ReadingKind.RANGE, 1 << ReadingKind.RSSI]))
            if draw(st.integers(0, 30)) == 0:
                row[draw(st.sampled_from(["x_m", "cov_xx", "cov_xy"]))] = np.nan
        steps.append((at_ms, fixes))
    return steps


@st.composite
def open_stays(draw):
    stays = empty_stays(TAGS)
    for tag in range(TAGS):
        for slot in range(draw(st.integers(0, 2))):
            stays[tag, slot]["zone"] = draw(st.integers(0, len(SITE.zones) - 1))
            phases = st.sampled_from([CANDIDATE, INSIDE, LEAVING, ABSENT])
            stays[tag, slot]["phase"] = draw(phases)
    return stays


@given(walks(), open_stays())
def test_the_kernel_passes_the_same_zones_as_the_twin(steps, stays) -> None:
    """The kernel leaves out most integrals; none of those may be one that counts."""
    trails = np.zeros(TAGS, TRAIL_DTYPE)
    kept = trails.copy()
    world = {"index": INDEX, "stays": stays, "rules": RULES, "settings": ContainmentSettings()}
    for at_ms, fixes in steps:
        found = crossed_zones(trails, fixes, at_ms=at_ms, **world)
        expected = crossed_by_twin(kept, fixes, at_ms=at_ms, **world)
        assert found.tobytes() == expected.tobytes()
        assert trails.tobytes() == kept.tobytes()


def test_more_passes_than_a_call_can_hold_are_all_told() -> None:
    """The buffer is bounded; the kernel goes on where it stopped, and no tag is left out."""
    tags = 700
    trails, stays = np.zeros(tags, TRAIL_DTYPE), empty_stays(tags)
    fixes = np.zeros(tags, FIX_DTYPE)
    fixes["tag"] = np.arange(tags)
    fixes["cov_xx"] = fixes["cov_yy"] = 0.01
    fixes["kinds"], fixes["p_standing"] = 1 << ReadingKind.RANGE, 0.1
    world = {"index": INDEX, "stays": stays, "rules": RULES, "settings": ContainmentSettings()}
    fixes["x_m"], fixes["y_m"] = 3.0, 8.5
    crossed_zones(trails, fixes, at_ms=START_MS, **world)
    fixes["y_m"] = 5.9
    found = crossed_zones(trails, fixes, at_ms=START_MS + 1000, **world)
    assert found["tag"].tolist() == list(range(tags))  # each by the bay it stepped over
    assert {SITE.zones[zone].zone for zone in found["zone"]} == {"bay-2"}


def test_a_site_without_zones_has_nothing_to_pass() -> None:
    """Nobody has drawn a zone yet: tags are followed all the same."""
    empty = make_site([])
    trails, fixes = np.zeros(1, TRAIL_DTYPE), np.zeros(1, FIX_DTYPE)
    for at_ms, x_m in ((START_MS, 1.0), (START_MS + 1000, 3.0)):
        fixes["x_m"] = x_m
        found = crossed_zones(
            trails,
            fixes,
            at_ms=at_ms,
            index=ZoneIndex.build(empty),
            stays=empty_stays(1),
            rules=step_rules(empty, DwellSettings()),
            settings=ContainmentSettings(),
        )
        assert found.size == 0
    assert trails["x_m"].tolist() == [3.0]
