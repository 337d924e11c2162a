"""Keep points and cashback as double-entry bookkeeping: what moved, never only what is left.

Layer: nouns. Takes: amounts in integer minor units. Gives: `Account`, `Lot`, `Wallet`,
`LedgerTransaction` to the rules of loyalty, the handlers and storage. A transaction checks itself:
its postings sum to zero, and the wallet changes by what its lots and its debt change.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NewType

from offers.model.errors import InvalidLedger
from offers.model.ids import RANDOM_PATTERN, CampaignId, TransactionId, check_random_id
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES
from rtls.model.units import SiteId, UnixMs

LedgerUnit = NewType("LedgerUnit", str)
AccountId = NewType("AccountId", str)

POINTS: Final = LedgerUnit("points")
YEAR_MS: Final = 366 * 86_400_000
LASTS_MS_MAX: Final = 10 * YEAR_MS
REFERENCE_CHARACTERS_MAX: Final = 200


class AccountKind(StrEnum):
    """Whose side of the book an account is on."""

    WALLET = "wallet"
    """what a shopper has; named by random bits, so that it stays unlinkable after erasure"""
    GRANTED = "granted"
    """the issuer's side of what was earned"""
    REDEEMED = "redeemed"
    """the issuer's side of what was spent"""
    EXPIRED = "expired"
    """what fell back to the issuer because its time was over"""
    CLOSED = "closed"
    """what was left, or owed, when a shopper was erased"""
    CAMPAIGN = "campaign"
    """what a campaign that partners pay for has cost; below zero, since it goes to who bears it"""
    RETAILER = "retailer"
    """what the retailer bears of it"""
    PARTNER = "partner"
    """what a partner bears of it, and owes the retailer"""


class TransactionKind(StrEnum):
    """What a transaction does."""

    EARN = "earn"
    SPEND = "spend"
    EXPIRE = "expire"
    CLAW_BACK = "claw_back"
    """takes back what was earned with goods that were returned"""
    GIVE_BACK = "give_back"
    """returns what was spent on goods that were returned, or on a reward that was never used"""
    CLOSE = "close"


class PostingReason(StrEnum):
    """Why, as the shopper reads it in the history."""

    PURCHASE = "purchase"
    CAMPAIGN = "campaign"
    WELCOME = "welcome"
    BIRTHDAY = "birthday"
    ANNIVERSARY = "anniversary"
    MILESTONE = "milestone"
    REFERRAL = "referral"
    SURVEY = "survey"
    PROFILE = "profile"
    SCAN = "scan"
    VISIT = "visit"
    GOODWILL = "goodwill"
    PAYMENT = "payment"
    REWARD = "reward"
    RETURN = "return"
    EXPIRY = "expiry"
    CLOSING = "closing"


def check_unit(unit: LedgerUnit) -> None:
    """Refuse what the ledger does not count in.

    Raises
    ------
    InvalidLedger
        Unless ``unit`` is "points" or an ISO 4217 code.
    """
    if unit != POINTS and unit not in CURRENCIES:
        raise InvalidLedger(
            f"unit is {unit!r}; expected 'points', or the ISO 4217 code of a cashback, e.g. 'EUR'."
        )


def check_amount(field: str, amount_minor: int, *, least: int) -> None:
    """Refuse an amount that is no integer, or out of bounds.

    Raises
    ------
    InvalidLedger
        Unless it is ``least`` to `AMOUNT_MINOR_MAX`.
    """
    if type(amount_minor) is not int or not least <= amount_minor <= AMOUNT_MINOR_MAX:
        raise InvalidLedger(
            f"{field} is {amount_minor!r}; expected an integer from {least} to {AMOUNT_MINOR_MAX}. "
            "Count in minor units: one point is 1, one euro is 100."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One column of the book: a wallet, or the issuer's side of a kind of movement at a site."""

    account: AccountId
    kind: AccountKind
    unit: LedgerUnit
    site: SiteId | None = None
    """None: of no single site"""
    campaign: CampaignId | None = None
    """of the accounts of a campaign's cost; None: of none"""
    partner: str | None = None
    """whose side of a campaign's cost; None: no partner's"""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        is_opaque = RANDOM_PATTERN.match(self.account) is not None
        if is_opaque != (self.kind is AccountKind.WALLET):
            raise InvalidLedger(
                f"account is {self.account!r} of kind {self.kind}; expected 32 hex digits for a "
                "wallet, and a name for the issuer's side."
            )

    @classmethod
    def of_issuer(cls, kind: AccountKind, unit: LedgerUnit, site: SiteId | None) -> "Account":
        """Return the issuer's account of a kind; it needs no opening."""
        named = AccountId(f"{kind}:{unit}:{site or '*'}")
        return cls(account=named, kind=kind, unit=unit, site=site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What one account gains or loses by a transaction."""

    account: Account
    amount_minor: int

    def __post_init__(self) -> None:
        check_amount("a posting's amount_minor", abs(self.amount_minor), least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What a transaction takes out of a lot; below zero where it puts something back."""

    lot: TransactionId
    amount_minor: int

    def __post_init__(self) -> None:
        check_amount("an allocation's amount_minor", abs(self.amount_minor), least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What one earning brought, and how much of it is still there. Named by its transaction."""

    lot: TransactionId
    number: int
    """of two lots of a wallet the older one has the lower number"""
    amount_minor: int
    open_minor: int
    active_at_ms: UnixMs
    expires_at_ms: UnixMs
    site: SiteId | None = None
    """where it was earned; None: at no single site"""

    def __post_init__(self) -> None:
        check_random_id("lot", self.lot, error=InvalidLedger)
        check_amount("a lot's amount_minor", self.amount_minor, least=1)
        if not 0 <= self.open_minor <= self.amount_minor:
            raise InvalidLedger(
                f"lot {self.lot}: {self.open_minor} of {self.amount_minor} are open; expected 0 to "
                "the whole."
            )
        if self.expires_at_ms <= self.active_at_ms:
            raise InvalidLedger(
                f"lot {self.lot}: active at {self.active_at_ms}, expires at {self.expires_at_ms}; "
                "expected it to expire after it becomes active."
            )

    def is_over(self, now_ms: UnixMs) -> bool:
        """Say whether its time is over, swept or not."""
        return now_ms >= self.expires_at_ms

    def is_active(self, now_ms: UnixMs) -> bool:
        """Say whether it can be spent."""
        return self.active_at_ms <= now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """What a shopper has in one unit: open lots, or a debt."""

    account: Account
    changes: int
    """how many changes have begun; numbers lots and transactions"""
    debt_minor: int = 0
    lots: tuple[Lot, ...] = ()
    """those with something open"""

    def __post_init__(self) -> None:
        assert self.account.kind is AccountKind.WALLET
        if self.debt_minor < 0 or (self.debt_minor and self.lots):
            raise InvalidLedger(
                f"wallet {self.account.account} owes {self.debt_minor} with {len(self.lots)} lots "
                "open; expected one of the two at most, and neither below zero."
            )

    @property
    def balance_minor(self) -> int:
        """Return what it is worth: below zero where something is owed."""
        return sum(lot.open_minor for lot in self.lots) - self.debt_minor

    def available_minor(self, now_ms: UnixMs) -> int:
        """Return what can be spent now."""
        return sum(lot.open_minor for lot in self.lots if lot.is_active(now_ms))

    def pending_minor(self, now_ms: UnixMs) -> int:
        """Return what becomes spendable later."""
        return sum(lot.open_minor for lot in self.lots if now_ms < lot.active_at_ms)

    def without_overdue(self, now_ms: UnixMs) -> "Wallet":
        """Return it as it is once the lots whose time is over are out."""
        lots = tuple(lot for lot in self.lots if not lot.is_over(now_ms))
        return replace(self, lots=lots)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTransaction:
    """One change of one wallet, whole and never edited: what undoes it is another one."""

    transaction: TransactionId
    wallet: Account
    kind: TransactionKind
    reason: PostingReason
    amount_minor: int
    at_ms: UnixMs
    postings: tuple[Posting, ...]
    allocations: tuple[Allocation, ...] = ()
    lot: Lot | None = None
    """what it brings"""
    debt_change_minor: int = 0
    reference: str | None = None
    """what the business calls the cause, e.g. a purchase; counts once for each kind and unit"""
    reverses: TransactionId | None = None
    site: SiteId | None = None

    def __post_init__(self) -> None:
        check_random_id("transaction", self.transaction, error=InvalidLedger)
        check_amount("amount_minor", self.amount_minor, least=1)
        check_reference(self.reference)
        is_reversal = self.kind in {TransactionKind.CLAW_BACK, TransactionKind.GIVE_BACK}
        if is_reversal != (self.reverses is not None):
            raise InvalidLedger(
                f"{self.kind} reverses {self.reverses!r}; expected a transaction for claw_back and "
                "give_back, and none for others."
            )
        if any(posting.account.unit != self.wallet.unit for posting in self.postings):
            raise InvalidLedger(f"postings of {self.transaction} are not all in one unit.")
        if sum(posting.amount_minor for posting in self.postings) != 0:
            raise InvalidLedger(f"postings of {self.transaction} do not sum to 0.")
        taken = sum(allocation.amount_minor for allocation in self.allocations)
        brought = 0 if self.lot is None else self.lot.amount_minor
        if self.change_minor != brought - taken - self.debt_change_minor:
            raise InvalidLedger(
                f"{self.transaction} posts {self.change_minor} to the wallet, its lots and debt "
                f"change by {brought - taken - self.debt_change_minor}; expected the same."
            )

    @property
    def change_minor(self) -> int:
        """Return what the wallet gains, or loses."""
        mine = self.wallet.account
        return sum(p.amount_minor for p in self.postings if p.account.account == mine)


def check_reference(reference: str | None) -> None:
    """Refuse a reference that could not be printed in an audit.

    Raises
    ------
    InvalidLedger
        If it is empty, too long or not printable.
    """
    if reference is not None and (
        not 1 <= len(reference) <= REFERENCE_CHARACTERS_MAX or not reference.isprintable()
    ):
        raise InvalidLedger(
            f"reference is {reference[:60]!r}; expected 1 to {REFERENCE_CHARACTERS_MAX} printable "
            "characters, e.g. the id of the purchase."
        )
