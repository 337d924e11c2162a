"""Tills as a machine: whatever is held, paid, given up and brought back, the books agree."""

from dataclasses import replace

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from offers.handlers.answer_once import answer_once
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.handlers.till.settle_basket import Settled
from offers.model.campaigns.benefit import MoneyOff, PercentOff
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import WrongState
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import BasketId, CredentialId, PurchaseId, ShopperId
from offers.model.loyalty.ledger import POINTS
from offers.model.money import Money
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import BasketRequest, SpendWish
from offers.model.till.purchase import PurchaseReturn
from offers.model.till.redemption import CheckoutRequest, Redemption
from offers.storage.tables import BUDGETS
from rtls.model.units import TagId, UnixMs
from tests.property.machine_size import machine_settings
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    TILL,
    Shop,
    campaign,
    memory_engine,
    scratch_work,
)
from tests.unit.offers.test_points_at_the_till import EURO, PROGRAMME
from tests.unit.offers.till import Till, pieces_left

LIMIT = 3
CALLER = CredentialId("c" * 32)
CAP = FrequencyCap(offers_max=20, window_s=1)
UNITS = (POINTS, EURO)
THREE_EURO = MoneyOff(amount=Money(amount_minor=300, currency="EUR"))
SEVENTH = PercentOff(percent=14)

lines = st.builds(
    BasketLine,
    sku=st.sampled_from(["screw", "dowel"]),
    category=st.just("dowels"),
    quantity=st.integers(1, 3),
    unit_price_minor=st.integers(0, 999),
)
baskets = st.builds(
    Basket, currency=st.just("EUR"), lines=st.lists(lines, min_size=1, max_size=3).map(tuple)
)
spends = st.none() | st.builds(
    SpendWish,
    unit=st.sampled_from(UNITS),
    amount_minor=st.integers(1, 50),
)


class Tills(RuleBasedStateMachine):
    """Two campaigns, one with a budget, a programme, three shoppers, and tills without manners."""

    codes = Bundle("codes")
    held = Bundle("held")
    paid = Bundle("paid")
    is_reserved = False

    def __init__(self) -> None:
        super().__init__()
        self._engine_context = memory_engine()
        self._work_context = scratch_work(self._engine_context.__enter__())
        self.shop = Shop(self._work_context.__enter__())
        self.till = Till(self.shop)
        self.connection = self.shop.work.purchases._connection
        self.shoppers: dict[int, ShopperId] = {}
        self.money_minor = 0
        """what the tills have taken in, less what they gave back"""
        start_programme(PROGRAMME, work=self.shop.work, now_ms=self._now())

    @initialize(is_reserved=st.booleans())
    def campaigns_start(self, *, is_reserved: bool) -> None:
        """In half of the runs every coupon that is out has its redemption set aside."""
        self.is_reserved = is_reserved
        limited = campaign(
            "limited",
            benefit=THREE_EURO,
            cap=CAP,
            budget=Budget(redemptions_max=LIMIT, is_reserved=is_reserved),
            priority=1,
        )
        plenty = replace(campaign("plenty", benefit=SEVENTH), stacking=StackingClass.COMBINABLE)
        self.shop.start(limited, plenty)

    def teardown(self) -> None:
        try:
            self._bring_everything_back()
        finally:
            self._work_context.__exit__(None, None, None)
            self._engine_context.__exit__(None, None, None)

    def _now(self) -> UnixMs:
        return UnixMs(self.till.now_ms)

    @rule(target=codes, who=st.integers(0, 2))
    def a_shopper_gets_a_coupon(self, who: int) -> tuple[str, ShopperId] | None:
        self.till.now_ms += 10 * MINUTE_MS
        tag, early_ms = f"tag:{who}", self.till.now_ms - 6 * MINUTE_MS
        if who not in self.shoppers:
            self.shoppers[who] = self.shop.shopper(tag=tag, now_ms=early_ms)
        elif self.shop.work.pairings.open_of_tag(TagId(tag)) is None:
            self.shop.pair(self.shoppers[who], tag, now_ms=early_ms)
        decision = self.shop.stand(tag, at_ms=self.till.now_ms)
        if decision is None or decision.chosen is None:
            return None
        card = self.shop.offer_of(self.shoppers[who])
        assert card is not None
        assert card.coupon is not None
        self.shop.deliver(card.offer.offer, now_ms=self.till.now_ms)
        shown = reveal_coupon(
            card.offer.shopper,
            card.coupon.coupon,
            work=self.shop.work,
            now_ms=self._now(),
            secrets=self.shop.secrets,
        )
        return shown.code, card.offer.shopper

    @rule(target=held, shown=st.lists(codes, max_size=3), basket=baskets)
    def a_till_holds_codes(self, shown, basket: Basket) -> BasketId | None:
        return self._hold(basket, codes=tuple(one[0] for one in shown if one is not None))

    @rule(target=held, who=codes, basket=baskets, spend=spends)
    def a_till_holds_a_card(self, who, basket: Basket, spend) -> BasketId | None:
        if who is None:
            return None
        self.till.now_ms += 30_000
        return self._hold(basket, card=self.till.scan(who[1]), spend=spend)

    @rule(target=held, before=held, basket=baskets)
    def a_basket_changes(self, before, basket: Basket) -> BasketId | None:
        return None if before is None else self._hold(basket, replaces=before)

    @rule(target=paid, basket=consumes(held), is_told_twice=st.booleans())
    def a_till_commits(self, basket, *, is_told_twice: bool) -> PurchaseId | None:
        if basket is None:
            return None
        answers = [self._commit_once(basket) for _ in range(1 + is_told_twice)]
        assert len(set(answers)) == 1
        if answers[0].status != 201:
            return None
        purchase = self.shop.work.purchases.find(PurchaseId(answers[0].body.decode()))
        assert purchase is not None
        self.money_minor += purchase.paid.amount_minor - purchase.tender.amount_minor
        return purchase.purchase

    @rule(basket=held)
    def a_till_cancels(self, basket) -> None:
        if basket is not None:
            self.till.cancel(basket)

    @rule(target=paid, shown=codes, basket=baskets)
    def a_simple_till_redeems(self, shown, basket: Basket) -> PurchaseId | None:
        if shown is None:
            return None
        request = CheckoutRequest(code=shown[0], basket=basket, till=TILL, site=SITE)
        answer = redeem_coupon(
            request, work=self.shop.work, now_ms=self._now(), secrets=self.shop.secrets
        )
        if not isinstance(answer, Redemption):
            return None
        self.money_minor += answer.to_pay.amount_minor
        return answer.purchase

    @rule(purchase=paid, pieces=st.dictionaries(st.integers(0, 3), st.integers(1, 3), min_size=1))
    def goods_come_back(self, purchase, pieces: dict[int, int]) -> None:
        if purchase is not None:
            self._bring_back(purchase, pieces)

    @rule(held_by=codes)
    def a_shopper_dismisses(self, held_by) -> None:
        card = None if held_by is None else self.shop.offer_of(held_by[1])
        if card is None or card.offer.is_over:
            return
        try:
            dismiss_offer(held_by[1], card.offer.offer, work=self.shop.work, now_ms=self._now())
        except WrongState:
            assert card.coupon is not None
            assert card.coupon.state == "held"

    @rule(minutes=st.integers(1, 12 * 60))
    def time_passes(self, minutes: int) -> None:
        self.till.wait(minutes * MINUTE_MS)

    @invariant()
    def budgets_hold_and_count_what_is_there(self) -> None:
        """I4, I6: used is what is redeemed and not reversed; held and used never exceed the cap."""
        used = self._scalar(
            "SELECT count(*) FROM redemptions r WHERE campaign_id = 'limited' AND NOT EXISTS "
            "(SELECT 1 FROM reversals v WHERE v.redemption_id = r.redemption_id)"
        )
        counters = self.connection.execute(
            sa.select(BUDGETS).where(BUDGETS.c.campaign_id == "limited")
        ).all()
        states = ("issued", "held") if self.is_reserved else ("held",)
        held = sum(
            self._scalar(
                "SELECT count(*) FROM coupons WHERE campaign_id = 'limited' "  # noqa: S608 - ours
                f"AND state = '{state}'"
            )
            for state in states
        )
        for counter in counters:
            assert (counter.used, counter.held) == (used, held)
            assert used + held <= LIMIT

    @invariant()
    def a_coupon_has_one_use_at_most(self) -> None:
        """I5, and its state says the same."""
        wrong = self._scalar(
            "SELECT count(*) FROM coupons c WHERE (c.state = 'redeemed') <> (1 = "
            "(SELECT count(*) FROM redemptions r WHERE r.coupon_id = c.coupon_id AND NOT EXISTS "
            "(SELECT 1 FROM reversals v WHERE v.redemption_id = r.redemption_id)))"
        )
        assert wrong == 0
        stranded = self._scalar(
            "SELECT count(*) FROM coupons c WHERE (c.state = 'held') <> (1 = (SELECT count(*) FROM "
            "held_coupons h JOIN held_baskets b ON b.basket_id = h.basket_id "
            "WHERE h.coupon_id = c.coupon_id AND b.state = 'held'))"
        )
        assert stranded == 0

    @invariant()
    def every_redemption_is_in_a_purchase_and_its_lines_sum_up(self) -> None:
        """I6, I7: to the minor unit."""
        assert self._scalar("SELECT count(*) FROM redemptions") == self._scalar(
            "SELECT count(*) FROM purchase_redemptions"
        )
        wrong = self._scalar(
            "SELECT count(*) FROM purchases p WHERE discount_minor <> (SELECT "
            "coalesce(sum(r.discount_minor), 0) FROM redemptions r JOIN purchase_redemptions x "
            "ON x.redemption_id = r.redemption_id WHERE x.purchase_id = p.purchase_id) "
            "OR discount_minor <> (SELECT sum(l.discount_minor) FROM purchase_lines l "
            "WHERE l.purchase_id = p.purchase_id)"
        )
        assert wrong == 0

    def _hold(self, basket: Basket, **shown) -> BasketId | None:
        request = BasketRequest(basket=basket, till=TILL, site=SITE, **shown)
        answer = self.till.ask(request)
        if not isinstance(answer, Held):
            return None
        assert answer.held.to_pay == answer.priced.to_pay
        assert answer.held.to_pay.amount_minor >= 0
        return answer.held.held

    def _commit_once(self, basket: BasketId) -> StoredAnswer:
        def act() -> StoredAnswer:
            settled = self.till.commit(basket)
            if isinstance(settled, Settled):
                return StoredAnswer(status=201, body=settled.purchase.purchase.encode())
            return StoredAnswer(status=422, body=settled.value.encode())

        asked = IdempotentRequest.of(
            caller=CALLER, key=f"commit-{basket}", operation="commit", body=b""
        )
        return answer_once(asked, act, work=self.shop.work, now_ms=self._now())

    def _bring_back(self, purchase: PurchaseId, pieces: dict[int, int]) -> None:
        returned = self.till.bring_back(purchase, pieces)
        if isinstance(returned, PurchaseReturn):
            self.money_minor -= returned.refund.amount_minor

    def _bring_everything_back(self) -> None:
        """I9: reversing every line restores every account."""
        purchases = self.connection.execute(sa.text("SELECT purchase_id FROM purchases")).scalars()
        for name in list(purchases):
            purchase = self.shop.work.purchases.find(PurchaseId(name))
            assert purchase is not None
            if left := pieces_left(purchase):
                self._bring_back(purchase.purchase, left)
        assert self.money_minor == 0
        for (shopper,) in self.connection.execute(sa.text("SELECT shopper_id FROM shoppers")).all():
            for wallet in self.shop.work.ledger.wallets_of(ShopperId(shopper)):
                assert (wallet.balance_minor, wallet.debt_minor) == (0, 0)
        self.budgets_hold_and_count_what_is_there()
        self.a_coupon_has_one_use_at_most()

    def _scalar(self, query: str) -> int:
        found: int = self.connection.execute(sa.text(query)).scalar_one()
        return found


TestTills = Tills.TestCase
TestTills.settings = machine_settings(examples=150)  # a step of it is three of the others
