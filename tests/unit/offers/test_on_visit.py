"""on_visit: from a stay at a shelf to one offer, or to none."""

from dataclasses import replace

import pytest

from offers.handlers.campaigns.start_campaign import pause_campaign
from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.people.change_consent import ConsentWish, change_consent
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.trigger import EnterTrigger, LeaveTrigger
from offers.model.conditions.fact import DAY_MS
from offers.model.offering.coupon import CouponState
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.offering.refusal import DeliveryRefusal, Refusal
from offers.model.outbox import OutboxKind
from offers.model.people.consent import Purpose
from rtls.model.units import Second, TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    INFORMATION,
    MINUTE_MS,
    SHELF,
    START_MS,
    Shop,
    campaign,
    dwell_event,
    transition,
)

NOON_MS = START_MS + 10 * MINUTE_MS


def test_five_minutes_at_the_shelf_make_one_offer_with_a_coupon(shop: Shop) -> None:
    """The founding scene."""
    shop.start(campaign())
    anna = shop.shopper()
    decision = shop.stand()
    card = shop.offer_of(anna)
    assert decision is not None
    assert card is not None
    assert card.coupon is not None
    assert card.offer.state is OfferState.ISSUED
    assert card.offer.decision == decision.decision
    kinds = [event.kind for event in shop.work.outbox.waiting(limit=9)]
    assert kinds == [OutboxKind.TAG_ADMITTED, OutboxKind.OFFER_ISSUED]


def test_the_offer_names_the_consents_that_allowed_it(shop: Shop) -> None:
    """Whoever asks 'by what right?' is shown the two records."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    card = shop.offer_of(anna)
    state = shop.work.consents.state_of(anna)
    assert card is not None
    assert card.offer.locate_consent == state.granted(Purpose.LOCATE).consent
    assert card.offer.personalise_consent == state.granted(Purpose.PERSONALISE).consent


def test_information_comes_without_a_coupon(shop: Shop) -> None:
    """How to use the dowel is not for sale."""
    shop.start(INFORMATION)
    anna = shop.shopper()
    shop.stand()
    card = shop.offer_of(anna)
    assert card is not None
    assert card.coupon is None


def test_the_same_event_twice_makes_one_offer(shop: Shop) -> None:
    """Events come at least once; shoppers are addressed at most once."""
    shop.start(campaign(cap=FrequencyCap(offers_max=5, window_s=60)))
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    assert shop.tell(event) is not None
    assert shop.tell(event) is None
    assert shop.offer_of(anna).sequence == shop.offer_of(anna).sequence
    assert len(shop.work.decisions.of_shopper(anna, limit=9)) == 1


def test_a_tag_that_is_nobodys_leaves_no_trace(shop: Shop) -> None:
    """Not even the id of the event: whoever did not agree is not in the database."""
    shop.start(campaign())
    event = dwell_event(TagId("stranger"), at_ms=NOON_MS)
    assert shop.tell(event) is None
    assert shop.work.visits.find(event.visit_id) is None
    assert shop.work.visits.note_event(event.event_id, at_ms=START_MS)


def test_without_personalise_the_refusal_is_logged_and_no_offer_made(shop: Shop) -> None:
    """The stay is known by consent, its use for offers is not."""
    shop.start(campaign())
    anna = shop.shopper(Purpose.LOCATE)
    decision = shop.stand()
    assert decision is not None
    assert decision.passed_over[0].refusal is Refusal.CONSENT_PERSONALISE_MISSING
    assert shop.offer_of(anna) is None
    assert shop.work.decisions.of_shopper(anna, limit=1) == (decision,)


@pytest.mark.parametrize(
    ("changes", "now_ms"),
    [({"is_late": True}, NOON_MS), ({}, NOON_MS + 60_001)],
)
def test_a_late_event_never_makes_an_offer(shop: Shop, changes, now_ms: int) -> None:
    """After an outage the spools drain; the shopper is elsewhere by then."""
    shop.start(campaign())
    anna = shop.shopper()
    event = replace(dwell_event(TagId("tag:1"), at_ms=NOON_MS), **changes)
    decision = shop.tell(event, now_ms=now_ms)
    assert decision is not None
    assert decision.passed_over[0].refusal is Refusal.EVENT_LATE
    assert shop.offer_of(anna) is None


def test_a_dwell_event_after_the_leaving_makes_no_offer(shop: Shop) -> None:
    """At least once also means: not always in order."""
    shop.start(campaign())
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS + 1))
    decision = shop.tell(event, now_ms=NOON_MS + 2)
    assert decision is not None
    assert decision.passed_over[0].refusal is Refusal.VISIT_ENDED
    assert shop.offer_of(anna) is None


def test_leaving_before_delivery_revokes_the_offer_and_gives_all_back(shop: Shop) -> None:
    """Nothing arrives at the car park; and coming back tomorrow, or in an hour, it may."""
    shop.start(campaign(budget=Budget(redemptions_max=1)))
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    shop.tell(event)
    assert not shop.has_budget(event_campaign := campaign().campaign)
    shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS + 1))
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.REVOKED
    assert card.coupon is not None
    assert card.coupon.state is CouponState.REVOKED
    assert shop.has_budget(event_campaign)
    again = shop.stand(at_ms=NOON_MS + 10 * MINUTE_MS)
    assert again is not None
    assert again.chosen is not None


def test_leaving_after_delivery_leaves_the_offer_alone(shop: Shop) -> None:
    """The coupon is for the till, which is not at the shelf."""
    shop.start(campaign())
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    shop.tell(event)
    shop.deliver(shop.offer_of(anna).offer.offer, now_ms=NOON_MS)
    shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS + 1))
    assert shop.offer_of(anna).offer.state is OfferState.DELIVERED


def test_a_second_visit_within_the_window_is_refused_by_the_cap(shop: Shop) -> None:
    """Once a day, delivered."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    shop.deliver(shop.offer_of(anna).offer.offer, now_ms=NOON_MS)
    decision = shop.stand(at_ms=NOON_MS + 10 * MINUTE_MS)
    assert decision is not None
    assert decision.passed_over[0].refusal is Refusal.FREQUENCY_CAP


def test_a_reserved_budget_of_one_makes_one_coupon_until_it_expires(shop: Shop) -> None:
    """I4: no coupon is out that could not be paid for; and no money is stranded for ever."""
    one = campaign(budget=Budget(redemptions_max=1))
    shop.start(one)
    shop.shopper(tag="tag:1")
    shop.shopper(tag="tag:2")
    shop.stand("tag:1")
    refused = shop.stand("tag:2")
    assert refused is not None
    assert refused.passed_over[0].refusal is Refusal.BUDGET_SPENT
    expire_overdue(work=shop.work, now_ms=UnixMs(NOON_MS + one.offer_valid_s * 1_000))
    assert shop.has_budget(one.campaign)


def test_a_paused_campaign_is_no_candidate(shop: Shop) -> None:
    """Pausing is how one stops a mistake."""
    shop.start(campaign())
    pause_campaign(campaign().campaign, work=shop.work)
    shop.shopper()
    decision = shop.stand()
    assert decision is not None
    assert decision.chosen is None
    assert decision.passed_over == ()


def test_a_stay_that_began_with_another_shopper_makes_no_offer(shop: Shop) -> None:
    """A trolley changes hands at the shelf: the five minutes are not the second one's."""
    shop.start(campaign())
    anna = shop.shopper(tag="trolley")
    event = dwell_event(TagId("trolley"), at_ms=NOON_MS)
    shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    shop.say(anna, Purpose.LOCATE, is_granted=False, now_ms=NOON_MS - 2_000)
    ben = shop.shopper(tag="trolley", now_ms=NOON_MS - 1_000)
    decision = shop.tell(event)
    assert decision is not None
    assert decision.shopper == ben
    assert decision.passed_over[0].refusal is Refusal.VISIT_ENDED


def test_what_happened_before_the_pairing_is_not_this_shoppers(shop: Shop) -> None:
    """A spooled event must not reach the tag's next carrier."""
    shop.start(campaign())
    shop.shopper(now_ms=NOON_MS)
    assert shop.tell(dwell_event(TagId("tag:1"), at_ms=NOON_MS - 1), now_ms=NOON_MS) is None


def test_renewing_the_pairing_does_not_interrupt_the_stay(shop: Shop) -> None:
    """An app that pairs again after a restart must not cost the shopper the offer."""
    shop.start(campaign())
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    shop.pair(anna, "tag:1", now_ms=NOON_MS - 1)
    decision = shop.tell(event)
    assert decision is not None
    assert decision.chosen is not None


@pytest.mark.parametrize("purpose", [Purpose.LOCATE, Purpose.PERSONALISE])
def test_withdrawing_consent_revokes_what_is_under_way(shop: Shop, purpose: Purpose) -> None:
    """I11: nothing arrives after 'no'."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    shop.say(anna, purpose, is_granted=False, now_ms=NOON_MS)
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.REVOKED
    assert shop.deliver(card.offer.offer, now_ms=NOON_MS) is DeliveryRefusal.NOT_ISSUED


def test_withdrawing_locate_ends_the_pairing_before_the_answer(shop: Shop) -> None:
    """And locating is told to forget the tag."""
    anna = shop.shopper()
    shop.say(anna, Purpose.LOCATE, is_granted=False)
    assert shop.work.pairings.admitted_tags(now_ms=START_MS) == frozenset()
    assert shop.work.outbox.waiting(limit=9)[-1].kind is OutboxKind.TAG_WITHDRAWN


def test_consent_is_a_history_that_only_grows(shop: Shop) -> None:
    """Art. 7: show what was agreed to, and when it ended. Saying it twice is one record."""
    anna = shop.shopper(Purpose.NOTIFY, tag=None)
    for is_granted in (True, False, False, True):
        shop.say(anna, Purpose.NOTIFY, is_granted=is_granted)
    history = shop.work.consents.history_of(anna)
    assert [record.is_granted for record in history] == [True, False, True]


def test_a_new_text_version_is_a_new_record(shop: Shop) -> None:
    """Agreeing to another text is another agreement."""
    anna = shop.shopper(Purpose.NOTIFY, tag=None)
    wish = ConsentWish(purpose=Purpose.NOTIFY, is_granted=True, text_version="v2")
    state = change_consent(anna, wish, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert state.granted(Purpose.NOTIFY).text_version == "v2"
    assert len(shop.work.consents.history_of(anna)) == 2


def test_old_events_and_visits_are_forgotten(shop: Shop) -> None:
    """Dwell events may be kept thirty days; the table must not grow for ever either."""
    shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    shop.tell(event)
    shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS))
    early = expire_overdue(work=shop.work, now_ms=UnixMs(NOON_MS + 30 * DAY_MS))
    assert early.forgotten == 0
    later = expire_overdue(work=shop.work, now_ms=UnixMs(NOON_MS + 30 * DAY_MS + 1))
    assert later.forgotten == 6  # two events, the visit, the trip, and both in the profile
    assert shop.work.visits.find(event.visit_id) is None


def test_who_dismissed_a_campaign_is_left_alone_by_it_for_a_week(shop: Shop) -> None:
    """The cap of a day is over long before; 'no, thank you' lasts longer than 'not again today'."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    offer = shop.offer_of(anna).offer.offer
    shop.deliver(offer, now_ms=NOON_MS)
    dismiss_offer(anna, offer, work=shop.work, now_ms=NOON_MS)
    shop.pair(anna, "tag:1", now_ms=NOON_MS + 6 * DAY_MS)
    soon = shop.stand(at_ms=NOON_MS + 6 * DAY_MS + 6 * MINUTE_MS)
    assert soon is not None
    assert soon.passed_over[0].refusal is Refusal.COOL_DOWN
    shop.pair(anna, "tag:1", now_ms=NOON_MS + 8 * DAY_MS)
    later = shop.stand(at_ms=NOON_MS + 8 * DAY_MS + 6 * MINUTE_MS)
    assert later is not None
    assert later.chosen is not None


def test_entering_and_leaving_wake_campaigns_of_their_own(shop: Shop) -> None:
    """On leaving there is no visit any more that could end the offer; it lasts by its own time."""
    welcome = replace(campaign("hello"), trigger=EnterTrigger(zone=SHELF))
    goodbye = replace(campaign("bye"), trigger=LeaveTrigger(zone=SHELF, dwell_s_min=Second(60.0)))
    shop.start(welcome, goodbye)
    anna = shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
    entered = shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    assert entered is not None
    assert entered.chosen.campaign == "hello"
    left = shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS))
    assert left is not None
    assert left.chosen.campaign == "bye"
    hello, bye = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert (hello.offer.state, bye.offer.state) == (OfferState.REVOKED, OfferState.ISSUED)
    assert isinstance(shop.deliver(bye.offer.offer, now_ms=NOON_MS + MINUTE_MS), OfferCard)


def test_who_only_passes_by_is_not_thanked_for_a_stay(shop: Shop) -> None:
    """Fifty-nine seconds are not sixty, and leaving twice is leaving once."""
    shop.start(replace(campaign("bye"), trigger=LeaveTrigger(zone=SHELF, dwell_s_min=Second(60.0))))
    shop.shopper()
    event = dwell_event(TagId("tag:1"), at_ms=NOON_MS, dwell_s=59.0)
    shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    left = shop.tell(transition(event, TransitionKind.LEFT, at_ms=NOON_MS))
    assert left is not None
    assert left.passed_over[0].refusal is Refusal.OTHER_TRIGGER
    again = replace(transition(event, TransitionKind.LEFT, at_ms=NOON_MS + 1), event_id="f" * 32)
    assert shop.tell(again) is None


def test_a_dismissed_offer_still_counts_in_the_cap(shop: Shop) -> None:
    """'No, thank you' is no wish to be asked again at once."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand()
    offer = shop.offer_of(anna).offer.offer
    shop.deliver(offer, now_ms=NOON_MS)
    dismiss_offer(anna, offer, work=shop.work, now_ms=NOON_MS)
    decision = shop.stand(at_ms=NOON_MS + 10 * MINUTE_MS)
    assert decision is not None
    assert decision.passed_over[0].refusal is Refusal.FREQUENCY_CAP
