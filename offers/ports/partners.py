"""Keep who bears the cost of campaigns, and the settlements about it.

Layer: ports. Takes: nouns. Gives: `Partners` to storage. The entries stand in the same book as
points; entries and documents are added, and never changed.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from offers.model.campaigns.funding import PartnerId
from offers.model.campaigns.settlement import Settlement, SettlementLine
from offers.model.ids import RedemptionId
from offers.model.loyalty.funding_entry import FundedCost, FundingEntry, FundingKind
from offers.model.loyalty.ledger import AccountId
from rtls.model.units import SiteId, UnixMs


class Partners(Protocol):
    """What partners bear, and what they have been asked for."""

    def post(self, entry: FundingEntry) -> int:
        """Write an entry into the book; return its sequence number.

        Raises
        ------
        Busy
            If the reference has just been used, or less is left of what it reverses.
        """
        ...

    def note_lines(self, redemption: RedemptionId, worth_minor: Sequence[int]) -> None:
        """Write what the points of each line of a redemption are worth."""
        ...

    def worth_of_lines(self, redemption: RedemptionId) -> Mapping[int, int]:
        """Return what points of lines were worth, by place; nothing where none were granted."""
        ...

    def cost_of(self, reference: str, currency: str) -> FundedCost | None:
        """Return what is left of the cost that the reference names, or None."""
        ...

    def balance_minor(self, account: AccountId) -> int:
        """Return the sum of all postings of an account."""
        ...

    def is_known(self, site: SiteId, partner: PartnerId) -> bool:
        """Say whether the partner has ever borne anything at the site."""
        ...

    def head_sequence(self) -> int:
        """Return the number of the newest entry of the book, 0 where there is none."""
        ...

    def lines_of(
        self,
        site: SiteId,
        partner: PartnerId,
        kinds: Sequence[FundingKind],
        *,
        from_ms: UnixMs,
        until_ms: UnixMs,
        after_sequence: int,
        through_sequence: int,
    ) -> tuple[SettlementLine, ...]:
        """Return what entries of these kinds put on the partner, by campaign and currency."""
        ...

    def add_settlement(self, settlement: Settlement) -> bool:
        """Write a document; False where its number has just been given to another."""
        ...

    def settlements(
        self, site: SiteId, partner: PartnerId, *, after: int, limit: int
    ) -> tuple[Settlement, ...]:
        """Return documents behind a number, the oldest first."""
        ...

    def settlement(self, site: SiteId, partner: PartnerId, number: int) -> Settlement | None:
        """Return one document, or None."""
        ...

    def overlapping(
        self, site: SiteId, partner: PartnerId, *, from_ms: UnixMs, until_ms: UnixMs
    ) -> tuple[Settlement, ...]:
        """Return the documents that count a part of a period, without those of agreed money."""
        ...

    def last_number(self, site: SiteId, partner: PartnerId) -> int:
        """Return the number of the newest document, 0 where there is none."""
        ...
