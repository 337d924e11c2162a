"""Keep referrals in SQL. A UNIQUE constraint lets a shopper be brought once.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Referrals`.
"""

import sqlalchemy as sa

from offers.model.ids import ReferralId, ShopperId
from offers.model.loyalty.referral import Referral, ReferralState
from offers.storage.insert_once import insert_once
from offers.storage.tables import PAIRINGS, REFERRAL_CODES, REFERRALS
from rtls.model.units import UnixMs

_R = REFERRALS.c
_CODES = REFERRAL_CODES.c
_CODE_OF = sa.select(_CODES.code).where(_CODES.shopper_id == sa.bindparam("shopper"))
_OWNER_OF = sa.select(_CODES.shopper_id).where(_CODES.code == sa.bindparam("sought"))
_OF_REFERRED = sa.select(REFERRALS).where(_R.referred_id == sa.bindparam("shopper"))
_OF_REFERRER = (
    sa.select(REFERRALS)
    .where(_R.referrer_id == sa.bindparam("shopper"))
    .order_by(_R.at_ms.desc(), _R.referral_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_COUNT_SINCE = (
    sa.select(sa.func.count())
    .select_from(REFERRALS)
    .where(_R.referrer_id == sa.bindparam("shopper"), _R.at_ms >= sa.bindparam("since_ms"))
)
_END = (
    sa.update(REFERRALS)
    .where(_R.referral_id == sa.bindparam("referral"), _R.state == ReferralState.PENDING.value)
    .values(state=sa.bindparam("after"), ended_at_ms=sa.bindparam("ended_ms"))
)
_OVERDUE = (
    sa.select(REFERRALS)
    .where(_R.state == ReferralState.PENDING.value, _R.at_ms <= sa.bindparam("before_ms"))
    .order_by(_R.at_ms)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
# A trolley's tag passes through many hands and proves nothing; a phone's does.
_SHARED_TAGS = (
    sa.select(PAIRINGS.c.tag)
    .where(
        PAIRINGS.c.tag.in_(
            sa.select(PAIRINGS.c.tag).where(PAIRINGS.c.shopper_id == sa.bindparam("one"))
        )
    )
    .group_by(PAIRINGS.c.tag)
    .having(
        sa.func.count(sa.distinct(PAIRINGS.c.shopper_id)) == 2,  # noqa: PLR2004 - the two of them
        sa.func.max(sa.case((PAIRINGS.c.shopper_id == sa.bindparam("other"), 1), else_=0)) == 1,
    )
    .limit(1)
)


class SqlReferrals:
    """Who brought whom, and the codes to do it with."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(REFERRALS, connection.dialect.name)
        self._insert_code = insert_once(REFERRAL_CODES, connection.dialect.name)

    def code_of(self, shopper: ShopperId) -> str | None:
        """Return the shopper's code, or None."""
        found = self._connection.execute(_CODE_OF, {"shopper": shopper}).scalar_one_or_none()
        return None if found is None else str(found)

    def set_code(self, shopper: ShopperId, code: str) -> bool:
        """Give the shopper a code; False where the shopper has one, or it is another's."""
        row = {"shopper_id": shopper, "code": code}
        return self._connection.execute(self._insert_code, row).rowcount == 1

    def owner_of(self, code: str) -> ShopperId | None:
        """Return whose code it is, or None."""
        found = self._connection.execute(_OWNER_OF, {"sought": code}).scalar_one_or_none()
        return None if found is None else ShopperId(found)

    def add(self, referral: Referral) -> bool:
        """Write a referral; False where the shopper has been referred already."""
        row = {
            "referral_id": referral.referral,
            "referrer_id": referral.referrer,
            "referred_id": referral.referred,
            "state": referral.state.value,
            "at_ms": referral.at_ms,
            "ended_at_ms": referral.ended_at_ms,
        }
        return self._connection.execute(self._insert, row).rowcount == 1

    def of_referred(self, shopper: ShopperId) -> Referral | None:
        """Return how the shopper came, or None."""
        row = self._connection.execute(_OF_REFERRED, {"shopper": shopper}).one_or_none()
        return None if row is None else _referral(row)

    def of_referrer(self, shopper: ShopperId, *, limit: int) -> tuple[Referral, ...]:
        """Return whom the shopper brought, newest first."""
        rows = self._connection.execute(_OF_REFERRER, {"shopper": shopper, "most": limit})
        return tuple(_referral(row) for row in rows)

    def count_since(self, referrer: ShopperId, since_ms: UnixMs) -> int:
        """Return how many the shopper has brought since an instant."""
        given = {"shopper": referrer, "since_ms": since_ms}
        return int(self._connection.execute(_COUNT_SINCE, given).scalar_one())

    def end(self, referral: ReferralId, state: ReferralState, *, at_ms: UnixMs) -> bool:
        """Write how it ended; False where it is no longer pending."""
        given = {"referral": referral, "after": state.value, "ended_ms": at_ms}
        return self._connection.execute(_END, given).rowcount == 1

    def overdue(self, *, before_ms: UnixMs, limit: int) -> tuple[Referral, ...]:
        """Return pending referrals that were made before an instant."""
        rows = self._connection.execute(_OVERDUE, {"before_ms": before_ms, "most": limit})
        return tuple(_referral(row) for row in rows)

    def share_a_tag(self, one: ShopperId, other: ShopperId) -> bool:
        """Say whether both have been paired with a tag that no third shopper was paired with."""
        given = {"one": one, "other": other}
        return self._connection.execute(_SHARED_TAGS, given).first() is not None


def _referral(row: sa.Row[*tuple[object, ...]]) -> Referral:
    return Referral(
        referral=ReferralId(row.referral_id),
        referrer=ShopperId(row.referrer_id),
        referred=ShopperId(row.referred_id),
        state=ReferralState(row.state),
        at_ms=UnixMs(row.at_ms),
        ended_at_ms=None if row.ended_at_ms is None else UnixMs(row.ended_at_ms),
    )
