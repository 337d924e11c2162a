"""Redemption as a machine: whatever tills do in whatever order, the limits hold."""

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from offers.handlers.answer_once import answer_once
from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.errors import KeyReused, WrongState
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import CredentialId, ShopperId
from offers.model.offering.offer import OfferState
from offers.model.till.redemption import Redemption
from rtls.model.units import UnixMs
from tests.property.machine_size import machine_settings
from tests.unit.offers.shop import (
    MINUTE_MS,
    START_MS,
    Shop,
    campaign,
    checkout,
    memory_engine,
    scratch_work,
)

LIMIT = 3
TILL = CredentialId("c" * 32)
CAP = FrequencyCap(offers_max=5, window_s=60)


class Redemptions(RuleBasedStateMachine):
    """One campaign with a budget, against a model of a few dictionaries."""

    codes = Bundle("codes")
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self._engine_context = memory_engine()
        self._work_context = scratch_work(self._engine_context.__enter__())
        self.shop = Shop(self._work_context.__enter__())
        self.now_ms = START_MS
        self.count = 0
        self.redeemed: set[str] = set()
        self.answers: dict[str, tuple[str, StoredAnswer]] = {}
        self.campaign = campaign(
            cap=CAP, budget=Budget(redemptions_max=LIMIT, is_reserved=self.is_reserved)
        )
        self.shop.start(self.campaign)

    is_reserved = False

    def teardown(self) -> None:
        self._work_context.__exit__(None, None, None)
        self._engine_context.__exit__(None, None, None)

    @rule(target=codes)
    def a_shopper_gets_a_coupon(self) -> tuple[str, ShopperId] | None:
        self.count += 1
        self.now_ms += 10 * MINUTE_MS
        tag = f"tag:{self.count}"
        if not self.shop.has_budget(self.campaign.campaign):
            self.shop.shopper(tag=tag, now_ms=self.now_ms - 6 * MINUTE_MS)
            decision = self.shop.stand(tag, at_ms=self.now_ms)
            assert decision is not None
            assert decision.chosen is None
            return None
        code = self.shop.code_in_hand(tag, at_ms=self.now_ms)
        decided = self.shop.work.pairings.open_of_tag(tag)
        assert decided is not None
        return code, decided.shopper

    @rule(target=keys, held=codes, body=st.sampled_from(["a", "b"]))
    def a_till_redeems_under_a_fresh_key(self, held, body: str) -> tuple[str, str, str] | None:
        if held is None:
            return None
        key = f"key-{len(self.answers):08d}"
        answer = self._ask(key, held[0], body)
        self.answers[key] = (held[0] + body, answer)
        if answer.status == 201:
            assert held[0] not in self.redeemed
            self.redeemed.add(held[0])
        return key, held[0], body

    @rule(asked=keys)
    def a_till_asks_again(self, asked) -> None:
        if asked is not None:
            assert self._ask(*asked) == self.answers[asked[0]][1]

    @rule(asked=keys)
    def a_till_uses_a_key_for_something_else(self, asked) -> None:
        if asked is None:
            return
        try:
            self._ask(asked[0], asked[1], asked[2] + "!")
        except KeyReused:
            return
        raise AssertionError("the key was taken twice")

    @rule(held=consumes(codes))
    def a_shopper_dismisses(self, held) -> None:
        if held is None:
            return
        card = self.shop.offer_of(held[1])
        assert card is not None
        try:
            dismiss_offer(
                held[1], card.offer.offer, work=self.shop.work, now_ms=UnixMs(self.now_ms)
            )
        except WrongState:
            assert card.offer.state in {OfferState.REDEEMED, OfferState.EXPIRED}

    @rule(minutes=st.integers(1, 24 * 60))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE_MS
        expire_overdue(work=self.shop.work, now_ms=UnixMs(self.now_ms))

    @invariant()
    def the_limit_holds_and_the_books_agree(self) -> None:
        used = self.shop.used(self.campaign.campaign)
        assert used == len(self.redeemed) <= LIMIT

    def _ask(self, key: str, code: str, body: str) -> StoredAnswer:
        def act() -> StoredAnswer:
            answer = redeem_coupon(
                checkout(code),
                work=self.shop.work,
                now_ms=UnixMs(self.now_ms),
                secrets=self.shop.secrets,
            )
            if isinstance(answer, Redemption):
                return StoredAnswer(status=201, body=answer.redemption.encode())
            return StoredAnswer(status=409, body=answer.value.encode())

        request = IdempotentRequest.of(
            caller=TILL, key=key, operation="redeem", body=(code + body).encode()
        )
        return answer_once(request, act, work=self.shop.work, now_ms=UnixMs(self.now_ms))


class ReservedRedemptions(Redemptions):
    """The same, where every coupon that is out has its redemption set aside."""

    is_reserved = True


TestRedemptions = Redemptions.TestCase
TestReservedRedemptions = ReservedRedemptions.TestCase
STEPS = machine_settings(examples=25, steps=25)
TestRedemptions.settings = STEPS
TestReservedRedemptions.settings = STEPS
