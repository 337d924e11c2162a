"""Campaigns from JSON: what a merchandiser writes, and what is said about mistakes."""

import json
from dataclasses import replace

import pytest

from offers.handlers.campaigns.start_campaign import start_campaign
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import MoneyOff, PercentOff
from offers.model.campaigns.campaign import Budget, CampaignState
from offers.model.campaigns.campaign_json import parse_campaign, parse_campaigns, render_campaign
from offers.model.errors import InvalidCampaign
from offers.model.money import Money
from rtls.model.units import Second, ZoneId
from tests.unit.offers.shop import INFORMATION, SITE_MAP, START_MS, Shop, campaign

DOCUMENT = {
    "campaign": "dowels-2-off",
    "site": "demo",
    "name": "Two euro off",
    "priority": 10,
    "trigger": {"kind": "visit", "zone": "dowels", "dwell_s": 300},
    "benefit": {"kind": "money_off", "amount": {"amount_minor": 200, "currency": "EUR"}},
    "validity": {"from": "2026-01-01T00:00:00+01:00", "until": "2027-01-01T00:00:00+01:00"},
    "frequency_cap": {"offers_max": 1, "window_s": 86400},
    "budget": {"redemptions_max": 100},
    "texts": {
        "de": {"title": "Dübel", "body": "2 Euro weniger"},
        "en": {"title": "Dowels", "body": "2 euro off"},
    },
    "offer_valid_s": 900,
    "coupon_valid_s": 86400,
}


def changed(**changes) -> dict[str, object]:
    return {**DOCUMENT, **changes}


def test_a_campaign_says_what_was_written() -> None:
    """Midnight in Berlin on New Year's Day is 23:00 UTC the day before."""
    read = parse_campaign(DOCUMENT)
    assert read.validity.from_ms == 1_767_222_000_000
    assert read.benefit == MoneyOff(amount=Money(amount_minor=200, currency="EUR"))
    assert read.budget == Budget(redemptions_max=100, is_reserved=True)


@pytest.mark.parametrize(
    "revision",
    [
        campaign(),
        INFORMATION,
        campaign(budget=Budget(redemptions_max=5, is_reserved=False), priority=3),
        campaign(
            benefit=PercentOff(
                percent=15,
                applies_to=Scope(categories=frozenset({"dowels"}), skus=frozenset({"s8", "s10"})),
                basket_min=Money(amount_minor=1_000, currency="EUR"),
                discount_max=Money(amount_minor=500, currency="EUR"),
            )
        ),
    ],
)
def test_what_is_stored_is_read_again_as_it_was(revision) -> None:
    """An offer made under revision 3 is honoured under revision 3."""
    document = json.loads(render_campaign(revision))
    assert parse_campaign(document, revision=revision.revision) == revision


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budgett": {}}, "unknown members .'budgett'."),
        ({"priority": 1.5}, "priority is 1.5; expected a whole number"),
        ({"priority": -1}, "priority is -1; expected 0 to"),
        ({"trigger": {"kind": "full_moon"}}, "trigger.kind is 'full_moon'; expected of .'visit'"),
        ({"trigger": {"kind": "visit", "zone": "A B", "dwell_s": 1}}, "trigger.zone is 'A B'"),
        ({"trigger": {"kind": "visit", "zone": "a", "dwell_s": 0}}, "trigger.dwell_s is 0.0"),
        ({"trigger": {"kind": "visit", "zone": "a", "dwell_s": "5"}}, "trigger.dwell_s is '5'"),
        ({"benefit": {"kind": "hug"}}, "benefit.kind is 'hug'; expected of .'money_off'"),
        ({"benefit": {"kind": "percent_off", "percent": 0}}, "percent is 0; expected a whole"),
        ({"benefit": {"kind": "money_off"}}, "benefit.amount is missing"),
        ({"benefit": {"kind": "money_off", "amount": 2}}, "amount is int; expected an object"),
        (
            {"benefit": {"kind": "money_off", "amount": {"amount_minor": 2, "currency": "euro"}}},
            "currency is 'euro'; expected an ISO 4217",
        ),
        ({"validity": {"from": "tomorrow", "until": "x"}}, "validity.from"),
        (
            {"validity": {"from": "2026-01-01T00:00:00", "until": "2027-01-01T00:00:00Z"}},
            "without a time zone",
        ),
        (
            {"validity": {"from": "2027-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}},
            "expected a start before its end",
        ),
        ({"frequency_cap": {"offers_max": 0}}, "offers_max is 0; expected 1 to 20"),
        ({"budget": {"redemptions_max": 0}}, "redemptions_max is 0"),
        ({"benefit": {"kind": "information"}}, "budget is given, but this benefit"),
        ({"texts": {"de": {"title": "t", "body": "b"}}}, "texts has no .*en"),
        ({"texts": {"fr": {"title": "t", "body": "b"}}}, "texts has 'fr'"),
        ({"coupon_valid_s": 60}, "a coupon must outlive"),
        ({"campaign": "Dowels!"}, "campaign is 'Dowels!'; expected 1 to 63"),
    ],
)
def test_a_mistake_is_named_with_campaign_field_and_remedy(changes, message: str) -> None:
    """Merchandisers read these; a stack trace helps nobody."""
    content = json.dumps({"version": 1, "campaigns": [changed(**changes)]}).encode()
    with pytest.raises(InvalidCampaign, match=message) as refused:
        parse_campaigns(content, source="campaigns.json")
    assert str(refused.value).startswith(
        f"campaigns.json: campaign {changed(**changes)['campaign']!r}"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"[" * 100_000,
        b"[]",
        b'{"version": 2}',
        b'{"version": 1, "campaigns": {}}',
    ],
)
def test_what_is_no_campaign_file_is_refused_by_name(content: bytes) -> None:
    """Cut off, binary, nested, of another kind."""
    with pytest.raises(InvalidCampaign, match=r"^campaigns\.json: "):
        parse_campaigns(content, source="campaigns.json")


def test_two_campaigns_of_one_name_are_refused() -> None:
    """The second would silently win."""
    content = json.dumps({"version": 1, "campaigns": [DOCUMENT, DOCUMENT]}).encode()
    with pytest.raises(InvalidCampaign, match="defined twice"):
        parse_campaigns(content, source="f")


def test_starting_the_same_again_changes_nothing_and_something_else_is_a_new_revision(
    shop: Shop,
) -> None:
    """A service reads its campaign file at each start."""
    first = start_campaign(campaign(), site_map=SITE_MAP, work=shop.work, now_ms=START_MS)
    again = start_campaign(campaign(), site_map=SITE_MAP, work=shop.work, now_ms=START_MS)
    other = start_campaign(campaign(priority=7), site_map=SITE_MAP, work=shop.work, now_ms=START_MS)
    assert (first.revision.revision, again.revision.revision, other.revision.revision) == (1, 1, 2)
    assert shop.work.campaigns.revision(first.campaign, 1).priority == 0
    assert other.state is CampaignState.ACTIVE


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zone": ZoneId("nowhere")}, "trigger.zone is 'nowhere'"),
        ({"dwell_s": Second(299.0)}, r"trigger.dwell_s is 299.0; expected one of \[30.0, 120.0, 3"),
    ],
)
def test_a_campaign_that_could_never_fire_on_this_map_is_refused(
    shop: Shop, changes, message: str
) -> None:
    """Found out by an error, and not by silence in the shop."""
    wrong = replace(campaign(), trigger=replace(campaign().trigger, **changes))
    with pytest.raises(InvalidCampaign, match=message):
        start_campaign(wrong, site_map=SITE_MAP, work=shop.work, now_ms=START_MS)


def test_a_budget_below_what_is_used_is_refused(shop: Shop) -> None:
    """Coupons that are out stay good."""
    two = campaign(budget=Budget(redemptions_max=2))
    shop.start(two)
    shop.shopper(tag="tag:1")
    shop.shopper(tag="tag:2")
    shop.stand("tag:1")
    shop.stand("tag:2")
    with pytest.raises(InvalidCampaign, match="below what is used"):
        start_campaign(
            replace(two, budget=Budget(redemptions_max=1)),
            site_map=SITE_MAP,
            work=shop.work,
            now_ms=START_MS,
        )
