"""Choose the lots that a movement of points touches: what expires first is used first.

Layer: rules. Takes: the lots and the debt of a `Wallet`, an amount, the time. Gives: allocations to
`offers.loyalty.entry`, which makes transactions of them. Nothing here changes anything.

The lots handed in are open and not over: whoever asks has expired those first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offers.model.ids import TransactionId
from offers.model.loyalty.ledger import Allocation, Lot, Wallet
from offers.model.loyalty.points import LedgerRefusal, SpentLot
from rtls.model.units import UnixMs


def first_expiring_first(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots as they are used up; of equal expiry the older first."""
    return sorted(lots, key=lambda lot: (lot.expires_at_ms, lot.number))


def expiring(wallet: Wallet, *, now_ms: UnixMs, until_ms: UnixMs) -> tuple[tuple[UnixMs, int], ...]:
    """Return when how much of the wallet expires, up to an instant, soonest first."""
    sums: dict[UnixMs, int] = {}
    for lot in first_expiring_first(wallet.lots):
        if now_ms < lot.expires_at_ms <= until_ms:
            sums[lot.expires_at_ms] = sums.get(lot.expires_at_ms, 0) + lot.open_minor
    return tuple(sums.items())


def allocate(
    wallet: Wallet, amount_minor: int, *, now_ms: UnixMs
) -> tuple[Allocation, ...] | LedgerRefusal:
    """Return which active lots pay the amount, or why they do not."""
    if wallet.available_minor(now_ms) < amount_minor:
        is_there = wallet.available_minor(now_ms) + wallet.pending_minor(now_ms) >= amount_minor
        return LedgerRefusal.STILL_PENDING if is_there else LedgerRefusal.BALANCE_TOO_LOW
    active = first_expiring_first(lot for lot in wallet.lots if lot.is_active(now_ms))
    allocations, left_minor = _take(active, amount_minor)
    assert left_minor == 0
    return allocations


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBack:
    """Where the points of returned goods are taken from."""

    allocations: tuple[Allocation, ...]
    expired_minor: int
    """what the shopper never used, and the issuer has back already"""
    debt_minor: int
    """what is not there any more, and the next earnings repay"""


def claw_back(
    wallet: Wallet,
    earned: TransactionId,
    amount_minor: int,
    *,
    expired_minor: int,
    now_ms: UnixMs,
) -> ClawBack:
    """Take an earning back: from its own lot, then the active ones, the pending ones, then as debt.

    What expired of its own lot counts as taken back: the shopper has not had it, and the issuer
    has. Without that a return after the expiry would cost the points a second time.

    Parameters
    ----------
    wallet
        Open lots and debt.
    earned
        The earning that is reversed.
    amount_minor
        How much of it.
    expired_minor
        What of its lot has expired, and has not been counted by an earlier clawback.
    now_ms
        Parts active lots from pending ones.
    """
    own = [lot for lot in wallet.lots if lot.lot == earned]
    others = first_expiring_first(lot for lot in wallet.lots if lot.lot != earned)
    active = [lot for lot in others if lot.is_active(now_ms)]
    pending = [lot for lot in others if not lot.is_active(now_ms)]
    from_own, left_minor = _take(own, amount_minor)
    from_expired_minor = min(left_minor, expired_minor)
    from_others, debt_minor = _take([*active, *pending], left_minor - from_expired_minor)
    return ClawBack(
        allocations=from_own + from_others, expired_minor=from_expired_minor, debt_minor=debt_minor
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack:
    """Where the points that paid for returned goods go."""

    repaid_minor: int
    allocations: tuple[Allocation, ...]
    """below zero: into the lots that they came from"""
    fresh_minor: int
    """whose lots have expired since: a new lot, for a while"""


def give_back(
    wallet: Wallet,
    spent: Sequence[SpentLot],
    amount_minor: int,
    *,
    given_minor: int,
    now_ms: UnixMs,
) -> GiveBack:
    """Undo a part of a spending, last taken first, as if it had been that much smaller.

    Lay the lots of the spending in a row, in the order in which they were used. What is given back
    is a piece of that row, counted from its end: parts that are given back one after the other are
    pieces side by side, so that they make up the whole whatever their sizes. The piece of a part
    that repays a debt returns to no lot.

    Parameters
    ----------
    wallet
        Its debt is repaid first.
    spent
        The lots of the spending.
    amount_minor, given_minor
        How much is given back now, and was before.
    now_ms
        Parts lots that live on from those that have expired.
    """
    repaid_minor = min(wallet.debt_minor, amount_minor)
    begin, end = given_minor + repaid_minor, given_minor + amount_minor
    allocations: list[Allocation] = []
    fresh_minor = at = 0
    for used in _last_taken_first(spent):
        piece_minor = max(0, min(end, at + used.amount_minor) - max(begin, at))
        at += used.amount_minor
        if used.lot.is_over(now_ms):
            fresh_minor += piece_minor
        elif piece_minor:
            allocations.append(Allocation(lot=used.lot.lot, amount_minor=-piece_minor))
    assert end <= at
    return GiveBack(
        repaid_minor=repaid_minor, allocations=tuple(allocations), fresh_minor=fresh_minor
    )


def _last_taken_first(spent: Sequence[SpentLot]) -> list[SpentLot]:
    return sorted(spent, key=lambda used: (-used.lot.expires_at_ms, -used.lot.number))


def _take(lots: Sequence[Lot], amount_minor: int) -> tuple[tuple[Allocation, ...], int]:
    """Return what the lots give in this order, and what is missing."""
    allocations: list[Allocation] = []
    for lot in lots:
        share_minor = min(lot.open_minor, amount_minor)
        if share_minor:
            allocations.append(Allocation(lot=lot.lot, amount_minor=share_minor))
            amount_minor -= share_minor
    return tuple(allocations), amount_minor
