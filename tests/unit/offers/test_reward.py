"""exchange_reward: points become a coupon, both or neither."""

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from offers.decision.terms import reward_terms
from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.exchange_reward import exchange_reward
from offers.handlers.loyalty.post_points import earn
from offers.handlers.loyalty.reverse_points import claw_back
from offers.handlers.loyalty.review_tiers import count_spending
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.open_offer import dismiss_offer, open_offer
from offers.handlers.offering.reveal_coupon import reveal_coupon
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.campaigns.benefit import Gift
from offers.model.campaigns.campaign import Budget, FrequencyCap
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.errors import InvalidProgramme, NotFound
from offers.model.ids import CampaignId, ShopperId
from offers.model.loyalty.earning_rule import EarningTerms
from offers.model.loyalty.ledger import POINTS, Lot, PostingReason, TransactionKind
from offers.model.loyalty.points import Earning, HistoryEntry
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.loyalty.reward import Exchange, Reward, RewardRefusal, UnusedReward
from offers.model.loyalty.tier import CountedSpending, Tier, TierLadder, TierWindow
from offers.model.offering.coupon import CouponState
from offers.model.offering.offer import OfferState
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.model.till.redemption import Redemption
from rtls.model.units import UnixMs
from tests.unit.offers.shop import SITE, START_MS, Shop, campaign, checkout

DAY_MS = 86_400_000
MUG = replace(
    campaign("mug-reward", benefit=Gift(item="Mug"), budget=Budget(redemptions_max=2)),
    trigger=ManualTrigger(),
    frequency_cap=FrequencyCap(offers_max=5, window_s=60),
)
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    tiers=TierLadder(
        currency="EUR",
        window=TierWindow.ROLLING,
        time_zone="Europe/Berlin",
        tiers=(Tier(tier="gold", name="Gold", threshold_minor=50_000),),
    ),
    rewards=(
        Reward(reward="mug", campaign=CampaignId("mug-reward"), unit=POINTS, cost_minor=100),
        Reward(
            reward="gold-mug",
            campaign=CampaignId("mug-reward"),
            unit=POINTS,
            cost_minor=50,
            tiers=frozenset({"gold"}),
        ),
    ),
)


@pytest.fixture
def anna(shop: Shop) -> ShopperId:
    shop.start(MUG)
    start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    return shop.shopper()


def give(
    shop: Shop, shopper: ShopperId, amount: int, *, pending_days: int = 0, days: int = 1
) -> None:
    active_at_ms = UnixMs(START_MS + pending_days * DAY_MS)
    earning = Earning(
        unit=POINTS,
        amount_minor=amount,
        reason=PostingReason.PURCHASE,
        reference=f"{shopper}-{amount}-{pending_days}",
        active_at_ms=active_at_ms,
        expires_at_ms=UnixMs(active_at_ms + days * DAY_MS),
    )
    earn(shopper, earning, work=shop.work, now_ms=START_MS, secrets=shop.secrets)


def exchange(
    shop: Shop, shopper: ShopperId, reward: str = "mug", *, now_ms: UnixMs = START_MS
) -> Exchange | RewardRefusal:
    return exchange_reward(
        shopper, reward, site=SITE, work=shop.work, now_ms=now_ms, secrets=shop.secrets
    )


def after_coupon(done: Exchange) -> UnixMs:
    assert done.card.coupon is not None
    return done.card.coupon.expires_at_ms


def redeem(shop: Shop, shopper: ShopperId, done: Exchange, *, now_ms: UnixMs) -> None:
    """Open the offer in time, and use its coupon at ``now_ms``."""
    assert done.card.coupon is not None
    open_offer(shopper, done.card.offer.offer, work=shop.work, now_ms=START_MS)
    shown = reveal_coupon(
        shopper, done.card.coupon.coupon, work=shop.work, now_ms=now_ms, secrets=shop.secrets
    )
    used = redeem_coupon(checkout(shown.code), work=shop.work, now_ms=now_ms, secrets=shop.secrets)
    assert isinstance(used, Redemption)


def wallet(shop: Shop, shopper: ShopperId) -> tuple[Lot, ...]:
    lots = shop.work.ledger.wallets_of(shopper)[0].lots
    return tuple(sorted(lots, key=lambda lot: lot.number))


def history(shop: Shop, shopper: ShopperId) -> tuple[HistoryEntry, ...]:
    return shop.work.ledger.history_of(shopper, before=10**9, limit=50)


def points(shop: Shop, shopper: ShopperId) -> int:
    return sum(wallet.balance_minor for wallet in shop.work.ledger.wallets_of(shopper))


def test_points_become_a_coupon(shop: Shop, anna: ShopperId) -> None:
    """C8: the coupon is in the app at once, and the points are spent."""
    give(shop, anna, 130)
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    assert done.card.offer.state is OfferState.DELIVERED
    assert done.card.coupon is not None
    assert done.card.coupon.state is CouponState.ISSUED
    assert points(shop, anna) == 30


def test_too_few_points_are_refused_and_nothing_is_issued(shop: Shop, anna: ShopperId) -> None:
    """A coupon without its points would be a gift, points without their coupon a theft."""
    assert exchange(shop, anna) is RewardRefusal.BALANCE_TOO_LOW
    give(shop, anna, 99)
    assert exchange(shop, anna) is RewardRefusal.BALANCE_TOO_LOW
    give(shop, anna, 1, pending_days=1)
    assert exchange(shop, anna) is RewardRefusal.STILL_PENDING
    assert shop.offer_of(anna) is None
    assert points(shop, anna) == 100


def test_the_last_mug_is_given_out_once(shop: Shop, anna: ShopperId) -> None:
    """The campaign's budget is the stock; who comes third keeps the points."""
    give(shop, anna, 300)
    assert [isinstance(exchange(shop, anna), Exchange) for _ in range(3)] == [True, True, False]
    assert exchange(shop, anna) is RewardRefusal.NOT_AVAILABLE
    assert points(shop, anna) == 100


def test_a_reward_of_a_tier_is_for_that_tier(shop: Shop, anna: ShopperId) -> None:
    """C13: members only."""
    give(shop, anna, 100)
    assert exchange(shop, anna, "gold-mug") is RewardRefusal.TIER_TOO_LOW
    spending = CountedSpending(
        site=SITE, reference="p1", currency="EUR", amount_minor=50_000, bought_at_ms=START_MS
    )
    count_spending(anna, spending, work=shop.work, now_ms=START_MS)
    assert isinstance(exchange(shop, anna, "gold-mug"), Exchange)


def test_without_consent_to_personal_offers_the_points_are_kept(
    shop: Shop, anna: ShopperId
) -> None:
    """The refusal says which purpose is missing, and takes nothing."""
    give(shop, anna, 100)
    shop.say(anna, Purpose.PERSONALISE, is_granted=False)
    assert exchange(shop, anna) is RewardRefusal.CONSENT_MISSING
    assert points(shop, anna) == 100


def test_an_unknown_reward_is_not_found(shop: Shop, anna: ShopperId) -> None:
    """Also where the site has no programme."""
    with pytest.raises(NotFound, match="no reward 'car'"):
        exchange(shop, anna, "car")


def test_a_catalogue_without_its_campaigns_is_refused(shop: Shop) -> None:
    """A reward that nothing stands behind would take points for nothing."""
    with pytest.raises(InvalidProgramme, match="Start the campaign first"):
        start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)
    shop.start(campaign("mug-reward"))
    with pytest.raises(InvalidProgramme, match="with the trigger 'manual'"):
        start_programme(PROGRAMME, work=shop.work, now_ms=START_MS)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: replace(PROGRAMME, tiers=None), r"for the tiers \['gold'\]; expected of \[\]"),
        (lambda: replace(PROGRAMME, rewards=PROGRAMME.rewards * 2), "each with its own name"),
        (lambda: replace(PROGRAMME.rewards[0], cost_minor=0), "cost_minor is 0"),
        (lambda: replace(PROGRAMME.rewards[0], reward="A mug"), "reward is 'A mug'"),
    ],
)
def test_a_catalogue_that_cannot_work_is_refused(build, message: str) -> None:
    """Told at the desk, with the entry and the remedy."""
    with pytest.raises(InvalidProgramme, match=message):
        build()


def test_points_of_an_unused_coupon_come_back_into_their_lots(shop: Shop, anna: ShopperId) -> None:
    """Who does not use a reward has lost nothing; the sweep that ends the coupon says so once."""
    give(shop, anna, 60, days=400)
    give(shop, anna, 70, days=500)
    before = wallet(shop, anna)
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    assert points(shop, anna) == 30
    for _ in range(3):
        expire_overdue(work=shop.work, now_ms=after_coupon(done))
    assert wallet(shop, anna) == before
    kinds = [line.kind for line in history(shop, anna)]
    assert kinds.count(TransactionKind.GIVE_BACK) == 1
    assert history(shop, anna)[0].reason is PostingReason.REWARD


def test_what_expired_meanwhile_stays_expired(shop: Shop, anna: ShopperId) -> None:
    """Otherwise exchanging and waiting would let points live for ever."""
    give(shop, anna, 60, days=1)
    give(shop, anna, 70, days=400)
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    expire_overdue(work=shop.work, now_ms=after_coupon(done))
    assert points(shop, anna) == 70


def test_a_coupon_that_was_used_brings_no_points_back(shop: Shop, anna: ShopperId) -> None:
    """Used at the last millisecond, the reward is had; the sweep comes too late."""
    give(shop, anna, 100, days=400)
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    last_ms = UnixMs(after_coupon(done) - 1)
    redeem(shop, anna, done, now_ms=last_ms)
    expire_overdue(work=shop.work, now_ms=after_coupon(done))
    assert points(shop, anna) == 0


def test_a_revoked_coupon_gives_the_points_back(shop: Shop, anna: ShopperId) -> None:
    """Dismissing a reward is changing one's mind before anything was handed out."""
    give(shop, anna, 100, days=400)
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    for _ in range(2):
        dismiss_offer(anna, done.card.offer.offer, work=shop.work, now_ms=START_MS)
    assert points(shop, anna) == 100


def test_points_that_come_back_repay_a_debt_first(shop: Shop, anna: ShopperId) -> None:
    """As every other income of a wallet does."""
    give(shop, anna, 100, days=400)
    earned = shop.work.ledger.of_reference(TransactionKind.EARN, POINTS, f"{anna}-100-0")
    assert earned is not None
    done = exchange(shop, anna)
    assert isinstance(done, Exchange)
    claw_back(earned.transaction, 100, reference="return", work=shop.work, now_ms=START_MS)
    assert points(shop, anna) == -100
    expire_overdue(work=shop.work, now_ms=after_coupon(done))
    assert points(shop, anna) == 0


def test_a_programme_may_say_that_points_are_lost(shop: Shop, anna: ShopperId) -> None:
    """What was promised on the day of the exchange counts, whatever is promised later."""
    strict = replace(PROGRAMME, unused_rewards=UnusedReward.FORFEIT)
    start_programme(strict, work=shop.work, now_ms=UnixMs(START_MS + 1))
    give(shop, anna, 200, days=400)
    kind = exchange(shop, anna)
    severe = exchange(shop, anna, now_ms=UnixMs(START_MS + 1))
    assert isinstance(kind, Exchange)
    assert isinstance(severe, Exchange)
    expire_overdue(work=shop.work, now_ms=after_coupon(severe))
    assert points(shop, anna) == 100


def test_the_terms_say_what_becomes_of_the_points() -> None:
    """Before the exchange, not after it."""
    zone = ZoneInfo("Europe/Berlin")
    for unused, said in (
        (UnusedReward.GIVE_BACK, "you get the points back"),
        (UnusedReward.FORFEIT, "the points are lost, too"),
    ):
        assert said in reward_terms(MUG, unused, zone=zone, locale=Locale.EN)[-1]


def test_the_choice_is_written_in_the_document() -> None:
    """An older document, without the member, gives back."""
    strict = replace(PROGRAMME, unused_rewards=UnusedReward.FORFEIT)
    assert parse_programme(render_programme(strict), source="it") == strict
    older = json.loads(render_programme(PROGRAMME))
    del older["unused_rewards"]
    assert parse_programme(json.dumps(older), source="it") == PROGRAMME
    with pytest.raises(InvalidProgramme, match="unused_rewards is 'keep'"):
        parse_programme(json.dumps(older | {"unused_rewards": "keep"}), source="it")
