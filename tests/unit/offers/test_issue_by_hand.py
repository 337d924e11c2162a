"""issue_by_hand: the staff start a campaign for its audience, once each, with every bound kept."""

from dataclasses import replace

import pytest

from offers.handlers.campaigns.issue_by_hand import ByHand, issue_by_hand
from offers.handlers.campaigns.start_campaign import pause_campaign
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.profile.note_fact import note_attribute
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.conditions.attribute import Attribute
from offers.model.conditions.condition_terms import AttributeIn
from offers.model.errors import Conflict, InvalidCampaign, NotFound
from offers.model.ids import CampaignId, ShopperId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.reward import Reward
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import Purpose
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign

LETTER = replace(
    campaign("letter"),
    trigger=ManualTrigger(),
    frequency_cap=FrequencyCap(offers_max=1, window_s=30 * 86_400),
)
NIGHT_MS = UnixMs(START_MS + 60_000)  # 23:14 in Berlin


def by_hand(
    shop: Shop, wish: str = "spring", *, name: str = "letter", limit: int = 200, site: SiteId = SITE
) -> ByHand:
    return issue_by_hand(
        CampaignId(name),
        wish,
        site=site,
        limit=limit,
        work=shop.work,
        now_ms=NIGHT_MS,
        secrets=shop.secrets,
    )


def crowd(shop: Shop, count: int) -> list[ShopperId]:
    return [shop.shopper(tag=None) for _ in range(count)]


def test_each_shopper_of_the_audience_gets_it_once(shop: Shop) -> None:
    """Pressing twice is pressing once, and a shopper who comes later is not forgotten."""
    shop.start(LETTER)
    crowd(shop, 5)
    assert by_hand(shop) == ByHand(issued=5, withheld={}, is_done=True)
    assert by_hand(shop) == ByHand(issued=0, withheld={}, is_done=True)
    crowd(shop, 1)
    assert by_hand(shop).issued == 1


def test_a_large_audience_is_taken_in_steps(shop: Shop) -> None:
    """One call never holds up the till for long; the next goes on where it stopped."""
    shop.start(LETTER)
    crowd(shop, 5)
    steps = [by_hand(shop, limit=2) for _ in range(3)]
    assert [(step.issued, step.is_done) for step in steps] == [(2, False), (2, False), (1, True)]


def test_whoever_did_not_agree_is_not_even_looked_at(shop: Shop) -> None:
    """And of the others each is counted under what stood against an offer."""
    shop.start(LETTER)
    crowd(shop, 2)
    shop.shopper(Purpose.NOTIFY, tag=None)
    assert by_hand(shop).issued == 2
    assert by_hand(shop, "summer") == ByHand(
        issued=0, withheld={Refusal.FREQUENCY_CAP: 2}, is_done=True
    )


def test_a_budget_ends_it(shop: Shop) -> None:
    """Two seats are two offers, however large the audience."""
    shop.start(replace(LETTER, budget=Budget(redemptions_max=2, is_reserved=True)))
    crowd(shop, 5)
    assert by_hand(shop) == ByHand(issued=2, withheld={Refusal.BUDGET_SPENT: 3}, is_done=True)


def test_the_audience_is_that_of_the_document(shop: Shop) -> None:
    """Those who like the garden, and nobody else."""
    garden = AttributeIn(name="interest", values=frozenset({"garden"}))
    shop.start(replace(LETTER, audience=garden))
    anna, _ = crowd(shop, 2)
    interest = Attribute(name="interest", values=frozenset({"garden"}))
    note_attribute(anna, interest, work=shop.work, now_ms=START_MS)
    assert by_hand(shop).issued == 1
    assert shop.offer_of(anna) is not None


def test_at_night_the_offer_waits_in_the_app(shop: Shop) -> None:
    """It is of no place, so nobody is woken by it; what is mailed or pushed is none of it."""
    shop.start(LETTER)
    (anna,) = crowd(shop, 1)
    by_hand(shop)
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.visit is None


def test_what_is_no_campaign_of_the_staff_is_refused(shop: Shop) -> None:
    """A reward has a price, a dwell campaign starts by itself, a paused one rests."""
    mug = replace(LETTER, campaign=campaign("mug").campaign)
    shop.start(LETTER, mug, campaign("dowels"))
    with pytest.raises(NotFound, match="no such campaign"):
        by_hand(shop, name="unknown")
    with pytest.raises(NotFound, match="no such campaign"):
        by_hand(shop, site=SiteId("elsewhere"))
    with pytest.raises(InvalidCampaign, match="its trigger is not 'manual'"):
        by_hand(shop, name="dowels")
    with pytest.raises(InvalidCampaign, match="wish is 'A wish'"):
        by_hand(shop, "A wish")
    reward = Reward(reward="mug", campaign=mug.campaign, unit=POINTS, cost_minor=5)
    programme = Programme(
        site=SITE, time_zone="Europe/Berlin", terms=(EarningTerms(unit=POINTS),), rewards=(reward,)
    )
    start_programme(programme, work=shop.work, now_ms=START_MS)
    with pytest.raises(Conflict, match="is a reward"):
        by_hand(shop, name="mug")
    pause_campaign(LETTER.campaign, work=shop.work)
    with pytest.raises(Conflict, match="expected it active"):
        by_hand(shop)
