"""Find a condition that no shopper in any situation can meet, by looking at ranges and sets.

Layer: rules. Takes: a `CampaignRevision`. Gives: the place of the term that contradicts, to
contradiction. It looks at what must hold together (through `and`, not into `or` and `not`), so it
never calls a condition impossible that is not; some that are impossible it does not see.
"""

from collections.abc import Hashable, Iterator

from offers.decision.situation import AUDIENCE, CONDITIONS
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.trigger import (
    BasketTrigger,
    EnterTrigger,
    Trigger,
    VisitTrigger,
    zone_of,
)
from offers.model.conditions.condition import And, Condition, parts_of
from offers.model.conditions.condition_terms import (
    AttributeRange,
    BasketSum,
    DwellSeconds,
    EnrolledDays,
    LocaleIn,
    PastCount,
    PastSum,
    Range,
    SegmentIn,
    TierIn,
    ZoneIn,
)


def impossible_place(revision: CampaignRevision) -> tuple[str, str] | None:
    """Return where the first impossible term stands, and why it is, or None."""
    ranges: dict[Hashable, tuple[float, float]] = {}
    choices: dict[type[object], frozenset[str]] = {}
    for place, term in _required(revision):
        why = (
            _without_surroundings(term, revision.trigger)
            or _range_conflict(term, ranges)
            or _choice_conflict(term, choices)
        )
        if why is not None:
            return place, why
    return None


def _required(revision: CampaignRevision) -> Iterator[tuple[str, Condition]]:
    for path, condition in ((AUDIENCE, revision.audience), (CONDITIONS, revision.conditions)):
        if condition is not None:
            yield from _terms(condition, path)


def _terms(condition: Condition, path: str) -> Iterator[tuple[str, Condition]]:
    if not isinstance(condition, And):
        yield path, condition
        return
    for place, part in parts_of(condition, path):
        yield from _terms(part, place)


def _without_surroundings(term: Condition, trigger: Trigger) -> str | None:
    zone = zone_of(trigger)
    why: str | None = None
    match term:
        case BasketSum() if not isinstance(trigger, BasketTrigger):
            why = "there is no basket on this occasion; expected a trigger of kind 'basket'"
        case ZoneIn() | DwellSeconds() if zone is None:
            why = "there is no zone on this occasion; expected a trigger of a zone"
        case ZoneIn() if zone not in term.zones:
            why = f"the trigger is of zone {zone!r}; expected that zone among them"
        case DwellSeconds():
            why = _dwell_conflict(term, trigger)
        case _:
            pass  # it is about the shopper
    return why


def _dwell_conflict(term: DwellSeconds, trigger: Trigger) -> str | None:
    dwell_s = trigger.dwell_s if isinstance(trigger, VisitTrigger) else 0.0
    is_fixed = isinstance(trigger, VisitTrigger | EnterTrigger)
    if not is_fixed or term.range.covers(dwell_s):
        return None
    return f"the trigger comes at a dwell of {dwell_s:g} s; expected a range that holds it"


def _range_conflict(term: Condition, ranges: dict[Hashable, tuple[float, float]]) -> str | None:
    found = _ranged(term)
    if found is None:
        return None
    subject, wanted = found
    before_low, before_high = ranges.get(subject, (wanted.low, wanted.high))
    low, high = max(before_low, wanted.low), min(before_high, wanted.high)
    ranges[subject] = (low, high)
    if low > high:
        return f"it asks for at least {low:g} and at most {high:g} of the same; expected an overlap"
    return None


def _ranged(term: Condition) -> tuple[Hashable, Range] | None:
    match term:
        case EnrolledDays():
            return EnrolledDays, term.range
        case AttributeRange():
            return (AttributeRange, term.name), term.range
        case PastCount():
            return (PastCount, term.events), term.range
        case PastSum():
            return (PastSum, term.events, term.measure, term.currency), term.range
        case _:
            return None


def _choice_conflict(term: Condition, choices: dict[type[object], frozenset[str]]) -> str | None:
    # A shopper is in one segment, has one tier and one language: two lists must share a member.
    match term:
        case SegmentIn():
            wanted = frozenset[str](term.segments)
        case TierIn():
            wanted = frozenset[str](term.tiers)
        case LocaleIn():
            wanted = frozenset[str](term.locales)
        case _:
            return None
    left = choices.setdefault(type(term), wanted) & wanted
    choices[type(term)] = left
    return None if left else "it shares no member with an earlier one; expected an overlap"
