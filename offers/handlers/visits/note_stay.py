"""Note in the shopper's profile where he stood for long, and each stay that has ended.

Layer: flow. Takes: zone events of a paired tag from on_visit, in their transaction. Gives: nothing;
without `personalise` nothing is noted. Facts about places are kept for a month and no longer.
"""

from typing import assert_never

from offers.handlers.profile.note_fact import note_facts
from offers.model.conditions.fact import QUANTITY_MAX, Fact, FactKind
from offers.model.ids import ShopperId
from offers.model.offering.occasion import ZoneOccasion
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs
from rtls.model.visit import DwellReached, Transition


def note_stay(
    event: DwellReached | Transition,
    occasion: ZoneOccasion,
    shopper: ShopperId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Note that a stay of the shopper's own has reached a dwell threshold, or has ended."""
    if not occasion.is_visit_open:
        return
    match event:
        case DwellReached():
            kind, reference, at_ms = FactKind.DWELL, event.event_id, event.reached_at_ms
        case Transition():
            kind, reference, at_ms = FactKind.VISIT, event.visit_id, event.at_ms
        case _:
            assert_never(event)
    fact = Fact(
        kind=kind,
        reference=reference,
        at_ms=at_ms,
        site=event.site,
        zone=event.zone,
        quantity=min(int(occasion.dwell_s), QUANTITY_MAX),
    )
    note_facts(shopper, [fact], work=work, now_ms=now_ms)
