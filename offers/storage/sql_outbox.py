"""Keep what is still to be told in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Outbox`.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.outbox import OutboxEvent, OutboxKind
from offers.storage.tables import OUTBOX
from rtls.model.units import UnixMs

_WAITING = (
    sa.select(OUTBOX).order_by(OUTBOX.c.sequence).limit(sa.bindparam("most", type_=sa.Integer))
)
_ADD = sa.insert(OUTBOX)
_DONE = sa.delete(OUTBOX).where(OUTBOX.c.sequence == sa.bindparam("told"))


class SqlOutbox:
    """What is still to be told to others."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, kind: OutboxKind, *, shopper: ShopperId, subject: str, at_ms: UnixMs) -> None:
        """Write one thing to tell."""
        self._connection.execute(
            _ADD,
            {"kind": kind.value, "shopper_id": shopper, "subject": subject, "at_ms": at_ms},
        )

    def waiting(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """Return what has not been told, oldest first."""
        rows = self._connection.execute(_WAITING, {"most": limit})
        return tuple(
            OutboxEvent(
                sequence=row.sequence,
                kind=OutboxKind(row.kind),
                shopper=None if row.shopper_id is None else ShopperId(row.shopper_id),
                subject=row.subject,
                at_ms=UnixMs(row.at_ms),
            )
            for row in rows
        )

    def done(self, sequences: Sequence[int]) -> None:
        """Delete what has been told."""
        if sequences:
            self._connection.execute(_DONE, [{"told": sequence} for sequence in sequences])
