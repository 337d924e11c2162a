"""placed_readings: what a surveyor did not hear counts as well."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.model.site_map import Floor, Radio, SiteMap
from rtls.model.units import Metre, TagId
from rtls.positioning.path_loss import SurveySample, fit_path_loss
from rtls.positioning.placed_readings import (
    LINK_DTYPE,
    PLACED_DTYPE,
    AnchorLinks,
    PlacedReadings,
    samples_of,
)
from tests.reference.radio_site import site_with

GRID = tuple((x, y, 3.0) for y in (5.0, 15.0, 25.0) for x in (5.0, 15.0, 25.0, 35.0))
AT_1M, EXPONENT = -66.0, 2.9
FAINTEST = -95.0
BEATS = 30


def shop() -> SiteMap:
    site = site_with(GRID)
    floor = Floor(floor=0, name="0", width_m=Metre(40), height_m=Metre(30))
    anchors = tuple(replace(anchor, radio=Radio.BLE) for anchor in site.anchors)
    return replace(site, floors=(floor,), anchors=anchors)


def quiet_phone() -> PlacedReadings:
    """A phone that is not heard beyond a dozen metres, but for its luckiest beats."""
    draw = np.random.default_rng(2)
    rows = []
    for stop, (x, y) in enumerate(
        (4.0 + 6.0 * i, 3.0 + 6.0 * j) for i in range(6) for j in range(5)
    ):
        for index, place in enumerate(GRID):
            away = math.dist((x, y, 1.0), place)
            field = AT_1M - 10.0 * EXPONENT * math.log10(away) + draw.normal(0.0, 3.0)
            beats = field + draw.normal(0.0, 4.0, BEATS)
            rows += [
                (stop, 0, index, ReadingKind.RSSI, 0, x, y, 1.0, value, 0.0)
                for value in beats[beats >= FAINTEST]
            ]
    return PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("quiet"),))


def exponents(samples: list[SurveySample]) -> np.ndarray:
    losses = fit_path_loss(shop(), samples).losses
    return np.array([loss.exponent for loss in losses.values()])


def test_beats_that_were_not_heard_keep_the_law_from_looking_flat() -> None:
    """Far away only lucky beats are heard: fitted alone they say that strength hardly falls."""
    site = shop()
    samples = list(samples_of(site, quiet_phone()))
    assert np.abs(exponents(samples) - EXPONENT).max() < 0.5
    assert np.mean(exponents(samples)) == pytest.approx(EXPONENT, abs=0.25)


def test_without_counting_them_the_law_is_flat() -> None:
    """Control: the same survey by the mean of what was heard, as one would do it first."""
    placed = quiet_phone()
    site, rows = shop(), placed.rows
    heard = []
    for stop in placed.stops:
        for index, anchor in enumerate(site.anchors):
            own = rows[(rows["stop"] == stop) & (rows["anchor"] == index)]
            if len(own):
                x, y = Metre(float(own["x_m"][0])), Metre(float(own["y_m"][0]))
                heard.append(SurveySample(anchor=anchor.anchor, x_m=x, y_m=y, z_m=Metre(1.0),
                                          rssi=own["value"].mean()))  # fmt: skip
    assert np.mean(exponents(heard)) < EXPONENT - 0.5


def test_a_stop_where_most_beats_were_lost_gives_a_bound_and_not_a_value() -> None:
    """Three lucky beats of thirty are no median."""
    site = shop()
    rows = [(0, 0, 0, ReadingKind.RSSI, 0, 5.0, 5.0, 1.0, -70.0, 0.0)] * 30
    rows += [(0, 0, 1, ReadingKind.RSSI, 0, 5.0, 5.0, 1.0, -94.0, 0.0)] * 3
    placed = PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("t"),))
    by_anchor = {sample.anchor: sample for sample in samples_of(site, placed)}
    assert not by_anchor[site.anchors[0].anchor].is_ceiling
    assert by_anchor[site.anchors[1].anchor].is_ceiling


def test_half_heard_the_median_is_the_weakest_that_was_heard() -> None:
    """By hand: of 20 beats 10 were heard, -80 to -89; the tenth strongest of 20 is -89."""
    site = shop()
    rows = [(0, 0, 0, ReadingKind.RSSI, 0, 5.0, 5.0, 1.0, -60.0, 0.0)] * 20
    rows += [(0, 0, 1, ReadingKind.RSSI, 0, 5.0, 5.0, 1.0, -80.0 - k, 0.0) for k in range(10)]
    placed = PlacedReadings(rows=np.array(rows, PLACED_DTYPE), tags=(TagId("t"),))
    by_anchor = {sample.anchor: sample for sample in samples_of(site, placed)}
    assert by_anchor[site.anchors[1].anchor].rssi == -89.0


def test_an_anchor_that_hears_another_is_a_sample_at_the_others_place() -> None:
    """Each sender is a device of its own: anchors do not send as loud as phones."""
    site = shop()
    links = AnchorLinks(rows=np.array([(0, 1, ReadingKind.RSSI, -70.0)], LINK_DTYPE))
    nothing = PlacedReadings(rows=np.empty(0, PLACED_DTYPE), tags=())
    (sample,) = samples_of(site, nothing, links)
    assert sample.anchor == site.anchors[0].anchor
    assert (sample.x_m, sample.y_m, sample.z_m) == GRID[1]
    assert sample.device == "anchor:a1"
