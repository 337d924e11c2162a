"""Compare what was told of some tags with what their readings say by now.

Layer: flow. Takes: zone events as told and as a new run gives them, from rtls.revision.
Gives: the corrections to tell: what was otherwise, what was never told, what did not happen.

A stay that begins at another instant would have another id. It keeps the id it was told by, or
whoever made an offer in it would take it for a second stay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, assert_never

from rtls.model.units import TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, Transition, Visit, ZoneEvent, event_id

INSTANT_MS: Final = 500
PROBABILITY: Final = 0.05
"""what differs by less is the same thing in other digits, and not worth telling again"""
NOT_ENDED_MS: Final = 2**62
DwellKey = tuple[TagId, ZoneId, float]


def corrections(told: Mapping[str, ZoneEvent], found: Sequence[ZoneEvent]) -> tuple[ZoneEvent, ...]:
    """Return what has to be told, withdrawals first, then in the order of ``found``.

    Parameters
    ----------
    told
        By event id, as last told: all that the new run could have given again.
    found
        What the new run gave, under the ids of `kept_ids`.

    Returns
    -------
    tuple of ZoneEvent
        Events that were never told have revision 0: they are news, as if they came late. But a
        dwell whose like was withdrawn is a revision, since that one may have made an offer.
    """
    known = {event.event_id for event in found}
    withdrawn = [
        replace(event, revision=event.revision + 1, is_withdrawn=True)
        for event in told.values()
        if event.event_id not in known and not event.is_withdrawn
    ]
    gone = {_dwell_key(event) for event in withdrawn} | {
        _dwell_key(event) for event in told.values() if event.is_withdrawn
    }
    corrected: list[ZoneEvent] = list(withdrawn)
    for event in found:
        before = told.get(event.event_id)
        if before is None:
            is_replacement = isinstance(event, DwellReached) and _dwell_key(event) in gone
            corrected.append(replace(event, revision=int(is_replacement)))
        elif before.is_withdrawn or not says_the_same(before, event):
            corrected.append(replace(event, revision=before.revision + 1))
    return tuple(corrected)


def says_the_same(one: ZoneEvent, other: ZoneEvent) -> bool:
    """Say whether two events of one id differ by no more than anybody would act on."""
    match one, other:
        case Transition(), Transition():
            return one.reason is other.reason and _is_near(
                (one.at_ms, other.at_ms), probability=(one.probability, other.probability)
            )
        case DwellReached(), DwellReached():
            return _is_near(
                (one.reached_at_ms, other.reached_at_ms),
                (one.entered_at_ms, other.entered_at_ms),
                probability=(one.probability, other.probability),
            )
        case Visit(), Visit():
            return (one.is_pass_by, one.reason) == (other.is_pass_by, other.reason) and _is_near(
                (one.entered_at_ms, other.entered_at_ms),
                (one.left_at_ms, other.left_at_ms),
                (round(1e3 * one.dwell_s), round(1e3 * other.dwell_s)),
            )
        case _:
            return False


def _is_near(*instants: tuple[int, int], probability: tuple[float, float] = (0.0, 0.0)) -> bool:
    is_same_time = all(abs(one - other) < INSTANT_MS for one, other in instants)
    return is_same_time and abs(probability[0] - probability[1]) < PROBABILITY


def kept_ids(told: Mapping[str, ZoneEvent], found: Sequence[ZoneEvent]) -> dict[str, str]:
    """Return for each visit that ``found`` has anew the visit told before that it is.

    Stays of one tag in one zone are the same where they overlap in time; each is used once.
    """
    news, olds = _stays(found), _stays(told.values())
    free = [visit for visit in olds if visit not in news]
    names: dict[str, str] = {}
    for visit, (where, entered_ms, left_ms) in news.items():
        if visit in olds:
            continue
        for old in free:
            there, old_entered_ms, old_left_ms = olds[old]
            if there == where and entered_ms <= old_left_ms and old_entered_ms <= left_ms:
                names[visit] = old
                free.remove(old)
                break
    return names


def renamed(event: ZoneEvent, names: Mapping[str, str]) -> ZoneEvent:
    """Return the event under the id that its visit was told by."""
    visit = names.get(event.visit_id)
    if visit is None:
        return event
    return replace(event, visit_id=visit, event_id=event_id(visit, what_of(event)))


def what_of(event: ZoneEvent) -> str:
    """Return what tells the event apart within its visit, as rtls.geofence.zone_events says it."""
    match event:
        case Transition():
            return event.kind.value
        case DwellReached():
            return f"dwell:{event.threshold_s:g}"
        case Visit():
            return "visit"
        case _:
            assert_never(event)


Stay = tuple[tuple[TagId, ZoneId], int, int]


def _stays(events: Iterable[ZoneEvent]) -> dict[str, Stay]:
    """Return (tag and zone, entered, left) of each visit, as far as the events say."""
    found: dict[str, Stay] = {}
    for event in events:
        where, entered_ms, left_ms = found.get(
            event.visit_id, ((event.tag, event.zone), NOT_ENDED_MS, NOT_ENDED_MS)
        )
        first_ms, last_ms = _span(event)
        found[event.visit_id] = (where, min(entered_ms, first_ms), min(left_ms, last_ms))
    return found


def _span(event: ZoneEvent) -> tuple[UnixMs, int]:
    match event:
        case Transition():
            left_ms = NOT_ENDED_MS if event.reason is None else event.at_ms
            return event.at_ms, left_ms
        case DwellReached():
            return event.entered_at_ms, NOT_ENDED_MS
        case Visit():
            return event.entered_at_ms, event.left_at_ms
        case _:
            assert_never(event)


def _dwell_key(event: ZoneEvent) -> DwellKey | None:
    if isinstance(event, DwellReached):
        return event.tag, event.zone, event.threshold_s
    return None
