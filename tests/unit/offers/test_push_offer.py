"""Trips, and the one push of each: when a closed app is woken, and when it is left alone."""

from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from offers.delivery.push_encryption import public_point
from offers.handlers.messages.change_contact import (
    Browser,
    ContactChange,
    change_contact,
    subscribe_browser,
    unsubscribe_browser,
)
from offers.handlers.messages.forget_contacts import forget_contacts
from offers.handlers.offering.push_offer import Push, note_push, prepare_push
from offers.handlers.visits.note_trip import note_trip
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import InvalidContact, InvalidTarget, NotFound
from offers.model.ids import OfferId, ShopperId
from offers.model.messages.contact import ContactWishes, DeliveryChannel, DeliveryOutcome, Frequency
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import DeliveryRefusal, PushRefusal
from offers.model.people.consent import Purpose
from offers.model.visits.trip import TRIP_GAP_MS
from rtls.model.units import UnixMs
from tests.unit.delivery.test_push_encryption import BROWSER_KEY, BROWSER_SECRET
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    Shop,
    campaign,
    scratch_work,
)

# START_MS is 23:13:20 in Berlin, so the quiet hours of these tests lie elsewhere.
RULES = PushRules(quiet_hours=QuietHours(begin="03:00", end="08:00", time_zone="Europe/Berlin"))
STANDS_MS = START_MS + 10 * MINUTE_MS


def browser(number: int = 0) -> Browser:
    return Browser(
        endpoint=f"https://push.example.net/send/{number}",
        browser_key=public_point(BROWSER_KEY.public_key()),
        browser_secret=BROWSER_SECRET,
    )


class PushShop(Shop):
    """A shop whose shoppers have browsers."""

    def subscribe(self, shopper: ShopperId, number: int = 0, *, now_ms: int = START_MS):
        return subscribe_browser(
            shopper,
            browser(number),
            work=self.work,
            now_ms=UnixMs(now_ms),
            secrets=self.secrets,
        )

    def push(self, offer: OfferId, *, now_ms: int = STANDS_MS, rules: PushRules = RULES):
        return prepare_push(
            offer, work=self.work, now_ms=UnixMs(now_ms), secrets=self.secrets, rules=rules
        )

    def end_push(self, offer: OfferId, outcome: DeliveryOutcome, *, now_ms: int = STANDS_MS):
        note_push(offer, outcome, work=self.work, now_ms=UnixMs(now_ms))

    def wish(self, shopper: ShopperId, **wishes: object) -> None:
        change = ContactChange(
            **{
                "wants_push": True,
                "wants_mail": True,
                "frequency": Frequency.NORMAL,
                "mail_address": None,
            }
            | wishes
        )
        change_contact(shopper, change, work=self.work, now_ms=START_MS)

    def offer_at(self, shopper: ShopperId, tag: str = "tag:1", *, at_ms: int = STANDS_MS):
        decision = self.stand(tag, at_ms=at_ms)
        assert decision is not None
        assert decision.chosen is not None, decision.passed_over
        card = self.offer_of(shopper)
        assert card is not None
        return card.offer


@pytest.fixture(params=["memory", "postgres_engine"], ids=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Iterator[PushShop]:
    with scratch_work(request.getfixturevalue(request.param)) as work:
        made = PushShop(work)
        made.start(campaign())
        yield made


def test_an_offer_is_pushed_for_as_long_as_its_context_lasts(shop: PushShop) -> None:
    """A push that arrives when the shopper has left the shelf is noise."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    push = shop.push(offer.offer)
    assert isinstance(push, Push)
    assert push.ttl_s == 120
    late_ms = offer.expires_at_ms - 30_000
    again = shop.push(offer.offer, now_ms=late_ms)
    assert isinstance(again, Push)
    assert again.ttl_s == 30
    assert shop.push(offer.offer, now_ms=offer.expires_at_ms - 1_000) is PushRefusal.TOO_LATE


def test_what_a_push_service_took_is_delivered_and_its_coupon_stays(shop: PushShop) -> None:
    """It cannot be called back: the shopper who reads it at the till is not to be told "gone"."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    shop.push(offer.offer)
    shop.end_push(offer.offer, DeliveryOutcome.ACCEPTED)
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.DELIVERED
    (record,) = shop.work.contacts.deliveries_of(anna, limit=9)
    assert (record.channel, record.outcome) == (DeliveryChannel.PUSH, DeliveryOutcome.ACCEPTED)
    assert shop.push(offer.offer) is DeliveryRefusal.NOT_ISSUED


def test_the_second_offer_of_a_trip_waits_silently_in_the_app(shop: PushShop) -> None:
    """C2: more than one message a place drives people out of the app."""
    shop.start(campaign("screws", priority=0))
    anna = shop.shopper()
    shop.subscribe(anna)
    first = shop.offer_at(anna)
    assert isinstance(shop.push(first.offer), Push)
    shop.end_push(first.offer, DeliveryOutcome.ACCEPTED)
    later_ms = STANDS_MS + 25 * MINUTE_MS
    second = shop.offer_at(anna, at_ms=later_ms)
    assert second.offer != first.offer
    assert shop.push(second.offer, now_ms=later_ms) is PushRefusal.TRIP_CAP
    assert shop.work.offers.find(second.offer).state is OfferState.ISSUED


def test_a_new_trip_has_a_push_of_its_own(shop: PushShop) -> None:
    """Half an hour without any visit: the shopper has gone home and come again."""
    shop.start(campaign("screws"))
    anna = shop.shopper()
    shop.subscribe(anna)
    first = shop.offer_at(anna)
    shop.push(first.offer)
    shop.end_push(first.offer, DeliveryOutcome.ACCEPTED)
    next_ms = STANDS_MS + 2 * 60 * MINUTE_MS
    second = shop.offer_at(anna, at_ms=next_ms)
    assert isinstance(shop.push(second.offer, now_ms=next_ms), Push)


def test_a_push_that_nobody_took_gives_its_slot_back(shop: PushShop) -> None:
    """The shopper saw nothing; the next offer of the trip may be the one."""
    shop.start(campaign("screws"), campaign("nails"))
    anna = shop.shopper()
    shop.subscribe(anna)
    first = shop.offer_at(anna)
    shop.push(first.offer)
    shop.end_push(first.offer, DeliveryOutcome.FAILED)
    later_ms = STANDS_MS + 31 * MINUTE_MS
    shop.stand("tag:1", at_ms=STANDS_MS + 20 * MINUTE_MS)  # keeps the trip going
    second = shop.offer_at(anna, at_ms=later_ms)
    assert isinstance(shop.push(second.offer, now_ms=later_ms), Push)


def test_fewer_means_one_push_a_week(shop: PushShop) -> None:
    """C50: who asks for fewer messages gets fewer, not a farewell form."""
    shop.start(campaign("screws"), campaign("nails"))
    anna = shop.shopper()
    shop.subscribe(anna)
    shop.wish(anna, frequency=Frequency.FEWER)
    first = shop.offer_at(anna)
    assert isinstance(shop.push(first.offer), Push)
    shop.end_push(first.offer, DeliveryOutcome.ACCEPTED)
    answers = []
    for days in (6, 8):
        at_ms = STANDS_MS + days * DAY_MS
        shop.pair(anna, "tag:1", now_ms=at_ms - 6 * MINUTE_MS)
        offer = shop.offer_at(anna, at_ms=at_ms)
        answers.append(shop.push(offer.offer, now_ms=at_ms))
    assert answers[0] is PushRefusal.TOO_SOON
    assert isinstance(answers[1], Push)


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [
        (Purpose.NOTIFY, PushRefusal.NOTIFY_NOT_GRANTED),
        (Purpose.LOCATE, DeliveryRefusal.NOT_ISSUED),
        (Purpose.PERSONALISE, DeliveryRefusal.NOT_ISSUED),
    ],
)
def test_a_withdrawal_after_the_decision_stops_the_push(
    shop: PushShop, purpose: Purpose, expected: object
) -> None:
    """I11: checked when written, and again when sent."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    shop.say(anna, purpose, is_granted=False)
    assert shop.push(offer.offer) is expected


def test_without_a_browser_or_with_pushes_off_nobody_is_woken(shop: PushShop) -> None:
    """Both are the shopper's word, and both leave the offer in the app."""
    anna = shop.shopper()
    offer = shop.offer_at(anna)
    assert shop.push(offer.offer) is PushRefusal.NO_ADDRESS
    shop.subscribe(anna)
    shop.wish(anna, wants_push=False)
    assert shop.push(offer.offer) is PushRefusal.CHANNEL_OFF
    shop.subscribe(anna)  # as apps do at every start
    assert shop.push(offer.offer) is PushRefusal.CHANNEL_OFF


def test_at_night_nobody_is_woken(shop: PushShop) -> None:
    """In the site's own time."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    night = QuietHours(begin="21:00", end="08:00", time_zone="Europe/Berlin")
    assert shop.push(offer.offer, rules=PushRules(quiet_hours=night)) is PushRefusal.QUIET_HOURS


def test_an_offer_of_a_shelf_that_was_left_is_not_pushed(shop: PushShop) -> None:
    """I11 where the event of the leaving has not revoked it."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    shop.work.visits.close(offer.visit, at_ms=UnixMs(STANDS_MS))
    assert shop.push(offer.offer) is DeliveryRefusal.VISIT_ENDED


def test_an_erased_offer_is_no_error(shop: PushShop) -> None:
    """Erasure may come between the queue and the sender."""
    assert shop.push(OfferId("f" * 32)) is DeliveryRefusal.NOT_ISSUED
    shop.end_push(OfferId("f" * 32), DeliveryOutcome.FAILED)


def test_a_trip_lasts_until_half_an_hour_without_a_visit(shop: PushShop) -> None:
    """Late news belongs to the trip that is, and begins none."""
    anna = shop.shopper()

    def seen(at_ms: int) -> int:
        return note_trip(
            anna, SITE, at_ms=UnixMs(at_ms), work=shop.work, secrets=shop.secrets
        ).number

    assert seen(START_MS) == 1
    assert seen(START_MS + TRIP_GAP_MS) == 1
    assert seen(START_MS + 5) == 1
    assert seen(START_MS + 2 * TRIP_GAP_MS) == 1
    assert seen(START_MS + 3 * TRIP_GAP_MS + 1) == 2


def test_the_slot_of_a_trip_is_a_key_and_not_a_count(shop: PushShop) -> None:
    """Two offers that both saw a free slot: the table lets one of them in."""
    shop.start(campaign("screws"))
    anna = shop.shopper()
    first = shop.offer_at(anna)
    second = shop.offer_at(anna, at_ms=STANDS_MS + 20 * MINUTE_MS)
    trip = shop.work.trips.newest(anna, SITE)
    assert trip is not None

    def take(offer: OfferId) -> bool:
        return shop.work.trips.take_push_slot(trip.trip, offer, slots=1, at_ms=START_MS)

    assert (take(first.offer), take(second.offer), take(first.offer)) == (True, False, True)


def test_a_sixth_browser_takes_the_place_of_the_oldest(shop: PushShop) -> None:
    """A bound on what one shopper can make us call."""
    anna = shop.shopper()
    kept = [shop.subscribe(anna, n, now_ms=START_MS + n) for n in range(6)]
    found = shop.work.push_subscriptions.of_shopper(anna)
    assert [one.endpoint for one in found] == [one.endpoint for one in reversed(kept[1:])]


def test_a_browser_that_changes_hands_leaves_its_former_owner(shop: PushShop) -> None:
    """Else Ben's tablet goes on showing what Anna is offered."""
    anna, ben = shop.shopper(), shop.shopper(tag="tag:2")
    shop.subscribe(anna)
    kept = shop.subscribe(ben)
    assert shop.work.push_subscriptions.of_shopper(anna) == ()
    assert shop.work.push_subscriptions.of_shopper(ben) == (kept,)
    with pytest.raises(NotFound):
        unsubscribe_browser(anna, kept.subscription, work=shop.work)
    unsubscribe_browser(ben, kept.subscription, work=shop.work)
    assert shop.work.push_subscriptions.of_shopper(ben) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://127.0.0.1/"},
        {"endpoint": "http://push.example.net/"},
        {"browser_key": b"\x04" + bytes(63)},
        {"browser_key": b"\x02" + bytes(64)},
        {"browser_secret": bytes(15)},
    ],
)
def test_a_browser_that_is_none_is_refused(shop: PushShop, change: dict[str, object]) -> None:
    """Anybody with the app's token may say anything here."""
    anna = shop.shopper()
    with pytest.raises(InvalidTarget, match="expected"):
        subscribe_browser(
            anna,
            replace(browser(), **change),
            work=shop.work,
            now_ms=START_MS,
            secrets=shop.secrets,
        )


def test_old_trips_and_records_are_forgotten_and_new_ones_kept(shop: PushShop) -> None:
    """Retention: where somebody was shopping is not to be known for ever."""
    anna = shop.shopper()
    shop.subscribe(anna)
    offer = shop.offer_at(anna)
    shop.push(offer.offer)
    shop.end_push(offer.offer, DeliveryOutcome.ACCEPTED)

    def forget(days: int) -> int:
        return forget_contacts(work=shop.work, now_ms=UnixMs(STANDS_MS + days * DAY_MS), limit=9)

    assert forget(30) == 0
    assert forget(31) == 1
    assert shop.work.trips.newest(anna, SITE) is None
    assert forget(397) == 1
    assert shop.work.contacts.deliveries_of(anna, limit=9) == ()


@given(st.integers(0, 4 * 366 * 24 * 60), st.integers(0, 1_439), st.integers(0, 1_439))
def test_quiet_hours_and_their_complement_cover_each_instant_once(
    minute: int, begin: int, end: int
) -> None:
    """Also in both nights on which the clock is changed, and where the night spans midnight."""
    at_ms = UnixMs(1_735_689_600_000 + minute * MINUTE_MS)
    one, other = (f"{m // 60:02d}:{m % 60:02d}" for m in (begin, end))
    is_quiet = QuietHours(begin=one, end=other, time_zone="Europe/Berlin").covers(at_ms)
    is_rest = QuietHours(begin=other, end=one, time_zone="Europe/Berlin").covers(at_ms)
    assert (is_quiet != is_rest) or one == other
    assert not (one == other and is_quiet)


@pytest.mark.parametrize(
    ("local", "zone", "is_quiet"),
    [
        ((2026, 3, 29, 7, 59), "Europe/Berlin", True),  # the clock went forward at two
        ((2026, 3, 29, 8, 0), "Europe/Berlin", False),
        ((2026, 10, 25, 7, 59), "Europe/Berlin", True),  # it went back at three
        ((2026, 10, 25, 8, 0), "Europe/Berlin", False),
        ((2026, 10, 25, 20, 59), "Asia/Tokyo", False),
        ((2026, 10, 25, 21, 0), "Asia/Tokyo", True),
    ],
)
def test_the_clock_on_the_wall_decides(local, zone: str, is_quiet: bool) -> None:  # noqa: FBT001
    """Nobody sleeps an hour less by UTC."""
    from datetime import datetime

    at = datetime(*local, tzinfo=ZoneInfo(zone))
    night = QuietHours(begin="21:00", end="08:00", time_zone=zone)
    assert night.covers(UnixMs(int(at.timestamp() * 1_000))) is is_quiet


@pytest.mark.parametrize(
    "wrong", [{"begin": "24:00"}, {"end": "8:00"}, {"begin": "21:00\n"}, {"time_zone": "Mars/X"}]
)
def test_hours_that_no_clock_shows_are_refused(wrong: dict[str, str]) -> None:
    """A typing error in the settings would otherwise wake everybody."""
    with pytest.raises(InvalidContact, match="expected"):
        QuietHours(**{"begin": "21:00", "end": "08:00", "time_zone": "Europe/Berlin"} | wrong)


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "a b@c.de", "a@b.de\nBcc: x@y.de", "A <a@b.de>", "a@-b.de"]
)
def test_an_address_that_could_write_headers_is_refused(address: str) -> None:
    """Header injection makes a spammer of us."""
    with pytest.raises(InvalidContact):
        ContactWishes(mail_address=address)
