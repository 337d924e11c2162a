"""Where a site's programme says so, eligible campaigns compete by what is believed of each."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from offers.decision.ranking.campaign_features import campaign_features
from offers.decision.ranking.thompson import choose
from offers.handlers.loyalty.start_programme import start_programme
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import MoneyOff
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.conditions.shopper_facts import FactNeeds
from offers.model.errors import InvalidProgramme
from offers.model.ids import ShopperId
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.money import Money
from offers.model.offering.decision import Decision
from offers.model.offering.refusal import Refusal
from offers.model.people.consent import Purpose
from offers.model.ranking.ranking_policy import WEIGHTS, RankingPolicy
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, campaign
from tests.unit.offers.test_site_settings import PROGRAMME

EURO = Money(amount_minor=100, currency="EUR")
PLUGS = campaign("plugs", benefit=MoneyOff(amount=EURO, applies_to=Scope(categories={"plugs"})))
PAINT = campaign(
    "paint", benefit=MoneyOff(amount=EURO, applies_to=Scope(categories={"paint"})), priority=9
)


def rank_by(shop: Shop, **changes: object) -> RankingPolicy:
    policy = replace(RankingPolicy(), **changes)
    programme = replace(PROGRAMME, settings=SiteSettings(ranking=policy))
    start_programme(programme, work=shop.work, now_ms=START_MS)
    return policy


def buys(shop: Shop, shopper: ShopperId, category: str, times: int) -> None:
    """Let the shopper have bought something of a category every week until now."""
    facts = [
        Fact(
            kind=FactKind.PURCHASE_LINE,
            reference=f"{category}:{week}",
            at_ms=UnixMs(START_MS - (week + 1) * 7 * DAY_MS),
            site=SITE,
            sku=f"{category}-1",
            category=category,
            amount=EURO,
        )
        for week in range(times)
    ]
    consent = shop.work.consents.state_of(shopper).granted(Purpose.PERSONALISE)
    assert consent is not None
    shop.work.facts.append(shopper, facts, consent=consent.consent)


def decided(shop: Shop, tag: str = "tag:1") -> Decision:
    decision = shop.stand(tag)
    assert decision is not None
    assert decision.chosen is not None
    return decision


def test_priority_decides_as_long_as_nobody_asks_for_a_ranking(shop: Shop) -> None:
    """A retailer who writes priorities must find that they hold."""
    shop.start(PLUGS, PAINT)
    buys(shop, shop.shopper(), "plugs", 20)
    decision = decided(shop)
    assert decision.policy == "priority/1"
    assert decision.chosen.campaign == "paint"
    assert decision.chosen.weighed is None


def test_who_buys_plugs_is_offered_plugs(shop: Shop) -> None:
    """The shopper's own purchases speak louder than a priority of nine in a thousand."""
    shop.start(PLUGS, PAINT)
    rank_by(shop, weights={"own": (0.5, 0.01), "interest": (0.5, 0.01)})
    buys(shop, shop.shopper(), "plugs", 20)
    decision = decided(shop)
    assert decision.policy == "thompson/1"
    assert decision.chosen.campaign == "plugs"
    (other,) = decision.passed_over
    assert (other.campaign, other.refusal) == ("paint", Refusal.OUTRANKED)
    assert decision.chosen.weighed.score > other.weighed.score
    assert decision.chosen.weighed.propensity == pytest.approx(0.99)
    assert other.weighed.propensity == pytest.approx(0.01)


def test_the_log_keeps_score_and_propensity_of_all_that_were_eligible(shop: Shop) -> None:
    """Another policy is judged by this log before it goes live: nothing may be missing."""
    later = replace(PLUGS.validity, from_ms=UnixMs(10**14), until_ms=UnixMs(10**14 + 1))
    not_yet = replace(campaign("late"), validity=later)
    shop.start(PLUGS, PAINT, not_yet)
    rank_by(shop)
    shopper = shop.shopper()
    decision = decided(shop)
    (logged,) = shop.work.decisions.of_shopper(shopper, limit=1)
    assert logged == decision
    weighed = {logged.chosen.campaign: logged.chosen.weighed}
    weighed |= {entry.campaign: entry.weighed for entry in logged.passed_over}
    assert weighed.pop("late") is None
    assert sum(entry.propensity for entry in weighed.values()) == pytest.approx(1.0)


def test_a_decision_is_replayed_bit_for_bit_from_its_id(shop: Shop) -> None:
    """No die is thrown that nobody wrote down: the id seeds the draw."""
    shop.start(PLUGS, PAINT)
    policy = rank_by(shop)
    shopper = shop.shopper()
    buys(shop, shopper, "paint", 3)
    decision = decided(shop)
    needs = FactNeeds(days={FactKind.PURCHASE_LINE: 365})
    facts = shop.work.facts.of_shopper(shopper, needs, site=SITE, as_of_ms=decision.at_ms)
    x = campaign_features((PAINT, PLUGS), facts, policy, now_ms=decision.at_ms)
    again = choose(policy.belief, x, seed=decision.decision, chance_left=policy.chance_left)
    assert (PAINT, PLUGS)[again.index].campaign == decision.chosen.campaign
    assert float(again.propensities[again.index]) == decision.chosen.weighed.propensity
    assert float(again.scores[again.index]) == decision.chosen.weighed.score


def test_a_novelty_gets_its_chance_and_no_more_than_was_said(shop: Shop) -> None:
    """Of 60 shoppers about a fifth see the campaign that nobody has tried yet."""
    shop.start(PLUGS, PAINT)
    rank_by(shop, appeal={"paint": 0.9, "plugs": 0.0}, chance_left=0.4)
    seen: Counter[str] = Counter()
    said = 0.0
    for number in range(60):
        tag = f"tag:{number}"
        shop.shopper(tag=tag, now_ms=START_MS - MINUTE_MS)
        decision = decided(shop, tag)
        seen[decision.chosen.campaign] += 1
        entries = [decision.chosen, *decision.passed_over]
        said += next(entry.weighed.propensity for entry in entries if entry.campaign == "plugs")
    assert said == pytest.approx(12.0, abs=1.0)
    assert 3 <= seen["plugs"] <= 24  # three standard deviations of 60 draws of a fifth


def test_a_refused_campaign_cannot_win_by_its_score(shop: Shop) -> None:
    """Eligibility comes first: budgets, caps and consents are no matter of taste."""
    shop.start(PLUGS, PAINT)
    rank_by(shop, appeal={"plugs": 1.0}, chance_left=0.001)
    shop.shopper()
    assert decided(shop).chosen.campaign == "plugs"
    later = START_MS + 30 * MINUTE_MS
    decision = shop.stand(at_ms=later)
    assert decision.chosen.campaign == "paint"
    assert decision.chosen.weighed.propensity == 1.0


def document(ranking: object) -> str:
    return json.dumps(json.loads(render_programme(PROGRAMME)) | {"settings": {"ranking": ranking}})


def test_a_ranking_is_read_again_as_it_was_written() -> None:
    """The revision that decided can be shown for ever."""
    policy = RankingPolicy(weights={"own": (0.3, 0.1)}, appeal={"plugs": 0.2}, noise=0.4)
    programme = replace(PROGRAMME, settings=SiteSettings(ranking=policy))
    assert parse_programme(render_programme(programme), source="it") == programme


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        ({"policy": "thompson/2"}, "policy is 'thompson/2'; expected 'thompson/1'"),
        ({}, "policy is None"),
        ({"policy": "thompson/1", "weight": {}}, "unknown members"),
        ({"policy": "thompson/1", "weights": {"luck": [1, 1]}}, r"weights names \['luck'\]"),
        ({"policy": "thompson/1", "weights": {"own": 1}}, r"weights.own is 1; expected \[mean"),
        ({"policy": "thompson/1", "weights": {"own": [1, 0]}}, "a sigma above zero"),
        ({"policy": "thompson/1", "weights": {"own": [1, "x"]}}, "weights.own is 'x'"),
        ({"policy": "thompson/1", "appeal": {"plugs": 2}}, "appeal.plugs is 2.0; expected a share"),
        (
            {"policy": "thompson/1", "appeal": {"No Name": 0}},
            "settings.ranking.appeal is 'No Name'",
        ),
        ({"policy": "thompson/1", "chance_left": 0}, "chance_left is 0.0; expected above 0"),
        ({"policy": "thompson/1", "noise": 0}, "noise is 0.0"),
    ],
)
def test_a_wrong_ranking_is_refused_at_the_desk(ranking: object, message: str) -> None:
    """A model of another version would weigh other features under the same names."""
    with pytest.raises(InvalidProgramme, match=message):
        parse_programme(document(ranking), source="it")


def test_every_weight_has_its_feature() -> None:
    """The order of the columns is that of the belief, or the weights mean something else."""
    x = campaign_features((PLUGS, PAINT), None, RankingPolicy(), now_ms=START_MS)
    assert x.shape == (2, len(WEIGHTS))
    priority = list(WEIGHTS).index("priority")
    assert list(x[:, priority]) == [0.0, 0.009]
