"""shelf_events and zone_outcomes: what became of offers and purchases, by zone and hour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from offers.handlers.till.hold_basket import Held
from offers.handlers.till.settle_basket import Settled
from offers.insight.zone_outcomes import zone_outcomes
from offers.model.ids import PurchaseId
from offers.model.offering.shelf_event import ShelfOffer, ShelfSale
from offers.model.people.consent import Purpose
from rtls.model.footfall import WHOLE_DAY, Block, ReportWindow
from rtls.model.units import SiteId, UnixMs, ZoneId
from tests.unit.offers.shop import MINUTE_MS, SHELF, SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import Till

LATER_MS = START_MS + 60 * MINUTE_MS
WINDOW = ReportWindow(
    site=SITE,
    time_zone="UTC",
    start_ms=UnixMs(1_699_999_200_000),  # 22:00; START_MS is 22:13:20
    end_ms=UnixMs(1_700_010_000_000),
)


def offers_made(shop: Shop, *, site: str = SITE, until_ms: int = LATER_MS) -> list[ShelfOffer]:
    events = shop.work.shelf_events
    return list(events.offers_made(SiteId(site), from_ms=START_MS, until_ms=UnixMs(until_ms)))


def sold(shop: Shop, *, site: str = SITE) -> list[ShelfSale]:
    events = shop.work.shelf_events
    return list(events.sold(SiteId(site), from_ms=START_MS, until_ms=UnixMs(LATER_MS)))


@dataclass(frozen=True)
class Paid:
    """A till at which a shopper has used, with his card, the coupon he was offered at the shelf."""

    till: Till
    shop: Shop
    purchase: PurchaseId


@pytest.fixture
def paid(shop: Shop) -> Paid:
    shop.start(campaign("two-euro"))
    till = Till(shop)
    code = shop.code_in_hand()
    (offer,) = offers_made(shop)
    held = till.ask(replace(asked(code), card=till.scan(offer.shopper)))
    assert isinstance(held, Held), held
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled), settled
    return Paid(till, shop, settled.purchase.purchase)


def test_an_offer_is_followed_to_the_till(paid: Paid) -> None:
    """Made, opened (for the code was looked at), redeemed; and what it was redeemed on, sold."""
    (offer,) = offers_made(paid.shop)
    assert (offer.zone, offer.is_opened, offer.is_redeemed) == (SHELF, True, True)
    (sale,) = sold(paid.shop)
    assert (sale.category, sale.shopper) == ("dowels", offer.shopper)


def test_what_is_brought_back_was_not_sold_and_not_redeemed(paid: Paid) -> None:
    """A shelf that sells what all bring back is no good shelf."""
    paid.till.take_back(paid.purchase, {0: 1})
    assert sold(paid.shop) == []
    assert [offer.is_redeemed for offer in offers_made(paid.shop)] == [False]


def test_another_site_and_another_time_are_not_told(paid: Paid) -> None:
    """A merchandiser reads of his own shop, and of the window that he asked for."""
    assert offers_made(paid.shop, site="elsewhere") == []
    assert sold(paid.shop, site="elsewhere") == []
    made_ms = offers_made(paid.shop)[0].at_ms
    assert offers_made(paid.shop, until_ms=made_ms) == []


def test_who_had_not_agreed_at_that_moment_is_in_no_report(shop: Shop) -> None:
    """Offers need `locate` and `personalise`; to be counted is another question."""
    shop.start(campaign("two-euro"))
    anna = shop.shopper(Purpose.LOCATE, Purpose.PERSONALISE, Purpose.NOTIFY, tag="tag:1")
    shop.shopper(tag="tag:2")
    for tag in ("tag:1", "tag:2"):
        shop.stand(tag)
    assert len(offers_made(shop)) == 1
    shop.say(anna, Purpose.ANALYTICS, is_granted=True, now_ms=LATER_MS - MINUTE_MS)
    assert len(offers_made(shop)) == 1, "agreed afterwards"


def made(shopper: str, minute: int, *, zone: str = "a", **came_to: bool) -> ShelfOffer:
    flags = {"is_opened": False, "is_redeemed": False} | came_to
    at_ms = UnixMs(WINDOW.start_ms + minute * MINUTE_MS)
    return ShelfOffer(shopper=shopper, zone=ZoneId(zone), at_ms=at_ms, **flags)


def bought(shopper: str, minute: int, *, sku: str = "1") -> ShelfSale:
    at_ms = UnixMs(WINDOW.start_ms + minute * MINUTE_MS)
    return ShelfSale(shopper=shopper, sku=sku, category="", at_ms=at_ms)


def counts(
    offers: Sequence[ShelfOffer], sales: Sequence[ShelfSale], block: Block
) -> list[tuple[int, str, int, int, int, int]]:
    stands_at = {"1": ("a",), "2": ("a", "b"), "3": ()}
    found = zone_outcomes(
        offers, sales, zones_of=lambda sale: stands_at[sale.sku], window=WINDOW, block=block
    )
    columns = (found.hour, found.zone, found.offered, found.seen, found.redeemed, found.bought)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(hour, found.zone_names[zone], *rest) for hour, zone, *rest in rows]


def test_a_shopper_counts_once_in_each_zone_and_block() -> None:
    """Two offers in one hour are one shopper; in two hours he is one of each, and one of the day.

    The window begins at 22:00.
    """
    offers = [
        made("anna", 1, is_opened=True),
        made("anna", 2, is_opened=True, is_redeemed=True),
        made("anna", 70),
        made("ben", 3, zone="b"),
    ]
    by_hour = counts(offers, [], Block.HOUR)
    assert by_hour == [(22, "a", 1, 1, 1, 0), (22, "b", 1, 0, 0, 0), (23, "a", 1, 0, 0, 0)]
    assert counts(offers, [], Block.DAY) == [
        (WHOLE_DAY, "a", 1, 1, 1, 0),
        (WHOLE_DAY, "b", 1, 0, 0, 0),
    ]


def test_what_stands_at_two_shelves_was_bought_of_both_and_what_stands_nowhere_of_none() -> None:
    sales = [bought("anna", 1, sku="2"), bought("ben", 1), bought("ben", 2, sku="3")]
    assert counts([], sales, Block.DAY) == [
        (WHOLE_DAY, "a", 0, 0, 0, 2),
        (WHOLE_DAY, "b", 0, 0, 0, 1),
    ]


def test_a_day_of_nothing_has_no_rows() -> None:
    assert counts([], [], Block.HOUR) == []
