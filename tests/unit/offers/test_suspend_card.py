"""A suspended card gets nothing and redeems nothing, says so, and its holder is heard (C31)."""

import pytest

from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.people.suspend_card import appeal_suspension, lift_suspension, suspend_card
from offers.model.errors import Conflict, InvalidShopper, NotFound
from offers.model.ids import ShopperId, SuspensionId
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import CheckoutRefusal, Refusal
from offers.model.people.card import CardNumber
from offers.model.people.shopper import Credential, Role
from offers.model.people.suspension import Suspension, SuspensionReason
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import NOON_MS, Till

CARD = CardNumber(123_456_789_012)


def admin_of(shop: Shop, site: SiteId = SITE) -> Credential:
    issued = issue_credential(
        Role.STORE_ADMIN, work=shop.work, now_ms=START_MS, secrets=shop.secrets, site=site
    )
    return issued.credential


def suspend(shop: Shop, shopper: ShopperId, *, now_ms: int = NOON_MS) -> Suspension:
    shop.work.cards.add(shopper, CARD)
    return suspend_card(
        CARD,
        SuspensionReason.RESALE,
        by=admin_of(shop),
        work=shop.work,
        now_ms=UnixMs(now_ms),
        secrets=shop.secrets,
    )


def lift(shop: Shop, suspension: SuspensionId, *, site: SiteId = SITE) -> None:
    lift_suspension(
        suspension,
        by=admin_of(shop, site),
        work=shop.work,
        now_ms=UnixMs(NOON_MS + 1),
        secrets=shop.secrets,
    )


def appeal(shop: Shop, shopper: ShopperId, text: str = "It was my brother.") -> Suspension:
    return appeal_suspension(
        shopper, text, work=shop.work, now_ms=UnixMs(NOON_MS + 5), secrets=shop.secrets
    )


def holder(shop: Shop, tag: str = "tag:1") -> ShopperId:
    pairing = shop.work.pairings.open_of_tag(tag)
    assert pairing is not None
    return pairing.shopper


def test_no_offer_is_made_and_the_decision_says_why(shop: Shop) -> None:
    """The answer to "why?" names the suspension and not some other rule."""
    shop.start(campaign())
    anna = shop.shopper()
    suspension = suspend(shop, anna)
    decision = shop.stand(at_ms=NOON_MS)
    assert decision is not None
    assert decision.chosen is None
    assert [passed.refusal for passed in decision.passed_over] == [Refusal.CARD_SUSPENDED]
    lift(shop, suspension.suspension)
    again = shop.stand(at_ms=NOON_MS + 60 * MINUTE_MS)
    assert again is not None
    assert again.chosen is not None


def test_an_offer_on_its_way_is_not_delivered(shop: Shop) -> None:
    """It was issued a second before."""
    shop.start(campaign())
    anna = shop.shopper()
    shop.stand(at_ms=NOON_MS)
    suspend(shop, anna)
    card = shop.offer_of(anna)
    assert card is not None
    assert card.offer.state is OfferState.REVOKED


def test_a_coupon_is_refused_at_the_till_and_good_again_afterwards(shop: Shop) -> None:
    """A coupon is a promise: it is not taken away, only not taken until the case is settled."""
    shop.start(campaign())
    code = shop.code_in_hand(at_ms=NOON_MS)
    suspension = suspend(shop, holder(shop))
    till = Till(shop)
    refused = till.ask(asked(code))
    assert refused is CheckoutRefusal.CARD_SUSPENDED
    lift(shop, suspension.suspension)
    assert till.pay(code).discount.amount_minor == 200


def test_the_holder_is_heard_once_and_the_store_admin_reads_it_first(shop: Shop) -> None:
    """Whoever is accused says his side; a machine that bans for good is none of ours."""
    anna = shop.shopper()
    first = suspend(shop, anna)
    ben = shop.shopper(tag="tag:2")
    shop.work.cards.add(ben, CardNumber(7))
    suspend_card(
        CardNumber(7),
        SuspensionReason.COUPON_ABUSE,
        by=admin_of(shop),
        work=shop.work,
        now_ms=UnixMs(NOON_MS - 1),
        secrets=shop.secrets,
    )
    appealed = appeal(shop, anna)
    assert (appealed.suspension, appealed.appeal) == (first.suspension, "It was my brother.")
    listed = shop.work.suspensions.open_of_site(SITE, limit=10)
    assert [one.shopper for one in listed] == [anna, ben]
    with pytest.raises(Conflict, match="an appeal already"):
        appeal(shop, anna, "And another thing.")
    assert shop.work.suspensions.open_of_site(SiteId("elsewhere"), limit=10) == ()


def test_a_card_is_suspended_once_and_an_unknown_one_never(shop: Shop) -> None:
    """Two store admins at once; and a typing error."""
    anna = shop.shopper()
    suspend(shop, anna)
    with pytest.raises(Conflict, match="suspended already"):
        suspend(shop, anna)
    with pytest.raises(NotFound, match="no such card"):
        suspend_card(
            CardNumber(8),
            SuspensionReason.RESALE,
            by=admin_of(shop),
            work=shop.work,
            now_ms=NOON_MS,
            secrets=shop.secrets,
        )


def test_another_site_can_neither_see_nor_lift_it(shop: Shop) -> None:
    """The same answer as for an id that nobody has."""
    suspension = suspend(shop, shop.shopper())
    with pytest.raises(NotFound, match="no such suspension"):
        lift(shop, suspension.suspension, site=SiteId("elsewhere"))
    with pytest.raises(NotFound, match="no such suspension"):
        lift(shop, SuspensionId("0" * 32))
    lift(shop, suspension.suspension)
    lift(shop, suspension.suspension)  # twice is as good as once


def test_each_step_is_in_the_audit_without_the_words_of_the_appeal(shop: Shop) -> None:
    """The audit outlives an erasure; what a person wrote must not."""
    anna = shop.shopper(tag=None)
    suspension = suspend(shop, anna)
    appeal(shop, anna)
    lift(shop, suspension.suspension)
    noted = shop.work.audit.page(after=0, limit=100)
    steps = [entry for entry in noted if "credential" not in entry.action]
    assert [entry.action for entry in steps[-3:]] == [
        "card_suspended",
        "suspension_appealed",
        "card_restored",
    ]
    assert "brother" not in str(noted)


def test_who_is_not_suspended_has_nothing_to_appeal(shop: Shop) -> None:
    """And a novel is no appeal."""
    anna = shop.shopper(tag=None)
    with pytest.raises(NotFound, match="not suspended"):
        appeal(shop, anna)
    suspend(shop, anna)
    with pytest.raises(InvalidShopper, match="1 to 2000"):
        appeal(shop, anna, "x" * 2_001)


def test_a_suspended_shopper_may_still_be_forgotten(shop: Shop) -> None:
    """A case against somebody does not outweigh Art. 17: there is no claim to defend here."""
    anna = shop.shopper()
    suspend(shop, anna)
    assert erase_shopper(anna, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert shop.work.suspensions.open_of_site(SITE, limit=10) == ()
