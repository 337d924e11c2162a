"""Note in the audit what was done, in the transaction that did it; and verify the chain.

Layer: flow. Takes: an action, its subject and who acts. Gives: nothing, or an `AuditReport`.
Writers take turns, so that a chain cannot fork; should they ever not, a UNIQUE constraint says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from offers.model.audit import (
    SYSTEM,
    Actor,
    AuditAction,
    AuditEntry,
    AuditFault,
    Detail,
    first_fault,
    next_entry,
)
from offers.model.errors import Busy
from offers.model.ids import ShopperId
from offers.model.people.shopper import Role
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

PSEUDONYM_PURPOSE: Final = "audit"
NO_DETAILS: Final[Mapping[str, Detail]] = MappingProxyType({})
PAGE: Final = 1_000


def note_audit(
    action: AuditAction,
    *,
    subject: str,
    by: Actor = SYSTEM,
    details: Mapping[str, Detail] = NO_DETAILS,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Append an entry.

    Parameters
    ----------
    action
        What was done.
    subject
        What it was done to: an id, and for a shopper `shopper_pseudonym`.
    by
        Who did it.
    details
        Ids, names of purposes, versions; never a secret, a text of a person, a shopper's key.
    work, now_ms
        The transaction and the time.

    Raises
    ------
    Busy
        If another writer has just appended; nothing is done, and the retry stands behind it.
    """
    entry = next_entry(
        work.audit.head(), action, at_ms=now_ms, by=by, subject=subject, details=details
    )
    if not work.audit.append(entry):
        raise Busy(f"audit entry {entry.sequence} has just been taken. Try again.")


def shopper_pseudonym(shopper: ShopperId, *, secrets: SecretSource) -> str:
    """Return how the audit names a shopper: without our key nobody gets from there to the row."""
    return secrets.fingerprint(shopper, purpose=PSEUDONYM_PURPOSE)


def shopper_actor(shopper: ShopperId, *, secrets: SecretSource) -> Actor:
    """Return the shopper as the one who acts."""
    return Actor(role=Role.SHOPPER, ref=shopper_pseudonym(shopper, secrets=secrets))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """How far the chain holds."""

    entries: int
    """how many were found sound, up to the fault or the end"""
    head: AuditEntry | None
    """the last sound one"""
    fault: AuditFault | None


def verify_audit(
    *, work: UnitOfWork, noted: tuple[int, str] | None = None, page: int = PAGE
) -> AuditReport:
    """Compute the whole chain anew, in pages, and name the first entry that does not fit.

    Parameters
    ----------
    work
        The transaction; it only reads.
    noted
        Sequence and hash of an entry as it was once. A chain that somebody wrote anew, or whose
        newest entries were cut off, is sound in itself and does not lead there.
    page
        So many entries are in memory at once.
    """
    head: AuditEntry | None = None
    is_noted_met = noted is None
    while entries := work.audit.page(after=0 if head is None else head.sequence, limit=page):
        fault = first_fault(entries, after=head)
        if fault is not None:
            sound = [entry.sequence for entry in entries].index(fault.sequence)
            return _report(entries[sound - 1] if sound else head, fault)
        is_noted_met = is_noted_met or noted in {(entry.sequence, entry.hash) for entry in entries}
        head = entries[-1]
    if noted is not None and not is_noted_met:
        reason = "it is not the entry that was noted earlier"
        return _report(head, AuditFault(sequence=noted[0], reason=reason))
    return _report(head, None)


def _report(head: AuditEntry | None, fault: AuditFault | None) -> AuditReport:
    return AuditReport(entries=0 if head is None else head.sequence, head=head, fault=fault)
