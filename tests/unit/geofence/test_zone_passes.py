"""Passes: who walks through a zone is told of, apart from all that offers hear."""

import numpy as np
import pytest

from rtls.geofence.dwell import ROW_DTYPE
from rtls.geofence.kernels.stay_slots import BETWEEN_FIXES, ENTERED, PASSED
from rtls.geofence.zone_events import ZoneNews, zone_events, zone_passes
from rtls.model.errors import InvalidVisit
from rtls.model.visit import Passed, ZoneEvent
from tests.reference.shelf_site import shelf_site

SITE = shelf_site()


def row(what: int, tag: int = 0, zone: str = "dowels", at_ms: int = 1000, reason: int = 0):
    made = np.zeros(1, ROW_DTYPE)
    made["what"], made["tag"], made["zone"] = what, tag, SITE.zone_index[zone]
    made["at_ms"] = made["entered_at_ms"] = at_ms
    made["decided_at_ms"] = at_ms + 500
    made["probability"], made["reason"] = 0.75, reason
    return made


def tag_of(slot: int) -> str:
    return f"tag:{slot}"


def test_a_pass_is_no_zone_event() -> None:
    """What is no `ZoneEvent` cannot be handed to offers, not even by mistake."""
    assert Passed not in ZoneEvent.__args__
    assert zone_events(row(PASSED), SITE, tag_of=tag_of) == ()


def test_a_pass_says_who_where_when_and_how_surely() -> None:
    """Its id is a hash of that, so that a replay gives the same one."""
    (passed,) = zone_passes(row(PASSED, reason=BETWEEN_FIXES), SITE, tag_of=tag_of)
    assert (passed.tag, passed.zone, passed.at_ms, passed.decided_at_ms) == (
        "tag:0",
        "dowels",
        1000,
        1500,
    )
    assert (passed.probability, passed.is_between_fixes) == (0.75, True)
    (again,) = zone_passes(row(PASSED), SITE, tag_of=tag_of)
    assert again.event_id == passed.event_id
    assert not again.is_between_fixes


def test_passes_come_in_an_order_that_slots_do_not_change() -> None:
    """Slots are given by order of arrival; the order of what is told must not show it."""
    rows = np.concatenate([row(PASSED, 1), row(PASSED, 0), row(ENTERED, 0)])
    news = ZoneNews(SITE, tag_of)
    news.add(rows)
    assert [passed.tag for passed in news.passes] == ["tag:0", "tag:1"]
    assert len(news.events) == 1


def test_a_pass_decided_before_it_happened_is_refused() -> None:
    """Nothing is known before its time."""
    with pytest.raises(InvalidVisit):
        Passed(
            event_id="e",
            site="s",
            tag="t",
            zone="z",
            at_ms=2,
            decided_at_ms=1,
            probability=0.7,
            is_between_fixes=False,
        )
