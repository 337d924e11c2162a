"""Keep the log of decisions in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Decisions`.
"""

import sqlalchemy as sa

from offers.model.ids import DecisionId, ShopperId
from offers.model.offering.decision import Decision
from offers.storage.decision_rows import decision_of, decision_row
from offers.storage.tables import DECISIONS

_ADD_DECISIONS = sa.insert(DECISIONS)
_FIND = sa.select(DECISIONS).where(DECISIONS.c.decision_id == sa.bindparam("decision"))
_OF_SHOPPER = (
    sa.select(DECISIONS)
    .where(DECISIONS.c.shopper_id == sa.bindparam("shopper"))
    .order_by(DECISIONS.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)

_IS_DECIDED = sa.select(DECISIONS.c.decision_id).where(
    DECISIONS.c.event_id == sa.bindparam("event")
)


class SqlDecisions:
    """The log of decisions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(self, decision: Decision) -> None:
        """Write one decision."""
        self._connection.execute(_ADD_DECISIONS, decision_row(decision))

    def find(self, decision: DecisionId) -> Decision | None:
        """Return the decision, or None."""
        row = self._connection.execute(_FIND, {"decision": decision}).one_or_none()
        return None if row is None else decision_of(row)

    def is_decided(self, event_id: str) -> bool:
        """Say whether there is a decision about the event."""
        found = self._connection.execute(_IS_DECIDED, {"event": event_id})
        return found.one_or_none() is not None

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[Decision, ...]:
        """Return the newest decisions about the shopper, newest first."""
        rows = self._connection.execute(_OF_SHOPPER, {"shopper": shopper, "most": limit})
        return tuple(decision_of(row) for row in rows)
