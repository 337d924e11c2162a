"""Say what is earned, spent, taken back and given back, and what came of it.

Layer: nouns. Takes: wishes of tills, campaigns and rewards. Gives: `Earning`, `Spending` to the
handlers post_points and reverse_points, and their answers to the callers.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidLedger
from offers.model.ids import TransactionId
from offers.model.loyalty.ledger import (
    LASTS_MS_MAX,
    Account,
    LedgerUnit,
    Lot,
    PostingReason,
    TransactionKind,
    check_amount,
    check_reference,
    check_unit,
)
from rtls.model.units import SiteId, UnixMs


class LedgerRefusal(StrEnum):
    """Why a wish to spend was not met."""

    BALANCE_TOO_LOW = "balance_too_low"
    STILL_PENDING = "still_pending"
    """enough has been earned, but part of it cannot be spent yet"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earning:
    """What a shopper is to get, from when and until when it can be spent."""

    unit: LedgerUnit
    amount_minor: int
    reason: PostingReason
    reference: str
    """names the cause; the same cause earns once for each unit"""
    active_at_ms: UnixMs
    expires_at_ms: UnixMs
    site: SiteId | None = None
    """where it is earned; None: at no single site"""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_amount("amount_minor", self.amount_minor, least=1)
        check_reference(self.reference)
        lasts_ms = self.expires_at_ms - self.active_at_ms
        if not 0 < lasts_ms <= LASTS_MS_MAX:
            raise InvalidLedger(
                f"active_at_ms is {self.active_at_ms}, expires_at_ms {self.expires_at_ms}; "
                f"expected it to last more than 0 and at most {LASTS_MS_MAX} ms, ten years."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a shopper wants to pay with."""

    unit: LedgerUnit
    amount_minor: int
    reason: PostingReason
    reference: str
    """names the cause; the same cause spends once for each unit"""
    site: SiteId | None = None

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_amount("amount_minor", self.amount_minor, least=1)
        check_reference(self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """An earning that stands in the book."""

    transaction: TransactionId
    amount_minor: int
    is_new: bool
    """False: the cause had earned before, and nothing was done now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A spending that stands in the book."""

    transaction: TransactionId
    amount_minor: int
    is_new: bool
    """False: the cause had spent before, and nothing was done now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """A part of an earning or spending that has been undone."""

    transaction: TransactionId
    amount_minor: int
    is_new: bool
    """False: the cause had undone it before, and nothing was done now"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenced:
    """A transaction as its cause knows it, and how much of it has not been reversed."""

    transaction: TransactionId
    kind: TransactionKind
    reason: PostingReason
    wallet: Account
    site: SiteId | None
    reverses: TransactionId | None
    amount_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentLot:
    """A lot as a spending used it."""

    lot: Lot
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of what a shopper reads."""

    sequence: int
    kind: TransactionKind
    reason: PostingReason
    unit: LedgerUnit
    at_ms: UnixMs
    change_minor: int
