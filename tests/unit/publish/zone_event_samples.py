"""Zone events as the engine would make them, numbered, for tests of sinks."""

from rtls.model.units import Second, SiteId, TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, ZoneEvent, event_id, visit_id

SITE = SiteId("demo")
START_MS = 1_760_000_000_000


def dwell_event(
    number: int, *, tag: str = "tag-1", site: SiteId = SITE, step_ms: int = 1000
) -> DwellReached:
    """The event of a visit that began ``number`` steps after START_MS and lasted 300 s."""
    entered_at_ms = UnixMs(START_MS + step_ms * number)
    reached_at_ms = UnixMs(entered_at_ms + 300_000)
    visit = visit_id(site, TagId(tag), ZoneId("dowels"), entered_at_ms)
    return DwellReached(
        event_id=event_id(visit, "dwell:300"),
        visit_id=visit,
        site=site,
        tag=TagId(tag),
        zone=ZoneId("dowels"),
        entered_at_ms=entered_at_ms,
        reached_at_ms=reached_at_ms,
        evidence_at_ms=reached_at_ms,
        threshold_s=Second(300.0),
        dwell_s=Second(300.0),
        dwell_s_low=Second(299.0),
        dwell_s_high=Second(301.0),
        probability=0.95,
    )


def ids(events: list[ZoneEvent]) -> list[str]:
    return [event.event_id for event in events]
