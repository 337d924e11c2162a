"""measured_channel: the noise is that of the recordings, and it is not white."""

import numpy as np
import pytest

from firmware_sim import measured_channel
from firmware_sim.measured_channel import (
    BLOCKED_M_MAX,
    RANGE_BIAS_M,
    RANGE_SD_M,
    Drift,
    MeasuredChannel,
    draw_excess,
)
from firmware_sim.radio_channel import ExactChannel, Links, WhiteChannel
from firmware_sim.shadow_map import draw_fields
from rtls.model.site_map import Radio, SiteMap

START_MS = 1_795_255_200_000
TAGS = 150


def links_of(
    shop: SiteMap, *, at_ms: int, radio: Radio, x_m: float = 30.0, y_m: float = 23.0
) -> Links:
    """All tags at one place, with all anchors of a radio, facing all ways."""
    chosen = [index for index, a in enumerate(shop.anchors) if a.radio is radio]
    place = np.array([(shop.anchors[i].x_m, shop.anchors[i].y_m) for i in chosen])
    distance = np.sqrt(np.sum((place - (x_m, y_m)) ** 2, axis=1) + 4.0)
    count = TAGS * len(chosen)
    return Links(
        slot=np.repeat(np.arange(TAGS), len(chosen)),
        anchor=np.tile(np.array(chosen), TAGS),
        x_m=np.full(count, x_m),
        y_m=np.full(count, y_m),
        heading_rad=np.repeat(np.linspace(-3.0, 3.0, TAGS), len(chosen)),
        distance_m=np.tile(distance, TAGS),
        at_ms=np.full(count, at_ms, np.int64),
    )


def measured(shop: SiteMap, seed: int = 3) -> MeasuredChannel:
    return MeasuredChannel(shop, capacity=TAGS, rng=np.random.default_rng(seed))


@pytest.fixture
def blocked_by_3_m(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocked links stand out, so that the others can be looked at alone."""
    monkeypatch.setattr(
        measured_channel, "draw_excess", lambda _rng, count: np.full(count, BLOCKED_M_MAX)
    )


def range_errors(shop: SiteMap, *, rounds: int, every_ms: int) -> np.ndarray:
    """(rounds, links) measured less true distance."""
    channel = measured(shop)
    errors = []
    for number in range(rounds):
        links = links_of(shop, at_ms=START_MS + number * every_ms, radio=Radio.UWB)
        errors.append(channel.ranges(links) - links.distance_m)
    return np.array(errors)


def test_the_exact_channel_says_what_the_calibration_of_the_map_undoes(shop: SiteMap) -> None:
    """Range = distance × (1 + 0) + 0.18 m in the demo shop."""
    links = links_of(shop, at_ms=START_MS, radio=Radio.UWB)
    assert ExactChannel(shop).ranges(links) - links.distance_m == pytest.approx(0.18)


def test_the_exact_channel_follows_the_path_loss_law(shop: SiteMap) -> None:
    """-55 dBm at 1 m with exponent 2.9: at 10 m 29 dB less; below -95 dBm nothing is heard."""
    links = links_of(shop, at_ms=START_MS, radio=Radio.BLE)
    heard = ExactChannel(shop).strengths(links)
    expected = -55.0 - 29.0 * np.log10(links.distance_m)
    assert np.array_equal(np.isnan(heard), expected < -95.0)
    assert heard[expected >= -95.0] == pytest.approx(expected[expected >= -95.0])


def test_a_blocked_path_is_longer_never_shorter(shop: SiteMap) -> None:
    """Blocking is one-sided: 0.3 to 3 m; symmetric outliers would flatter a least-squares fix."""
    excess = draw_excess(np.random.default_rng(1), 20_000)
    assert excess.min() >= 0.3
    assert excess.max() == 3.0
    errors = range_errors(shop, rounds=1, every_ms=500)[0]
    errors = errors[np.isfinite(errors)]
    blocked = errors > RANGE_BIAS_M + 0.5
    assert 0.05 < blocked.mean() < 0.3
    assert errors.min() > RANGE_BIAS_M - 5 * np.hypot(RANGE_SD_M, 0.06)


@pytest.mark.usefixtures("blocked_by_3_m")
def test_a_link_keeps_its_own_bias_of_about_eighteen_centimetres(shop: SiteMap) -> None:
    """Averaging over time leaves 0.06 m between links: that is the part no filter averages away."""
    errors = range_errors(shop, rounds=60, every_ms=20_000)
    free = np.nanmax(errors, axis=0) < 2.0
    of_link = np.nanmean(errors[:, free], axis=0)
    assert of_link.mean() == pytest.approx(0.18, abs=0.01)
    assert of_link.std() == pytest.approx(0.06, abs=0.01)


@pytest.mark.usefixtures("blocked_by_3_m")
@pytest.mark.parametrize(
    ("lag_ms", "correlation"), [(100, 0.74), (500, 0.61), (1_000, 0.55), (5_000, 0.27)]
)
def test_ranging_noise_is_correlated_for_seconds_as_measured(
    shop: SiteMap, lag_ms: int, correlation: float
) -> None:
    """White noise would shrink by averaging over a second; this does not."""
    errors = range_errors(shop, rounds=40, every_ms=lag_ms)
    free = (np.nanmax(errors, axis=0) < 2.0) & np.isfinite(errors).all(axis=0)
    noise = errors[:, free] - RANGE_BIAS_M
    variance = noise.var() - 0.06**2  # the bias of the links is no noise
    product = (noise[1:] * noise[:-1]).mean() - 0.06**2
    assert variance == pytest.approx(RANGE_SD_M**2, rel=0.25)
    assert product / variance == pytest.approx(correlation, abs=0.08)


def test_two_in_a_hundred_exchanges_fail(shop: SiteMap) -> None:
    """A fix must live with a range that did not come."""
    lost = np.isnan(range_errors(shop, rounds=5, every_ms=500))
    assert lost.mean() == pytest.approx(0.02, abs=0.005)


def test_standing_still_does_not_average_the_error_of_rssi_away(shop: SiteMap) -> None:
    """The mean over ten minutes at one place is still dB off: the field is frozen."""
    channel = measured(shop)
    rounds = [
        channel.strengths(
            links_of(shop, at_ms=START_MS + 2_000 * n, radio=Radio.BLE, x_m=8.0, y_m=12.0)
        )
        for n in range(300)
    ]
    links = links_of(shop, at_ms=START_MS, radio=Radio.BLE, x_m=8.0, y_m=12.0)
    strengths = np.array(rounds)
    always = np.isfinite(strengths).mean(axis=0) > 0.8
    exact = -55.0 - 29.0 * np.log10(links.distance_m[always])
    error = np.nanmean(strengths[:, always], axis=0) - exact
    by_tag = [error[links.slot[always] == tag] for tag in range(TAGS)]
    within = np.concatenate([of_tag - of_tag.mean() for of_tag in by_tag if len(of_tag) > 3])
    assert within.std() > 2.0


def test_phones_differ_by_up_to_22_db(shop: SiteMap) -> None:
    """A per-tag offset has to be learnt: uniform over 22 dB it has an sd of 6.4 dB."""
    channel = measured(shop)
    links = links_of(shop, at_ms=START_MS, radio=Radio.BLE, x_m=30.0, y_m=20.5)
    near = links.distance_m < 10.0
    exact = -55.0 - 29.0 * np.log10(links.distance_m)
    error = channel.strengths(links) - exact
    of_tag = [np.nanmean(error[near & (links.slot == tag)]) for tag in range(TAGS)]
    assert np.std(of_tag) == pytest.approx(6.6, abs=1.0)


def test_the_white_channel_is_white_and_unbiased(shop: SiteMap) -> None:
    """The negative control: what looks good only here has learnt nothing."""
    channel = WhiteChannel(shop, rng=np.random.default_rng(2))
    links = [links_of(shop, at_ms=START_MS + n, radio=Radio.UWB) for n in range(2)]
    first, second = (channel.ranges(each) - each.distance_m - 0.18 for each in links)
    assert first.std() == pytest.approx(0.1, rel=0.1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


def test_the_frozen_field_has_its_spread_and_its_length(shop: SiteMap) -> None:
    """At the distance of one length, exp(-1/2) = 0.61 of the covariance is left."""
    fields = draw_fields(
        shop, sd=4.5, length_m_min=3.0, length_m_max=3.0, rng=np.random.default_rng(4)
    ).field
    assert fields.std() == pytest.approx(4.5, rel=0.1)
    cells = 6  # of 0.5 m
    product = (fields[:, :, cells:] * fields[:, :, :-cells]).mean()
    assert product / fields.var() == pytest.approx(0.61, abs=0.08)


def test_drift_forgets_with_its_time() -> None:
    """After one time constant e^-1 = 0.37 is left, after a long pause nothing."""
    count = 40_000
    links = Links(
        slot=np.arange(count),
        anchor=np.zeros(count, np.intp),
        x_m=np.zeros(count),
        y_m=np.zeros(count),
        heading_rad=np.zeros(count),
        distance_m=np.ones(count),
        at_ms=np.zeros(count, np.int64),
    )
    drift = Drift((count, 1), time_s=2.0, rng=np.random.default_rng(6))
    first = drift.at(links, np.full(count, 60_000.0))
    second = drift.at(links, np.full(count, 2_000.0))
    assert first.std() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(np.exp(-1.0), abs=0.02)


def test_the_next_tag_of_a_slot_has_links_of_its_own(shop: SiteMap) -> None:
    """A new phone in an old slot must not inherit the old one's offset."""
    channel = measured(shop)
    before = channel._offset_db[7], channel._bias_m[7].copy()
    channel.replace_tag(7)
    assert channel._offset_db[7] != before[0]
    assert not np.any(channel._bias_m[7] == before[1])
