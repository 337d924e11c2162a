"""Keep the audit: who did what to whom, in a chain that only grows.

Layer: ports. Takes: nouns. Gives: `Audit` to storage.
"""

from typing import Protocol

from offers.model.audit import AuditEntry


class Audit(Protocol):
    """The chain of audit entries. There is no way to change or delete one."""

    def head(self) -> AuditEntry | None:
        """Return the newest entry, or None."""
        ...

    def append(self, entry: AuditEntry) -> bool:
        """Write the entry behind the head; False where another has taken its place."""
        ...

    def page(self, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries behind a sequence number, oldest first."""
        ...

    def of_subject(self, subject: str, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries about one subject behind a sequence number, oldest first."""
        ...
