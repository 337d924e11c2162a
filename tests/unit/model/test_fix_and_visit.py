"""Fixes and visits: the radius that people read, the ids that make replay harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtls.model.fix import radius_95
from rtls.model.units import SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import event_id, visit_id

ids = st.text("abcdefgh:-0123456789", min_size=1, max_size=12)


def test_a_round_fix_of_one_metre_has_a_radius_of_two_and_a_half() -> None:
    """People read "within 2.4 m"; a sigma would understate the error by more than half."""
    assert radius_95(1.0, 0.0, 1.0) == pytest.approx(2.4477, abs=1e-4)


@given(st.floats(0.01, 9), st.floats(0.01, 9), st.floats(-0.99, 0.99))
def test_the_radius_covers_both_axes(xx: float, yy: float, correlation: float) -> None:
    """The ring on the map must not be smaller than the error along any direction."""
    xy = correlation * (xx * yy) ** 0.5
    assert radius_95(xx, xy, yy) >= 2.4477 * max(xx, yy) ** 0.5 - 1e-3


@given(ids, ids, ids, st.integers(0, 2**53))
def test_another_tag_zone_or_instant_is_another_visit(
    tag: str, zone: str, other: str, entered_ms: int
) -> None:
    """Two visits of one id would lose an offer to the duplicate filter."""
    visit = visit_id(SiteId("demo"), TagId(tag), ZoneId(zone), UnixMs(entered_ms))
    assert visit == visit_id(SiteId("demo"), TagId(tag), ZoneId(zone), UnixMs(entered_ms))
    assert visit != visit_id(SiteId("demo"), TagId(tag), ZoneId(zone), UnixMs(entered_ms + 1))
    assert visit != visit_id(SiteId("demo"), TagId(tag), ZoneId(zone + other), UnixMs(entered_ms))
    assert visit != visit_id(SiteId("demo"), TagId(tag + other), ZoneId(zone), UnixMs(entered_ms))


def test_moving_a_letter_from_one_id_to_the_next_changes_the_visit() -> None:
    """Ids joined without a separator would make ("a", "bc") and ("ab", "c") the same visit."""
    one = visit_id(SiteId("s"), TagId("ab"), ZoneId("c"), UnixMs(1))
    two = visit_id(SiteId("s"), TagId("a"), ZoneId("bc"), UnixMs(1))
    assert one != two
    assert event_id(one, "entered") != event_id(one, "left")
