"""Keep the programmes of sites, and on which tier shoppers stand.

Layer: ports. Takes: nouns. Gives: `Programmes`, `Tiers` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.ids import ShopperId
from offers.model.loyalty.programme import Programme, ProgrammeRevision
from offers.model.loyalty.tier import CountedSpending, Credit, TierChange
from rtls.model.units import SiteId, UnixMs


class Programmes(Protocol):
    """What each site promises. A revision is never changed."""

    def add_revision(self, programme: Programme, *, at_ms: UnixMs) -> int:
        """Write a revision behind all earlier ones of the site; return its number."""
        ...

    def current(self, site: SiteId) -> Programme | None:
        """Return the newest revision of the site's programme, or None."""
        ...

    def newest(self, site: SiteId) -> ProgrammeRevision | None:
        """Return the newest revision with its number, or None."""
        ...

    def revision(self, site: SiteId, number: int) -> ProgrammeRevision | None:
        """Return the revision with this number, or None."""
        ...

    def revisions(self, site: SiteId, *, limit: int) -> tuple[ProgrammeRevision, ...]:
        """Return the newest revisions, newest first."""
        ...

    def as_of(self, site: SiteId, at_ms: UnixMs) -> Programme | None:
        """Return the revision that was in force then, or None where there was none yet."""
        ...


class Tiers(Protocol):
    """What shoppers have spent, and the tier that follows from it."""

    def count(self, shopper: ShopperId, spending: CountedSpending) -> bool:
        """Write what a purchase or return counts; False where it has been counted already."""
        ...

    def credits_of(
        self, shopper: ShopperId, site: SiteId, *, since_ms: UnixMs
    ) -> tuple[Credit, ...]:
        """Return what was spent since then, purchases and returns by themselves, oldest first."""
        ...

    def begin_review(self, shopper: ShopperId, site: SiteId) -> str | None:
        """Make all other reviews of the shopper wait; return the tier that is written down."""
        ...

    def end_review(
        self, shopper: ShopperId, site: SiteId, *, tier: str | None, due_at_ms: UnixMs | None
    ) -> None:
        """Write the tier down, and when it has to be looked at again."""
        ...

    def note_change(self, change: TierChange) -> None:
        """Write a change behind all earlier ones."""
        ...

    def changes_of(self, shopper: ShopperId, *, limit: int) -> tuple[TierChange, ...]:
        """Return the shopper's newest changes, newest first."""
        ...

    def tier_of(self, shopper: ShopperId, site: SiteId) -> str | None:
        """Return the tier that is written down, or None."""
        ...

    def due(self, *, now_ms: UnixMs, limit: int) -> Sequence[tuple[ShopperId, SiteId]]:
        """Return whose tier has to be looked at."""
        ...

    def forget_before(self, shopper: ShopperId, site: SiteId, *, before_ms: UnixMs) -> int:
        """Delete credits that no window can reach any more; return how many."""
        ...
