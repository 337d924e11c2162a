"""on_revision: late readings put a visit right and never make an offer."""

import pytest

from offers.model.ids import VisitId
from offers.model.offering.offer import OfferState
from offers.model.people.pairing import PairingEnd
from rtls.model.errors import InvalidVisit
from rtls.model.units import TagId
from rtls.model.visit import TransitionKind
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign, dwell_event, transition

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
