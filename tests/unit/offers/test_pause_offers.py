"""pause_offers: a quiet day at the shelves."""

from dataclasses import replace

from offers.decision.why import Reason, told_of
from offers.handlers.messages.change_contact import ContactChange, change_contact
from offers.handlers.messages.pause_offers import end_of_day, pause_offers
from offers.model.messages.contact import Frequency
from offers.model.offering.refusal import Refusal
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign

ZONE = "Europe/Berlin"
STANDS_MS = UnixMs(START_MS + 10 * MINUTE_MS)


def test_who_pauses_gets_no_offer_at_the_shelf_and_is_told_why(shop: Shop) -> None:
    """One tap must be enough for a shopper who wants to look at dowels in peace."""
    shop.start(campaign())
    anna = shop.shopper()
    pause_offers(anna, is_paused=True, time_zone=ZONE, work=shop.work, now_ms=START_MS)
    decision = shop.stand(at_ms=STANDS_MS)
    assert decision is not None
    assert decision.chosen is None
    assert [entry.refusal for entry in decision.passed_over] == [Refusal.PAUSED]
    assert [one.reason for one in told_of(decision)] == [Reason.PAUSED]
    assert decision.ground is not None
    assert decision.ground.is_paused
    (kept,) = shop.work.decisions.of_shopper(anna, limit=1)
    assert kept.ground == decision.ground, "it can be taken again from the log"


def test_the_pause_ends_with_the_day_or_when_the_shopper_says_so(shop: Shop) -> None:
    """Tomorrow is another day, without anybody having to remember it."""
    shop.start(campaign())
    anna = shop.shopper()
    until = pause_offers(anna, is_paused=True, time_zone=ZONE, work=shop.work, now_ms=START_MS)
    assert until == end_of_day(START_MS, time_zone=ZONE)
    wishes = shop.work.contacts.wishes_of(anna)
    assert wishes.is_paused(now_ms=UnixMs(until - 1))
    assert not wishes.is_paused(now_ms=until)
    pause_offers(anna, is_paused=False, time_zone=ZONE, work=shop.work, now_ms=START_MS)
    decision = shop.stand(at_ms=STANDS_MS)
    assert decision is not None
    assert decision.chosen is not None


def test_saying_how_to_be_addressed_does_not_end_the_pause(shop: Shop) -> None:
    """The two are said on different screens."""
    anna = shop.shopper()
    until = pause_offers(anna, is_paused=True, time_zone=ZONE, work=shop.work, now_ms=START_MS)
    change = ContactChange(
        wants_push=False, wants_mail=True, frequency=Frequency.FEWER, mail_address=None
    )
    changed = change_contact(anna, change, work=shop.work, now_ms=START_MS)
    assert changed.paused_until_ms == until
    assert shop.work.contacts.wishes_of(anna) == replace(changed, paused_until_ms=until)


def test_a_day_ends_at_midnight_also_when_clocks_change() -> None:
    """25 hours in October, 23 in March."""
    october, march = UnixMs(1_698_530_400_000), UnixMs(1_711_839_600_000)  # 00:00 in Berlin
    assert end_of_day(october, time_zone=ZONE) - october == 25 * 3_600_000
    assert end_of_day(march, time_zone=ZONE) - march == 23 * 3_600_000
