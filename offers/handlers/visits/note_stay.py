"""Note in the shopper's profile where he stood for long, and each stay that has ended.

Layer: flow. Takes: zone events of a paired tag from on_visit, in their transaction. Gives: nothing;
without `personalise` nothing is noted. Facts about places are kept for a month and no longer.
"""

from offers.handlers.profile.note_fact import note_facts
from offers.model.conditions.fact import QUANTITY_MAX, Fact, FactKind
from offers.model.ids import ShopperId
from offers.model.offering.occasion import ZoneOccasion
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs
from rtls.model.visit import DwellReached, Transition


def note_dwell(
    event: DwellReached,
    occasion: ZoneOccasion,
    shopper: ShopperId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Note that a stay of the shopper's own has reached a dwell threshold."""
    fact = Fact(
        kind=FactKind.DWELL,
        reference=event.event_id,
        at_ms=event.reached_at_ms,
        site=event.site,
        zone=event.zone,
        quantity=_whole_seconds(occasion),
    )
    if occasion.is_visit_open:
        note_facts(shopper, [fact], work=work, now_ms=now_ms)


def note_visit(
    event: Transition,
    occasion: ZoneOccasion,
    shopper: ShopperId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Note that a stay of the shopper's own has ended, and how long it was."""
    fact = Fact(
        kind=FactKind.VISIT,
        reference=event.visit_id,
        at_ms=event.at_ms,
        site=event.site,
        zone=event.zone,
        quantity=_whole_seconds(occasion),
    )
    if occasion.is_visit_open:
        note_facts(shopper, [fact], work=work, now_ms=now_ms)


def _whole_seconds(occasion: ZoneOccasion) -> int:
    return min(int(occasion.dwell_s), QUANTITY_MAX)
