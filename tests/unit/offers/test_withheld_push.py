"""A push that is withheld is known at the decision, with its reason; the offer is made."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from offers.decision.push_choice import PushOutlook, foreseen_refusal
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.messages.change_contact import (
    ContactChange,
    change_contact,
    subscribe_browser,
)
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.offering.push_offer import prepare_push
from offers.model.campaigns.trigger import WelcomeTrigger
from offers.model.ids import ShopperId
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.messages.contact import ContactWishes, DeliveryChannel, Frequency
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import Enrolled
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import PushRefusal
from offers.model.people.consent import Purpose
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign
from tests.unit.offers.test_push_offer import browser

DAY_MS = 86_400_000
NOON_MS = UnixMs(START_MS + 13 * 60 * MINUTE_MS)  # 12:13 in Berlin
NIGHT_MS = UnixMs(START_MS + 10 * MINUTE_MS)  # 23:23
NEVER_QUIET = PushRules(
    quiet_hours=QuietHours(begin="12:00", end="12:00", time_zone="Europe/Berlin")
)


def refusal_of(decision: Decision | None) -> PushRefusal | None:
    assert decision is not None
    assert decision.chosen is not None, "the offer is made, and waits in the app"
    return decision.chosen.push_refusal


def noted(shop: Shop, shopper: ShopperId) -> PushRefusal | None:
    """Return what the newest decision says, as it was stored."""
    (newest,) = shop.work.decisions.of_shopper(shopper, limit=1)
    return refusal_of(newest)


def wish(
    shop: Shop,
    shopper: ShopperId,
    *,
    wants_push: bool = True,
    frequency: Frequency = Frequency.NORMAL,
) -> None:
    change = ContactChange(
        wants_push=wants_push, wants_mail=True, frequency=frequency, mail_address=None
    )
    change_contact(shopper, change, work=shop.work, now_ms=UnixMs(START_MS))


def test_by_night_the_offer_is_made_and_its_push_withheld(shop: Shop) -> None:
    """Whoever stands in the shop at eleven sees it in the open app; nobody is woken."""
    shop.start(campaign())
    anna = shop.shopper()
    assert refusal_of(shop.stand(at_ms=NIGHT_MS)) is PushRefusal.QUIET_HOURS
    assert noted(shop, anna) is PushRefusal.QUIET_HOURS
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.ISSUED
    assert shop.deliver(card.offer.offer, now_ms=NIGHT_MS).offer.state is OfferState.DELIVERED


def test_by_day_nothing_stands_against_it(shop: Shop) -> None:
    """A rule that always refuses would pass all other tests here."""
    shop.start(campaign())
    anna = shop.shopper(now_ms=NOON_MS - MINUTE_MS)
    assert refusal_of(shop.stand(at_ms=NOON_MS)) is None
    assert noted(shop, anna) is None


def test_who_asked_for_fewer_messages_is_left_alone_for_a_week(shop: Shop) -> None:
    """The wish is seen when the offer is decided on, not only when it would be sent."""
    shop.start(campaign())
    anna = shop.shopper(now_ms=NOON_MS - MINUTE_MS)
    wish(shop, anna, frequency=Frequency.FEWER)
    shop.work.contacts.take_pace(
        anna, DeliveryChannel.PUSH, at_ms=UnixMs(NOON_MS - 2 * DAY_MS), rest_ms=0
    )
    assert refusal_of(shop.stand(at_ms=NOON_MS)) is PushRefusal.TOO_SOON


def test_a_channel_that_is_off_and_a_purpose_that_is_missing_are_named(shop: Shop) -> None:
    """Each by itself, so that "why was I not told?" has an answer."""
    shop.start(campaign())
    anna = shop.shopper(now_ms=NOON_MS - MINUTE_MS)
    wish(shop, anna, wants_push=False)
    assert refusal_of(shop.stand(at_ms=NOON_MS)) is PushRefusal.CHANNEL_OFF
    shop.shopper(Purpose.LOCATE, Purpose.PERSONALISE, tag="tag:2", now_ms=NOON_MS - MINUTE_MS)
    silent = shop.stand("tag:2", at_ms=NOON_MS + MINUTE_MS)
    assert refusal_of(silent) is PushRefusal.NOTIFY_NOT_GRANTED


def test_what_is_of_no_place_is_never_pushed(shop: Shop) -> None:
    """There is no context that a push would have to reach in time."""
    shop.start(replace(campaign(), trigger=WelcomeTrigger()))
    anna = shop.shopper(tag=None, now_ms=NOON_MS)
    decision = on_occasion(
        Enrolled(), shopper=anna, site=SITE, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )
    assert refusal_of(decision) is PushRefusal.NO_TRIP


def test_the_programme_names_the_quiet_hours_for_decision_and_delivery(shop: Shop) -> None:
    """One night for both: what the decision foresees, the sender keeps."""
    shop.start(campaign())
    settings = SiteSettings(quiet_from="12:00", quiet_until="14:00")
    programme = Programme(site=SITE, time_zone="Europe/Berlin", terms=(), settings=settings)
    start_programme(programme, work=shop.work, now_ms=START_MS)
    anna = shop.shopper(now_ms=NOON_MS - MINUTE_MS)
    assert refusal_of(shop.stand(at_ms=NOON_MS)) is PushRefusal.QUIET_HOURS
    card = shop.offer_of(anna)
    assert card is not None
    given = {"work": shop.work, "now_ms": NOON_MS, "secrets": shop.secrets}
    subscribe_browser(anna, browser(), **given)
    sent = prepare_push(card.offer.offer, rules=NEVER_QUIET, **given)
    assert sent is PushRefusal.QUIET_HOURS


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"may_notify": False, "is_quiet": True}, PushRefusal.NOTIFY_NOT_GRANTED),
        ({"is_quiet": True, "is_place": False}, PushRefusal.QUIET_HOURS),
        ({"is_place": False}, PushRefusal.NO_TRIP),
        ({"wishes": ContactWishes(wants_push=False), "is_quiet": True}, PushRefusal.CHANNEL_OFF),
        ({"last_pushed_at_ms": NOON_MS - 29 * MINUTE_MS}, PushRefusal.TOO_SOON),
        ({"last_pushed_at_ms": NOON_MS - 30 * MINUTE_MS}, None),
    ],
)
def test_the_weightiest_reason_is_told(change: dict, refusal: PushRefusal | None) -> None:
    """The one that would have to change first."""
    outlook = PushOutlook(now_ms=NOON_MS, may_notify=True, is_place=True, is_quiet=False)
    assert foreseen_refusal(replace(outlook, **change)) is refusal


def test_the_clock_of_the_test_is_what_it_says() -> None:
    """Noon and night are those of Berlin."""
    quiet = QuietHours(begin="21:00", end="08:00", time_zone=str(ZoneInfo("Europe/Berlin")))
    assert quiet.covers(NIGHT_MS)
    assert not quiet.covers(NOON_MS)
