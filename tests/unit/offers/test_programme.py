"""A site's programme: read from JSON, kept in revisions, and what purchases and activities earn."""

import json
from dataclasses import replace

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.earn_for_offer import earn_for_offer
from offers.handlers.loyalty.earn_points import (
    PaidPurchase,
    PurchaseOutcome,
    earn_for_activity,
    earn_for_purchase,
)
from offers.handlers.loyalty.review_tiers import count_spending, standing_of
from offers.handlers.loyalty.start_programme import start_filed_programme, start_programme
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import Cashback, Gift, MoneyOff, Points, PointsMultiplier
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import InvalidProgramme
from offers.model.ids import ShopperId
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, Multiplier
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.loyalty.tier import CountedSpending
from offers.model.money import Money
from offers.model.till.basket import Basket, BasketLine
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign

DAY_MS = 86_400_000
DOCUMENT = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [
        {"unit": "points", "pending_days": 0, "lasts_days": 730, "worth_minor_per_100": 50},
        {"unit": "EUR", "pending_days": 14, "lasts_days": 365},
    ],
    "earning": [
        {
            "rule": "each-euro",
            "unit": "points",
            "earns": {
                "kind": "per_amount",
                "amount_minor": 1,
                "per_minor": 100,
                "currency": "EUR",
            },
        },
        {
            "rule": "dowel-week",
            "unit": "points",
            "earns": {
                "kind": "multiplier",
                "percent": 200,
                "applies_to": {"categories": ["dowels"]},
            },
            "from": "2023-11-01T00:00:00+01:00",
            "until": "2023-12-01T00:00:00+01:00",
        },
        {
            "rule": "big-basket",
            "unit": "points",
            "earns": {
                "kind": "threshold",
                "amount_minor": 50,
                "threshold_minor": 10_000,
                "currency": "EUR",
            },
        },
        {
            "rule": "drill-bits",
            "unit": "points",
            "earns": {"kind": "per_item", "amount_minor": 5, "applies_to": {"skus": ["4711"]}},
        },
        {
            "rule": "cashback",
            "unit": "EUR",
            "earns": {
                "kind": "per_amount",
                "amount_minor": 2,
                "per_minor": 100,
                "currency": "EUR",
            },
        },
        {
            "rule": "welcome",
            "unit": "points",
            "earns": {
                "kind": "activity",
                "amount_minor": 100,
                "activity": "welcome",
                "how_often": "once",
            },
        },
        {
            "rule": "come-by",
            "unit": "points",
            "earns": {
                "kind": "activity",
                "amount_minor": 5,
                "activity": "visit",
                "how_often": "daily",
            },
        },
        {
            "rule": "survey",
            "unit": "points",
            "earns": {
                "kind": "activity",
                "amount_minor": 20,
                "activity": "survey",
                "how_often": "each",
            },
        },
    ],
    "tiers": {
        "currency": "EUR",
        "window": "rolling",
        "window_days": 365,
        "grace_days": 30,
        "steps": [
            {"tier": "silver", "name": "Silver", "threshold_minor": 20_000},
            {
                "tier": "gold",
                "name": "Gold",
                "threshold_minor": 50_000,
                "perks": ["free_delivery", "early_access"],
            },
        ],
    },
    "rewards": [
        {
            "reward": "mug",
            "campaign": "mug-reward",
            "unit": "points",
            "cost_minor": 500,
            "tiers": ["gold"],
        },
    ],
}
MUG = replace(campaign("mug-reward", benefit=Gift(item="Mug")), trigger=ManualTrigger())


def parsed(**changes: object) -> Programme:
    return parse_programme(json.dumps(DOCUMENT | changes), source="programme.json")


@pytest.fixture
def member(shop: Shop) -> ShopperId:
    shop.start(MUG)
    start_programme(parsed(), work=shop.work, now_ms=START_MS)
    return shop.shopper()


def buy(
    shop: Shop, shopper: ShopperId, price: int, *, purchase: str = "p1", at_ms: int = START_MS
) -> PurchaseOutcome:
    line = BasketLine(sku="1", category="paint", quantity=1, unit_price_minor=price)
    paid = PaidPurchase(
        purchase=purchase,
        site=SITE,
        basket=Basket(currency="EUR", lines=(line,)),
        discounts_minor=(0,),
    )
    return earn_for_purchase(
        shopper, paid, work=shop.work, now_ms=UnixMs(at_ms), secrets=shop.secrets
    )


def do(shop: Shop, shopper: ShopperId, activity: PostingReason, subject: str, *, at_ms: int) -> int:
    earned = earn_for_activity(
        shopper,
        activity,
        subject=subject,
        site=SITE,
        work=shop.work,
        now_ms=UnixMs(at_ms),
        secrets=shop.secrets,
    )
    return sum(one.amount_minor for one in earned)


def test_a_programme_is_written_as_it_was_read() -> None:
    """The stored document is the promise; reading it back must not change a word of it."""
    assert parse_programme(render_programme(parsed()), source="again") == parsed()
    bare = Programme(
        site=SITE, time_zone="Europe/Berlin", terms=(EarningTerms(unit=POINTS, lasts_days=30),)
    )
    assert parse_programme(render_programme(bare), source="again") == bare


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version is 2; expected 1"),
        ({"sitee": "demo"}, r"unknown members \['sitee'\]"),
        ({"time_zone": "Mars/Olympus"}, "time_zone is 'Mars/Olympus'"),
        ({"units": [{"unit": "points"}]}, "rule 'cashback' earns 'EUR'"),
        ({"units": DOCUMENT["units"] * 2}, "expected each to be named once"),
        ({"earning": "none"}, "earning is str; expected a list"),
        ({"earning": [1]}, r"earning\[0\] is int; expected an object"),
        ({"earning": DOCUMENT["earning"] * 2}, "is named twice"),
        ({"earning": [{"rule": "a", "unit": "points", "earns": {"kind": "luck"}}]}, "earns.kind"),
        (
            {
                "earning": [
                    {"rule": "a", "unit": "points", "earns": {"kind": "multiplier", "percent": 2.0}}
                ]
            },
            "percent is 2.0; expected a whole number",
        ),
        (
            {
                "earning": [
                    {
                        "rule": "a",
                        "unit": "points",
                        "earns": {"kind": "multiplier", "percent": 200},
                        "until": "2026-01-01",
                    }
                ]
            },
            "without a time zone",
        ),
        ({"tiers": DOCUMENT["tiers"] | {"window": "week"}}, "window is 'week'; expected of"),
    ],
)
def test_a_programme_that_cannot_work_is_refused_by_name(changes, message: str) -> None:
    """File, place, value, what was expected."""
    with pytest.raises(InvalidProgramme, match=message) as refused:
        parsed(**changes)
    assert str(refused.value).startswith("programme.json: ")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_programme_is_refused(content: bytes) -> None:
    """Whatever the file holds, the answer names it."""
    with pytest.raises(InvalidProgramme, match=r"^x\.json: "):
        parse_programme(content, source="x.json")


def test_a_purchase_earns_points_at_once_and_cashback_that_waits(
    shop: Shop, member: ShopperId
) -> None:
    """12.50 euro: 12 points now, 25 cents in two weeks, after the time to return goods."""
    outcome = buy(shop, member, 1_250)
    assert [(part.unit, part.lines_minor) for part in outcome.earned] == [
        ("points", (12,)),
        ("EUR", (25,)),
    ]
    euro, points = shop.work.ledger.wallets_of(member)
    assert points.available_minor(START_MS) == 12
    assert (euro.available_minor(START_MS), euro.pending_minor(START_MS)) == (0, 25)


def test_a_purchase_told_twice_counts_once(shop: Shop, member: ShopperId) -> None:
    """Neither points nor tier may grow by a repeated message."""
    first = buy(shop, member, 15_000)
    assert buy(shop, member, 15_000).earned == first.earned
    assert shop.work.tiers.tier_of(member, SITE) is None


def test_without_a_programme_a_purchase_earns_nothing(shop: Shop) -> None:
    """A shop may use offers alone."""
    shopper = shop.shopper()
    assert buy(shop, shopper, 1_000) == PurchaseOutcome(earned=(), tier_change=None)
    assert do(shop, shopper, PostingReason.WELCOME, "", at_ms=START_MS) == 0


def test_an_activity_earns_as_often_as_its_rule_says(shop: Shop, member: ShopperId) -> None:
    """C7: once for ever, once a day of the site, once for each survey."""
    tomorrow = START_MS + DAY_MS
    for activity, subject, at_ms, expected in (
        (PostingReason.WELCOME, "a", START_MS, 100),
        (PostingReason.WELCOME, "b", tomorrow, 0),
        (PostingReason.VISIT, "trip-1", START_MS, 5),
        (PostingReason.VISIT, "trip-2", START_MS, 0),
        (PostingReason.VISIT, "trip-3", tomorrow, 5),
        (PostingReason.SURVEY, "s1", START_MS, 20),
        (PostingReason.SURVEY, "s1", tomorrow, 0),
        (PostingReason.SURVEY, "s2", tomorrow, 20),
        (PostingReason.SCAN, "tag", tomorrow, 0),
    ):
        assert do(shop, member, activity, subject, at_ms=at_ms) == expected, (activity, subject)


def test_two_shoppers_earn_for_the_same_survey(shop: Shop, member: ShopperId) -> None:
    """What one has earned must not be the other's loss."""
    other = shop.shopper(tag=None)
    assert do(shop, member, PostingReason.SURVEY, "s1", at_ms=START_MS) == 20
    assert do(shop, other, PostingReason.SURVEY, "s1", at_ms=START_MS) == 20


def test_a_new_revision_counts_from_now_on(shop: Shop, member: ShopperId) -> None:
    """What was earned stays, also where the activity pays another amount now."""
    do(shop, member, PostingReason.WELCOME, "", at_ms=START_MS)
    rules = json.loads(json.dumps(DOCUMENT["earning"]))
    rules[5]["earns"]["amount_minor"] = 150
    assert start_programme(parsed(earning=rules), work=shop.work, now_ms=START_MS) == 2
    assert do(shop, member, PostingReason.WELCOME, "", at_ms=START_MS) == 0
    other = shop.shopper(tag=None)
    assert do(shop, other, PostingReason.WELCOME, "", at_ms=START_MS) == 150


def test_the_same_programme_again_is_no_new_revision(shop: Shop, member: ShopperId) -> None:
    """A service that restarts reads its file again."""
    assert member
    assert start_programme(parsed(), work=shop.work, now_ms=START_MS) is None


def test_a_file_puts_its_programme_into_force_once(shop: Shop, member: ShopperId) -> None:
    """What an admin has put into force since outlives a restart; a file that changed is new."""
    assert member  # the file's programme is revision 1
    by_admin = replace(parsed(), rewards=())
    assert start_programme(by_admin, work=shop.work, now_ms=START_MS) == 2
    assert start_filed_programme(parsed(), work=shop.work, now_ms=START_MS) is None
    assert shop.work.programmes.current(SITE) == by_admin
    edited = replace(parsed(), tiers=None, rewards=())
    assert start_filed_programme(edited, work=shop.work, now_ms=START_MS) == 3
    assert shop.work.programmes.current(SITE) == edited


def test_the_purchase_that_reaches_a_tier_says_so(shop: Shop, member: ShopperId) -> None:
    """C45: whoever tells the shopper gets it in the transaction of the purchase."""
    buy(shop, member, 15_000, purchase="p1")
    change = buy(shop, member, 5_000, purchase="p2").tier_change
    assert change is not None
    assert (change.before, change.after, change.is_up) == (None, "silver", True)
    assert shop.work.tiers.tier_of(member, SITE) == "silver"


def test_a_tier_is_lost_by_the_sweep_on_the_day_that_was_shown(
    shop: Shop, member: ShopperId
) -> None:
    """A year and thirty days after the only large purchase, not a day before."""
    buy(shop, member, 20_000)
    stands = standing_of(member, SITE, work=shop.work, now_ms=START_MS)
    assert stands is not None
    assert stands.ends_at_ms == START_MS + 395 * DAY_MS
    early = expire_overdue(work=shop.work, now_ms=UnixMs(stands.ends_at_ms - 1))
    late = expire_overdue(work=shop.work, now_ms=stands.ends_at_ms)
    assert (early.tiers, late.tiers) == (0, 1)
    assert shop.work.tiers.tier_of(member, SITE) is None
    newest = shop.work.tiers.changes_of(member, limit=1)[0]
    assert (newest.before, newest.after, newest.is_up) == ("silver", None, False)
    assert expire_overdue(work=shop.work, now_ms=stands.ends_at_ms).tiers == 0


def test_a_return_takes_the_tier_with_it(shop: Shop, member: ShopperId) -> None:
    """It counts at the time of the purchase, as if the goods had never been bought."""
    buy(shop, member, 20_000)
    returned = CountedSpending(
        site=SITE,
        reference="return-1",
        currency="EUR",
        amount_minor=-1,
        bought_at_ms=START_MS,
    )
    later = UnixMs(START_MS + DAY_MS)
    change = count_spending(member, returned, work=shop.work, now_ms=later)
    assert change is not None
    assert (change.after, change.is_up) == (None, False)
    assert count_spending(member, returned, work=shop.work, now_ms=later) is None


def test_a_site_that_gives_its_tiers_up_takes_nothing_away(shop: Shop, member: ShopperId) -> None:
    """The sweep must not stumble over a programme without tiers."""
    buy(shop, member, 20_000)
    start_programme(replace(parsed(), tiers=None, rewards=()), work=shop.work, now_ms=START_MS)
    assert expire_overdue(work=shop.work, now_ms=UnixMs(START_MS + 400 * DAY_MS)).tiers == 0
    assert shop.work.tiers.tier_of(member, SITE) == "silver"


def test_a_programme_has_room_for_two_hundred_rules() -> None:
    """A bound on what every purchase has to look at."""
    rules = tuple(
        EarningRule(rule=f"r-{n}", unit=POINTS, earns=Multiplier(percent=200)) for n in range(201)
    )
    with pytest.raises(InvalidProgramme, match="201 rules"):
        replace(parsed(), rules=rules)


def test_a_coupon_multiplies_points_or_gives_cashback(shop: Shop, member: ShopperId) -> None:
    """Three times the points on paint, and 10 % back up to 50 cents beside the usual 2 %."""
    lines = tuple(
        BasketLine(sku=name, category=name, quantity=1, unit_price_minor=1_000)
        for name in ("paint", "wood")
    )
    paint = Scope(categories=frozenset({"paint"}))
    most = Money(amount_minor=50, currency="EUR")
    paid = PaidPurchase(
        purchase="p1",
        site=SITE,
        basket=Basket(currency="EUR", lines=lines),
        discounts_minor=(0, 0),
        benefits=(
            PointsMultiplier(percent=300, applies_to=paint),
            Cashback(percent=10, applies_to=paint, cashback_max=most),
            MoneyOff(amount=most),
        ),
    )
    outcome = earn_for_purchase(member, paid, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
    assert {part.unit: part.lines_minor for part in outcome.earned} == {
        "points": (30, 10),
        "EUR": (70, 20),
    }


def test_a_cashback_coupon_needs_no_programme(shop: Shop) -> None:
    """The campaign promised it, whatever the site promises besides."""
    shopper = shop.shopper()
    line = BasketLine(sku="1", category="paint", quantity=1, unit_price_minor=999)
    paid = PaidPurchase(
        purchase="p1",
        site=SITE,
        basket=Basket(currency="EUR", lines=(line,)),
        discounts_minor=(0,),
        benefits=(Cashback(percent=10), PointsMultiplier(percent=200)),
    )
    outcome = earn_for_purchase(
        shopper, paid, work=shop.work, now_ms=START_MS, secrets=shop.secrets
    )
    assert [(part.unit, part.lines_minor) for part in outcome.earned] == [("EUR", (99,))]


def test_points_of_an_offer_are_given_when_it_is_opened_and_once(shop: Shop) -> None:
    """Points for standing at the shelf: no till, no purchase."""
    shop.start(campaign("come-and-look", benefit=Points(points=25)))
    shopper = shop.shopper(tag="tag:1")
    shop.stand("tag:1")
    card = shop.offer_of(shopper)
    assert card is not None
    first, again = (
        earn_for_offer(card, work=shop.work, now_ms=START_MS, secrets=shop.secrets)
        for _ in range(2)
    )
    assert first is not None
    assert again is not None
    assert (first.is_new, again.is_new) == (True, False)
    assert shop.work.ledger.wallets_of(shopper)[0].balance_minor == 25
