"""A campaign that was tried on the past made the offers that it made when it was there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings

from offers.handlers.campaigns.simulate_campaign import simulate_campaign
from offers.handlers.loyalty.claim_referral import claim_referral, referral_code_of
from offers.handlers.loyalty.post_points import earn, spend
from offers.handlers.offering.daily_round import daily_round, instant_of
from offers.handlers.offering.welcome_shopper import welcome_shopper
from offers.handlers.profile.answer_survey import answer_survey, publish_survey
from offers.handlers.profile.note_fact import note_attribute
from offers.handlers.profile.refresh_segment import refresh_segments
from offers.handlers.till.hold_basket import Held
from offers.model.campaigns.campaign import CampaignRevision, FrequencyCap, Validity
from offers.model.campaigns.trigger import (
    AnniversaryTrigger,
    BasketTrigger,
    BirthdayTrigger,
    EnterTrigger,
    LeaveTrigger,
    Measure,
    MilestoneTrigger,
    Movement,
    PointsExpiringTrigger,
    ReferralTrigger,
    RegularPurchaseTrigger,
    SegmentTrigger,
    SpendThresholdTrigger,
    SurveyTrigger,
    Trigger,
    TripEndTrigger,
    TripStartTrigger,
    VisitTrigger,
    WelcomeTrigger,
)
from offers.model.conditions.attribute import Attribute
from offers.model.conditions.condition_terms import Events, PastCount, Range
from offers.model.conditions.fact import FactKind
from offers.model.errors import ConsentMissing, WrongState
from offers.model.ids import CampaignId, ShopperId, SurveyId
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earning, Spending
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.people.survey import Question, QuestionKind, Survey
from offers.model.visits.site_rules import DEFAULT_RULES
from offers.storage.tables import OFFERS
from rtls.model.units import Second, TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.remembered import connection_of
from tests.unit.offers.shop import (
    DWELL_S,
    MINUTE_MS,
    SHELF,
    SITE,
    START_MS,
    Shop,
    asked,
    campaign,
    dwell_event,
    memory_engine,
    scratch_work,
    transition,
)
from tests.unit.offers.till import Till

DAY_MS = 86_400_000
FIRST_DAY = date(2023, 11, 15)
NIGHTLY = "INAISLE_NIGHTLY" in os.environ
OFTEN = FrequencyCap(offers_max=20, window_s=1)
TEXTS = {Locale.DE: "Wie war es?", Locale.EN: "How was it?"}
SURVEY = Survey(
    survey=SurveyId("visit"),
    site=SITE,
    titles=TEXTS,
    questions=(Question(question="advice", kind=QuestionKind.SCALE, texts=TEXTS),),
    from_ms=START_MS,
    until_ms=UnixMs(START_MS + 40 * DAY_MS),
)
PLACES: tuple[Trigger, ...] = (
    VisitTrigger(zone=SHELF, dwell_s=DWELL_S),
    EnterTrigger(zone=SHELF),
    LeaveTrigger(zone=SHELF, dwell_s_min=Second(240.0)),
    TripStartTrigger(),
    TripEndTrigger(),
)
OTHERS: tuple[Trigger, ...] = (
    WelcomeTrigger(),
    BirthdayTrigger(days_before=2),
    AnniversaryTrigger(),
    MilestoneTrigger(measure=Measure.PURCHASES, count=3),
    SpendThresholdTrigger(amount=Money(amount_minor=5_000, currency="EUR"), within_days=20),
    SegmentTrigger(segment=Segment.AT_RISK),
    BasketTrigger(basket_min=Money(amount_minor=2_000, currency="EUR")),
    PointsExpiringTrigger(within_days=3),
    RegularPurchaseTrigger(category="dowels"),
    ReferralTrigger(),
    SurveyTrigger(survey="visit"),
)
# The same kinds once more: both sides must leave each other alone in the same way.
FURTHER: tuple[Trigger, ...] = (
    MilestoneTrigger(measure=Measure.TRIPS, count=2),
    SegmentTrigger(segment=Segment.AT_RISK, movement=Movement.LEFT),
)


@dataclass
class History:
    """A shop with three old customers, in which something happens day by day."""

    shop: Shop
    now_ms: int = START_MS
    shoppers: list[ShopperId] = field(default_factory=list)
    counted: int = 0

    def old_customers(self, bought_days_ago: tuple[tuple[int, ...], ...]) -> None:
        """Let some have bought before the campaigns begin."""
        moments = []
        for days_ago in bought_days_ago:
            begun_ms = START_MS - (max(days_ago, default=0) + 1) * DAY_MS
            shopper = self.shop.shopper(tag=None, now_ms=begun_ms)
            self.shoppers.append(shopper)
            moments += [(START_MS - days * DAY_MS, shopper) for days in days_ago]
        for at_ms, shopper in sorted(moments):
            self.now_ms = at_ms
            self.sweep()
            self.buy(shopper, 1_500)
            self.sweep()
        self.now_ms = START_MS
        self.sweep()

    def begin(self, revisions: list[CampaignRevision]) -> None:
        publish_survey(SURVEY, work=self.shop.work)
        self.shop.start(*revisions)

    def take(self, step: "Step") -> None:
        self.wait(step.wait_ms)
        shopper = self.shoppers[step.who % len(self.shoppers)]
        try:
            getattr(self, step.what)(shopper, step.how)
        except (ConsentMissing, WrongState):
            return  # nothing is done: said without consent, answered twice
        finally:
            self.sweep()

    def wait(self, ms: int) -> None:
        """Let the time pass as the sweep sees it: soon after each trip, at nine each morning."""
        end_ms = self.now_ms + ms
        mornings = [
            instant_of(FIRST_DAY + timedelta(days=day), DEFAULT_RULES.zone, minute=540)
            for day in range(40)
        ]
        for at_ms in sorted({self.now_ms + 31 * MINUTE_MS, *mornings, end_ms}):
            if self.now_ms < at_ms <= end_ms:
                self.now_ms = at_ms
                self.sweep()

    def sweep(self) -> None:
        now_ms, work, secrets = UnixMs(self.now_ms), self.shop.work, self.shop.secrets
        while refresh_segments(work=work, now_ms=now_ms, secrets=secrets, limit=50):
            pass
        daily_round(SITE, work=work, now_ms=now_ms, secrets=secrets)

    def enrol(self, _: ShopperId, how: int) -> None:
        purposes = list(Purpose)
        if how % 5 == 0:
            purposes.remove(Purpose.PERSONALISE)
        if how % 3 == 0:
            purposes.remove(Purpose.LOCATE)
        self._new(*purposes)

    def buy(self, shopper: ShopperId, how: int) -> None:
        self.now_ms += MINUTE_MS  # each code of a card is taken once
        till = Till(self.shop, now_ms=self.now_ms)
        shown = replace(asked(prices_minor=(how % 4_000 + 1,)), card=till.scan(shopper))
        held = till.ask(shown)
        assert isinstance(held, Held)
        if how % 7:
            till.commit(held.held.held)
        else:
            till.cancel(held.held.held)

    def stay(self, shopper: ShopperId, how: int) -> None:
        work, entered_ms = self.shop.work, self.now_ms
        state = work.consents.state_of(shopper)
        if state.granted(Purpose.LOCATE) is None:
            return
        tag = f"tag:{shopper[:8]}"
        if not work.pairings.active_of_shopper(shopper, now_ms=UnixMs(self.now_ms)):
            self.shop.pair(shopper, tag, now_ms=self.now_ms)
        minutes = how % 8 + 1
        event = dwell_event(TagId(tag), at_ms=entered_ms + 5 * MINUTE_MS)
        self.shop.tell(transition(event, TransitionKind.ENTERED, at_ms=entered_ms))
        if minutes >= 5:
            self.shop.tell(event)
        self.now_ms += minutes * MINUTE_MS
        self.shop.tell(transition(event, TransitionKind.LEFT, at_ms=self.now_ms))

    def tell_birthday(self, shopper: ShopperId, how: int) -> None:
        day = FIRST_DAY + timedelta(days=how % 30)
        born = Attribute(name="birthday", values=frozenset({f"{day:%m-%d}"}))
        note_attribute(shopper, born, work=self.shop.work, now_ms=UnixMs(self.now_ms))

    def answer(self, shopper: ShopperId, _: int) -> None:
        answer_survey(
            shopper,
            SURVEY.survey,
            {"advice": 4},
            work=self.shop.work,
            now_ms=UnixMs(self.now_ms),
            secrets=self.shop.secrets,
        )

    def get_points(self, shopper: ShopperId, how: int) -> None:
        self.counted += 1
        earning = Earning(
            unit=POINTS,
            amount_minor=10,
            reason=PostingReason.SURVEY,
            reference=f"points {self.counted}",
            active_at_ms=UnixMs(self.now_ms),
            expires_at_ms=UnixMs(self.now_ms + (how % 10 + 1) * DAY_MS),
        )
        given = {"now_ms": UnixMs(self.now_ms), "secrets": self.shop.secrets}
        earn(shopper, earning, work=self.shop.work, **given)

    def spend_points(self, shopper: ShopperId, how: int) -> None:
        self.counted += 1
        spending = Spending(
            unit=POINTS,
            amount_minor=how % 12 + 1,
            reason=PostingReason.PAYMENT,
            reference=f"spent {self.counted}",
        )
        given = {"now_ms": UnixMs(self.now_ms), "secrets": self.shop.secrets}
        spend(shopper, spending, work=self.shop.work, **given)

    def bring_a_friend(self, shopper: ShopperId, how: int) -> None:
        given = {"work": self.shop.work, "secrets": self.shop.secrets}
        code = referral_code_of(shopper, **given)
        friend = self._new()
        claim_referral(friend, code, now_ms=UnixMs(self.now_ms), **given)
        if how % 2:
            self.buy(friend, how)

    def _new(self, *purposes: Purpose) -> ShopperId:
        shopper = self.shop.shopper(*purposes, tag=None, now_ms=self.now_ms)
        given = {"work": self.shop.work, "secrets": self.shop.secrets}
        welcome_shopper(shopper, SITE, now_ms=UnixMs(self.now_ms), **given)
        self.shoppers.append(shopper)
        return shopper


@dataclass(frozen=True)
class Step:
    """Something that happens after a while, to one of the shoppers."""

    what: str
    wait_ms: int
    who: int
    how: int


KINDS = (
    "enrol",
    "buy",
    "stay",
    "tell_birthday",
    "answer",
    "get_points",
    "spend_points",
    "bring_a_friend",
)
STEPS = st.lists(
    st.builds(
        Step,
        what=st.sampled_from(KINDS),
        wait_ms=st.integers(1, 60 * 60).map(lambda minutes: minutes * MINUTE_MS),
        who=st.integers(0, 9),
        how=st.integers(0, 3_999),
    ),
    min_size=3,
    max_size=10,
)


def revision_of(number: int, trigger: Trigger) -> CampaignRevision:
    """A campaign that only looks at those who bought no more than three times in a month."""
    few = PastCount(events=Events(kind=FactKind.PURCHASE, within_days=30), range=Range(at_most=3))
    return replace(
        campaign(f"campaign-{number}"),
        trigger=trigger,
        frequency_cap=OFTEN,
        audience=few,
        validity=Validity(
            from_ms=UnixMs(START_MS - 400 * DAY_MS), until_ms=UnixMs(START_MS + 40 * DAY_MS)
        ),
    )


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as found:
        yield found


def made(shop: Shop, name: CampaignId) -> list[ShopperId]:
    query = sa.select(OFFERS.c.shopper_id).where(OFFERS.c.campaign_id == name)
    return sorted(connection_of(shop).execute(query).scalars())


@settings(
    max_examples=2_000 if NIGHTLY else 10,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, place=st.sampled_from(PLACES), further=st.sampled_from((*FURTHER, None)))
@example(
    steps=[Step("buy", MINUTE_MS, 2, 900), Step("buy", 26 * DAY_MS, 0, 900)],
    place=EnterTrigger(zone=SHELF),
    further=FURTHER[1],
)
@example(steps=[Step("buy", MINUTE_MS, 0, 2_247)], place=EnterTrigger(zone=SHELF), further=None)
def test_what_was_tried_is_what_was_done(
    engine: sa.Engine, steps: list[Step], place: Trigger, further: Trigger | None
) -> None:
    """Reach and offers of a simulation are those of the same days with the campaign in force.

    Otherwise a merchandiser decides by numbers that mean nothing.
    """
    others = [t for t in OTHERS if further is None or type(t) is not type(further)]
    triggers = [place, *others, *([] if further is None else [further])]
    revisions = [revision_of(number, trigger) for number, trigger in enumerate(triggers)]
    with scratch_work(engine) as work:
        history = History(Shop(work))
        history.old_customers(((350, 75), (42, 28, 14), ()))
        history.begin(revisions)
        for step in steps:
            if history.now_ms - START_MS < 26 * DAY_MS:
                history.take(step)
        days = (history.now_ms - START_MS) // DAY_MS + 1
        end_ms = UnixMs(START_MS + days * DAY_MS)  # so that exactly these days are looked at
        history.wait(end_ms - 1 - history.now_ms)
        for revision in revisions:
            found = simulate_campaign(revision, days=days, work=work, now_ms=end_ms)
            done = made(history.shop, revision.campaign)
            assert (found.offers, found.reach) == (len(done), len(set(done))), revision.trigger
