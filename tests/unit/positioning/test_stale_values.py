"""without_stale: an anchor that hangs is no ghost that stands still, and a quiet night no fault."""

import numpy as np
import pytest

from rtls.model.reading import ReadingKind
from rtls.positioning.anchor_health import WATCH_DTYPE
from rtls.positioning.stale_values import REPEATS_DTYPE, without_stale
from tests.reference.radio_site import readings_of


class Links:
    """One tag and two anchors; what is left of each epoch."""

    def __init__(self) -> None:
        self.repeats = np.zeros(1, REPEATS_DTYPE)
        self.watch = np.zeros(2, WATCH_DTYPE)
        self.at_ms = 0

    def kept(self, *values: float, kind: ReadingKind = ReadingKind.RANGE) -> list[int]:
        """The anchors whose values are taken as news; NaN is not heard."""
        self.at_ms += 100
        readings = readings_of(values, at_ms=self.at_ms, kind=kind)
        readings = readings[~np.isnan(readings["value"])]
        return without_stale(readings, repeats=self.repeats, watch=self.watch)["anchor"].tolist()


def first_stale(links: Links, values: list[tuple[float, ...]], kind: ReadingKind) -> int | None:
    """The first epoch in which anchor 0 is left out."""
    for epoch, heard in enumerate(values):
        if 0 not in links.kept(*heard, kind=kind):
            return epoch
    return None


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_range_that_is_repeated_while_the_others_move_is_no_reading(rng) -> None:
    """It begins at evens, so 20 repetitions have a chance of one in a million."""
    values = [(4.31, float(value)) for value in rng.normal(5.0, 0.07, 60)]
    assert first_stale(Links(), values, ReadingKind.RANGE) == 20


def test_a_live_link_that_hangs_is_found_sooner(rng) -> None:
    """It has shown before that it hardly ever repeats itself."""
    links = Links()
    for one, other in rng.normal(5.0, 0.07, (200, 2)):
        links.kept(float(one), float(other))
    values = [(4.31, float(value)) for value in rng.normal(5.0, 0.07, 60)]
    assert first_stale(links, values, ReadingKind.RANGE) == 10


def test_the_first_new_value_is_news_again(rng) -> None:
    """A fault that is over is over."""
    links = Links()
    for value in rng.normal(5.0, 0.07, 60):
        links.kept(4.31, float(value))
    assert links.watch["stale"].tolist() == [40, 0]
    assert links.kept(4.32, 5.0) == [0, 1]


def test_whole_decibels_of_a_quiet_radio_are_never_stale(rng) -> None:
    """A tag on a shelf at night, 0.3 dB of noise, ten hours at 1 Hz, thinned to 20,000 readings."""
    links = Links()
    rounded = np.round(rng.normal((-61.3, -70.5), 0.3, (20_000, 2)))
    assert first_stale(links, [tuple(row) for row in rounded], ReadingKind.RSSI) is None


def test_smoothed_values_that_change_every_tenth_time_are_never_stale(rng) -> None:
    """Such senders repeat until their mean has moved by a digit."""
    steps = np.repeat(np.round(rng.normal(-60.0, 3.0, (500, 2)), 2), rng.integers(5, 16, 500), 0)
    links = Links()
    first = [tuple(row) for row in np.repeat(steps[:400:8], 3, 0)]
    first_stale(links, first, ReadingKind.RSSI)
    assert first_stale(links, [tuple(row) for row in steps], ReadingKind.RSSI) is None


def test_a_tag_with_one_link_is_never_judged() -> None:
    """Nothing says whether the radio is quiet or the anchor hangs; a lost stay would be worse."""
    links = Links()
    assert all(links.kept(4.31, np.nan) == [0] for _ in range(2_000))


def test_a_tag_whose_links_are_all_quiet_is_never_judged() -> None:
    """Everything stands still, so it may well be the shop."""
    links = Links()
    assert all(links.kept(-61.0, -70.0, kind=ReadingKind.RSSI) == [0, 1] for _ in range(2_000))


def test_more_links_than_there_is_room_for_forget_the_eldest(rng) -> None:
    """A bound, not a fault: the link begins anew."""
    repeats, watch = np.zeros(1, REPEATS_DTYPE), np.zeros(20, WATCH_DTYPE)
    for epoch in range(100):
        values = rng.normal(5.0, 0.07, 20)
        values[0] = 4.31
        readings = readings_of(values, at_ms=100 * epoch)
        readings["heard_at_ms"] += np.arange(20)
        assert without_stale(readings, repeats=repeats, watch=watch).size == 20
