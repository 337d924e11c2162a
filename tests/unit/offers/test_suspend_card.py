"""A suspended card gets nothing and redeems nothing, says so, and its holder is heard (C31)."""

from dataclasses import replace

import pytest

from offers.handlers.loyalty.exchange_reward import exchange_reward
from offers.handlers.loyalty.post_points import earn
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.people.issue_credential import issue_credential
from offers.handlers.people.suspend_card import appeal_suspension, lift_suspension, suspend_card
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.benefit import Gift
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import Conflict, InvalidShopper, NotFound
from offers.model.ids import ShopperId, SuspensionId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS, LedgerUnit, PostingReason
from offers.model.loyalty.points import Earning
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.reward import Reward, RewardRefusal
from offers.model.offering.offer import OfferState
from offers.model.offering.refusal import CheckoutRefusal, Refusal, TillRefusal
from offers.model.people.card import CardNumber
from offers.model.people.shopper import Credential, Role
from offers.model.people.suspension import Suspension, SuspensionReason
from offers.model.till.held_basket import HOLD_MS, CardHint, PricedBasket, SpendWish
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.till import NOON_MS, Till

EURO = LedgerUnit("EUR")
ONE_EURO = SpendWish(unit=EURO, amount_minor=100)
CARD = CardNumber(123_456_789_012)


def admin_of(shop: Shop, site: SiteId = SITE) -> Credential:
    issued = issue_credential(
        Role.STORE_ADMIN, work=shop.work, now_ms=START_MS, secrets=shop.secrets, site=site
    )
    return issued.credential


def give(shop: Shop, shopper: ShopperId, unit: LedgerUnit = EURO) -> None:
    """Put five hundred into the shopper's wallet."""
    earning = Earning(
        unit=unit,
        amount_minor=500,
        reason=PostingReason.PURCHASE,
        reference="purchase",
        active_at_ms=START_MS,
        expires_at_ms=UnixMs(START_MS + 10**9),
    )
    earn(shopper, earning, work=shop.work, now_ms=START_MS, secrets=shop.secrets)


def suspend(shop: Shop, shopper: ShopperId, *, now_ms: int = NOON_MS) -> Suspension:
    card = shop.work.cards.number_of(shopper) or CARD
    shop.work.cards.add(shopper, card)
    return suspend_card(
        card,
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


def test_no_point_is_spent_and_all_of_them_are_there_afterwards(shop: Shop) -> None:
    """The till says why at once, and the basket can be paid without the points."""
    till, anna = Till(shop), shop.shopper(tag=None)
    give(shop, anna)
    suspension = suspend(shop, anna)
    request = replace(asked(), card=till.scan(anna), spend=ONE_EURO)
    assert till.ask(request) is TillRefusal.CARD_SUSPENDED
    priced = price_basket(
        replace(request, spend=None), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )
    assert isinstance(priced, PricedBasket)
    assert priced.hint == CardHint()
    held = till.ask(replace(request, spend=None))
    assert isinstance(held, Held)
    assert isinstance(till.commit(held.held.held), Settled), "it goes on collecting"
    lift(shop, suspension.suspension)
    till.now_ms += MINUTE_MS
    spent = till.ask(replace(request, card=till.scan(anna)))
    assert isinstance(spent, Held)
    assert isinstance(till.commit(spent.held.held), Settled)


@pytest.mark.parametrize("what", ["points", "a coupon of the card", "a coupon by its code"])
def test_a_basket_that_was_held_before_is_not_paid_until_the_suspension_is_lifted(
    shop: Shop, what: str
) -> None:
    """Else whoever sees it coming holds a basket and empties the wallet nine minutes later."""
    shop.start(campaign())
    till = Till(shop)
    code = shop.code_in_hand(at_ms=NOON_MS)
    anna = holder(shop)
    give(shop, anna)
    shown = {"codes": (code,)} if what == "a coupon by its code" else {"card": till.scan(anna)}
    spend = ONE_EURO if what == "points" else None
    held = till.ask(replace(asked(), **shown, spend=spend))
    assert isinstance(held, Held)
    basket = held.held.held
    suspension = suspend(shop, anna)
    assert till.commit(basket) is TillRefusal.CARD_SUSPENDED
    assert till.commit(basket) is TillRefusal.CARD_SUSPENDED, "it is still held"
    lift(shop, suspension.suspension)
    settled = till.commit(basket)
    assert isinstance(settled, Settled)
    assert settled.purchase.discount == held.priced.discount.total, "what was told is what is paid"


def test_a_held_basket_that_nobody_may_pay_gives_all_back_in_time(shop: Shop) -> None:
    """A suspension takes nothing away for good."""
    shop.start(campaign())
    till = Till(shop)
    code = shop.code_in_hand(at_ms=NOON_MS)
    basket = till.hold(code)
    suspension = suspend(shop, holder(shop))
    till.wait(HOLD_MS)
    assert till.commit(basket) is TillRefusal.HOLD_EXPIRED
    lift(shop, suspension.suspension)
    assert till.pay(code).discount.amount_minor == 200


def test_no_reward_is_given_out_and_the_points_are_kept(shop: Shop) -> None:
    """The app is told the suspension and not that the mug is out of stock."""
    mug = replace(campaign("mug", benefit=Gift(item="Mug")), trigger=ManualTrigger())
    shop.start(mug)
    programme = Programme(
        site=SITE,
        time_zone="Europe/Berlin",
        terms=(EarningTerms(unit=POINTS),),
        rewards=(Reward(reward="mug", campaign=mug.campaign, unit=POINTS, cost_minor=5),),
    )
    start_programme(programme, work=shop.work, now_ms=NOON_MS)
    anna = shop.shopper(tag=None)
    give(shop, anna, POINTS)
    suspend(shop, anna)
    refused = exchange_reward(
        anna, "mug", site=SITE, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets
    )
    assert refused is RewardRefusal.CARD_SUSPENDED
    assert shop.work.ledger.wallets_of(anna)[0].balance_minor == 500


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
