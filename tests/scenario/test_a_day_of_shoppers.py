"""A day of a thousand shoppers in event time: nobody is disturbed who should not be.

The handlers run on the database as in the shop. What happens is drawn from one seed, and judged by
an account of its own, which knows the day and none of the code: consents, wishes, who stands where.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from offers.decision.eligibility import Eligibility
from offers.decision.push_choice import PushMoment, push_refusal
from offers.handlers.offering import deliver_offer as deliver_module
from offers.handlers.offering import push_offer as push_module
from offers.handlers.offering.push_offer import Push
from offers.handlers.visits import on_visit as on_visit_module
from offers.model.ids import ShopperId
from offers.model.messages.contact import DeliveryOutcome, Frequency
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from offers.model.offering.offer import Offer, OfferCard
from offers.model.offering.refusal import PushRefusal
from offers.model.people.consent import Purpose
from rtls.model.units import TagId
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    START_MS,
    campaign,
    dwell_event,
    memory_engine,
    scratch_work,
    transition,
)
from tests.unit.offers.test_push_offer import PushShop

MIDNIGHT_MS = START_MS + 2_800_000  # in Berlin: START_MS is 23:13:20
HOUR_MS = 60 * MINUTE_MS
UNSEEN_MS = 500
STAY_MS = 6 * MINUTE_MS
RULES = PushRules(quiet_hours=QuietHours(begin="21:00", end="08:00", time_zone="Europe/Berlin"))
REST_MS = {Frequency.NORMAL: 30 * MINUTE_MS, Frequency.FEWER: 7 * 24 * HOUR_MS}
CAMPAIGNS = 4


@dataclass
class Person:
    """What is true of one shopper, whatever the shop believes."""

    shopper: ShopperId
    tag: TagId
    granted: set[Purpose]
    wants_push: bool
    frequency: Frequency
    has_browser: bool
    opens_app: float
    is_at_shelf: bool = False
    trip: int = 0
    seen_at_ms: int = -(10**15)
    pushed: list[tuple[int, int]] = field(default_factory=list)
    """trip and instant of each push that somebody took"""
    tried_at_ms: int = -(10**15)


class Day:
    """Draws what happens, does it through the handlers, and keeps the account."""

    def __init__(self, shop: PushShop, *, shoppers: int, rules: PushRules) -> None:
        self.shop = shop
        self.rules = rules
        self.chance = random.Random(20261122)
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.now_ms = MIDNIGHT_MS
        self.violations: list[str] = []
        self.counts: defaultdict[str, int] = defaultdict(int)
        shop.start(*(campaign(f"campaign-{n}") for n in range(CAMPAIGNS)))
        for number in range(shoppers):
            self.plan(self.enrol(number))

    def enrol(self, number: int) -> Person:
        granted = {Purpose.LOCATE}
        granted |= {Purpose.PERSONALISE} if self.chance.random() < 0.95 else set()
        granted |= {Purpose.NOTIFY} if self.chance.random() < 0.8 else set()
        shopper = self.shop.shopper(*granted, tag=None, now_ms=START_MS)
        person = Person(
            shopper=shopper,
            tag=TagId(f"tag:{number}"),
            granted=granted,
            wants_push=self.chance.random() < 0.8,
            frequency=Frequency.FEWER if self.chance.random() < 0.2 else Frequency.NORMAL,
            has_browser=self.chance.random() < 0.85,
            opens_app=0.3,
        )
        if person.has_browser:
            self.shop.subscribe(shopper, number)
        self.shop.wish(shopper, wants_push=person.wants_push, frequency=person.frequency)
        return person

    def plan(self, person: Person) -> None:
        """One or two trips at any hour, each of one to four stays at the shelf."""
        begin_ms = MIDNIGHT_MS + self.chance.randrange(20 * HOUR_MS)
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            self.at(begin_ms, lambda: self.pair(person))
            for _ in range(self.chance.choice((1, 2, 3, 4))):
                self.at(begin_ms, lambda at_ms=begin_ms: self.stay(person, at_ms))
                begin_ms += STAY_MS + self.chance.randrange(1, 25) * MINUTE_MS
            begin_ms += self.chance.choice((35 * MINUTE_MS, 2 * HOUR_MS))

    def at(self, at_ms: int, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (at_ms, len(self.events) + self.counts["events"] * 10, do))
        self.counts["events"] += 1

    def run(self) -> None:
        while self.events:
            self.now_ms, _, do = heapq.heappop(self.events)
            do()

    def pair(self, person: Person) -> None:
        if Purpose.LOCATE in person.granted:
            self.shop.pair(person.shopper, person.tag, now_ms=self.now_ms)

    def stay(self, person: Person, entered_at_ms: int) -> None:
        """Enter; perhaps stay long enough; leave: soon after the threshold, or a minute later."""
        reached = dwell_event(person.tag, at_ms=entered_at_ms + 5 * MINUTE_MS)
        left_ms = (
            entered_at_ms + 5 * MINUTE_MS + self.chance.choice((-1_000, 400, 3_000, MINUTE_MS))
        )
        entered = transition(reached, TransitionKind.ENTERED, at_ms=entered_at_ms)
        left = transition(reached, TransitionKind.LEFT, at_ms=left_ms)
        self.see(person, is_at_shelf=True)
        self.shop.tell(entered, now_ms=self.now_ms)
        if left_ms > reached.reached_at_ms:
            self.at(reached.reached_at_ms, lambda: self.dwell(person, reached))
        self.at(left_ms, lambda: self.leave(person, left))

    def leave(self, person: Person, left) -> None:
        self.see(person, is_at_shelf=False)
        self.shop.tell(left, now_ms=self.now_ms)

    def see(self, person: Person, *, is_at_shelf: bool) -> None:
        if self.now_ms - person.seen_at_ms > 30 * MINUTE_MS:
            person.trip += 1
        person.seen_at_ms = self.now_ms
        person.is_at_shelf = is_at_shelf

    def dwell(self, person: Person, reached) -> None:
        self.see(person, is_at_shelf=True)
        decision = self.shop.tell(reached, now_ms=self.now_ms)
        if decision is None or decision.chosen is None:
            return
        card = self.shop.offer_of(person.shopper)
        assert card is not None
        self.counts["offers"] += 1
        if self.chance.random() < 0.05:
            purpose = self.chance.choice((Purpose.NOTIFY, Purpose.PERSONALISE))
            self.at(self.now_ms + 200, lambda: self.withdraw(person, purpose))
        if self.chance.random() < person.opens_app:
            self.at(self.now_ms + 20, lambda: self.show(person, card.offer))
        else:
            self.at(self.now_ms + UNSEEN_MS, lambda: self.push(person, card.offer))

    def withdraw(self, person: Person, purpose: Purpose) -> None:
        person.granted.discard(purpose)
        self.shop.say(person.shopper, purpose, is_granted=False, now_ms=self.now_ms)

    def show(self, person: Person, offer: Offer) -> None:
        """The app is open: the offer goes there, or nowhere."""
        answer = self.shop.deliver(offer.offer, now_ms=self.now_ms)
        if not isinstance(answer, OfferCard):
            return
        self.counts["shown"] += 1
        self.judge_context(person, offer, "shown")

    def push(self, person: Person, offer: Offer) -> None:
        answer = self.shop.push(offer.offer, now_ms=self.now_ms, rules=self.rules)
        if not isinstance(answer, Push):
            self.counts[answer.value] += 1
            return
        self.judge_push(person, offer, answer)
        is_taken = self.chance.random() < 0.9
        outcome = DeliveryOutcome.ACCEPTED if is_taken else DeliveryOutcome.FAILED
        self.shop.end_push(offer.offer, outcome, now_ms=self.now_ms)
        self.counts[outcome.value] += 1
        person.tried_at_ms = self.now_ms
        if is_taken:
            person.pushed.append((person.trip, self.now_ms))

    def judge_context(self, person: Person, offer: Offer, what: str) -> None:
        self.check(person.is_at_shelf, f"{what}: stale context")
        self.check(self.now_ms < offer.expires_at_ms, f"{what}: expired")
        self.check(Purpose.LOCATE in person.granted, f"{what}: locate")
        self.check(Purpose.PERSONALISE in person.granted, f"{what}: personalise")

    def judge_push(self, person: Person, offer: Offer, push: Push) -> None:
        self.judge_context(person, offer, "pushed")
        minute = (self.now_ms - MIDNIGHT_MS) // MINUTE_MS % (24 * 60)
        self.check(Purpose.NOTIFY in person.granted, "pushed: notify")
        self.check(person.wants_push, "pushed: switched off")
        self.check(person.has_browser, "pushed: no browser")
        self.check(8 * 60 <= minute < 21 * 60, "pushed: quiet hours")
        self.check(all(trip != person.trip for trip, _ in person.pushed), "pushed: twice a trip")
        rested_ms = self.now_ms - person.tried_at_ms
        self.check(rested_ms >= REST_MS[person.frequency], "pushed: too soon")
        self.check(0 < push.ttl_s <= 120, "pushed: kept too long")

    def check(self, is_right: bool, what: str) -> None:  # noqa: FBT001 - reads as a claim
        if not is_right:
            self.violations.append(what)


def a_day(*, shoppers: int, rules: PushRules = RULES) -> Day:
    with memory_engine() as engine, scratch_work(engine) as work:
        day = Day(PushShop(work), shoppers=shoppers, rules=rules)
        day.run()
    return day


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_in_a_day_of_a_thousand_shoppers_nobody_is_disturbed_who_should_not_be() -> None:
    """C2: 0 violations of cap, quiet hours, consent and context; at most one push a trip.

    Every reason to leave somebody alone occurs, so that none of them is a dead letter.
    """
    day = a_day(shoppers=1_000)
    assert day.violations == []
    assert day.counts["accepted"] >= 100
    assert day.counts["shown"] >= 100
    occurring = {
        PushRefusal.NOTIFY_NOT_GRANTED,
        PushRefusal.CHANNEL_OFF,
        PushRefusal.NO_ADDRESS,
        PushRefusal.QUIET_HOURS,
        PushRefusal.TRIP_CAP,
        PushRefusal.TOO_SOON,
    }
    assert {refusal for refusal in occurring if day.counts[refusal.value] == 0} == set()


def without(refusal: PushRefusal) -> Callable[[PushMoment], PushRefusal | None]:
    """The rule with one line forgotten."""

    def rule(moment: PushMoment) -> PushRefusal | None:
        match refusal:
            case PushRefusal.NOTIFY_NOT_GRANTED:
                return push_refusal(replace(moment, may_notify=True))
            case PushRefusal.QUIET_HOURS:
                return push_refusal(replace(moment, is_quiet=False))
            case PushRefusal.CHANNEL_OFF:
                return push_refusal(replace(moment, wishes=replace(moment.wishes, wants_push=True)))
            case _:
                raise AssertionError(refusal)

    return rule


@pytest.mark.parametrize(
    ("refusal", "found"),
    [
        (PushRefusal.NOTIFY_NOT_GRANTED, "pushed: notify"),
        (PushRefusal.QUIET_HOURS, "pushed: quiet hours"),
        (PushRefusal.CHANNEL_OFF, "pushed: switched off"),
    ],
)
def test_a_forgotten_rule_is_found(
    monkeypatch: pytest.MonkeyPatch, refusal: PushRefusal, found: str
) -> None:
    """The account must be able to say "no": each planted bug shows up under its name."""
    monkeypatch.setattr(push_module, "push_refusal", without(refusal))
    assert set(a_day(shoppers=60).violations) == {found}


def test_a_second_push_of_a_trip_is_found() -> None:
    """With two slots the table lets two in; the account counts them."""
    rules = replace(RULES, pushes_a_trip=5)
    assert "pushed: twice a trip" in a_day(shoppers=120, rules=rules).violations


def test_an_offer_that_outlives_its_stay_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two checks stand behind each other: the leaving revokes, and the sending asks again.

    Only with both left out does an offer reach somebody who has gone.
    """

    def trusting(offer: Offer, **_: object) -> Eligibility:
        return Eligibility(
            locate=offer.locate_consent, personalise=offer.personalise_consent, may_notify=True
        )

    monkeypatch.setattr(on_visit_module, "end_offer", lambda *_, **__: None)
    assert a_day(shoppers=60).violations == []
    monkeypatch.setattr(deliver_module, "_may_deliver", trusting)
    assert "pushed: stale context" in a_day(shoppers=60).violations
