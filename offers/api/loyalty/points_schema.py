"""Say how points and cashback look to the app.

Layer: edges. Takes: wallets and history entries. Gives: bodies to the points routes. Amounts are
integers in minor units: points by ones, a cashback in EUR by cents.
"""

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from offers.api.schema import Body, Instant, render_instant
from offers.loyalty.lots import expiring
from offers.model.loyalty.ledger import LASTS_MS_MAX, PostingReason, TransactionKind, Wallet
from offers.model.loyalty.points import HistoryEntry
from rtls.model.units import UnixMs


class ExpiryBody(Body):
    """An amount that is gone at an instant unless it is spent before."""

    unit: str = Field(examples=["points"])
    amount_minor: int = Field(examples=[120])
    expires_at: Instant


class BalanceBody(Body):
    """What the shopper has in one unit."""

    unit: str = Field(description="points, or the currency of a cashback", examples=["points"])
    balance_minor: int = Field(description="all of it; below zero where something is owed")
    available_minor: int = Field(description="can be spent now", examples=[480])
    pending_minor: int = Field(description="can be spent later", examples=[60])
    debt_minor: int = Field(description="repaid by the next earnings", examples=[0])
    next_expiry: ExpiryBody | None

    @classmethod
    def of(cls, wallet: Wallet, *, now_ms: UnixMs) -> Self:
        """Render a wallet as it is now, whether or not the sweep has taken out what expired."""
        left = wallet.without_overdue(now_ms)
        soonest = expiries_of((left,), now_ms=now_ms, until_ms=UnixMs(now_ms + 2 * LASTS_MS_MAX))
        return cls(
            unit=left.account.unit,
            balance_minor=left.balance_minor,
            available_minor=left.available_minor(now_ms),
            pending_minor=left.pending_minor(now_ms),
            debt_minor=left.debt_minor,
            next_expiry=soonest[0] if soonest else None,
        )


class PointsBody(Body):
    """What the shopper has, unit by unit; empty before the first earning."""

    balances: tuple[BalanceBody, ...]


class ExpiringBody(Body):
    """What expires soon, soonest first."""

    expiring: tuple[ExpiryBody, ...]


class HistoryEntryBody(Body):
    """One line of the history."""

    cursor: int = Field(examples=[17])
    kind: TransactionKind
    reason: PostingReason
    unit: str = Field(examples=["points"])
    change_minor: int = Field(description="what the balance gained or lost", examples=[-100])
    at: Instant

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        """Render one line."""
        return cls(
            cursor=entry.sequence,
            kind=entry.kind,
            reason=entry.reason,
            unit=entry.unit,
            change_minor=entry.change_minor,
            at=render_instant(entry.at_ms),
        )


class HistoryBody(Body):
    """A page of the history, newest first."""

    entries: tuple[HistoryEntryBody, ...]
    cursor: int = Field(description="what `?before=` takes for the next page", examples=[17])
    has_more: bool


def expiries_of(
    wallets: Sequence[Wallet], *, now_ms: UnixMs, until_ms: UnixMs
) -> tuple[ExpiryBody, ...]:
    """Render what expires up to an instant, soonest first."""
    found = [
        (expires_at_ms, wallet.account.unit, amount_minor)
        for wallet in wallets
        for expires_at_ms, amount_minor in expiring(wallet, now_ms=now_ms, until_ms=until_ms)
    ]
    return tuple(
        ExpiryBody(unit=unit, amount_minor=amount_minor, expires_at=render_instant(expires_at_ms))
        for expires_at_ms, unit, amount_minor in sorted(found)
    )
