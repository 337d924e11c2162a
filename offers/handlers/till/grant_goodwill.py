"""Grant a shopper points on the spot, within what one key of the staff may grant a day.

Layer: flow. Takes: a `Goodwill` and whose key it is. Gives: what was earned, or why nothing was.
Call it through `answer_once`. The day's sum is one conditional UPDATE: two grants at once cannot
both take the last points.
"""

from offers.handlers.loyalty.post_points import earn
from offers.handlers.note_audit import note_audit, shopper_pseudonym
from offers.handlers.random_id import random_id
from offers.handlers.till.reveal_card import scanned_card
from offers.model.audit import Actor, AuditAction
from offers.model.conditions.fact import DAY_MS
from offers.model.ids import ShopperId
from offers.model.loyalty.goodwill import (
    DEFAULT_LIMITS,
    Goodwill,
    GoodwillLimits,
    GoodwillRefusal,
    Grant,
)
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earned, Earning
from offers.model.people.shopper import Credential
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs


def grant_goodwill(
    goodwill: Goodwill,
    *,
    by: Credential,
    day: str,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    limits: GoodwillLimits = DEFAULT_LIMITS,
) -> Earned | GoodwillRefusal:
    """Let the holder of the card earn the points at once.

    Parameters
    ----------
    goodwill
        The card, the points, the reason.
    by
        The key that grants; its day's sum is limited, and the audit names it.
    day
        The calendar day of the site, YYYY-MM-DD.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    limits
        How much is allowed.
    """
    if goodwill.points > limits.points_a_grant_max:
        return GoodwillRefusal.ABOVE_GRANT_LIMIT
    scanned = scanned_card(goodwill.card, work=work, now_ms=now_ms, secrets=secrets)
    if scanned is None:
        return GoodwillRefusal.CARD_NOT_VALID
    if not work.cards.take(scanned.shopper, scanned.step):
        return GoodwillRefusal.CARD_NOT_VALID
    return grant_points(
        scanned.shopper,
        goodwill,
        by=by,
        day=day,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
        limits=limits,
    )


def grant_points(
    shopper: ShopperId,
    grant: Grant,
    *,
    by: Credential,
    day: str,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    limits: GoodwillLimits = DEFAULT_LIMITS,
) -> Earned | GoodwillRefusal:
    """Let a shopper earn the points whom staff know by other means than the card.

    Parameters
    ----------
    shopper
        Whose wallet it is; never from a request.
    grant
        The points, the reason.
    by, day, work, now_ms, secrets, limits
        As of `grant_goodwill`: the limits are the same, and shared with it.
    """
    if grant.points > limits.points_a_grant_max:
        return GoodwillRefusal.ABOVE_GRANT_LIMIT
    is_within = work.goodwill.take(
        by.credential, day=day, points=grant.points, points_max=limits.points_a_day_max
    )
    if not is_within:
        return GoodwillRefusal.DAY_LIMIT_REACHED
    earned = earn(
        shopper,
        _earning(grant, limits, reference=random_id(secrets), now_ms=now_ms),
        work=work,
        now_ms=now_ms,
        secrets=secrets,
    )
    note_audit(
        AuditAction.GOODWILL_GRANTED,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=Actor.of(by),
        details={
            "points": grant.points,
            "reason": grant.reason.value,
            "transaction": earned.transaction,
        },
        work=work,
        now_ms=now_ms,
    )
    return earned


def _earning(grant: Grant, limits: GoodwillLimits, *, reference: str, now_ms: UnixMs) -> Earning:
    return Earning(
        unit=POINTS,
        amount_minor=grant.points,
        reason=PostingReason.GOODWILL,
        reference=f"goodwill:{reference}",
        active_at_ms=now_ms,
        expires_at_ms=UnixMs(now_ms + limits.lasts_days * DAY_MS),
        site=grant.site,
    )
