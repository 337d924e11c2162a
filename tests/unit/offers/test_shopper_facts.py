"""What a shopper did and said: kept with consent, counted once, gone when consent goes."""

from dataclasses import replace

import pytest

from offers.decision.condition import compile_condition
from offers.handlers.profile.answer_survey import publish_survey
from offers.handlers.profile.note_fact import forget_places, note_attribute, note_facts
from offers.loyalty.purchase_facts import purchase_facts, return_facts
from offers.model.conditions.attribute import ATTRIBUTES_MAX, VALUES_MAX, Attribute
from offers.model.conditions.condition_json import parse_condition
from offers.model.conditions.fact import DAY_MS, FACT_DAYS_MAX, PLACE_DAYS_MAX, Fact, FactKind
from offers.model.conditions.shopper_facts import FactNeeds
from offers.model.errors import ConsentMissing, InvalidCondition, InvalidShopper
from offers.model.ids import PurchaseId, RedemptionId, ReturnId
from offers.model.loyalty.segment import Membership, Segment
from offers.model.people.consent import Purpose
from offers.model.till.purchase import Purchase, PurchaseLine, PurchaseReturn, ReturnedLine
from rtls.model.units import TagId, UnixMs
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    SHELF,
    SITE,
    START_MS,
    TILL,
    Shop,
    basket,
    campaign,
    dwell_event,
    transition,
)
from tests.unit.offers.test_surveys import ANSWERS, VISIT, answer

EVERYTHING = FactNeeds(days=dict.fromkeys(FactKind, FACT_DAYS_MAX))
NOW_MS = UnixMs(START_MS + DAY_MS)


PURCHASE = Purchase(
    purchase=PurchaseId("1" * 32),
    site=SITE,
    till=TILL,
    shopper=None,
    at_ms=START_MS,
    currency="EUR",
    lines=tuple(
        PurchaseLine(item=item, discounts_minor=(share,))
        for item, share in zip(basket(1_000, 500).lines, (100, 0), strict=True)
    ),
    redemptions=(RedemptionId("2" * 32),),
)
RETURN = PurchaseReturn(
    returned=ReturnId("3" * 32),
    purchase=PURCHASE.purchase,
    number=1,
    site=SITE,
    till=TILL,
    at_ms=NOW_MS,
    currency="EUR",
    lines=(ReturnedLine(line=1, quantity=1, refund_minor=500, discounts_minor=(0,)),),
)


def login(reference: str = "login-1", at_ms: int = START_MS) -> Fact:
    return Fact(kind=FactKind.LOGIN, reference=reference, at_ms=UnixMs(at_ms), site=SITE)


def known(shop: Shop, shopper):
    found = shop.work.facts.of_shopper(shopper, EVERYTHING, site=SITE, as_of_ms=NOW_MS)
    assert found is not None
    return found


def test_nothing_is_noted_without_the_purpose(shop: Shop) -> None:
    """A profile of somebody who did not agree to one is what the law forbids."""
    shopper = shop.shopper(Purpose.LOCATE, Purpose.NOTIFY)
    assert note_facts(shopper, [login()], work=shop.work, now_ms=NOW_MS) == 0
    with pytest.raises(ConsentMissing, match="personalise"):
        note_attribute(
            shopper,
            Attribute(name="interest", values=frozenset({"wood"})),
            work=shop.work,
            now_ms=NOW_MS,
        )
    assert known(shop, shopper).past == {}


def test_the_same_reference_is_noted_once(shop: Shop) -> None:
    """A till that repeats a commit must not make a shopper twice as good a customer."""
    shopper = shop.shopper()
    assert note_facts(shopper, [login(), login("login-2")], work=shop.work, now_ms=NOW_MS) == 2
    assert note_facts(shopper, [login(), login("login-3")], work=shop.work, now_ms=NOW_MS) == 1
    assert len(known(shop, shopper).past[FactKind.LOGIN]) == 3


def test_withdrawing_erases_the_profile_at_once(shop: Shop) -> None:
    """What stood on the consent goes with it, whatever it was made into."""
    shopper = shop.shopper()
    note_facts(shopper, [login()], work=shop.work, now_ms=NOW_MS)
    wood = Attribute(name="interest", values=frozenset({"wood"}))
    note_attribute(shopper, wood, work=shop.work, now_ms=NOW_MS)
    place = Membership(shopper=shopper, site=SITE, segment=Segment.NEW, entered_at_ms=START_MS)
    assert shop.work.memberships.enter(place)
    assert not shop.work.memberships.enter(place)
    shop.say(shopper, Purpose.PERSONALISE, is_granted=False, now_ms=NOW_MS)
    left = known(shop, shopper)
    assert (left.past, left.attributes, left.segment) == ({}, {}, None)
    shop.say(shopper, Purpose.PERSONALISE, is_granted=True, now_ms=NOW_MS)
    assert known(shop, shopper).past == {}


def test_a_fact_older_than_facts_are_kept_is_not_written(shop: Shop) -> None:
    """An offline till that comes back after two years must not fill the table behind the sweep."""
    shopper = shop.shopper()
    old = login(at_ms=NOW_MS - FACT_DAYS_MAX * DAY_MS)
    assert note_facts(shopper, [old], work=shop.work, now_ms=NOW_MS) == 0


def test_where_somebody_stood_is_forgotten_first_and_in_bounded_steps(shop: Shop) -> None:
    """A sweep that deletes without bound would hold up the till."""
    shopper = shop.shopper()
    stays = [replace(login(f"v{n}", START_MS + n), kind=FactKind.VISIT) for n in range(5)]
    note_facts(shopper, [login(), *stays], work=shop.work, now_ms=NOW_MS)
    later = UnixMs(START_MS + 4 + PLACE_DAYS_MAX * DAY_MS)
    assert forget_places(work=shop.work, now_ms=later, limit=3) == 3
    assert forget_places(work=shop.work, now_ms=later, limit=3) == 1
    left = shop.work.facts.of_shopper(shopper, EVERYTHING, site=SITE, as_of_ms=NOW_MS)
    assert left is not None
    assert {kind: len(facts) for kind, facts in left.past.items()} == {
        FactKind.LOGIN: 1,
        FactKind.VISIT: 1,
    }


def test_a_purchase_counts_what_was_paid_and_a_return_takes_it_back(shop: Shop) -> None:
    """15 euro with one euro off, of which the second line's 5 euro come back."""
    shopper = shop.shopper()
    facts = purchase_facts(PURCHASE)
    assert [fact.amount.amount_minor for fact in facts] == [1_400, 900, 500, 100]
    back = return_facts(RETURN, PURCHASE)
    note_facts(shopper, [*facts, *back], work=shop.work, now_ms=NOW_MS)
    spent = {"kind": "sum", "of": "purchase", "within_days": 30, "measure": "amount_minor"}
    exactly = {"currency": "EUR", "at_least": 900, "at_most": 900}
    compiled = compile_condition(parse_condition(spent | exactly))
    found = shop.work.facts.of_shopper(shopper, compiled.needs, site=SITE, as_of_ms=NOW_MS)
    assert found is not None
    assert compiled.could_reach(found)
    assert shop.work.facts.audience_size(compiled.condition, site=SITE, as_of_ms=NOW_MS) == 1
    one_line = parse_condition(spent | exactly | {"of": "purchase_line", "skus": ["sku-0"]})
    assert shop.work.facts.audience_size(one_line, site=SITE, as_of_ms=NOW_MS) == 1


def test_an_attribute_is_replaced_and_goes_when_nothing_is_said(shop: Shop) -> None:
    """What a shopper takes back must not be what offers are chosen by."""
    shopper = shop.shopper()

    def say(*values: str, name: str = "household-size") -> None:
        attribute = Attribute(name=name, values=frozenset(values))
        note_attribute(shopper, attribute, work=shop.work, now_ms=NOW_MS)

    say("2", "few")
    say("3")
    assert known(shop, shopper).attributes == {"household-size": frozenset({"3"})}
    say()
    assert known(shop, shopper).attributes == {}
    for number in range(ATTRIBUTES_MAX):
        say("yes", name=f"wish-{number}")
    with pytest.raises(InvalidShopper, match="expected at most 50"):
        say("3")
    with pytest.raises(InvalidShopper, match="expected at most 20"):
        Attribute(name="a", values=frozenset(map(str, range(VALUES_MAX + 1))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference": ""}, "reference is ''"),
        ({"at_ms": -1}, "at_ms is -1"),
        ({"quantity": -1}, "quantity is -1"),
        ({"quantity": True}, "quantity is True"),
        ({"site": "A site"}, "site is 'A site'"),
        ({"sku": "\n"}, "sku is"),
    ],
)
def test_a_fact_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    """The error names field, value and what was expected."""
    sound: dict[str, object] = {"kind": FactKind.SCAN, "reference": "a", "at_ms": 0, "site": SITE}
    with pytest.raises(InvalidShopper, match=message):
        Fact(**(sound | change))


def test_a_stay_is_noted_where_it_was_and_how_long(shop: Shop) -> None:
    """Who stood at the dowels three times this month, and bought none, is worth a word."""
    shopper = shop.shopper()
    at_ms = START_MS + 10 * MINUTE_MS
    shop.stand(at_ms=at_ms)
    event = dwell_event(TagId("tag:1"), at_ms=at_ms)
    left = transition(event, TransitionKind.LEFT, at_ms=at_ms + MINUTE_MS)
    shop.tell(left)
    shop.tell(left)
    stays = {"kind": "count", "within_days": 30, "zones": [SHELF], "at_least": 1, "at_most": 1}
    for kind in ("dwell", "visit"):
        condition = parse_condition(stays | {"of": kind})
        assert shop.work.facts.audience_size(condition, site=SITE, as_of_ms=NOW_MS) == 1
    (visit,) = known(shop, shopper).past[FactKind.VISIT]
    assert (visit.zone, visit.quantity) == (SHELF, 360)
    with pytest.raises(InvalidCondition, match="expected 1 to 30"):
        parse_condition(stays | {"of": "visit", "within_days": 31})


@pytest.mark.parametrize(("age_ms", "is_counted"), [(3 * DAY_MS - 1, True), (3 * DAY_MS, False)])
def test_both_faces_of_a_condition_end_a_window_at_the_same_instant(
    shop: Shop, age_ms: int, *, is_counted: bool
) -> None:
    """Three days are three times 24 hours, and what is exactly as old no longer counts."""
    shopper = shop.shopper()
    note_facts(shopper, [login()], work=shop.work, now_ms=NOW_MS)
    now_ms = UnixMs(START_MS + age_ms)
    condition = parse_condition({"kind": "count", "of": "login", "within_days": 3, "at_least": 1})
    compiled = compile_condition(condition)
    found = shop.work.facts.of_shopper(shopper, EVERYTHING, site=SITE, as_of_ms=now_ms)
    assert found is not None
    assert compiled.could_reach(found) is is_counted
    size = shop.work.facts.audience_size(condition, site=SITE, as_of_ms=now_ms)
    assert size == int(is_counted)


def test_an_audience_counts_whom_some_moment_could_reach(shop: Shop) -> None:
    """Nobody stands anywhere while the audience is counted; a zone and its opposite both may be."""
    shop.shopper()
    zone = {"kind": "zone", "in": [SHELF]}
    french = {"not": {"kind": "locale", "in": ["de", "en"]}}
    for document, size in (
        (zone, 1),
        ({"not": zone}, 1),
        ({"not": {"and": [zone, {"kind": "dwell_s", "at_least": 9}]}}, 1),
        ({"and": [zone, french]}, 0),
        ({"not": {"or": [zone, {"not": french}]}}, 0),
    ):
        condition = parse_condition(document)
        assert shop.work.facts.audience_size(condition, site=SITE, as_of_ms=NOW_MS) == size


def test_two_shoppers_may_do_the_same_thing(shop: Shop) -> None:
    """A survey is the same for all who answer it; noted once a shopper, not once."""
    for tag in ("tag:1", "tag:2"):
        assert note_facts(shop.shopper(tag=tag), [login()], work=shop.work, now_ms=NOW_MS) == 1


def test_an_answer_to_a_survey_can_be_asked_about(shop: Shop) -> None:
    """C32: what was chosen is an attribute under the question's name; free text is nobody's."""
    publish_survey(VISIT, work=shop.work)
    anna, ben = shop.shopper(tag=None), shop.shopper(Purpose.NOTIFY, tag=None)
    for shopper in (anna, ben):
        answer(shop, shopper, ANSWERS | {"comment": "Good."})
    assert known(shop, anna).attributes == {
        "advice": frozenset({"4"}),
        "interests": frozenset({"garden", "tools"}),
    }
    assert [fact.kind for facts in known(shop, anna).past.values() for fact in facts] == [
        FactKind.SURVEY
    ]
    assert known(shop, ben).attributes == {}


def test_an_offer_is_noted_where_it_was_made(shop: Shop) -> None:
    """A condition may leave out who was addressed twice this week already."""
    shop.start(campaign())
    shopper = shop.shopper()
    shop.stand()
    (offer,) = known(shop, shopper).past[FactKind.OFFER]
    card = shop.offer_of(shopper)
    assert card is not None
    assert (offer.reference, offer.zone) == (card.offer.offer, SHELF)
