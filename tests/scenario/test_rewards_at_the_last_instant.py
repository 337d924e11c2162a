"""Tills and the sweep reach for the same coupons: each is used, or its points come back."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.exchange_reward import exchange_reward
from offers.handlers.loyalty.post_points import earn
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.benefit import Gift
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import Busy, WrongState
from offers.model.ids import CampaignId, OfferId, ShopperId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earning
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.reward import Exchange, Reward
from offers.model.till.redemption import Redemption
from offers.ports import UnitOfWork
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.writer import Writer
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign, checkout

COUPONS = 20
COST = 10
TRIES_MAX = 50
LASTS_S = 3_600
END_MS = UnixMs(START_MS + LASTS_S * 1_000)
MUG = replace(
    campaign("mug-reward", benefit=Gift(item="Mug")),
    trigger=ManualTrigger(),
    frequency_cap=FrequencyCap(offers_max=COUPONS, window_s=60),
    offer_valid_s=LASTS_S,
    coupon_valid_s=LASTS_S,
)
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    rewards=(
        Reward(reward="mug", campaign=CampaignId("mug-reward"), unit=POINTS, cost_minor=COST),
    ),
)


@dataclass(frozen=True)
class Hand:
    """A shopper's offers, each with the code of its coupon."""

    shopper: ShopperId
    offers: list[tuple[OfferId, str]]


def a_full_hand(work: UnitOfWork) -> Hand:
    """Exchange all points of a shopper."""
    shop = Shop(work)
    shop.start(MUG)
    start_programme(PROGRAMME, work=work, now_ms=START_MS)
    anna = shop.shopper()
    earning = Earning(
        unit=POINTS,
        amount_minor=COUPONS * COST,
        reason=PostingReason.PURCHASE,
        reference="purchase",
        active_at_ms=START_MS,
        expires_at_ms=UnixMs(START_MS + 10**9),
    )
    earn(anna, earning, work=work, now_ms=START_MS, secrets=shop.secrets)
    hand = []
    for _ in range(COUPONS):
        done = exchange_reward(
            anna, "mug", site=SITE, work=work, now_ms=START_MS, secrets=shop.secrets
        )
        assert isinstance(done, Exchange)
        assert done.card.coupon is not None
        shown = reveal_coupon(
            anna, done.card.coupon.coupon, work=work, now_ms=START_MS, secrets=shop.secrets
        )
        hand.append((done.card.offer.offer, shown.code))
    return Hand(anna, hand)


def reach_for(hand: Hand, number: int, work: UnitOfWork) -> bool:
    """Redeem a coupon, dismiss its offer, or sweep; say whether it was redeemed."""
    offer, code = hand.offers[number % COUPONS]
    turn = (number + number // COUPONS) % 5  # so that each coupon has its turn of each
    if turn == 1:
        expire_overdue(work=work, now_ms=END_MS)
        return False
    if turn == 3:
        dismiss_offer(hand.shopper, offer, work=work, now_ms=UnixMs(END_MS - 1))
        return False
    secrets = Shop(work, seed=str(number)).secrets
    used = redeem_coupon(checkout(code), work=work, now_ms=UnixMs(END_MS - 1), secrets=secrets)
    return isinstance(used, Redemption)


def persist(writers: list[Writer], hand: Hand, number: int) -> bool:
    """Ask again while another is faster; fail loudly if that never ends."""
    for turn in range(TRIES_MAX):
        writer = writers[(number + turn) % len(writers)]
        try:
            return writer.run(lambda work: reach_for(hand, number, work))
        except Busy:
            continue
        except WrongState:
            return False  # used or over before: nothing is done
    pytest.fail("busy for ever")


@pytest.mark.slow
def test_no_point_is_lost_and_none_comes_back_for_a_used_coupon(database: Place) -> None:
    """Tills at the last millisecond, phones that dismiss, and sweeps that come at the next."""
    prepare_database(database)
    with ExitStack() as stack:
        count = 2 if isinstance(database, sa.URL) else 1
        writers = [Writer(database) for _ in range(count)]
        for writer in writers:
            stack.callback(writer.close)
        hand = writers[0].run(a_full_hand)
        threads = stack.enter_context(ThreadPoolExecutor(16))
        used = sum(threads.map(lambda n: persist(writers, hand, n), range(5 * COUPONS)))
        writers[0].run(lambda work: expire_overdue(work=work, now_ms=END_MS))
    assert used > 0
    check_book(database, used=used)


def check_book(database: Place, *, used: int) -> None:
    """Add the book up by itself."""
    engine = open_engine(database, is_reader=True)
    with engine.connect() as connection:

        def one(query: str) -> int:
            return int(connection.exec_driver_sql(query).scalar_one() or 0)

        assert one("SELECT count(*) FROM redemptions") == used
        assert one("SELECT sum(open_minor) FROM ledger_lots") == (COUPONS - used) * COST
        assert one("SELECT sum(amount_minor) FROM ledger_postings") == 0
        back = "SELECT count(*) FROM ledger_transactions WHERE kind = 'give_back'"
        assert one(back) == COUPONS - used
    engine.dispose()
