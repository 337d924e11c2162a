"""Give a shopper all that is stored about him, in one piece.

Layer: flow. Takes: a shopper. Gives: an `Export`. That it was asked for is an entry of the audit,
written before; the export itself only reads, from one consistent state.
"""

from typing import Final

from offers.handlers.note_audit import note_audit, shopper_actor, shopper_pseudonym
from offers.model.audit import AuditAction
from offers.model.errors import NotFound
from offers.model.ids import ShopperId
from offers.model.people.personal_data import Export
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

AUDIT_ENTRIES_MAX: Final = 10_000


def note_export(
    shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> None:
    """Note that the shopper asked for all data."""
    note_audit(
        AuditAction.SHOPPER_EXPORTED,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=shopper_actor(shopper, secrets=secrets),
        work=work,
        now_ms=now_ms,
    )


def export_shopper(
    shopper: ShopperId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> Export:
    """Return every row about the shopper over all tables.

    Raises
    ------
    NotFound
        If there is no such shopper.
    """
    tables = work.personal_data.export(shopper)
    if not tables:
        raise NotFound("the shopper has been erased; expected one who is enrolled.")
    name = shopper_pseudonym(shopper, secrets=secrets)
    audit = work.audit.of_subject(name, after=0, limit=AUDIT_ENTRIES_MAX)
    return Export(shopper=shopper, at_ms=now_ms, tables=tables, audit=audit)
