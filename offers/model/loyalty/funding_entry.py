"""Write down who bears the cost of a campaign, as double-entry bookkeeping.

Layer: nouns. Takes: shares of a cost. Gives: `FundingEntry` to the handler fund_costs and to
storage, which keeps it in the same book as points. An entry checks itself: its postings sum to
zero. No posting names a shopper: the accounts are those of partner, retailer and campaign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from offers.model.campaigns.funding import PartnerId
from offers.model.errors import InvalidLedger
from offers.model.ids import CampaignId, TransactionId, check_random_id
from offers.model.loyalty.ledger import (
    Account,
    AccountId,
    AccountKind,
    LedgerUnit,
    Posting,
    check_amount,
    check_reference,
)
from rtls.model.units import SiteId, UnixMs


class FundingKind(StrEnum):
    """What an entry does."""

    FUND = "fund"
    TAKE_BACK = "take_back"
    """of goods that were returned"""
    CORRECT = "correct"
    """moves money between partner and retailer, who agreed that a document was wrong"""


class FundingReason(StrEnum):
    """What the cost was of."""

    DISCOUNT = "discount"
    POINTS = "points"
    """granted by the campaign, at what the programme redeems them for; cashback as well"""
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Funded:
    """Which campaign's cost, where and in which currency."""

    site: SiteId
    campaign: CampaignId
    currency: LedgerUnit

    @property
    def whole(self) -> Account:
        """Return the account that the cost of the campaign comes from."""
        return self._account(AccountKind.CAMPAIGN, "")

    @property
    def retailer(self) -> Account:
        """Return the account of what the retailer bears."""
        return self._account(AccountKind.RETAILER, "")

    def partner(self, partner: PartnerId) -> Account:
        """Return the account of what a partner owes."""
        return self._account(AccountKind.PARTNER, partner)

    def _account(self, kind: AccountKind, partner: str) -> Account:
        told = f"{kind}:{partner}:{self.currency}:{self.site}:{self.campaign}"
        return Account(
            account=AccountId(told),
            kind=kind,
            unit=self.currency,
            site=self.site,
            campaign=self.campaign,
            partner=partner or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingEntry:
    """One cost, or a part of it taken back, and who bears it. Never edited."""

    transaction: TransactionId
    funded: Funded
    kind: FundingKind
    reason: FundingReason
    postings: tuple[Posting, ...]
    at_ms: UnixMs
    reference: str | None = None
    """names the cause, which counts once for each kind and currency; None: it cannot come again"""
    reverses: TransactionId | None = None

    def __post_init__(self) -> None:
        check_random_id("transaction", self.transaction, error=InvalidLedger)
        check_amount("amount_minor", self.amount_minor, least=1)
        check_reference(self.reference)
        if sum(posting.amount_minor for posting in self.postings) != 0:
            raise InvalidLedger(f"postings of {self.transaction} do not sum to 0.")
        if any(posting.account.unit != self.funded.currency for posting in self.postings):
            raise InvalidLedger(f"postings of {self.transaction} are not all in one currency.")
        if (self.kind is FundingKind.TAKE_BACK) != (self.reverses is not None):
            raise InvalidLedger(
                f"{self.kind} reverses {self.reverses!r}; expected a transaction for take_back, "
                "and none for others."
            )

    @property
    def amount_minor(self) -> int:
        """Return how much money the entry moves."""
        return sum(max(posting.amount_minor, 0) for posting in self.postings)


def postings_of(
    funded: Funded, partners: Mapping[PartnerId, int], retailer_minor: int
) -> tuple[Posting, ...]:
    """Return the postings that put a cost on its bearers; below zero, what takes it back.

    Parameters
    ----------
    funded
        Whose cost it is.
    partners
        What each partner bears.
    retailer_minor
        What the retailer bears.
    """
    bearers = [(funded.partner(name), minor) for name, minor in partners.items()]
    bearers.append((funded.retailer, retailer_minor))
    whole_minor = sum(minor for _, minor in bearers)
    return tuple(
        Posting(account=account, amount_minor=minor)
        for account, minor in (*bearers, (funded.whole, -whole_minor))
        if minor
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FundedCost:
    """An entry as a return finds it: what of it nobody has taken back yet."""

    transaction: TransactionId
    funded: Funded
    reason: FundingReason
    partners: Mapping[PartnerId, int]
    retailer_minor: int
