"""Keep the log of decisions in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Decisions`.
"""

from typing import Final

import sqlalchemy as sa

from offers.model.experiments.ranked_decision import RankedDecision
from offers.model.ids import DecisionId, ShopperId
from offers.model.offering.decision import Decision
from offers.model.ranking.ranking_policy import POLICY as RANKED
from offers.storage.decision_rows import decision_of, decision_row
from offers.storage.tables import DECISIONS, OFFERS, REDEMPTIONS, REVERSALS
from rtls.model.units import SiteId, UnixMs

PLACE_MAX: Final = 2**62
_ADD_DECISIONS = sa.insert(DECISIONS)
_FIND = sa.select(DECISIONS).where(DECISIONS.c.decision_id == sa.bindparam("decision"))
_OF_SHOPPER = (
    sa.select(DECISIONS)
    .where(DECISIONS.c.shopper_id == sa.bindparam("shopper"))
    .order_by(DECISIONS.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)

_NEWEST = (
    sa.select(DECISIONS)
    .where(DECISIONS.c.sequence < sa.bindparam("before"))
    .order_by(DECISIONS.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_IS_DECIDED = sa.select(DECISIONS.c.decision_id).where(
    DECISIONS.c.event_id == sa.bindparam("event")
)
_IS_REVERSED = (
    sa.select(REVERSALS.c.reversal_id)
    .where(REVERSALS.c.redemption_id == REDEMPTIONS.c.redemption_id)
    .exists()
)
# A coupon has at most one redemption that is not reversed.
_RANKED = (
    sa.select(
        *DECISIONS.c,
        OFFERS.c.opened_at_ms,
        REDEMPTIONS.c.redemption_id,
        REDEMPTIONS.c.basket_total_minor,
        REDEMPTIONS.c.discount_minor,
    )
    .join_from(DECISIONS, OFFERS, OFFERS.c.decision_id == DECISIONS.c.decision_id)
    .outerjoin(
        REDEMPTIONS,
        sa.and_(REDEMPTIONS.c.offer_id == OFFERS.c.offer_id, sa.not_(_IS_REVERSED)),
    )
    .where(
        DECISIONS.c.site == sa.bindparam("of_site"),
        DECISIONS.c.at_ms >= sa.bindparam("from_ms"),
        DECISIONS.c.at_ms < sa.bindparam("until_ms"),
        DECISIONS.c.policy == RANKED,
    )
    .order_by(DECISIONS.c.at_ms.desc(), DECISIONS.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
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

    def newest(self, *, before: int | None, limit: int) -> tuple[tuple[int, Decision], ...]:
        """Return the newest decisions with their places in the log, from a place backwards."""
        given = {"before": PLACE_MAX if before is None else before, "most": limit}
        rows = self._connection.execute(_NEWEST, given)
        return tuple((row.sequence, decision_of(row)) for row in rows)

    def ranked(
        self, site: SiteId, *, from_ms: UnixMs, until_ms: UnixMs, limit: int
    ) -> tuple[RankedDecision, ...]:
        """Return decisions of a time that a ranking took and what came of them, newest first."""
        given = {"of_site": site, "from_ms": from_ms, "until_ms": until_ms, "most": limit}
        return tuple(
            RankedDecision(
                decision=decision_of(row),
                is_opened=row.opened_at_ms is not None,
                is_redeemed=row.redemption_id is not None,
                paid_minor=0
                if row.redemption_id is None
                else row.basket_total_minor - row.discount_minor,
            )
            for row in self._connection.execute(_RANKED, given)
        )
