"""Keep the audit chain in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Audit`.
"""

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa

from offers.model.audit import AuditAction, AuditEntry
from offers.storage.insert_once import insert_once
from offers.storage.tables.audit import AUDIT
from rtls.model.units import UnixMs

_HEAD: Final = sa.select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(1)
_PAGE: Final = (
    sa.select(AUDIT)
    .where(AUDIT.c.sequence > sa.bindparam("after"))
    .order_by(AUDIT.c.sequence)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_OF_ACTIONS: Final = (
    sa.select(AUDIT)
    .where(
        AUDIT.c.action.in_(sa.bindparam("named", expanding=True)),
        AUDIT.c.at_ms >= sa.bindparam("since"),
    )
    .order_by(AUDIT.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_OF_SUBJECT: Final = _PAGE.where(AUDIT.c.subject == sa.bindparam("about"))


class SqlAudit:
    """The chain of audit entries."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(AUDIT, connection.dialect.name)
        self._appended: AuditEntry | None = None

    def head(self) -> AuditEntry | None:
        """Return the newest entry."""
        if self._appended is not None:  # writers take turns: nobody else has appended since
            return self._appended
        found = self._read(_HEAD, {})
        return found[0] if found else None

    def append(self, entry: AuditEntry) -> bool:
        """Write the entry behind the head; False where another has taken its place."""
        is_head = self._connection.execute(self._insert, _row_of(entry)).rowcount == 1
        self._appended = entry if is_head else None
        return is_head

    def page(self, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries behind a sequence number, oldest first."""
        return self._read(_PAGE, {"after": after, "most": limit})

    def of_subject(self, subject: str, *, after: int, limit: int) -> tuple[AuditEntry, ...]:
        """Return entries about one subject behind a sequence number, oldest first."""
        return self._read(_OF_SUBJECT, {"about": subject, "after": after, "most": limit})

    def of_actions(
        self, actions: Collection[AuditAction], *, since_ms: UnixMs, limit: int
    ) -> tuple[AuditEntry, ...]:
        """Return the newest entries of some actions, newest first."""
        named = [action.value for action in actions]
        return self._read(_OF_ACTIONS, {"named": named, "since": since_ms, "most": limit})

    def _read(
        self, query: sa.Select[*tuple[object, ...]], given: Mapping[str, object]
    ) -> tuple[AuditEntry, ...]:
        rows = self._connection.execute(query, given)
        return tuple(
            AuditEntry(
                sequence=row.sequence,
                at_ms=UnixMs(row.at_ms),
                actor_role=row.actor_role,
                actor_ref=row.actor_ref,
                action=row.action,
                subject=row.subject,
                details=row.details,
                previous=row.previous,
                hash=row.hash,
            )
            for row in rows
        )


def _row_of(entry: AuditEntry) -> dict[str, object]:
    return {
        "sequence": entry.sequence,
        "at_ms": entry.at_ms,
        "actor_role": entry.actor_role,
        "actor_ref": entry.actor_ref,
        "action": entry.action,
        "subject": entry.subject,
        "details": entry.details,
        "previous": entry.previous,
        "hash": entry.hash,
    }
