"""instant_of: the time that decides how long the journal keeps an event."""

from rtls.model.units import Second, TagId, UnixMs, ZoneId
from rtls.model.visit import LeftReason, Transition, TransitionKind, Visit
from rtls.publish.redis_stream import instant_of
from tests.unit.publish.zone_event_samples import SITE, START_MS, dwell_event


def test_each_kind_of_event_has_the_instant_at_which_it_was_known() -> None:
    """An entry known late must not leave the journal early."""
    entered = Transition(
        event_id="0" * 32,
        visit_id="1" * 32,
        site=SITE,
        tag=TagId("tag-1"),
        zone=ZoneId("dowels"),
        kind=TransitionKind.ENTERED,
        at_ms=UnixMs(START_MS),
        decided_at_ms=UnixMs(START_MS + 2000),
        probability=0.9,
    )
    visit = Visit(
        event_id="2" * 32,
        visit_id="1" * 32,
        site=SITE,
        tag=TagId("tag-1"),
        zone=ZoneId("dowels"),
        entered_at_ms=UnixMs(START_MS),
        left_at_ms=UnixMs(START_MS + 400_000),
        dwell_s=Second(400.0),
        is_pass_by=False,
        reason=LeftReason.WALKED_AWAY,
    )
    assert instant_of(entered) == START_MS + 2000
    assert instant_of(dwell_event(0)) == START_MS + 300_000
    assert instant_of(visit) == START_MS + 400_000
