"""A partner's bound with many tills at once, on both databases: to the cent, as with one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.campaigns.funding import Funding
from offers.model.errors import Busy
from offers.model.loyalty.funding_entry import Funded
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.redemption import Redemption
from offers.ports import UnitOfWork
from offers.storage.database import Place
from offers.storage.writer import Writer
from rtls.model.units import UnixMs
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    CountedSecrets,
    Shop,
    campaign,
    checkout,
)
from tests.unit.offers.test_partners import FISCHER, pays

COUPONS = 24
FIT = 9
AT_MS = UnixMs(START_MS + 60 * MINUTE_MS)


@pytest.mark.parametrize("tills", [2])
def test_the_bound_is_met_exactly_by_tills_that_do_not_wait(database: Place, tills: int) -> None:
    """Half of 2.00 is 1.00: nine of twenty-four coupons fit into 9.50, whoever comes first."""
    revision = replace(
        campaign(cap=FrequencyCap(offers_max=1, window_s=1)),
        funding=Funding(partners=(pays(FISCHER, 5_000, FIT * 100 + 50),)),
        coupon_valid_s=86_400,
    )

    def prepare(work: UnitOfWork) -> list[str]:
        shop = Shop(work)
        shop.start(revision)
        start = START_MS + 10 * MINUTE_MS
        return [shop.code_in_hand(f"tag:{n}", at_ms=start + n * 1_000) for n in range(COUPONS)]

    writers = [Writer(database) for _ in range(tills)]
    try:
        codes = writers[0].run(prepare)

        def redeem(place: int) -> Redemption | CheckoutRefusal:
            secrets = CountedSecrets(f"till-{place}")

            def work(work: UnitOfWork) -> Redemption | CheckoutRefusal:
                request = checkout(codes[place])
                return redeem_coupon(request, work=work, now_ms=AT_MS, secrets=secrets)

            for _ in range(50):
                try:
                    return writers[place % tills].run(work)
                except Busy:  # a till tries again, as it is told to
                    continue
            raise AssertionError("busy for ever")

        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(redeem, range(COUPONS)))
        redeemed = sum(isinstance(answer, Redemption) for answer in answers)
        assert redeemed == FIT
        assert answers.count(CheckoutRefusal.BUDGET_SPENT) == COUPONS - FIT
        assert writers[0].run(_balance_and_used) == (FIT * 100, FIT * 100)
    finally:
        for writer in writers:
            writer.close()


def _balance_and_used(work: UnitOfWork) -> tuple[int, int]:
    name = campaign().campaign
    account = Funded(site=SITE, campaign=name, currency=LedgerUnit("EUR")).partner(FISCHER)
    state = work.budgets.state_of(BudgetKey(site=SITE, campaign=name, partner=FISCHER, unit="EUR"))
    assert state is not None
    return work.partners.balance_minor(account.account), state.used
