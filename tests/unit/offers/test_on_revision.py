"""on_revision: late readings put a visit right and never make an offer."""

from dataclasses import replace

import pytest

from offers.handlers.experiments.replay_decision import replay_decision
from offers.handlers.loyalty.start_programme import start_programme
from offers.model.campaigns.trigger import EnterTrigger
from offers.model.ids import VisitId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.site_settings import SiteSettings
from offers.model.offering.offer import OfferState
from offers.model.people.consent import Purpose
from offers.model.people.pairing import PairingEnd
from rtls.model.errors import InvalidVisit
from rtls.model.units import TagId
from rtls.model.visit import LeftReason, TransitionKind
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    Shop,
    campaign,
    dwell_event,
    transition,
)

NOON_MS = START_MS + 10 * MINUTE_MS
EVENT = dwell_event(TagId("tag:1"), at_ms=NOON_MS)
VISIT = VisitId(EVENT.visit_id)
ENTERED = transition(EVENT, TransitionKind.ENTERED, at_ms=EVENT.entered_at_ms)
LEFT = transition(EVENT, TransitionKind.LEFT, at_ms=NOON_MS - 20_000)


@pytest.fixture
def anna(shop: Shop):
    """A shopper with her tag, and a campaign for the shelf."""
    shop.start(campaign())
    return shop.shopper()


def test_a_revision_never_makes_an_offer(shop: Shop, anna) -> None:
    """It says what had been so a minute ago; the shopper has walked on."""
    shop.tell(ENTERED)
    assert shop.tell(EVENT, revision=1) is None
    assert shop.offer_of(anna) is None


def test_an_event_that_comes_behind_its_revision_is_not_taken(shop: Shop, anna) -> None:
    """Two lines, one slower: what was corrected must not come back, nor make a second offer."""
    shop.tell(ENTERED)
    shop.tell(EVENT, revision=2)
    assert shop.tell(EVENT) is None
    assert shop.tell(EVENT, revision=1) is None
    assert shop.offer_of(anna) is None


def test_a_revision_of_an_event_that_made_an_offer_makes_no_second_one(shop: Shop, anna) -> None:
    """The same stay, told a second later: one offer."""
    shop.tell(ENTERED)
    shop.tell(EVENT)
    first = shop.offer_of(anna)
    assert first is not None
    shop.tell(EVENT, revision=1, dwell_s=310.0)
    assert shop.offer_of(anna) == first


def test_a_leaving_that_did_not_happen_is_taken_back(shop: Shop, anna) -> None:
    """A line was down for ten seconds: who stood there all the time still gets the offer."""
    shop.tell(ENTERED)
    shop.tell(LEFT)
    shop.tell(LEFT, revision=1, is_withdrawn=True)
    visit = shop.work.visits.find(VISIT)
    assert visit is not None
    assert visit.left_at_ms is None
    assert shop.tell(EVENT) is not None
    assert shop.offer_of(anna) is not None


@pytest.mark.usefixtures("anna")
def test_the_first_word_after_its_withdrawal_ends_nothing(shop: Shop) -> None:
    """Redis may give the older event again."""
    shop.tell(ENTERED)
    shop.tell(LEFT)
    shop.tell(LEFT, revision=1, is_withdrawn=True)
    shop.tell(LEFT)
    assert shop.work.visits.find(VISIT).left_at_ms is None


@pytest.mark.parametrize(
    "gone", [(ENTERED, {"is_withdrawn": True}), (EVENT, {"is_withdrawn": True}), (LEFT, {})]
)
def test_an_offer_whose_ground_is_gone_is_revoked_while_it_waits(shop: Shop, anna, gone) -> None:
    """He was at the next shelf: the coupon for dowels would only puzzle him."""
    shop.tell(ENTERED)
    shop.tell(EVENT)
    event, changes = gone
    shop.tell(event, revision=1, now_ms=NOON_MS + 1_000, **changes)
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED


@pytest.mark.usefixtures("anna")
def test_a_visit_of_a_pairing_that_has_ended_stays_ended(shop: Shop) -> None:
    """The trolley is another's now."""
    shop.tell(ENTERED)
    shop.tell(LEFT)
    pairing = shop.work.pairings.open_of_tag(TagId("tag:1"))
    shop.work.pairings.end(pairing.pairing, at_ms=NOON_MS - 10_000, end=PairingEnd.UNPAIRED)
    shop.tell(LEFT, revision=1, is_withdrawn=True)
    assert shop.work.visits.find(VISIT).left_at_ms == NOON_MS - 20_000


def test_what_was_never_told_cannot_be_withdrawn(shop: Shop) -> None:
    """A withdrawal of revision 0 would be refused as a copy of the event itself."""
    with pytest.raises(InvalidVisit, match="revision is 0"):
        shop.tell(EVENT, is_withdrawn=True)


LOST = replace(LEFT, at_ms=NOON_MS - 6_000, decided_at_ms=NOON_MS + 200, reason=LeftReason.LOST)
"""what is told when one gateway's spool comes in a moment before the other's"""


def lose(shop: Shop, *, now_ms: int = NOON_MS + 200) -> None:
    """Issue the offer, and revoke it by a leaving that did not happen."""
    shop.tell(ENTERED)
    shop.tell(EVENT)
    shop.tell(LOST, now_ms=now_ms)


def find_again(shop: Shop, *, now_ms: int = NOON_MS + 1_200, revision: int = 1):
    """The other gateway's readings have come: he stood there all the time."""
    return shop.tell(LOST, revision=revision, is_withdrawn=True, now_ms=now_ms)


def test_an_offer_revoked_by_a_leaving_that_did_not_happen_is_given_back(shop: Shop, anna) -> None:
    """After an outage: he has not moved, and nobody has taken the offer yet."""
    lose(shop)
    revoked = shop.offer_of(anna).offer
    assert revoked.state is OfferState.REVOKED
    decision = find_again(shop)
    again = shop.offer_of(anna)
    assert (again.offer.campaign, again.offer.state) == (revoked.campaign, OfferState.ISSUED)
    assert again.offer.offer != revoked.offer
    assert again.coupon is not None
    assert decision == shop.work.decisions.find(again.offer.decision)
    replayed = replay_decision(again.offer.decision, site=SITE, work=shop.work)
    assert replayed.differs_in == ()
    assert shop.work.offers.find(revoked.offer) == revoked
    assert shop.deliver(again.offer.offer, now_ms=NOON_MS + 1_300).offer.visit == VISIT


def test_it_is_given_back_as_often_as_the_line_stumbles_and_only_once_each(
    shop: Shop, anna
) -> None:
    """Two outages; and a stream that gives the withdrawal twice."""
    lose(shop)
    find_again(shop)
    assert find_again(shop) is None
    shop.tell(LOST, revision=2, now_ms=NOON_MS + 2_000)
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED
    find_again(shop, revision=3, now_ms=NOON_MS + 3_000)
    cards = shop.work.offers.cards_of(anna, after=0, limit=9, states=(OfferState.ISSUED,))
    assert len(cards) == 1


def test_a_shopper_who_may_get_one_offer_a_trip_gets_it_back(shop: Shop) -> None:
    """What was revoked before it arrived was no offer to him."""
    shop.start(campaign())
    anna = shop.shopper()
    programme = Programme(
        site=SITE,
        time_zone="Europe/Berlin",
        terms=(EarningTerms(unit=POINTS),),
        settings=SiteSettings(offers_a_trip_max=1),
    )
    start_programme(programme, work=shop.work, now_ms=START_MS)
    lose(shop)
    find_again(shop)
    assert shop.offer_of(anna).offer.state is OfferState.ISSUED


def test_what_reached_the_app_is_not_made_twice(shop: Shop, anna) -> None:
    """It was delivered before the leaving was told, and is good still."""
    shop.tell(ENTERED)
    shop.tell(EVENT)
    delivered = shop.offer_of(anna).offer.offer
    shop.deliver(delivered, now_ms=NOON_MS + 100)
    shop.tell(LOST, now_ms=NOON_MS + 200)
    assert find_again(shop) is None
    assert shop.offer_of(anna).offer.offer == delivered


def test_what_was_told_a_minute_ago_is_not_given_back(shop: Shop, anna) -> None:
    """The moment at the shelf is past."""
    lose(shop)
    assert find_again(shop, now_ms=NOON_MS + 60_001) is None
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED


def test_a_dwell_that_was_withdrawn_too_gives_nothing_back(shop: Shop, anna) -> None:
    """He has not left, but he had not stood there for five minutes either."""
    lose(shop)
    shop.tell(EVENT, revision=1, is_withdrawn=True, now_ms=NOON_MS + 1_000)
    assert find_again(shop) is None
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED


def test_consent_is_asked_again_before_an_offer_is_given_back(shop: Shop, anna) -> None:
    """He withdrew in the second between."""
    lose(shop)
    shop.say(anna, Purpose.PERSONALISE, is_granted=False, now_ms=NOON_MS + 500)
    decision = find_again(shop)
    assert decision is None or decision.chosen is None
    assert shop.offer_of(anna).offer.state is OfferState.REVOKED


def test_an_offer_on_entering_is_given_back_as_well(shop: Shop) -> None:
    """Also other campaigns of the zone stand on the stay."""
    shop.start(replace(campaign(), trigger=EnterTrigger(zone=EVENT.zone)))
    anna = shop.shopper()
    late = replace(ENTERED, decided_at_ms=NOON_MS)
    shop.tell(late, now_ms=NOON_MS)
    shop.tell(LOST, now_ms=NOON_MS + 200)
    find_again(shop)
    assert shop.offer_of(anna).offer.state is OfferState.ISSUED
