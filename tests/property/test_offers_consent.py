"""Consent and frequency cap as machines: no offer after "no", and never too many in any window."""

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from offers.handlers.offering.open_offer import dismiss_offer
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.errors import ConsentMissing
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.people.consent import Purpose
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.property.machine_size import machine_settings
from tests.unit.offers.shop import (
    DWELL_S,
    MINUTE_MS,
    START_MS,
    Shop,
    campaign,
    dwell_event,
    memory_engine,
    scratch_work,
    transition,
)

TAG = TagId("tag:1")
CAP = FrequencyCap(offers_max=2, window_s=1_800)
NEEDED = {Purpose.LOCATE, Purpose.PERSONALISE}


class OneShopper(RuleBasedStateMachine):
    """A shopper who comes, stands, leaves, agrees and withdraws, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._engine_context = memory_engine()
        self._work_context = scratch_work(self._engine_context.__enter__())
        self.shop = Shop(self._work_context.__enter__())
        self.now_ms = int(START_MS)
        # All is granted at first: machines that must find the way there find little else.
        self.granted = set(Purpose)
        self.shop.start(campaign(cap=CAP))
        self.anna = self.shop.shopper(tag=TAG)

    def teardown(self) -> None:
        self._work_context.__exit__(None, None, None)
        self._engine_context.__exit__(None, None, None)

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS

    @rule(purpose=st.sampled_from(list(Purpose)))
    def the_shopper_grants(self, purpose: Purpose) -> None:
        self.shop.say(self.anna, purpose, is_granted=True, now_ms=self.now_ms)
        self.granted.add(purpose)
        if purpose is Purpose.LOCATE:
            self.shop.pair(self.anna, TAG, now_ms=self.now_ms)

    @rule(purpose=st.sampled_from(list(Purpose)))
    def the_shopper_withdraws(self, purpose: Purpose) -> None:
        self.shop.say(self.anna, purpose, is_granted=False, now_ms=self.now_ms)
        self.granted.discard(purpose)
        if purpose in NEEDED:
            assert self.shop.work.offers.undelivered_of_shopper(self.anna) == ()

    @rule(purpose=st.sampled_from(sorted(NEEDED)))
    def the_shopper_withdraws_before_the_offer_arrives(self, purpose: Purpose) -> None:
        self.the_shopper_stands_at_the_shelf(leaves=False, is_delivered=False)
        self.the_shopper_withdraws(purpose)

    @rule()
    def the_shopper_pairs(self) -> None:
        try:
            self.shop.pair(self.anna, TAG, now_ms=self.now_ms)
        except ConsentMissing:
            assert Purpose.LOCATE not in self.granted

    @rule(leaves=st.booleans(), is_delivered=st.booleans())
    def the_shopper_stands_at_the_shelf(self, *, leaves: bool, is_delivered: bool) -> None:
        self.now_ms += round(DWELL_S * 1_000)
        event = dwell_event(TAG, at_ms=self.now_ms)
        self.shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
        decision = self.shop.tell(event)
        if decision is not None and decision.chosen is not None:
            assert self.granted >= NEEDED
            card = self.shop.offer_of(self.anna)
            assert card is not None
            if is_delivered:
                self._deliver(card)
        if leaves:
            self.shop.tell(transition(event, TransitionKind.LEFT, at_ms=self.now_ms + 1))
            assert self.shop.work.offers.undelivered_of_visit(event.visit_id) == ()

    @rule()
    def the_relay_comes_late(self) -> None:
        for offer in self.shop.work.offers.undelivered_of_shopper(self.anna):
            card = self.shop.work.offers.card(offer.offer)
            assert card is not None
            self._deliver(card)

    @rule()
    def the_shopper_dismisses_the_newest(self) -> None:
        card = self.shop.offer_of(self.anna)
        if card is not None and card.offer.state is OfferState.DELIVERED:
            dismiss_offer(
                self.anna, card.offer.offer, work=self.shop.work, now_ms=UnixMs(self.now_ms)
            )

    def _deliver(self, card: OfferCard) -> None:
        answer = self.shop.deliver(card.offer.offer, now_ms=self.now_ms)
        if isinstance(answer, OfferCard):
            assert self.granted >= NEEDED

    @invariant()
    def no_window_holds_more_offers_than_the_cap(self) -> None:
        """I10: counted by hand from what is stored, over every window that begins with an offer."""
        cards = self.shop.work.offers.cards_of(
            self.anna, after=0, limit=1_000, states=tuple(OfferState)
        )
        reached = [
            card.offer.issued_at_ms
            for card in cards
            if card.offer.delivered_at_ms is not None or card.offer.state is OfferState.ISSUED
        ]
        for begin_ms in reached:
            end_ms = begin_ms + CAP.window_s * 1_000
            assert sum(begin_ms <= at_ms < end_ms for at_ms in reached) <= CAP.offers_max

    @invariant()
    def every_offer_stands_on_consents_that_were_granted(self) -> None:
        history = {
            record.consent: record for record in self.shop.work.consents.history_of(self.anna)
        }
        cards = self.shop.work.offers.cards_of(
            self.anna, after=0, limit=1_000, states=tuple(OfferState)
        )
        for card in cards:
            locate = history[card.offer.locate_consent]
            personalise = history[card.offer.personalise_consent]
            assert (locate.purpose, locate.is_granted) == (Purpose.LOCATE, True)
            assert (personalise.purpose, personalise.is_granted) == (Purpose.PERSONALISE, True)
            assert max(locate.at_ms, personalise.at_ms) <= card.offer.issued_at_ms


TestOneShopper = OneShopper.TestCase
TestOneShopper.settings = machine_settings()
