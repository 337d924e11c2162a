"""Conditions that nobody can ever meet are found before the campaign starts."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from offers.decision.contradiction import check_makes_sense
from offers.decision.unsatisfiable import impossible_place
from offers.model.campaigns.trigger import WelcomeTrigger
from offers.model.conditions.condition import And, Not, Or
from offers.model.conditions.condition_terms import (
    BasketSum,
    DwellSeconds,
    EnrolledDays,
    Events,
    LocaleIn,
    Measure,
    PastCount,
    Range,
    SegmentIn,
    ZoneIn,
)
from offers.model.conditions.fact import FactKind
from offers.model.errors import InvalidCampaign
from offers.model.loyalty.segment import Segment
from offers.model.people.shopper import Locale
from rtls.model.units import ZoneId
from tests.unit.offers.shop import SHELF, START_MS, campaign

LATE = EnrolledDays(range=Range(at_least=30))
EARLY = EnrolledDays(range=Range(at_most=29))
NEW = SegmentIn(segments=frozenset({Segment.NEW}))
AT_RISK = SegmentIn(segments=frozenset({Segment.AT_RISK}))
VISITS = Events(kind=FactKind.VISIT, within_days=30)


def both(*parts) -> And:
    return And(parts=parts)


@pytest.mark.parametrize(
    ("changes", "place", "why"),
    [
        ({"audience": both(LATE, EARLY)}, "audience.and[1]", "at least 30 and at most 29"),
        (
            {"audience": both(EnrolledDays(range=Range(at_least=0)), LATE, EARLY)},
            "audience.and[2]",
            "at least 30 and at most 29",
        ),
        ({"audience": LATE, "conditions": EARLY}, "conditions", "at least 30 and at most 29"),
        ({"audience": both(NEW, both(AT_RISK))}, "audience.and[1].and[0]", "shares no member"),
        (
            {
                "audience": both(
                    PastCount(events=VISITS, range=Range(at_least=5)),
                    PastCount(events=VISITS, range=Range(at_most=4)),
                )
            },
            "audience.and[1]",
            "at least 5 and at most 4",
        ),
        (
            {"conditions": BasketSum(measure=Measure.QUANTITY, range=Range(at_least=1))},
            "conditions",
            "no basket on this occasion",
        ),
        (
            {"conditions": ZoneIn(zones=frozenset({ZoneId("paint")}))},
            "conditions",
            "the trigger is of zone 'dowels'",
        ),
        (
            {"conditions": DwellSeconds(range=Range(at_least=301))},
            "conditions",
            "at a dwell of 300 s",
        ),
        (
            {
                "trigger": WelcomeTrigger(),
                "conditions": ZoneIn(zones=frozenset({SHELF})),
            },
            "conditions",
            "no zone on this occasion",
        ),
    ],
)
def test_what_can_never_hold_is_refused_with_its_place(changes, place: str, why: str) -> None:
    """The merchandiser is shown the very term, and not a shop without offers."""
    with pytest.raises(InvalidCampaign, match=why) as refused:
        check_makes_sense(
            replace(campaign(), **changes), zone=ZoneInfo("Europe/Berlin"), now_ms=START_MS
        )
    assert f"{place} can never hold" in str(refused.value)


@pytest.mark.parametrize(
    "audience",
    [
        both(LATE, EnrolledDays(range=Range(at_most=30))),
        Or(parts=(LATE, EARLY)),
        both(LATE, Not(part=EARLY)),
        both(NEW, LocaleIn(locales=frozenset({Locale.DE}))),
        both(
            PastCount(events=VISITS, range=Range(at_least=5)),
            PastCount(events=replace(VISITS, within_days=7), range=Range(at_most=4)),
        ),
    ],
)
def test_what_somebody_could_meet_is_never_called_impossible(audience) -> None:
    """A false alarm would forbid a campaign that works."""
    assert impossible_place(replace(campaign(), audience=audience)) is None
