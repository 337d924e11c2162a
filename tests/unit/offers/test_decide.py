"""decide: at most one offer, and the reason for every campaign passed over."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.decision.decide import decide
from offers.decision.frequency_cap import is_within_cap
from offers.model.campaigns.campaign import FrequencyCap, Validity
from offers.model.campaigns.schedule import HourSpan, Schedule
from offers.model.campaigns.trigger import TriggerKind
from offers.model.ids import ConsentId, DecisionId, ShopperId, VisitId
from offers.model.offering.decision import Candidate, Decision
from offers.model.offering.occasion import Moment, ZoneOccasion
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import Consent, ConsentState, Purpose
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import Second, UnixMs, ZoneId
from tests.unit.offers.shop import DWELL_S, SHELF, SITE, START_MS, campaign

ANNA = ShopperId("a" * 32)
STAY = ZoneOccasion(
    kind=TriggerKind.VISIT,
    zone=SHELF,
    visit=VisitId("1" * 32),
    dwell_s=DWELL_S,
    is_late=False,
    is_visit_open=True,
)
MOMENT = Moment(event_id="e" * 32, shopper=ANNA, site=SITE, occasion=STAY, now_ms=START_MS)
CANDIDATE = Candidate(revision=campaign())


def consents(*purposes: Purpose) -> ConsentState:
    return ConsentState.of(
        Consent(
            consent=ConsentId(f"{number:032x}"),
            shopper=ANNA,
            purpose=purpose,
            is_granted=True,
            at_ms=START_MS,
            text_version="v1",
        )
        for number, purpose in enumerate(purposes)
    )


ALL = consents(*Purpose)


def decision_on(
    *candidates: Candidate, moment: Moment = MOMENT, granted: ConsentState = ALL
) -> Decision:
    return decide(moment, decision=DecisionId("d" * 32), consents=granted, candidates=candidates)


def the_refusal(decision: Decision) -> Refusal:
    assert decision.chosen is None
    (passed_over,) = decision.passed_over
    return passed_over.refusal


def test_what_nothing_speaks_against_is_chosen() -> None:
    """The founding scene: five minutes at the shelf, all consents, one campaign."""
    decision = decision_on(CANDIDATE)
    assert decision.chosen is not None
    assert decision.chosen.campaign == "dowels-2-off"
    assert decision.passed_over == ()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"zone": ZoneId("paint")}, Refusal.OTHER_TRIGGER),
        ({"dwell_s": Second(120.0)}, Refusal.OTHER_TRIGGER),
        ({"is_late": True}, Refusal.EVENT_LATE),
        ({"is_visit_open": False}, Refusal.VISIT_ENDED),
    ],
)
def test_a_stay_that_is_not_right_makes_no_offer(changes, refusal: Refusal) -> None:
    """Each reason is told, since 'why did I get nothing?' is a question we answer."""
    moment = replace(MOMENT, occasion=replace(STAY, **changes))
    assert the_refusal(decision_on(CANDIDATE, moment=moment)) is refusal


@pytest.mark.parametrize(
    ("now_ms", "refusal"),
    [(START_MS - 2, Refusal.NOT_YET_VALID), (START_MS + 10**10, Refusal.NO_LONGER_VALID)],
)
def test_before_and_after_its_time_a_campaign_makes_no_offer(now_ms: int, refusal) -> None:
    """The end is exclusive: a campaign until midnight makes none at midnight."""
    moment = replace(MOMENT, now_ms=UnixMs(now_ms))
    assert the_refusal(decision_on(CANDIDATE, moment=moment)) is refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"is_offered": True}, Refusal.ALREADY_OFFERED),
        ({"cap_taken_at_ms": (UnixMs(START_MS - 86_399_999),)}, Refusal.FREQUENCY_CAP),
        ({"has_budget": False}, Refusal.BUDGET_SPENT),
        ({"dismissed_at_ms": UnixMs(START_MS - 7 * 86_400_000 + 1)}, Refusal.COOL_DOWN),
    ],
)
def test_a_campaign_that_has_done_enough_is_passed_over(changes, refusal: Refusal) -> None:
    """One message too many costs the app."""
    assert the_refusal(decision_on(replace(CANDIDATE, **changes))) is refusal


def test_who_said_no_is_asked_again_after_the_cool_down() -> None:
    """A week to the millisecond; without a cool-down at once."""
    long_ago = replace(CANDIDATE, dismissed_at_ms=UnixMs(START_MS - 7 * 86_400_000))
    assert decision_on(long_ago).chosen is not None
    eager = Candidate(revision=replace(campaign(), cool_down_s=0), dismissed_at_ms=START_MS)
    assert decision_on(eager).chosen is not None


def test_an_offer_exactly_one_window_ago_no_longer_counts() -> None:
    """Once a day means that the same time tomorrow is allowed."""
    taken = replace(CANDIDATE, cap_taken_at_ms=(UnixMs(START_MS - 86_400_000),))
    assert decision_on(taken).chosen is not None


@pytest.mark.parametrize("is_locate", [False, True])
@pytest.mark.parametrize("is_personalise", [False, True])
@pytest.mark.parametrize("is_notify", [False, True])
@pytest.mark.parametrize("is_analytics", [False, True])
def test_each_purpose_acts_only_with_its_own_flag(
    is_locate, is_personalise, is_notify, is_analytics
) -> None:
    """All sixteen combinations: two purposes make an offer, one lets it be pushed."""
    flags = zip(Purpose, (is_locate, is_personalise, is_notify, is_analytics), strict=True)
    decision = decision_on(
        CANDIDATE, granted=consents(*(purpose for purpose, is_granted in flags if is_granted))
    )
    assert (decision.chosen is not None) == (is_locate and is_personalise)
    if decision.chosen is not None:
        assert decision.chosen.may_notify == is_notify
    elif is_locate:
        assert the_refusal(decision) is Refusal.CONSENT_PERSONALISE_MISSING
    else:
        assert the_refusal(decision) is Refusal.CONSENT_LOCATE_MISSING


def test_out_of_its_hours_a_campaign_waits() -> None:
    """START_MS is a Tuesday, 23:13 in Berlin; the same instant is 17:13 in New York."""
    evening = Schedule(hours=(HourSpan(from_minute=17 * 60, until_minute=18 * 60),))
    candidate = Candidate(revision=replace(campaign(), schedule=evening))
    assert the_refusal(decision_on(candidate)) is Refusal.OUT_OF_SCHEDULE
    abroad = decide(
        MOMENT,
        decision=DecisionId("d" * 32),
        consents=ALL,
        candidates=[candidate],
        rules=SiteRules(time_zone="America/New_York"),
    )
    assert abroad.chosen is not None


def test_priority_decides_and_then_the_name() -> None:
    """The same on every machine and in every replay."""
    low = Candidate(revision=campaign("aa"))
    first, second = (Candidate(revision=campaign(n, priority=5)) for n in ("bb", "cc"))
    decision = decision_on(second, low, first)
    assert decision.chosen is not None
    assert decision.chosen.campaign == "bb"
    assert {p.campaign: p.refusal for p in decision.passed_over} == {
        "aa": Refusal.OUTRANKED,
        "cc": Refusal.OUTRANKED,
    }


CANDIDATES = st.lists(
    st.builds(
        lambda number, priority, offered, budget, is_over: Candidate(
            revision=replace(
                campaign(f"c{number}", priority=priority),
                validity=Validity(
                    from_ms=UnixMs(0), until_ms=UnixMs(START_MS + (0 if is_over else 1))
                ),
            ),
            is_offered=offered,
            has_budget=budget,
        ),
        st.integers(0, 30),
        st.integers(0, 3),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda candidate: candidate.revision.campaign,
)


@given(CANDIDATES, st.randoms())
def test_every_campaign_is_chosen_or_has_its_reason_in_any_order(candidates, random) -> None:
    """I12, and the answer does not depend on the order in which the database gave the rows."""
    decision = decision_on(*candidates)
    named = [p.campaign for p in decision.passed_over]
    if decision.chosen is not None:
        named.append(decision.chosen.campaign)
    assert sorted(named) == sorted(c.revision.campaign for c in candidates)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert decision_on(*shuffled) == decision


def test_a_clock_that_was_set_back_does_not_open_the_cap() -> None:
    """An offer in the future counts as made."""
    cap = FrequencyCap(offers_max=1, window_s=60)
    assert not is_within_cap(cap, [UnixMs(10_000)], now_ms=UnixMs(0))
