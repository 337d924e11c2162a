"""Exchange points for a reward: the spending and the coupon in one transaction.

Layer: flow. Takes: a shopper and a reward of the site's catalogue. Gives: an `Exchange`, or why
there is none. Call it through `answer_once`. Everything is asked before anything is written: the
wallet is held while the campaign is weighed, so that neither points nor the coupon are there alone.
"""

from offers.handlers.loyalty.post_points import begin_change, spend
from offers.handlers.loyalty.return_reward import reward_reference
from offers.handlers.loyalty.review_tiers import standing_of
from offers.handlers.offering.decide_moment import decide_moment
from offers.handlers.offering.deliver_offer import deliver_decided
from offers.handlers.random_id import random_id
from offers.model.errors import NotFound
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import PostingReason
from offers.model.loyalty.points import Spending, Spent
from offers.model.loyalty.reward import Exchange, Reward, RewardRefusal
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import Requested, moment_of
from offers.model.offering.refusal import Refusal
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def exchange_reward(
    shopper: ShopperId,
    reward: str,
    *,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Exchange | RewardRefusal:
    """Spend the points and issue the coupon, or do neither.

    Parameters
    ----------
    shopper
        Who exchanges.
    reward
        Its name in the catalogue of the site's programme.
    site
        Whose programme.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    Raises
    ------
    NotFound
        If the catalogue has no such reward.
    """
    programme = work.programmes.current(site)
    known = {} if programme is None else {entry.reward: entry for entry in programme.rewards}
    if reward not in known:
        raise NotFound(f"no reward {reward!r}; expected one of the catalogue (GET /v1/me/rewards).")
    wanted = known[reward]
    refusal = _refusal_of_shopper(shopper, wanted, site=site, work=work, now_ms=now_ms)
    if refusal is not None:
        return refusal
    occasion = Requested(request=f"{reward}:{random_id(secrets)}")
    decision = decide_moment(
        moment_of(occasion, shopper=shopper, site=site, now_ms=now_ms),
        only=wanted.campaign,
        work=work,
        secrets=secrets,
    )
    if decision is None or decision.chosen is None:
        return _told(decision)
    card = deliver_decided(decision, work=work, now_ms=now_ms)
    spending = Spending(
        unit=wanted.unit,
        amount_minor=wanted.cost_minor,
        reason=PostingReason.REWARD,
        reference=reward_reference(card.offer.offer),
        site=site,
    )
    spent = spend(shopper, spending, work=work, now_ms=now_ms, secrets=secrets)
    assert isinstance(spent, Spent)  # asked above, and nobody else has changed the wallet since
    return Exchange(reward=wanted, transaction=spent.transaction, card=card)


def _refusal_of_shopper(
    shopper: ShopperId, wanted: Reward, *, site: SiteId, work: UnitOfWork, now_ms: UnixMs
) -> RewardRefusal | None:
    if wanted.tiers:
        standing = standing_of(shopper, site, work=work, now_ms=now_ms)
        tier = None if standing is None else standing.tier
        if tier is None or tier.tier not in wanted.tiers:
            return RewardRefusal.TIER_TOO_LOW
    account = work.ledger.wallet_of(shopper, wanted.unit)
    if account is None:
        return RewardRefusal.BALANCE_TOO_LOW
    wallet = begin_change(account, work=work, now_ms=now_ms)
    available_minor = wallet.available_minor(now_ms)
    if available_minor >= wanted.cost_minor:
        return None
    is_late = available_minor + wallet.pending_minor(now_ms) >= wanted.cost_minor
    return RewardRefusal.STILL_PENDING if is_late else RewardRefusal.BALANCE_TOO_LOW


def _told(decision: Decision | None) -> RewardRefusal:
    reasons = [] if decision is None else [entry.refusal for entry in decision.passed_over]
    if Refusal.CARD_SUSPENDED in reasons:
        return RewardRefusal.CARD_SUSPENDED
    is_consent = Refusal.CONSENT_PERSONALISE_MISSING in reasons
    return RewardRefusal.CONSENT_MISSING if is_consent else RewardRefusal.NOT_AVAILABLE
