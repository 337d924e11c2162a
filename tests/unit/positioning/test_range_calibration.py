"""Range calibration: known delays, biases and slopes are found again, within what is stated."""

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration
from rtls.model.reading import ReadingKind
from rtls.model.units import AnchorId, TagId
from rtls.positioning.placed_readings import (
    LINK_DTYPE,
    PLACED_DTYPE,
    AnchorLinks,
    PlacedReadings,
    refuse_poor_places,
)
from rtls.positioning.range_calibration import fit_delays, fit_ranges
from rtls.positioning.self_calibration import WalkRanges, self_calibrate
from tests.reference.radio_site import OCTAGON, site_with

SITE = site_with(OCTAGON)
PLACE = np.array(OCTAGON)
DELAY_M = np.array([0.02, 0.15, 0.09, 0.05, 0.12, 0.08, 0.20, 0.01])


def links_of(draw: np.random.Generator, noise_m: float = 0.05) -> AnchorLinks:
    rows = [
        (i, j, ReadingKind.RANGE,
         np.linalg.norm(PLACE[i] - PLACE[j]) + DELAY_M[i] + DELAY_M[j] + draw.normal(0, noise_m))
        for i in range(8) for j in range(8) if i != j for _ in range(10)
    ]  # fmt: skip
    return AnchorLinks(rows=np.array(rows, LINK_DTYPE))


def survey_of(
    draw: np.random.Generator, bias_m: np.ndarray, slope: np.ndarray, blocked: float = 0.0
) -> PlacedReadings:
    rows = []
    for stop in range(16):
        x, y = 1.0 + 2.5 * (stop % 4), 1.0 + 2.5 * (stop // 4)
        for anchor in range(8):
            d = np.linalg.norm(PLACE[anchor] - (x, y, 1.0))
            values = d * (1.0 + slope[anchor]) + bias_m[anchor] + draw.normal(0.0, 0.07, 10)
            values += np.where(draw.random(10) < blocked, draw.uniform(0.5, 3.0, 10), 0.0)
            rows += [(stop, 0, anchor, ReadingKind.RANGE, 0, x, y, 1.0, v, 0.0) for v in values]
    return PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("staff"),))


NOTHING = PlacedReadings(rows=np.empty(0, PLACED_DTYPE), tags=())


def test_anchors_that_range_each_other_tell_their_delays() -> None:
    """Twenty-eight links for eight unknowns: no walk is needed for this part."""
    delays, sd = fit_delays(SITE, links_of(np.random.default_rng(1)))
    found = np.array([delays[a.anchor] for a in SITE.anchors])
    assert np.abs(found - DELAY_M).max() < 0.03
    stated = np.array([sd[a.anchor] for a in SITE.anchors])
    assert (np.abs(found - DELAY_M) < 3.5 * stated).all()


def test_a_tag_never_seen_gets_the_delay_of_the_anchor_and_of_a_usual_tag() -> None:
    """The gauge: nothing measures the tag's own half, so it is believed to be like an anchor's."""
    fit = fit_ranges(SITE, NOTHING, links_of(np.random.default_rng(1)))
    for index, anchor in enumerate(SITE.anchors):
        expected = DELAY_M[index] + DELAY_M.mean()
        assert fit.ranges[anchor.anchor].bias_m == pytest.approx(expected, abs=0.03)
        assert fit.ranges[anchor.anchor].bias_sd_m >= 0.06


def test_a_survey_gives_back_bias_and_slope_of_each_link() -> None:
    """What two minutes at sixteen points tell: the bias at the distances that were met."""
    draw = np.random.default_rng(2)
    bias, slope = draw.normal(0.18, 0.06, 8), draw.normal(0.0, 0.02, 8)
    fit = fit_ranges(SITE, survey_of(draw, bias, slope))
    for index, anchor in enumerate(SITE.anchors):
        link = fit.links[TagId("staff"), anchor.anchor]
        at_5m = link.bias_m + 5.0 * link.slope
        assert at_5m == pytest.approx(bias[index] + 5.0 * slope[index], abs=0.03)


def test_blocked_paths_do_not_become_a_bias() -> None:
    """A fifth of the readings takes a detour of up to 3 m; the mean would be 0.35 m off."""
    draw = np.random.default_rng(3)
    bias = np.full(8, 0.18)
    fit = fit_ranges(SITE, survey_of(draw, bias, np.zeros(8), blocked=0.2))
    for anchor in SITE.anchors:
        link = fit.links[TagId("staff"), anchor.anchor]
        assert link.bias_m + 5.0 * link.slope == pytest.approx(0.18, abs=0.06)


def walk_of(
    draw: np.random.Generator, bias_m: np.ndarray, seconds: int = 240
) -> tuple[WalkRanges, np.ndarray]:
    t = np.arange(0, seconds * 1000, 200)
    x = 5.0 + 4.0 * np.sin(2 * np.pi * t / 61_000)
    y = 5.0 + 4.0 * np.sin(2 * np.pi * t / 43_000)
    path = np.stack([x, y, np.ones(t.size)], axis=1)
    away = np.linalg.norm(path[:, None, :] - PLACE[None], axis=2)
    ranges = away + bias_m + draw.normal(0.0, 0.07, away.shape)
    walk = WalkRanges(
        t_ms=np.repeat(t, 8), anchor=np.tile(np.arange(8, dtype=np.int32), t.size),
        range_m=ranges.ravel(),
    )  # fmt: skip
    return walk, path[:, :2]


def test_a_walk_nobody_measured_tells_where_it_went_and_how_ranges_err() -> None:
    """No tape, no points: the ranges contradict each other until biases are right."""
    draw = np.random.default_rng(4)
    bias = draw.normal(0.18, 0.06, 8)
    walk, path = walk_of(draw, bias)
    found = self_calibrate(SITE, walk, tag_height_m=1.0)
    at = (np.arange(len(found.path_m)) * 500 + 200) // 200
    off = np.linalg.norm(found.path_m - path[np.minimum(at, len(path) - 1)], axis=1)
    assert np.percentile(off, 90) < 0.15
    away = np.linalg.norm(np.array((5.0, 5.0, 1.0)) - PLACE, axis=1)
    for index, anchor in enumerate(SITE.anchors):
        link = found.links[anchor.anchor]
        at_middle = link.bias_m + link.slope * away[index]
        assert at_middle == pytest.approx(bias[index], abs=0.06)
        assert 0.02 < link.bias_sd_m < 0.2


def test_standing_still_is_no_walk() -> None:
    """One place explains any bias: a number from it would be a guess with two decimals."""
    draw = np.random.default_rng(5)
    walk, _ = walk_of(draw, np.full(8, 0.18))
    still = np.linalg.norm(np.array((5.0, 5.0, 1.0)) - PLACE, axis=1)
    ranges = np.tile(still + 0.18, walk.t_ms.size // 8) + draw.normal(0, 0.05, walk.t_ms.size)
    stood = WalkRanges(t_ms=walk.t_ms, anchor=walk.anchor, range_m=ranges)
    with pytest.raises(InvalidCalibration, match="narrow side"):
        self_calibrate(SITE, stood, tag_height_m=1.0)


def test_a_short_walk_and_too_few_anchors_are_refused() -> None:
    """The remedy must stand in the message: walk on, or hang more anchors."""
    walk, _ = walk_of(np.random.default_rng(6), np.full(8, 0.18), seconds=20)
    with pytest.raises(InvalidCalibration, match="ten minutes"):
        self_calibrate(SITE, walk, tag_height_m=1.0)
    walk, _ = walk_of(np.random.default_rng(6), np.full(8, 0.18))
    three = walk.anchor < 3
    few = WalkRanges(t_ms=walk.t_ms[three], anchor=walk.anchor[three], range_m=walk.range_m[three])
    with pytest.raises(InvalidCalibration, match="3 anchors"):
        self_calibrate(SITE, few, tag_height_m=1.0)


def test_a_survey_along_one_wall_is_refused() -> None:
    """From one wall left and right of it look the same."""
    survey = survey_of(np.random.default_rng(7), np.full(8, 0.18), np.zeros(8))
    along = PlacedReadings(rows=survey.rows[survey.rows["y_m"] < 2.0], tags=survey.tags)
    with pytest.raises(InvalidCalibration, match="one line"):
        refuse_poor_places(along)
    one = PlacedReadings(rows=survey.rows[survey.rows["stop"] < 3], tags=survey.tags)
    with pytest.raises(InvalidCalibration, match="3 places"):
        refuse_poor_places(one)
    refuse_poor_places(survey)


def test_the_anchor_of_a_link_is_named_by_the_map() -> None:
    """An index that slips by one calibrates the neighbour."""
    draw = np.random.default_rng(8)
    bias = np.zeros(8)
    bias[3] = 0.5
    fit = fit_ranges(SITE, survey_of(draw, bias, np.zeros(8)))
    assert fit.ranges[AnchorId("a3")].bias_m > 0.35
    assert fit.ranges[AnchorId("a2")].bias_m < 0.1
