"""Partners as a machine: whatever is redeemed, returned and settled, every cent is on somebody.

Three campaigns that partners pay for: money off with shares that leave remainders and a tight
bound, more points, cashback. The books of the till say what was given away.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from offers.checkout.budget_charges import day_of
from offers.handlers.campaigns.settle_partner import correct_settlement, settle_partner
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till import fund_costs
from offers.handlers.till.hold_basket import Held
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.handlers.till.settle_basket import Settled
from offers.model.audit import SYSTEM
from offers.model.campaigns.benefit import Cashback, PercentOff, PointsMultiplier
from offers.model.campaigns.campaign import CampaignState
from offers.model.campaigns.funding import WHOLE_BP, Funding, PartnerId, PartnerShare
from offers.model.campaigns.settlement import (
    CorrectionLine,
    Period,
    Settlement,
    SettlementKind,
)
from offers.model.conditions.fact import DAY_MS
from offers.model.errors import OffersError
from offers.model.ids import CampaignId, PurchaseId, ShopperId
from offers.model.money import Money
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import BasketRequest
from offers.model.till.purchase import PurchaseReturn
from offers.model.till.redemption import CheckoutRequest, Redemption
from rtls.model.units import UnixMs
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
from tests.unit.offers.test_points_at_the_till import PROGRAMME
from tests.unit.offers.till import Till, pieces_left

FISCHER, BOSCH = PartnerId("fischer"), PartnerId("bosch")
PIECES = st.dictionaries(st.integers(0, 2), st.integers(1, 3), min_size=1)
THIRD_BP = 3_333
WHICH = st.integers(0, 2)
AMOUNTS = st.integers(-200, 200).filter(bool)


def pays(partner: PartnerId, share_bp: int, most_minor: int) -> PartnerShare:
    return PartnerShare(
        partner=partner,
        name=partner.title(),
        share_bp=share_bp,
        amount_max=Money(amount_minor=most_minor, currency="EUR"),
    )


def funded(name: str, benefit, *partners: PartnerShare):
    return replace(campaign(name, benefit=benefit), funding=Funding(partners=partners))


THIRDS = (pays(FISCHER, THIRD_BP, 300), pays(BOSCH, THIRD_BP, 9_000))
CAMPAIGNS = (
    funded("off", PercentOff(percent=17), *THIRDS),
    funded("more", PointsMultiplier(percent=300), pays(FISCHER, 5_001, 150)),
    funded("back", Cashback(percent=7), pays(BOSCH, 10_000, 120)),
)
lines = st.builds(
    BasketLine,
    sku=st.sampled_from(["screw", "dowel"]),
    category=st.just("dowels"),
    quantity=st.integers(1, 3),
    unit_price_minor=st.integers(1, 999),
)
baskets = st.builds(
    Basket, currency=st.just("EUR"), lines=st.lists(lines, min_size=1, max_size=3).map(tuple)
)


class Partners(RuleBasedStateMachine):
    """Two partners, three campaigns, two shoppers, a till, and an accountant."""

    def __init__(self) -> None:
        super().__init__()
        self._engine_context = memory_engine()
        self._work_context = scratch_work(self._engine_context.__enter__())
        self.shop = Shop(self._work_context.__enter__())
        self.till = Till(self.shop)
        self.connection = self.shop.work.purchases._connection
        self.shoppers: list[ShopperId] = []
        self.paid: list[PurchaseId] = []
        self.documents: list[Settlement] = []
        start_programme(PROGRAMME, work=self.shop.work, now_ms=self._now())
        self.shop.start(*CAMPAIGNS)

    def teardown(self) -> None:
        try:
            self._bring_everything_back()
        finally:
            self._work_context.__exit__(None, None, None)
            self._engine_context.__exit__(None, None, None)

    def _now(self) -> UnixMs:
        return UnixMs(self.till.now_ms)

    @rule(which=WHICH, more=st.lists(WHICH, max_size=2), basket=baskets, has_card=st.booleans())
    def shoppers_with_coupons_pay(
        self, which: int, more: list[int], basket: Basket, *, has_card: bool
    ) -> None:
        codes = tuple(self._coupon_of(one) for one in (which, *more))
        request = BasketRequest(
            basket=basket,
            till=TILL,
            site=SITE,
            codes=tuple(code for code in codes if code is not None),
            card=self.till.scan(self.shoppers[-1]) if has_card else None,
        )
        held = self.till.ask(request)
        if isinstance(held, Held):
            settled = self.till.commit(held.held.held)
            assert isinstance(settled, Settled)
            self.paid.append(settled.purchase.purchase)

    @rule(which=WHICH, basket=baskets)
    def a_simple_till_redeems(self, which: int, basket: Basket) -> None:
        code = self._coupon_of(which)
        if code is None:
            return
        request = CheckoutRequest(code=code, basket=basket, till=TILL, site=SITE)
        answer = redeem_coupon(
            request, work=self.shop.work, now_ms=self._now(), secrets=self.shop.secrets
        )
        if isinstance(answer, Redemption):
            assert answer.purchase is not None
            self.paid.append(answer.purchase)

    @precondition(lambda self: self.paid)
    @rule(place=st.integers(0, 20), pieces=PIECES)
    def goods_come_back(self, place: int, pieces: dict[int, int]) -> None:
        self.till.bring_back(self.paid[place % len(self.paid)], pieces)

    @rule(
        partner=st.sampled_from([FISCHER, BOSCH]),
        ago=st.integers(0, 2),
        lasts=st.integers(1, 3),
        is_over=st.booleans(),
    )
    def a_period_is_settled(
        self, partner: PartnerId, ago: int, lasts: int, *, is_over: bool
    ) -> None:
        today = date.fromisoformat(day_of(self._now(), time_zone="Europe/Berlin"))
        first = today - timedelta(days=ago)
        if is_over:
            self.till.wait(lasts * DAY_MS)
        made = settle_partner(
            partner,
            Period(from_day=first, until_day=first + timedelta(days=lasts)),
            site=SITE,
            by=SYSTEM,
            work=self.shop.work,
            now_ms=self._now(),
        )
        if isinstance(made, Settlement):
            self.documents.append(made)

    @precondition(lambda self: self.documents)
    @rule(place=st.integers(0, 9), amount=AMOUNTS, which=WHICH)
    def a_document_is_corrected(self, place: int, amount: int, which: int) -> None:
        wrong = self.documents[place % len(self.documents)]
        revision = CAMPAIGNS[which]
        assert revision.funding is not None
        if wrong.partner not in {one.partner for one in revision.funding.partners}:
            return
        line = CorrectionLine(campaign=revision.campaign, currency="EUR", amount_minor=amount)
        made = correct_settlement(
            wrong.partner,
            wrong.number,
            [line],
            site=SITE,
            by=SYSTEM,
            work=self.shop.work,
            now_ms=self._now(),
            secrets=self.shop.secrets,
        )
        self.documents.append(made)

    @invariant()
    def every_entry_sums_to_nothing(self) -> None:
        """I1, of the whole book."""
        wrong = self._scalar(
            "SELECT count(*) FROM (SELECT transaction_id FROM ledger_postings "
            "GROUP BY transaction_id HAVING sum(amount_minor) <> 0) AS wrong"
        )
        assert wrong == 0

    @invariant()
    def the_shares_are_the_cost(self) -> None:
        """What campaigns gave away, by the purchases, is what partners and retailer bear."""
        discounts = self._scalar("SELECT coalesce(sum(discount_minor), 0) FROM purchases")
        back = self.connection.execute(sa.text("SELECT discounts_minor FROM return_lines"))
        discounts -= sum(sum(json.loads(row)) for row in back.scalars())
        borne = self._scalar(
            "SELECT coalesce(sum(p.amount_minor), 0) FROM ledger_postings p "
            "JOIN ledger_accounts a ON a.account_id = p.account_id "
            "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
            "WHERE a.kind IN ('partner', 'retailer') AND t.reason = 'discount'"
        )
        assert borne == discounts

    @invariant()
    def no_share_is_a_whole_unit_off(self) -> None:
        """A partner bears its basis points of each discount, or nothing where its bound is full."""
        rows = self.connection.execute(
            sa.text(
                "SELECT a.partner, p.amount_minor, t.amount_minor AS cost FROM ledger_postings p "
                "JOIN ledger_accounts a ON a.account_id = p.account_id "
                "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
                "WHERE a.campaign_id = 'off' AND a.partner IS NOT NULL AND t.kind = 'fund'"
            )
        )
        for row in rows:
            assert abs(row.amount_minor * WHOLE_BP - row.cost * THIRD_BP) < WHOLE_BP

    @invariant()
    def nobody_bears_less_than_nothing_or_more_than_promised(self) -> None:
        """What redemptions put on a partner is what its bound has counted, and never beyond it."""
        rows = self.connection.execute(
            sa.text(
                "SELECT campaign_id, partner, cap, held, used, overdrawn FROM budgets "
                "WHERE partner IS NOT NULL"
            )
        ).all()
        assert len(rows) == 4
        for row in rows:
            balance = self._balance(row.partner, row.campaign_id)
            assert balance == row.used
            assert 0 <= balance <= row.cap
            assert row.held + row.used <= row.cap
            assert row.overdrawn == 0

    @invariant()
    def documents_count_each_entry_once(self) -> None:
        """Their totals are the ledger's, to the unit; their numbers have no gap."""
        for partner in (FISCHER, BOSCH):
            mine = [one for one in self.documents if one.partner == partner]
            assert [one.number for one in mine] == list(range(1, len(mine) + 1))
            periods = {
                (one.from_ms, one.until_ms)
                for one in mine
                if one.kind is not SettlementKind.CORRECTION
            }
            settled = sum(self._posted(partner, *period) for period in periods)
            corrected = self._posted_by_hand(partner)
            assert sum(one.totals_minor.get("EUR", 0) for one in mine) == settled + corrected

    def _coupon_of(self, which: int) -> str | None:
        """Let a new shopper stand at the shelf for five minutes, for the one campaign that runs."""
        self.till.now_ms += 10 * MINUTE_MS
        for place, revision in enumerate(CAMPAIGNS):
            state = CampaignState.ACTIVE if place == which else CampaignState.PAUSED
            self.shop.work.campaigns.set_state(revision.campaign, state)
        tag = f"tag:{len(self.shoppers)}"
        shopper = self.shop.shopper(tag=tag, now_ms=self.till.now_ms - 6 * MINUTE_MS)
        self.shoppers.append(shopper)
        decision = self.shop.stand(tag, at_ms=self.till.now_ms)
        if decision is None or decision.chosen is None:  # a partner's bound is reached
            return None
        card = self.shop.offer_of(shopper)
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
        return shown.code

    def _balance(self, partner: str, campaign: str | CampaignId) -> int:
        return self._scalar(
            "SELECT coalesce(sum(p.amount_minor), 0) FROM ledger_postings p "
            "JOIN ledger_accounts a ON a.account_id = p.account_id "
            "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
            "WHERE a.partner = :partner AND a.campaign_id = :campaign AND t.kind <> 'correct'",
            partner=partner,
            campaign=campaign,
        )

    def _posted(self, partner: str, from_ms: int, until_ms: int) -> int:
        return self._scalar(
            "SELECT coalesce(sum(p.amount_minor), 0) FROM ledger_postings p "
            "JOIN ledger_accounts a ON a.account_id = p.account_id "
            "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
            "WHERE a.partner = :partner AND t.kind <> 'correct' "
            "AND t.at_ms >= :from_ms AND t.at_ms < :until_ms",
            partner=partner,
            from_ms=from_ms,
            until_ms=until_ms,
        )

    def _posted_by_hand(self, partner: str) -> int:
        return self._scalar(
            "SELECT coalesce(sum(p.amount_minor), 0) FROM ledger_postings p "
            "JOIN ledger_accounts a ON a.account_id = p.account_id "
            "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
            "WHERE a.partner = :partner AND t.kind = 'correct'",
            partner=partner,
        )

    def _bring_everything_back(self) -> None:
        """I9: with the last piece, nothing of any redemption is on anybody."""
        names = self.connection.execute(sa.text("SELECT purchase_id FROM purchases")).scalars()
        for name in list(names):
            purchase = self.shop.work.purchases.find(PurchaseId(name))
            assert purchase is not None
            if left := pieces_left(purchase):
                assert isinstance(self.till.bring_back(purchase.purchase, left), PurchaseReturn)
        left_over = self._scalar(
            "SELECT coalesce(sum(abs(s.total)), 0) FROM (SELECT sum(p.amount_minor) AS total "
            "FROM ledger_postings p JOIN ledger_accounts a ON a.account_id = p.account_id "
            "JOIN ledger_transactions t ON t.transaction_id = p.transaction_id "
            "WHERE a.kind IN ('partner', 'retailer', 'campaign') AND t.kind <> 'correct' "
            "GROUP BY a.account_id) AS s"
        )
        assert left_over == 0
        self.the_shares_are_the_cost()

    def _scalar(self, query: str, **given: object) -> int:
        return int(self.connection.execute(sa.text(query), given).scalar_one())


TestPartners = Partners.TestCase
# Each step redeems, returns and settles by the handlers: 600 of them take 10 s.
STEPS = machine_settings(examples=25, steps=25)
TestPartners.settings = STEPS


def rounded_each(total_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Round each share by itself: what everybody writes first, and what loses cents."""
    whole = sum(weights)
    return tuple((2 * total_minor * weight + whole) // (2 * whole) for weight in weights)


def test_a_planted_rounding_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own negative control: a machine that finds nothing proves nothing."""
    monkeypatch.setattr(fund_costs, "split_by_largest_remainder", rounded_each)
    planted = settings(STEPS, derandomize=True, database=None, phases=[Phase.generate])
    with pytest.raises((AssertionError, OffersError, sa.exc.IntegrityError, BaseExceptionGroup)):
        run_state_machine_as_test(Partners, settings=planted)
