"""Why did I (not) get this: in the shopper's words, and nobody else's business."""

from dataclasses import replace

import pytest

from offers.decision.decide import decide
from offers.decision.why import UNNAMED, Reason, Told, reason_of, sentences, told_of
from offers.decision.why_words import CAUSES, SILENT, WORDS
from offers.model.campaigns.trigger import TriggerKind
from offers.model.ids import CampaignId
from offers.model.offering.decision import Candidate, Decision, PassedOver
from offers.model.offering.refusal import PushRefusal, Refusal
from offers.model.people.shopper import Locale
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import SiteRules
from tests.unit.offers.shop import campaign
from tests.unit.offers.test_decide import ALL, CANDIDATE, MOMENT, decision_on

CHOSEN = decision_on(CANDIDATE)
TITLES = {CampaignId("dowels-2-off"): {Locale.DE: "Dübel", Locale.EN: "Dowels"}}


def passed(refusal: Refusal, name: str = "tea", place: str | None = None) -> PassedOver:
    return PassedOver(campaign=CampaignId(name), revision=1, refusal=refusal, place=place)


def without_offer(*entries: PassedOver) -> Decision:
    return replace(CHOSEN, chosen=None, passed_over=entries)


def said(decision: Decision, locale: Locale = Locale.EN, **titles: str) -> tuple[str, ...]:
    """What is said where only these campaigns may be called by name: others raise `KeyError`."""
    named = {CampaignId(name): dict.fromkeys(Locale, title) for name, title in titles.items()}
    return sentences(decision, titles=TITLES | named, place="the dowels", locale=locale)


def test_the_founding_scene_is_told_in_both_languages() -> None:
    """He stood there five minutes: that is why, and it is said like a person would."""
    assert said(CHOSEN) == ("You got “Dowels” because you stood at the dowels for a while.",)
    (german,) = sentences(CHOSEN, titles=TITLES, place="Dübel", locale=Locale.DE)
    assert german == "Sie bekamen „Dübel“, weil Sie bei Dübel eine Weile standen."


def test_an_offer_of_no_place_names_none() -> None:
    """A birthday is no place."""
    birthday = replace(CHOSEN, occasion="birthday:2026-0", zone=None)
    assert sentences(birthday, titles=TITLES, place=None, locale=Locale.DE) == (
        "Sie bekamen „Dübel“ zu Ihrem Geburtstag.",
    )


def test_how_it_was_chosen_among_several_is_told() -> None:
    """The logic involved (GDPR Art. 15): by the store's order, or by what was bought."""
    both = (CANDIDATE, Candidate(revision=campaign("tea")))
    by_order = decision_on(*both)
    assert said(by_order, tea="Tea")[1:] == (
        "Of several the store has put this one first.",
        "“Tea” would have been possible, too.",
    )
    ranked = decision_on_with(SiteRules(ranking=RankingPolicy()), *both)
    told = said(ranked, **{"tea": "Tea", "dowels-2-off": "Dowels"})
    assert "by what you have bought" in told[1]


def decision_on_with(rules: SiteRules, *candidates: Candidate) -> Decision:
    return decide(
        MOMENT, decision=CHOSEN.decision, consents=ALL, candidates=candidates, rules=rules
    )


def test_why_it_came_silently_is_told() -> None:
    """Nobody looks for a message that was kept back at night."""
    silent = replace(CHOSEN, chosen=replace(CHOSEN.chosen, push_refusal=PushRefusal.QUIET_HOURS))
    assert said(silent)[1] == "No message was sent to your phone: we do not disturb at that hour."


def test_what_speaks_against_is_told_once() -> None:
    """Three campaigns and one missing consent are one sentence, and it says what to do."""
    missing = [passed(Refusal.CONSENT_LOCATE_MISSING, name) for name in ("tea", "ice", "paint")]
    capped = passed(Refusal.FREQUENCY_CAP, "nails")
    decision = without_offer(*missing, capped)
    assert said(decision, nails="Nails") == (
        "There was no offer for you this time.",
        WORDS["consent_locate_missing"].en,
        "You had “Nails” not long ago; we do not want to disturb you more often.",
    )
    assert told_of(decision)[0] == Told(reason=Reason.CONSENT_LOCATE_MISSING, campaign=None)
    assert said(without_offer()) == ("No offer was waiting for this.",)


@pytest.mark.parametrize(
    "secret",
    [
        passed(Refusal.NOT_YET_VALID),
        passed(Refusal.OTHER_TRIGGER),
        passed(Refusal.EXPERIMENT_NOT_RUNNING),
        passed(Refusal.CONDITION_UNMET, place="audience.and[1]"),
        passed(Refusal.OTHER_ARM),
        passed(Refusal.HELD_OUT),
    ],
    ids=lambda entry: entry.refusal.value,
)
def test_what_is_not_the_shoppers_business_is_not_named(secret: PassedOver) -> None:
    """What comes next month, what others get, what the other arm gets: by no name, in no place."""
    decision = without_offer(secret)
    assert all(told.campaign is None for told in told_of(decision))
    told = " ".join((*said(decision), *said(decision, Locale.DE), str(told_of(decision))))
    assert "tea" not in told.lower()
    assert "audience" not in told


def test_of_a_budget_only_that_the_offer_was_not_to_be_had() -> None:
    """How much is left, or that money has run out, is the retailer's affair."""
    decision = without_offer(passed(Refusal.BUDGET_SPENT))
    assert told_of(decision) == (Told(reason=Reason.NOT_AVAILABLE, campaign=CampaignId("tea")),)
    assert said(decision, tea="Tea")[1] == "“Tea” was not available just then."


def test_every_refusal_has_its_words_in_both_languages() -> None:
    """A reason without a sentence would be a fault at the worst moment: when somebody asks."""
    told = {reason_of(passed(refusal, place="conditions")) for refusal in Refusal}
    assert told - {None} == set(Reason) - {Reason.FOR_OTHERS}
    assert set(WORDS) == {reason.value for reason in Reason}
    assert set(CAUSES) == set(TriggerKind)
    assert set(SILENT) == set(PushRefusal)
    for reason in Reason:
        words = WORDS[reason.value]
        is_named = {"{title}" in words.de, "{title}" in words.en}
        assert is_named == {reason not in UNNAMED}
