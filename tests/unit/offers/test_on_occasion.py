"""on_occasion and the daily round: welcome, birthday, sums spent, trips that begin and end."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from offers.handlers.loyalty.earn_for_offer import earn_for_offer
from offers.handlers.offering.daily_round import birthday_texts, daily_round
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.offering.on_purchase import on_purchase
from offers.handlers.offering.open_offer import open_offer
from offers.handlers.offering.welcome_shopper import welcome_shopper
from offers.handlers.people.enrol_shopper import enrol_shopper
from offers.handlers.profile.note_fact import note_attribute
from offers.handlers.profile.note_purchase import note_purchase
from offers.model.campaigns.benefit import Points
from offers.model.campaigns.campaign import CampaignRevision, FrequencyCap, Validity
from offers.model.campaigns.trigger import (
    AnniversaryTrigger,
    BirthdayTrigger,
    ManualTrigger,
    Measure,
    MilestoneTrigger,
    SpendThresholdTrigger,
    Trigger,
    TripEndTrigger,
    TripStartTrigger,
    WelcomeTrigger,
)
from offers.model.conditions.attribute import Attribute
from offers.model.conditions.condition import And
from offers.model.conditions.condition_terms import EnrolledDays, LocaleIn, Range
from offers.model.ids import PurchaseId, ShopperId
from offers.model.loyalty.ledger import POINTS
from offers.model.money import Money
from offers.model.offering.occasion import Requested
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.till.purchase import Purchase, PurchaseLine
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    TILL,
    Shop,
    basket,
    campaign,
    dwell_event,
    transition,
)

DAY_MS = 86_400_000
# START_MS is 14 November 2023, 23:13 in Berlin; the next morning at ten is when the round goes.
MORNING_MS = UnixMs(round(datetime(2023, 11, 15, 9, tzinfo=UTC).timestamp() * 1_000))


def waiting(trigger: Trigger, name: str = "occasion", **changes) -> CampaignRevision:
    changes.setdefault("frequency_cap", FrequencyCap(offers_max=20, window_s=1))
    changes.setdefault(
        "validity",
        Validity(
            from_ms=UnixMs(START_MS - 366 * DAY_MS), until_ms=UnixMs(START_MS + 4 * 366 * DAY_MS)
        ),
    )
    return replace(campaign(name), trigger=trigger, **changes)


def enrol(shop: Shop):
    return enrol_shopper(
        Locale.DE, work=shop.work, now_ms=START_MS, secrets=shop.secrets, site=SITE
    ).shopper.shopper


def ask(shop: Shop, shopper: ShopperId, occasion, *, now_ms: int = START_MS):
    return on_occasion(
        occasion,
        shopper=shopper,
        site=SITE,
        work=shop.work,
        now_ms=UnixMs(now_ms),
        secrets=shop.secrets,
    )


def go_round(shop: Shop, now_ms: int = MORNING_MS) -> int:
    return daily_round(SITE, work=shop.work, now_ms=UnixMs(now_ms), secrets=shop.secrets)


def buy(shop: Shop, shopper: ShopperId, number: int, price_minor: int, *, now_ms: int = START_MS):
    lines = basket(price_minor).lines
    purchase = Purchase(
        purchase=PurchaseId(f"{number:032x}"),
        site=SITE,
        till=TILL,
        shopper=shopper,
        at_ms=UnixMs(now_ms),
        currency="EUR",
        lines=tuple(PurchaseLine(item=line, discounts_minor=()) for line in lines),
    )
    shop.work.purchases.add(purchase)
    note_purchase(purchase, work=shop.work)
    on_purchase(purchase, work=shop.work, secrets=shop.secrets)


def test_a_new_shopper_is_welcomed_once_and_after_the_consent(shop: Shop) -> None:
    """C20: a reward for registration, once a person; nothing is chosen before 'yes'."""
    shop.start(waiting(WelcomeTrigger()))
    anna = enrol(shop)
    assert shop.offer_of(anna) is None
    shop.say(anna, Purpose.PERSONALISE, is_granted=True)
    for _ in range(2):
        welcome_shopper(anna, SITE, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert [card.offer.occasion for card in cards] == ["welcome:once"]


def test_an_offer_without_a_place_needs_no_consent_to_be_located(shop: Shop) -> None:
    """And outlives its withdrawal; withdrawing `personalise` takes it back."""
    shop.start(waiting(WelcomeTrigger()))
    anna = shop.shopper(Purpose.PERSONALISE, Purpose.LOCATE, tag=None)
    decision = welcome_shopper(anna, SITE, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert decision is not None
    assert decision.chosen is not None
    assert (decision.chosen.locate_consent, decision.zone, decision.visit) == (None, None, None)
    assert shop.work.decisions.of_shopper(anna, limit=1) == (decision,)
    shop.say(anna, Purpose.LOCATE, is_granted=False)
    card = shop.offer_of(anna)
    assert card.offer.state is OfferState.ISSUED
    assert isinstance(shop.deliver(card.offer.offer, now_ms=START_MS + 1), OfferCard)


def test_withdrawing_personalise_takes_back_an_offer_without_a_place(shop: Shop) -> None:
    """I11 holds for every occasion."""
    shop.start(waiting(WelcomeTrigger()))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    welcome_shopper(anna, SITE, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    shop.say(anna, Purpose.PERSONALISE, is_granted=False)
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED


def test_points_for_being_here_are_posted_on_opening_and_once(shop: Shop) -> None:
    """Whoever never looks at the offer has not been given anything."""
    shop.start(replace(waiting(WelcomeTrigger()), benefit=Points(points=500)))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    welcome_shopper(anna, SITE, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    card = shop.offer_of(anna)
    assert card.coupon is None
    shop.deliver(card.offer.offer, now_ms=START_MS)
    assert shop.work.ledger.wallet_of(anna, POINTS) is None
    for _ in range(2):
        opened = open_offer(anna, card.offer.offer, work=shop.work, now_ms=START_MS)
        earn_for_offer(opened, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    (wallet,) = shop.work.ledger.wallets_of(anna)
    assert sum(lot.open_minor for lot in wallet.lots) == 500


@pytest.mark.parametrize(
    ("day", "kept"),
    [
        (date(2028, 2, 28), ("02-28",)),
        (date(2028, 2, 29), ("02-29",)),
        (date(2027, 2, 28), ("02-28", "02-29")),
        (date(2027, 3, 1), ("03-01",)),
    ],
)
def test_who_was_born_on_29_february_has_a_birthday_every_year(day: date, kept) -> None:
    """On the 28th where there is no 29th; never twice in one year."""
    assert birthday_texts(day) == kept


def test_a_birthday_is_kept_on_the_day_by_the_sites_calendar_and_once(shop: Shop) -> None:
    """C43: day and month are enough. At nine in the shop, not at midnight, not the day after."""
    shop.start(waiting(BirthdayTrigger()), waiting(BirthdayTrigger(days_before=7), "soon"))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    note_attribute(
        anna,
        Attribute(name="birthday", values=frozenset({"11-15"})),
        work=shop.work,
        now_ms=START_MS,
    )
    assert go_round(shop, MORNING_MS - 7 * DAY_MS) == 1
    assert go_round(shop, MORNING_MS - 2 * 3_600_000) == 0
    assert [go_round(shop), go_round(shop), go_round(shop, MORNING_MS + DAY_MS)] == [1, 0, 0]
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    named = [(card.offer.campaign, card.offer.occasion) for card in cards]
    assert named == [("soon", "birthday:2023-7"), ("occasion", "birthday:2023-0")]


def test_the_first_purchase_is_remembered_a_year_later(shop: Shop) -> None:
    """C44. The second purchase has no anniversary of its own."""
    shop.start(waiting(AnniversaryTrigger()))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    buy(shop, anna, 1, 1_000, now_ms=MORNING_MS)
    buy(shop, anna, 2, 1_000, now_ms=MORNING_MS + DAY_MS)
    shop.work.sites.note(SITE, time_zone="Europe/Berlin")
    year_ms = 366 * DAY_MS  # 2024 has a 29 February
    rounds = [go_round(shop, MORNING_MS + days * DAY_MS + year_ms) for days in (-1, 0, 0, 1)]
    assert rounds == [0, 1, 0, 0]
    assert shop.offer_of(anna).offer.occasion == "anniversary:1"


def test_crossing_a_sum_brings_one_offer_and_staying_above_none(shop: Shop) -> None:
    """C45: unattended, in the transaction of the purchase."""
    fifty = Money(amount_minor=5_000, currency="EUR")
    shop.start(waiting(SpendThresholdTrigger(amount=fifty, within_days=30)))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    for number, price_minor in enumerate((3_000, 2_000, 4_000)):
        buy(shop, anna, number, price_minor, now_ms=START_MS + number)
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert [card.offer.occasion for card in cards] == [f"spend_threshold:{1:032x}"]


def test_the_third_purchase_is_a_milestone_once(shop: Shop) -> None:
    """Not the second, not the fourth."""
    shop.start(waiting(MilestoneTrigger(measure=Measure.PURCHASES, count=3)))
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    for number in range(5):
        buy(shop, anna, number, 1_000, now_ms=START_MS + number)
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert [card.offer.issued_at_ms - START_MS for card in cards] == [2]


def test_an_anonymous_purchase_wakes_nobody(shop: Shop) -> None:
    """Without a card there is no one to make an offer to."""
    shop.start(waiting(MilestoneTrigger(measure=Measure.PURCHASES, count=1)))
    lines = tuple(PurchaseLine(item=line, discounts_minor=()) for line in basket(100).lines)
    purchase = Purchase(
        purchase=PurchaseId("9" * 32),
        site=SITE,
        till=TILL,
        shopper=None,
        at_ms=START_MS,
        currency="EUR",
        lines=lines,
    )
    on_purchase(purchase, work=shop.work, secrets=shop.secrets)


def test_a_trip_begins_with_the_first_zone_and_ends_half_an_hour_after_the_last(
    shop: Shop,
) -> None:
    """One greeting and one goodbye a trip, however many shelves were visited."""
    shop.start(waiting(TripStartTrigger(), "hello"), waiting(TripEndTrigger(), "bye"))
    anna = shop.shopper(now_ms=MORNING_MS)
    for minute in (1, 5):
        event = dwell_event(TagId("tag:1"), at_ms=MORNING_MS + minute * MINUTE_MS, dwell_s=9.0)
        shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
    seen_ms = event.entered_at_ms
    assert go_round(shop, seen_ms + 30 * MINUTE_MS) == 0
    assert go_round(shop, seen_ms + 30 * MINUTE_MS + 1) == 1
    assert go_round(shop, seen_ms + 31 * MINUTE_MS) == 0
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert [card.offer.campaign for card in cards] == ["hello", "bye"]
    assert all(card.offer.locate_consent for card in cards)


def test_the_third_trip_is_a_milestone_once(shop: Shop) -> None:
    """Who comes often is thanked for coming, bought or not."""
    shop.start(waiting(MilestoneTrigger(measure=Measure.TRIPS, count=3), "regular"))
    anna = shop.shopper(now_ms=MORNING_MS)
    for trip in range(4):
        at_ms = MORNING_MS + (5 + 60 * trip) * MINUTE_MS
        event = dwell_event(TagId("tag:1"), at_ms=at_ms, dwell_s=9.0)
        shop.tell(transition(event, TransitionKind.ENTERED, at_ms=event.entered_at_ms))
        cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
        assert [card.offer.campaign for card in cards] == ["regular"] * (trip >= 2)


def test_a_trip_gets_a_bounded_number_of_offers(shop: Shop) -> None:
    """Silent cards are not pushes, but a list of ten reads like none."""
    shop.start(*(campaign(f"c-{number}") for number in range(7)))
    anna = shop.shopper()
    for number in range(7):
        decision = shop.stand(at_ms=START_MS + (10 + number) * MINUTE_MS)
    assert decision is not None
    reasons = {entry.refusal for entry in decision.passed_over}
    assert reasons == {Refusal.FREQUENCY_CAP, Refusal.TRIP_CAP}
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=tuple(OfferState))
    assert len(cards) == 5


def test_an_unmet_condition_is_named_by_its_place(shop: Shop) -> None:
    """'Why did I not get this?' is answered with the very term."""
    german = LocaleIn(locales=frozenset({Locale.DE}))
    veteran = EnrolledDays(range=Range(at_least=30))
    revision = waiting(ManualTrigger(), audience=And(parts=(german, veteran)))
    shop.start(revision)
    anna = shop.shopper(Purpose.PERSONALISE, tag=None)
    early = ask(shop, anna, Requested(request="r-1"))
    assert early is not None
    (entry,) = early.passed_over
    assert (entry.refusal, entry.place) == (Refusal.CONDITION_UNMET, "audience.and[1]")
    assert shop.work.decisions.of_shopper(anna, limit=1) == (early,)
    later = ask(shop, anna, Requested(request="r-2"), now_ms=START_MS + 31 * DAY_MS)
    assert later is not None
    assert later.chosen is not None


def test_an_occasion_that_no_campaign_waits_for_leaves_no_trace(shop: Shop) -> None:
    """What is not needed for an offer is not written down."""
    shop.start(campaign())
    anna = shop.shopper(tag=None)
    assert ask(shop, anna, Requested(request="r")) is None
    assert shop.work.decisions.of_shopper(anna, limit=1) == ()
