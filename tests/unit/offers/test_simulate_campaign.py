"""simulate_campaign: what a campaign would have done, told before it does anything."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offers.decision.contradiction import check_makes_sense
from offers.decision.terms import terms_of
from offers.handlers.campaigns.simulate_campaign import simulate_campaign
from offers.handlers.loyalty.start_programme import start_programme
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.campaign_json import parse_campaign
from offers.model.campaigns.history import LeftOut
from offers.model.campaigns.trigger import (
    BasketTrigger,
    EnterTrigger,
    LeaveTrigger,
    ManualTrigger,
    WelcomeTrigger,
)
from offers.model.conditions.condition_terms import Events, PastCount, Range, SegmentIn
from offers.model.conditions.fact import FactKind
from offers.model.errors import InvalidCampaign
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.segment import Membership, Segment
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import Second, TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    SHELF,
    SITE,
    START_MS,
    Shop,
    campaign,
    dwell_event,
    transition,
)

DAY_MS = 86_400_000
LATER_MS = UnixMs(START_MS + DAY_MS)
EAGER = FrequencyCap(offers_max=20, window_s=1)
NOW_MS = UnixMs(1_795_253_400_000)  # 21 November 2026


def stay(shop: Shop, tag: str, at_ms: int, *, minutes: float) -> None:
    """Let the tag be at the shelf for so many minutes, until ``at_ms``."""
    event = dwell_event(TagId(tag), at_ms=at_ms, dwell_s=minutes * 60)
    shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    shop.tell(transition(event, TransitionKind.LEFT, at_ms=at_ms))


def tried(shop: Shop, revision, *, days: int = 7):
    return simulate_campaign(revision, days=days, work=shop.work, now_ms=LATER_MS)


def busy_hour(shop: Shop) -> None:
    """Anna stays six minutes, twice; Ben four; Carl six, without `personalise`."""
    for tag, purposes in (("a", tuple(Purpose)), ("b", tuple(Purpose)), ("c", (Purpose.LOCATE,))):
        shop.shopper(*purposes, tag=tag)
    for minute, tag, minutes in ((10, "a", 6), (20, "b", 4), (30, "c", 6), (40, "a", 6)):
        stay(shop, tag, START_MS + minute * MINUTE_MS, minutes=minutes)


def test_reach_offers_and_cost_are_those_of_the_same_hour(shop: Shop) -> None:
    """Three stays were long enough; of Carl's nothing may be made; Anna's second is capped."""
    busy_hour(shop)
    found = tried(shop, campaign())
    assert (found.moments, found.offers, found.reach) == (3, 1, 1)
    assert found.cost_max.amount_minor == 200
    assert found.refusals == {
        Refusal.CONSENT_PERSONALISE_MISSING: 1,
        Refusal.FREQUENCY_CAP: 1,
    }


def test_the_simulation_agrees_with_what_the_shop_did(shop: Shop) -> None:
    """No second implementation: the campaign in force made the same offers at the same stays."""
    revision = replace(
        campaign(cap=EAGER), trigger=LeaveTrigger(zone=SHELF, dwell_s_min=Second(300.0))
    )
    shop.start(revision)
    busy_hour(shop)
    states = shop.work.outbox.waiting(limit=99)
    made = sum(event.kind.value == "offer_issued" for event in states)
    assert tried(shop, revision).offers == made == 2


def test_a_budget_and_an_audience_bound_it_as_they_would_in_the_shop(shop: Shop) -> None:
    """One seat is one offer; a segment in which nobody is reaches nobody."""
    busy_hour(shop)
    entering = replace(campaign(cap=EAGER), trigger=EnterTrigger(zone=SHELF))
    assert tried(shop, entering).offers == 3
    small = replace(entering, budget=Budget(redemptions_max=1))
    assert tried(shop, small).refusals[Refusal.BUDGET_SPENT] == 2
    nobody = replace(entering, audience=SegmentIn(segments=frozenset({Segment.AT_RISK})))
    assert tried(shop, nobody).refusals[Refusal.CONDITION_UNMET] == 3


def test_a_welcome_is_tried_on_those_who_enrolled(shop: Shop) -> None:
    """At the instant of the enrolment nothing was granted yet unless it was said at once."""
    busy_hour(shop)
    found = tried(shop, replace(campaign(), trigger=WelcomeTrigger()))
    assert (found.moments, found.offers) == (3, 2)


def test_nothing_is_written_by_trying(shop: Shop) -> None:
    """A try must not use up a cap, a budget or a decision."""
    busy_hour(shop)
    before = shop.work.outbox.waiting(limit=99)
    assert tried(shop, campaign()) == tried(shop, campaign())
    assert shop.work.outbox.waiting(limit=99) == before


def test_it_is_tried_without_hindsight(shop: Shop) -> None:
    """Who stayed twice had stayed never before when he came for the first time."""
    busy_hour(shop)
    never = PastCount(
        events=Events(kind=FactKind.VISIT, within_days=30, zones=frozenset({SHELF})),
        range=Range(at_most=0),
    )
    entering = replace(campaign(cap=EAGER), trigger=EnterTrigger(zone=SHELF), audience=never)
    found = tried(shop, entering)
    assert (found.offers, found.refusals[Refusal.CONDITION_UNMET]) == (2, 1)


def test_a_segment_counts_as_it_was_then(shop: Shop) -> None:
    """A win-back that is tried on last week does not ask who is at risk today."""
    anna = shop.shopper()
    stay(shop, "tag:1", START_MS + 10 * MINUTE_MS, minutes=6)
    shop.work.memberships.enter(
        Membership(
            shopper=anna,
            site=SITE,
            segment=Segment.AT_RISK,
            entered_at_ms=UnixMs(START_MS + 20 * MINUTE_MS),
        )
    )
    at_risk = SegmentIn(segments=frozenset({Segment.AT_RISK}))
    entering = replace(campaign(), trigger=EnterTrigger(zone=SHELF), audience=at_risk)
    assert tried(shop, entering).offers == 0
    stay(shop, "tag:1", START_MS + 90 * MINUTE_MS, minutes=6)
    assert tried(shop, entering).offers == 1


def test_the_answer_says_what_it_does_not_know(shop: Shop) -> None:
    """A number is read for what it is only if somebody says what it is not."""
    found = tried(shop, replace(campaign(), trigger=BasketTrigger()))
    assert LeftOut.OTHER_CAMPAIGNS in found.left_out
    assert LeftOut.BASKETS_NOT_HELD in found.left_out
    assert LeftOut.LATE_EVENTS not in found.left_out
    assert all(left.why.endswith(".") for left in LeftOut)


def test_what_is_of_no_place_or_of_the_night_is_not_pushed(shop: Shop) -> None:
    """A welcome waits in the app; a stay may be told at once, by day."""
    shop.start(campaign("another"))  # so that the clocks of the site are known
    busy_hour(shop)
    welcome = tried(shop, replace(campaign(), trigger=WelcomeTrigger()))
    assert (welcome.offers, welcome.pushes_max) == (2, 0)
    by_night = tried(shop, campaign())
    assert (by_night.offers, by_night.pushes_max) == (1, 0)
    never = SiteSettings(quiet_from="12:00", quiet_until="12:00")
    programme = Programme(site=SITE, time_zone="Europe/Berlin", terms=(), settings=never)
    start_programme(programme, work=shop.work, now_ms=START_MS)
    assert tried(shop, campaign()).pushes_max == 1


def test_only_the_days_asked_for_are_looked_at(shop: Shop) -> None:
    """A shop that was closed on Sunday wants to know about Saturday alone."""
    busy_hour(shop)
    much_later = UnixMs(LATER_MS + DAY_MS)
    found = simulate_campaign(campaign(), days=1, work=shop.work, now_ms=much_later)
    assert found.moments == 0


def test_a_trigger_whose_past_is_not_kept_says_so(shop: Shop) -> None:
    """Better no number than a wrong one."""
    manual = replace(campaign(), trigger=ManualTrigger())
    with pytest.raises(InvalidCampaign, match=r"trigger.kind is 'manual'; expected one that"):
        tried(shop, manual)


TEMPLATES = sorted((Path(__file__).parents[3] / "config" / "templates").glob("*.json"))


def test_there_is_a_template_for_each_segment() -> None:
    """C35: the four segments with the named approach each."""
    assert {path.stem.replace("-", "_") for path in TEMPLATES} == {s.value for s in Segment}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_template_could_be_started_as_it_is(path: Path) -> None:
    """A merchandiser changes texts and dates, and nothing else has to be right first."""
    revision = parse_campaign(json.loads(path.read_text(encoding="utf-8")))
    check_makes_sense(revision, zone=SiteRules().zone, now_ms=NOW_MS)
    assert all(terms_of(revision, zone=SiteRules().zone, locale=locale) for locale in Locale)
