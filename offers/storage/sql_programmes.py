"""Keep the programmes of sites, what counts towards tiers, and the tiers in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Programmes` and
`offers.ports.Tiers`. A review begins by an UPDATE of the shopper's row, which on PostgreSQL makes
all other reviews of the shopper wait: two purchases at once must not each miss the other.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import sqlalchemy as sa

from offers.model.errors import Busy
from offers.model.ids import ShopperId
from offers.model.loyalty.programme import Programme, ProgrammeRevision
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.loyalty.tier import CountedSpending, Credit, TierChange
from offers.storage.insert_once import insert_once
from offers.storage.tables import (
    PROGRAMME_REVISIONS,
    SHOPPER_TIERS,
    TIER_CHANGES,
    TIER_CREDITS,
)
from rtls.model.units import SiteId, UnixMs

_ADD_TIER_CHANGES = sa.insert(TIER_CHANGES)
_P = PROGRAMME_REVISIONS.c
_C = TIER_CREDITS.c
_S = SHOPPER_TIERS.c
_H = TIER_CHANGES.c
_NEWEST = (
    sa.select(PROGRAMME_REVISIONS)
    .where(_P.site == sa.bindparam("of_site"))
    .order_by(_P.revision.desc())
    .limit(1)
)
_NUMBERED = sa.select(PROGRAMME_REVISIONS).where(
    _P.site == sa.bindparam("of_site"), _P.revision == sa.bindparam("wanted")
)
_NEWEST_FEW = (
    sa.select(PROGRAMME_REVISIONS)
    .where(_P.site == sa.bindparam("of_site"))
    .order_by(_P.revision.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_AS_OF = _NEWEST.where(_P.at_ms <= sa.bindparam("then_ms"))
_CREDITS = (
    sa.select(_C.bought_at_ms, _C.amount_minor)
    .where(
        _C.shopper_id == sa.bindparam("shopper"),
        _C.site == sa.bindparam("of_site"),
        _C.bought_at_ms >= sa.bindparam("since_ms"),
    )
    .order_by(_C.bought_at_ms, _C.sequence)
)
_IS_MINE = sa.and_(_S.shopper_id == sa.bindparam("shopper"), _S.site == sa.bindparam("of_site"))
_BEGIN = sa.update(SHOPPER_TIERS).where(_IS_MINE).values(reviews=_S.reviews + 1)
_TIER = sa.select(_S.tier).where(_IS_MINE)
_END = (
    sa.update(SHOPPER_TIERS)
    .where(_IS_MINE)
    .values(
        tier=sa.bindparam("to_tier", type_=sa.Text),
        due_at_ms=sa.bindparam("to_due_at_ms", type_=sa.BigInteger),
    )
)
_DUE = (
    sa.select(_S.shopper_id, _S.site)
    .where(_S.due_at_ms <= sa.bindparam("now_ms"))
    .order_by(_S.due_at_ms)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_FORGET = sa.delete(TIER_CREDITS).where(
    _C.shopper_id == sa.bindparam("shopper"),
    _C.site == sa.bindparam("of_site"),
    _C.bought_at_ms < sa.bindparam("before_ms"),
)
_CHANGES = (
    sa.select(TIER_CHANGES)
    .where(_H.shopper_id == sa.bindparam("shopper"))
    .order_by(_H.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


@lru_cache(maxsize=256)
def _programme_of(document: str) -> Programme:
    # A revision never changes, and every purchase reads it.
    return parse_programme(document, source="stored programme")


def _revision(row: sa.Row[*tuple[object, ...]]) -> ProgrammeRevision:
    return ProgrammeRevision(
        revision=row.revision, at_ms=UnixMs(row.at_ms), programme=_programme_of(row.document)
    )


class SqlProgrammes:
    """What each site promises."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(PROGRAMME_REVISIONS, connection.dialect.name)

    def add_revision(self, programme: Programme, *, at_ms: UnixMs) -> int:
        """Write a revision behind all earlier ones of the site; return its number.

        Raises
        ------
        Busy
            If another writer has just added one.
        """
        newest = self._connection.execute(_NEWEST, {"of_site": programme.site}).one_or_none()
        number: int = 1 if newest is None else newest.revision + 1
        row = {
            "site": programme.site,
            "revision": number,
            "at_ms": at_ms,
            "document": render_programme(programme),
        }
        if self._connection.execute(self._insert, row).rowcount != 1:
            raise Busy(f"revision {number} of {programme.site} has just been written. Try again.")
        return number

    def current(self, site: SiteId) -> Programme | None:
        """Return the newest revision of the site's programme, or None."""
        row = self._connection.execute(_NEWEST, {"of_site": site}).one_or_none()
        return None if row is None else _programme_of(row.document)

    def newest(self, site: SiteId) -> ProgrammeRevision | None:
        """Return the newest revision with its number, or None."""
        row = self._connection.execute(_NEWEST, {"of_site": site}).one_or_none()
        return None if row is None else _revision(row)

    def revision(self, site: SiteId, number: int) -> ProgrammeRevision | None:
        """Return the revision with this number, or None."""
        given = {"of_site": site, "wanted": number}
        row = self._connection.execute(_NUMBERED, given).one_or_none()
        return None if row is None else _revision(row)

    def revisions(self, site: SiteId, *, limit: int) -> tuple[ProgrammeRevision, ...]:
        """Return the newest revisions, newest first."""
        rows = self._connection.execute(_NEWEST_FEW, {"of_site": site, "most": limit})
        return tuple(map(_revision, rows))

    def as_of(self, site: SiteId, at_ms: UnixMs) -> Programme | None:
        """Return the revision that was in force then, or None where there was none yet."""
        given = {"of_site": site, "then_ms": at_ms}
        row = self._connection.execute(_AS_OF, given).one_or_none()
        return None if row is None else _programme_of(row.document)


class SqlTiers:
    """What shoppers have spent, and the tier that follows from it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        dialect = connection.dialect.name
        self._insert_credit = insert_once(TIER_CREDITS, dialect)
        self._insert_row = insert_once(SHOPPER_TIERS, dialect)

    def count(self, shopper: ShopperId, spending: CountedSpending) -> bool:
        """Write what a purchase or return counts; False where it has been counted already."""
        row = {
            "shopper_id": shopper,
            "site": spending.site,
            "reference": spending.reference,
            "bought_at_ms": spending.bought_at_ms,
            "amount_minor": spending.amount_minor,
        }
        return self._connection.execute(self._insert_credit, row).rowcount == 1

    def credits_of(
        self, shopper: ShopperId, site: SiteId, *, since_ms: UnixMs
    ) -> tuple[Credit, ...]:
        """Return what was spent since then, purchases and returns by themselves, oldest first."""
        given = {"shopper": shopper, "of_site": site, "since_ms": since_ms}
        return tuple(
            Credit(at_ms=UnixMs(row.bought_at_ms), amount_minor=row.amount_minor)
            for row in self._connection.execute(_CREDITS, given)
        )

    def begin_review(self, shopper: ShopperId, site: SiteId) -> str | None:
        """Make all other reviews of the shopper wait; return the tier that is written down."""
        row = {"shopper_id": shopper, "site": site, "tier": None, "due_at_ms": None, "reviews": 0}
        self._connection.execute(self._insert_row, row)
        self._connection.execute(_BEGIN, {"shopper": shopper, "of_site": site})
        return self.tier_of(shopper, site)

    def end_review(
        self, shopper: ShopperId, site: SiteId, *, tier: str | None, due_at_ms: UnixMs | None
    ) -> None:
        """Write the tier down, and when it has to be looked at again."""
        given: Mapping[str, object] = {
            "shopper": shopper,
            "of_site": site,
            "to_tier": tier,
            "to_due_at_ms": due_at_ms,
        }
        self._connection.execute(_END, given)

    def note_change(self, change: TierChange) -> None:
        """Write a change behind all earlier ones."""
        row = {
            "shopper_id": change.shopper,
            "site": change.site,
            "tier_before": change.before,
            "tier_after": change.after,
            "is_up": change.is_up,
            "at_ms": change.at_ms,
        }
        self._connection.execute(_ADD_TIER_CHANGES, row)

    def changes_of(self, shopper: ShopperId, *, limit: int) -> tuple[TierChange, ...]:
        """Return the shopper's newest changes, newest first."""
        rows = self._connection.execute(_CHANGES, {"shopper": shopper, "most": limit})
        return tuple(
            TierChange(
                shopper=ShopperId(row.shopper_id),
                site=SiteId(row.site),
                before=row.tier_before,
                after=row.tier_after,
                is_up=row.is_up,
                at_ms=UnixMs(row.at_ms),
            )
            for row in rows
        )

    def tier_of(self, shopper: ShopperId, site: SiteId) -> str | None:
        """Return the tier that is written down, or None."""
        given = {"shopper": shopper, "of_site": site}
        found: str | None = self._connection.execute(_TIER, given).scalar_one_or_none()
        return found

    def due(self, *, now_ms: UnixMs, limit: int) -> Sequence[tuple[ShopperId, SiteId]]:
        """Return whose tier has to be looked at."""
        rows = self._connection.execute(_DUE, {"now_ms": now_ms, "most": limit})
        return [(ShopperId(row.shopper_id), SiteId(row.site)) for row in rows]

    def forget_before(self, shopper: ShopperId, site: SiteId, *, before_ms: UnixMs) -> int:
        """Delete credits that no window can reach any more; return how many."""
        given = {"shopper": shopper, "of_site": site, "before_ms": before_ms}
        return self._connection.execute(_FORGET, given).rowcount
