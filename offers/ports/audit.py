"""Keep the audit: who did what to whom, in a chain that only grows.

Layer: ports. Takes: nouns. Gives: `Audit` to storage.
"""

from collections.abc import Collection
from typing import Protocol

from offers.model.audit import AuditAction, AuditEntry
from rtls.model.units import UnixMs


class Audit(Protocol):
    """The chain of audit entries. There is no way to change or delete one."""

    def head(self) -> AuditEntry | None:
        """Return the newest entry, or None."""
        ...

    def append(self, entry: AuditEntry) -> bool:
        """Write the entry behind the head; False where another has taken its place."""
        ...

    def of_actions(
        self, actions: Collection[AuditAction], *, since_ms: UnixMs, limit: int
    ) -> tuple[AuditEntry, ...]:
        """Return the newest entries of some actions, newest first."""
        ...

    def page(self, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries behind a sequence number, oldest first."""
        ...

    def of_subject(self, subject: str, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries about one subject behind a sequence number, oldest first."""
        ...
