"""Write the transaction of each movement of points: earn, spend, expire, reverse, close.

Layer: rules. Takes: a `Wallet` without expired lots, a wish, the time. Gives: a `LedgerTransaction`
to the handlers, which write it down. Its id follows from the wallet and the number of the change:
nobody who does not know the wallet's random name can guess it, and none is drawn twice.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from offers.loyalty.lots import allocate, claw_back, give_back
from offers.model.conditions.fact import DAY_MS
from offers.model.ids import RANDOM_ID_BYTES, TransactionId
from offers.model.loyalty.ledger import (
    Account,
    AccountKind,
    Allocation,
    LedgerTransaction,
    Lot,
    Posting,
    PostingReason,
    TransactionKind,
    Wallet,
)
from offers.model.loyalty.points import Earning, LedgerRefusal, Referenced, Spending, SpentLot
from rtls.model.units import SiteId, UnixMs

GRACE_MS: Final = 30 * DAY_MS  # for points that come back after their lot has expired


def expiry_of(wallet: Wallet, *, now_ms: UnixMs) -> LedgerTransaction | None:
    """Return what takes the expired lots out of the wallet, or None where there is none."""
    over = [lot for lot in wallet.lots if lot.is_over(now_ms)]
    if not over:
        return None
    by_site: dict[SiteId | None, int] = {}
    for lot in over:
        by_site[lot.site] = by_site.get(lot.site, 0) + lot.open_minor
    amount_minor = sum(by_site.values())
    issuer = [
        Posting(account=_issuer(wallet, AccountKind.EXPIRED, site), amount_minor=share)
        for site, share in by_site.items()
    ]
    return LedgerTransaction(
        transaction=_name(wallet, TransactionKind.EXPIRE),
        wallet=wallet.account,
        kind=TransactionKind.EXPIRE,
        reason=PostingReason.EXPIRY,
        amount_minor=amount_minor,
        at_ms=now_ms,
        postings=(Posting(account=wallet.account, amount_minor=-amount_minor), *issuer),
        allocations=tuple(Allocation(lot=lot.lot, amount_minor=lot.open_minor) for lot in over),
    )


def earn(wallet: Wallet, earning: Earning, *, now_ms: UnixMs) -> LedgerTransaction:
    """Return the earning with its lot; a debt takes its part of the lot at once."""
    named = _name(wallet, TransactionKind.EARN)
    repaid_minor = min(wallet.debt_minor, earning.amount_minor)
    lot = Lot(
        lot=named,
        number=wallet.changes,
        amount_minor=earning.amount_minor,
        open_minor=earning.amount_minor - repaid_minor,
        active_at_ms=earning.active_at_ms,
        expires_at_ms=earning.expires_at_ms,
        site=earning.site,
    )
    return LedgerTransaction(
        transaction=named,
        wallet=wallet.account,
        kind=TransactionKind.EARN,
        reason=earning.reason,
        amount_minor=earning.amount_minor,
        at_ms=now_ms,
        postings=_two(wallet, AccountKind.GRANTED, earning.site, earning.amount_minor),
        allocations=_part_of(lot, repaid_minor),
        lot=lot,
        debt_change_minor=-repaid_minor,
        reference=earning.reference,
        site=earning.site,
    )


def spend(
    wallet: Wallet, spending: Spending, *, now_ms: UnixMs
) -> LedgerTransaction | LedgerRefusal:
    """Return the spending with the lots that pay it, or why there is none."""
    allocations = allocate(wallet, spending.amount_minor, now_ms=now_ms)
    if isinstance(allocations, LedgerRefusal):
        return allocations
    return LedgerTransaction(
        transaction=_name(wallet, TransactionKind.SPEND),
        wallet=wallet.account,
        kind=TransactionKind.SPEND,
        reason=spending.reason,
        amount_minor=spending.amount_minor,
        at_ms=now_ms,
        postings=_two(wallet, AccountKind.REDEEMED, spending.site, -spending.amount_minor),
        allocations=allocations,
        reference=spending.reference,
        site=spending.site,
    )


def clawback_of(
    wallet: Wallet,
    earned: Referenced,
    amount_minor: int,
    *,
    reference: str,
    expired_minor: int,
    now_ms: UnixMs,
) -> LedgerTransaction:
    """Return what takes a part of an earning back (see `offers.loyalty.lots.claw_back`)."""
    taken = claw_back(
        wallet, earned.transaction, amount_minor, expired_minor=expired_minor, now_ms=now_ms
    )
    from_wallet_minor = amount_minor - taken.expired_minor
    amounts = (
        (wallet.account, -from_wallet_minor),
        (_issuer(wallet, AccountKind.EXPIRED, earned.site), -taken.expired_minor),
        (_issuer(wallet, AccountKind.GRANTED, earned.site), amount_minor),
    )
    return LedgerTransaction(
        transaction=_name(wallet, TransactionKind.CLAW_BACK),
        wallet=wallet.account,
        kind=TransactionKind.CLAW_BACK,
        reason=PostingReason.RETURN,
        amount_minor=amount_minor,
        at_ms=now_ms,
        postings=_postings(amounts),
        allocations=taken.allocations,
        debt_change_minor=taken.debt_minor,
        reference=reference,
        reverses=earned.transaction,
        site=earned.site,
    )


def giveback_of(
    wallet: Wallet,
    paid: Referenced,
    amount_minor: int,
    *,
    spent: Sequence[SpentLot],
    reference: str,
    now_ms: UnixMs,
    grace_ms: int = GRACE_MS,
    reason: PostingReason = PostingReason.RETURN,
) -> LedgerTransaction:
    """Return what gives a part of a spending back (see `offers.loyalty.lots.give_back`)."""
    back = give_back(
        wallet,
        spent,
        amount_minor,
        given_minor=paid.amount_minor - paid.left_minor,
        now_ms=now_ms,
    )
    named = _name(wallet, TransactionKind.GIVE_BACK)
    fresh = None
    if back.fresh_minor:
        fresh = Lot(
            lot=named,
            number=wallet.changes,
            amount_minor=back.fresh_minor,
            open_minor=back.fresh_minor,
            active_at_ms=now_ms,
            expires_at_ms=UnixMs(now_ms + grace_ms),
            site=paid.site,
        )
    return LedgerTransaction(
        transaction=named,
        wallet=wallet.account,
        kind=TransactionKind.GIVE_BACK,
        reason=reason,
        amount_minor=amount_minor,
        at_ms=now_ms,
        postings=_two(wallet, AccountKind.REDEEMED, paid.site, amount_minor),
        allocations=back.allocations,
        lot=fresh,
        debt_change_minor=-back.repaid_minor,
        reference=reference,
        reverses=paid.transaction,
        site=paid.site,
    )


def closing_of(wallet: Wallet, *, now_ms: UnixMs) -> LedgerTransaction | None:
    """Return what brings the wallet to zero, or None where it is there already."""
    if wallet.balance_minor == 0:
        return None
    return LedgerTransaction(
        transaction=_name(wallet, TransactionKind.CLOSE),
        wallet=wallet.account,
        kind=TransactionKind.CLOSE,
        reason=PostingReason.CLOSING,
        amount_minor=abs(wallet.balance_minor),
        at_ms=now_ms,
        postings=_two(wallet, AccountKind.CLOSED, None, -wallet.balance_minor),
        allocations=tuple(
            Allocation(lot=lot.lot, amount_minor=lot.open_minor) for lot in wallet.lots
        ),
        debt_change_minor=-wallet.debt_minor,
    )


def _name(wallet: Wallet, kind: TransactionKind) -> TransactionId:
    told = f"{wallet.account.account}:{wallet.changes}:{kind}".encode()
    return TransactionId(hashlib.sha256(told).hexdigest()[: 2 * RANDOM_ID_BYTES])


def _issuer(wallet: Wallet, kind: AccountKind, site: SiteId | None) -> Account:
    return Account.of_issuer(kind, wallet.account.unit, site)


def _two(
    wallet: Wallet, kind: AccountKind, site: SiteId | None, amount_minor: int
) -> tuple[Posting, ...]:
    """Return the postings that bring an amount to the wallet from one account of the issuer."""
    return _postings(((wallet.account, amount_minor), (_issuer(wallet, kind, site), -amount_minor)))


def _postings(amounts: Sequence[tuple[Account, int]]) -> tuple[Posting, ...]:
    return tuple(
        Posting(account=account, amount_minor=minor) for account, minor in amounts if minor
    )


def _part_of(lot: Lot, amount_minor: int) -> tuple[Allocation, ...]:
    return (Allocation(lot=lot.lot, amount_minor=amount_minor),) if amount_minor else ()
