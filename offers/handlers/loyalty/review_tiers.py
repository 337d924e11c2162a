"""Count what shoppers spend, and bring them to the tier that follows from it.

Layer: flow. Takes: purchases and returns, the time. Gives: `TierChange`s, for whoever tells the
shopper. A purchase is reviewed in its own transaction, so a tier that is reached counts at once; a
tier that is lost is noticed by the sweep, on the day that the app has shown all along.
"""

from offers.handlers.messages.note_event import note_event
from offers.loyalty.tier import credits_matter_since, standing
from offers.model.ids import ShopperId
from offers.model.loyalty.tier import CountedSpending, TierChange, TierLadder, TierStanding
from offers.model.messages.webhook import WebhookEventKind
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs


def count_spending(
    shopper: ShopperId, spending: CountedSpending, *, work: UnitOfWork, now_ms: UnixMs
) -> TierChange | None:
    """Count a purchase or a return, and return the change of tier that it brings, if any.

    Does nothing where the site has no tiers, or counts another currency, or the same purchase or
    return has been counted before.
    """
    ladder = _ladder(spending.site, work=work)
    if ladder is None or ladder.currency != spending.currency or spending.amount_minor == 0:
        return None
    before = work.tiers.begin_review(shopper, spending.site)
    if not work.tiers.count(shopper, spending):
        return None
    return _review(shopper, spending.site, before, ladder=ladder, work=work, now_ms=now_ms)


def review_tiers(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> tuple[TierChange, ...]:
    """Look at the tiers whose time is over, at most ``limit`` of them; return what changed."""
    changes = []
    for shopper, site in work.tiers.due(now_ms=now_ms, limit=limit):
        before = work.tiers.begin_review(shopper, site)
        ladder = _ladder(site, work=work)
        if ladder is None:  # the site has given its tiers up; what was reached stays as it was
            work.tiers.end_review(shopper, site, tier=before, due_at_ms=None)
            continue
        change = _review(shopper, site, before, ladder=ladder, work=work, now_ms=now_ms)
        if change is not None:
            changes.append(change)
    return tuple(changes)


def standing_of(
    shopper: ShopperId, site: SiteId, *, work: UnitOfWork, now_ms: UnixMs
) -> TierStanding | None:
    """Return where the shopper stands now, or None where the site has no tiers."""
    ladder = _ladder(site, work=work)
    if ladder is None:
        return None
    since_ms = credits_matter_since(ladder, now_ms=now_ms)
    bought = work.tiers.credits_of(shopper, site, since_ms=since_ms)
    return standing(ladder, bought, now_ms=now_ms)


def _ladder(site: SiteId, *, work: UnitOfWork) -> TierLadder | None:
    programme = work.programmes.current(site)
    return None if programme is None else programme.tiers


def _review(
    shopper: ShopperId,
    site: SiteId,
    before: str | None,
    *,
    ladder: TierLadder,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> TierChange | None:
    since_ms = credits_matter_since(ladder, now_ms=now_ms)
    work.tiers.forget_before(shopper, site, before_ms=since_ms)
    bought = work.tiers.credits_of(shopper, site, since_ms=since_ms)
    stands = standing(ladder, bought, now_ms=now_ms)
    after = None if stands.tier is None else stands.tier.tier
    work.tiers.end_review(shopper, site, tier=after, due_at_ms=stands.ends_at_ms)
    if after == before:
        return None
    steps: list[str | None] = [None, *(tier.tier for tier in ladder.tiers)]
    was = steps.index(before) if before in steps else 0
    change = TierChange(
        shopper=shopper,
        site=site,
        before=before,
        after=after,
        at_ms=now_ms,
        is_up=steps.index(after) > was,
    )
    work.tiers.note_change(change)
    named = {"before": before, "after": after}
    note_event(
        WebhookEventKind.TIER_CHANGED,
        subject=shopper,
        shopper=shopper,
        site=site,
        detail={key: tier for key, tier in named.items() if tier is not None},
        work=work,
        now_ms=now_ms,
    )
    return change
