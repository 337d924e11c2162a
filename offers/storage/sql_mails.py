"""Keep mails that wait to be sent in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Mails`.
"""

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.messages.mail import Mail, MailKind, MailState
from offers.storage.insert_once import insert_once
from offers.storage.tables import MAILS
from rtls.model.units import UnixMs

_M = MAILS.c
_MOST = sa.bindparam("most", type_=sa.Integer)
_IS_WAITING = _M.state == MailState.WAITING.value
_DUE = (
    sa.select(MAILS)
    .where(_IS_WAITING, _M.due_at_ms <= sa.bindparam("now_ms"))
    .order_by(_M.sequence)
    .limit(_MOST)
)
_FIND = sa.select(MAILS).where(_IS_WAITING, _M.sequence == sa.bindparam("number"))
_FINISH = (
    sa.update(MAILS)
    .where(_IS_WAITING, _M.sequence == sa.bindparam("number"))
    .values(state=sa.bindparam("after"))
)
_POSTPONE = (
    sa.update(MAILS)
    .where(_IS_WAITING, _M.sequence == sa.bindparam("number"))
    .values(
        attempts=_M.attempts + sa.bindparam("failed", type_=sa.BigInteger()),
        due_at_ms=sa.bindparam("until_ms"),
    )
)
_OLD = sa.select(_M.sequence).where(_M.created_at_ms < sa.bindparam("before_ms")).limit(_MOST)
_FORGET = sa.delete(MAILS).where(_M.sequence.in_(_OLD.scalar_subquery()))


class SqlMails:
    """Mails that wait to be sent, and those that were."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(MAILS, connection.dialect.name)

    def add(self, kind: MailKind, *, shopper: ShopperId, subject: str, at_ms: UnixMs) -> bool:
        """Write a mail; False where there was one of this kind and subject."""
        row = {
            "shopper_id": shopper,
            "kind": kind.value,
            "subject": subject,
            "state": MailState.WAITING.value,
            "attempts": 0,
            "created_at_ms": at_ms,
            "due_at_ms": at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def due(self, *, now_ms: UnixMs, limit: int) -> tuple[Mail, ...]:
        """Return waiting mails whose time has come, oldest first."""
        rows = self._connection.execute(_DUE, {"now_ms": now_ms, "most": limit})
        return tuple(_mail(row) for row in rows)

    def find(self, sequence: int) -> Mail | None:
        """Return a mail that still waits, or None."""
        row = self._connection.execute(_FIND, {"number": sequence}).one_or_none()
        return None if row is None else _mail(row)

    def finish(self, sequence: int, state: MailState) -> bool:
        """Write how a waiting mail ended; False where it waits no more."""
        given = {"number": sequence, "after": state.value}
        return self._connection.execute(_FINISH, given).rowcount == 1

    def postpone(self, sequence: int, *, until_ms: UnixMs, is_attempt: bool) -> None:
        """Write when a mail is looked at again, and whether an attempt to send it failed."""
        given = {"number": sequence, "until_ms": until_ms, "failed": int(is_attempt)}
        self._connection.execute(_POSTPONE, given)

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete mails written before ``before_ms``; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        return self._connection.execute(_FORGET, given).rowcount


def _mail(row: sa.Row[*tuple[object, ...]]) -> Mail:
    return Mail(
        sequence=row.sequence,
        kind=MailKind(row.kind),
        shopper=ShopperId(row.shopper_id),
        subject=row.subject,
        created_at_ms=UnixMs(row.created_at_ms),
        attempts=row.attempts,
    )
