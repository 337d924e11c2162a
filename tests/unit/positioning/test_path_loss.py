"""path_loss: learning each anchor's law from a survey."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration
from rtls.model.units import AnchorId, Dbm, Metre
from rtls.positioning.path_loss import SurveySample, fit_path_loss, fit_survey
from tests.reference.radio_site import SQUARE, site_with

SITE = site_with(SQUARE)
LAWS = {"a0": (-55.0, 1.8), "a1": (-60.0, 2.2), "a2": (-62.0, 2.0), "a3": (-58.0, 2.5)}


def survey(names: tuple[str, ...] = tuple(LAWS), points: int = 60) -> list[SurveySample]:
    draw = np.random.default_rng(3)
    samples = []
    for name in names:
        anchor = SITE.anchors[SITE.anchor_index[AnchorId(name)]]
        for x, y in draw.uniform(0.0, 10.0, (points, 2)):
            distance = math.dist((x, y, 1.0), (anchor.x_m, anchor.y_m, anchor.z_m))
            at_1m, exponent = LAWS[name]
            rssi = at_1m - 10.0 * exponent * math.log10(distance) + draw.normal(0.0, 1.0)
            samples.append(sample(name, x, y, rssi))
    return samples


def sample(name: str, x: float, y: float, rssi: float) -> SurveySample:
    return SurveySample(
        anchor=AnchorId(name), x_m=Metre(x), y_m=Metre(y), z_m=Metre(1.0), rssi=Dbm(rssi)
    )


def test_a_survey_gives_back_the_law_it_was_drawn_from() -> None:
    """Within what 60 points with 1 dB can tell."""
    losses = fit_path_loss(SITE, survey()).losses
    for name, (at_1m, exponent) in LAWS.items():
        assert losses[AnchorId(name)].rssi_at_1m == pytest.approx(at_1m, abs=1.5)
        assert losses[AnchorId(name)].exponent == pytest.approx(exponent, abs=0.2)


def test_points_behind_a_pillar_do_not_tilt_the_law() -> None:
    """One in ten points lost 25 dB: the median of the shop has not changed."""
    clean = survey()
    dirty = [
        sample(s.anchor, s.x_m, s.y_m, s.rssi - 25.0) if index % 10 == 0 else s
        for index, s in enumerate(clean)
    ]
    for name in LAWS:
        before = fit_path_loss(SITE, clean).losses[AnchorId(name)]
        after = fit_path_loss(SITE, dirty).losses[AnchorId(name)]
        at_6m = [law.rssi_at_1m - 10 * law.exponent * math.log10(6.0) for law in (before, after)]
        assert at_6m[0] == pytest.approx(at_6m[1], abs=1.0)


def test_an_anchor_heard_at_two_points_takes_the_law_of_the_site() -> None:
    """A line through two noisy points may say that strength grows with distance."""
    samples = [*survey(("a0", "a1", "a2")), sample("a3", 1, 9, -70.0), sample("a3", 9, 1, -66.0)]
    assert 1.5 < fit_path_loss(SITE, samples).losses[AnchorId("a3")].exponent < 2.6


def test_the_spread_of_the_survey_becomes_the_sigma_of_readings() -> None:
    """The filter is to believe an anchor as much as the survey found it worth."""
    shaky = [
        SurveySample(anchor=s.anchor, x_m=s.x_m, y_m=s.y_m, z_m=s.z_m, rssi=s.rssi, spread_db=6.0)
        for s in survey()
    ]
    calm, restless = (
        fit_path_loss(SITE, rows).losses[AnchorId("a0")] for rows in (survey(), shaky)
    )
    assert restless.bias_sd_db == pytest.approx(calm.bias_sd_db)
    assert restless.sigma_db == pytest.approx(math.hypot(calm.sigma_db, 6.0))


def test_an_empty_survey_and_a_foreign_anchor_are_refused() -> None:
    """Both are mistakes of a file, not laws of radio."""
    with pytest.raises(InvalidCalibration, match="0 samples"):
        fit_path_loss(SITE, [])
    with pytest.raises(InvalidCalibration, match="a9"):
        fit_path_loss(SITE, [sample("a9", 1, 1, -60.0)])
    with pytest.raises(InvalidCalibration, match="finite"):
        sample("a0", float("nan"), 1, -60.0)


def test_two_phones_that_hear_differently_give_one_law_and_two_offsets() -> None:
    """Receivers differ by 20 dB; the staff's phone must not become the measure of all phones."""
    loud = [replace(s, device="loud", rssi=Dbm(s.rssi + 12.0)) for s in survey()]
    quiet = [replace(s, device="quiet", rssi=Dbm(s.rssi - 8.0)) for s in survey()]
    fit = fit_survey(SITE, [*loud, *quiet])
    assert fit.offset_db["loud"] - fit.offset_db["quiet"] == pytest.approx(20.0, abs=0.2)
    for name, (at_1m, exponent) in LAWS.items():
        loss = fit.calibration.losses[AnchorId(name)]
        assert loss.rssi_at_1m == pytest.approx(at_1m + 2.0, abs=1.5)
        assert loss.exponent == pytest.approx(exponent, abs=0.2)
        assert loss.sigma_db < 2.5
