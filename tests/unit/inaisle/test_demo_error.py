"""Error meter: fixes beside the truth, whichever comes first."""

import numpy as np
import pytest

from inaisle.demo.demo_error import ErrorMeter
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs
from rtls.storage.live_state import InMemoryLiveState

TAGS = (TagId("tag:1"), TagId("tag:2"))


def batch(at_ms: int, *xs: float) -> FixBatch:
    rows = np.zeros(len(xs), FIX_DTYPE)
    rows["x_m"] = xs
    rows["cov_xx"] = rows["cov_yy"] = 1.0
    return FixBatch(at_ms=UnixMs(at_ms), rows=rows)


@pytest.mark.parametrize("truth_first", [True, False])
def test_the_error_is_that_of_the_same_instant(*, truth_first: bool) -> None:
    """Fixes come later than the truth; beside the truth of now they would look late by a step."""
    meter = ErrorMeter(InMemoryLiveState())
    places = {TAGS[0]: (0.0, 0.0), TAGS[1]: (0.0, 0.0)}
    if truth_first:
        meter.tell_truth(UnixMs(5_000), places)
    meter.tell_truth(UnixMs(6_000), {TAGS[0]: (9.0, 0.0)})
    meter.put(batch(5_000, 1.0, 3.0), TAGS)
    if not truth_first:
        meter.tell_truth(UnixMs(5_000), places)
    assert meter.errors("tag") == pytest.approx((2.0, 2.8))
    assert meter.measured == 2


def test_phones_do_not_blur_the_figure_of_trolleys() -> None:
    """BLE is an order of magnitude coarser; in one figure neither could be judged."""
    meter = ErrorMeter(InMemoryLiveState())
    tags = (TagId("tag:1"), TagId("app:1"))
    meter.tell_truth(UnixMs(5_000), dict.fromkeys(tags, (0.0, 0.0)))
    meter.put(batch(5_000, 0.1, 3.0), tags)
    assert meter.errors("tag") == pytest.approx((0.1, 0.1))
    assert meter.errors("app") == pytest.approx((3.0, 3.0))


def test_the_ellipse_is_held_against_the_truth_too() -> None:
    """A fix that says it is sure must be right: of sigma 1 m, 2.1 m off is inside 90 %, 2.2 not."""
    meter = ErrorMeter(InMemoryLiveState())
    meter.tell_truth(UnixMs(5_000), dict.fromkeys(TAGS, (0.0, 0.0)))
    meter.put(batch(5_000, 2.1, 2.2), TAGS)
    assert meter.inside_ellipse("tag") == pytest.approx(0.5)
    assert meter.inside_ellipse("app") is None


def test_before_there_is_anything_there_is_no_error() -> None:
    """Zero would look like perfection."""
    assert ErrorMeter(InMemoryLiveState()).errors("tag") is None


def test_fixes_go_on_to_the_live_state() -> None:
    """The meter sits in between; the map must not notice."""
    live = InMemoryLiveState()
    ErrorMeter(live).put(batch(5_100, 1.0, 3.0), TAGS)
    assert live.latest(max_age_ms=1_000, now_ms=UnixMs(5_100)).tags == TAGS


def test_what_never_finds_its_other_half_is_forgotten() -> None:
    """A demo runs for hours."""
    meter = ErrorMeter(InMemoryLiveState())
    for second in range(1_000):
        meter.tell_truth(UnixMs(second * 1_000), {TAGS[0]: (0.0, 0.0)})
    meter.put(batch(5_000, 1.0), TAGS[:1])
    assert meter.errors("tag") is None
