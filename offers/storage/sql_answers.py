"""Keep answers under their idempotency keys in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Answers`.
"""

import sqlalchemy as sa

from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.storage.tables import ANSWERS
from rtls.model.units import UnixMs

_A = ANSWERS.c
_FIND = sa.select(_A.fingerprint, _A.status, _A.body).where(
    _A.caller == sa.bindparam("by"), _A.key == sa.bindparam("under")
)
_KEEP = sa.insert(ANSWERS)
_OLD = (
    sa.select(_A.caller, _A.key)
    .where(_A.at_ms < sa.bindparam("before_ms"))
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(ANSWERS).where(sa.tuple_(_A.caller, _A.key).in_(_OLD))


class SqlAnswers:
    """What was answered to requests that carried an idempotency key."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, request: IdempotentRequest) -> tuple[str, StoredAnswer] | None:
        """Return the fingerprint and answer kept under caller and key, or None."""
        given = {"by": request.caller, "under": request.key}
        row = self._connection.execute(_FIND, given).one_or_none()
        if row is None:
            return None
        return row.fingerprint, StoredAnswer(status=row.status, body=bytes(row.body))

    def keep(self, request: IdempotentRequest, answer: StoredAnswer, *, at_ms: UnixMs) -> None:
        """Write the answer in the transaction of its effect."""
        self._connection.execute(
            _KEEP,
            {
                "caller": request.caller,
                "key": request.key,
                "fingerprint": request.fingerprint,
                "status": answer.status,
                "body": answer.body,
                "at_ms": at_ms,
            },
        )

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete answers older than ``before_ms``; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        return self._connection.execute(_FORGET, given).rowcount
