"""Let a purchase or an activity earn what the site's programme promises.

Layer: flow. Takes: what was paid, line by line, or what a shopper did. Gives: what was earned. Call
it in the transaction of the purchase: what is earned can be spent at once (unless the programme
lets it wait), and a tier that is reached is reached at once.

A return is undone by its parts: `reverse_points.claw_back` for each earning, with
`offers.loyalty.earning.points_of_items` of the line's share, and `review_tiers.count_spending` with
the amount below zero at the time of the purchase.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from offers.handlers.loyalty.post_points import earn
from offers.handlers.loyalty.review_tiers import count_spending
from offers.loyalty.coupon_earning import beyond, cashback_of_benefits, rules_of_benefits, summed
from offers.loyalty.earning import (
    activity_reference,
    earning_of,
    points_of_activity,
    points_of_purchase,
)
from offers.model.campaigns.benefit import Benefit
from offers.model.ids import ShopperId, TransactionId
from offers.model.loyalty.earning_rule import EarningTerms, PurchaseEarning
from offers.model.loyalty.ledger import LedgerUnit, PostingReason, TransactionKind
from offers.model.loyalty.points import Earned
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.tier import CountedSpending, TierChange
from offers.model.till.basket import Basket
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPurchase:
    """What was paid at a till."""

    purchase: str
    """names the purchase; it earns once for each unit"""
    site: SiteId
    basket: Basket
    discounts_minor: tuple[int, ...]
    """what each line was made cheaper by, all discounts together"""
    benefits: tuple[Benefit, ...] = ()
    """of the coupons used with it: some multiply points or give cashback"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedByPurchase:
    """What a purchase earned in one unit, line by line, and under which transaction."""

    unit: LedgerUnit
    transaction: TransactionId
    lines_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOutcome:
    """What came of a purchase."""

    earned: tuple[EarnedByPurchase, ...]
    tier_change: TierChange | None


def earn_for_purchase(
    shopper: ShopperId,
    purchase: PaidPurchase,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> PurchaseOutcome:
    """Post what the purchase earns, and count it towards the shopper's tier.

    Parameters
    ----------
    shopper
        Whose card was shown.
    purchase
        What was paid. Where the site has no programme, only coupons make it earn.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.
    """
    programme = work.programmes.current(purchase.site)
    posted = []
    for part in _earned(purchase, programme, now_ms=now_ms):
        earning = earning_of(
            part.total_minor,
            terms_for(programme, part.unit),
            reason=PostingReason.PURCHASE,
            reference=purchase.purchase,
            site=purchase.site,
            now_ms=now_ms,
        )
        done = earn(shopper, earning, work=work, now_ms=now_ms, secrets=secrets)
        posted.append(
            EarnedByPurchase(
                unit=part.unit, transaction=done.transaction, lines_minor=part.lines_minor
            )
        )
    spending = CountedSpending(
        site=purchase.site,
        reference=purchase.purchase,
        currency=purchase.basket.currency,
        amount_minor=purchase.basket.total.amount_minor - sum(purchase.discounts_minor),
        bought_at_ms=now_ms,
    )
    change = count_spending(shopper, spending, work=work, now_ms=now_ms)
    return PurchaseOutcome(earned=tuple(posted), tier_change=change)


def earn_for_activity(
    shopper: ShopperId,
    activity: PostingReason,
    *,
    subject: str,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> tuple[Earned, ...]:
    """Post what an activity earns; nothing where it has earned as often as its rule allows.

    Parameters
    ----------
    shopper, activity
        Who did what.
    subject
        With or about what: the survey, the friend, the visit.
    site
        Whose programme counts.
    work, now_ms, secrets
        The transaction, the time, the source of a new wallet's name.
    """
    programme = work.programmes.current(site)
    if programme is None:
        return ()
    day = _day(programme, now_ms)
    posted = []
    for rule, earns in points_of_activity(programme.rules, activity, now_ms=now_ms):
        reference = activity_reference(
            rule, earns.how_often, shopper=shopper, subject=subject, day=day
        )
        if work.ledger.of_reference(TransactionKind.EARN, rule.unit, reference) is not None:
            continue
        earning = earning_of(
            earns.amount_minor,
            programme.terms_of(rule.unit),
            reason=activity,
            reference=reference,
            site=site,
            now_ms=now_ms,
        )
        posted.append(earn(shopper, earning, work=work, now_ms=now_ms, secrets=secrets))
    return tuple(posted)


def granted_by_coupons(
    purchase: PaidPurchase, *, work: UnitOfWork, now_ms: UnixMs
) -> tuple[tuple[PurchaseEarning, ...], ...]:
    """Return what each coupon made the purchase earn beyond programme and coupons before it.

    Together with the programme's own that is what the purchase earns, to the unit.
    """
    programme = work.programmes.current(purchase.site)
    steps = [
        _earned(replace(purchase, benefits=purchase.benefits[:count]), programme, now_ms=now_ms)
        for count in range(len(purchase.benefits) + 1)
    ]
    return tuple(beyond(more, less) for less, more in pairwise(steps))


def terms_for(programme: Programme | None, unit: LedgerUnit) -> EarningTerms:
    """Return the programme's terms for a unit; where it names none, at once and for two years."""
    known = () if programme is None else programme.terms
    return next((terms for terms in known if terms.unit == unit), EarningTerms(unit=unit))


def _earned(
    purchase: PaidPurchase, programme: Programme | None, *, now_ms: UnixMs
) -> tuple[PurchaseEarning, ...]:
    basket, off = purchase.basket, purchase.discounts_minor
    promised = () if programme is None else programme.rules
    rules = (*promised, *rules_of_benefits(purchase.benefits))
    by_rules = points_of_purchase(rules, basket, off, now_ms=now_ms)
    return summed((*by_rules, *cashback_of_benefits(purchase.benefits, basket, off)))


def _day(programme: Programme, now_ms: UnixMs) -> str:
    instant = datetime.fromtimestamp(now_ms // 1_000, tz=UTC)
    return instant.astimezone(ZoneInfo(programme.time_zone)).date().isoformat()
