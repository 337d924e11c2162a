"""Keep what shoppers did in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Facts`.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.conditions.condition import Condition
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.conditions.shopper_facts import FactNeeds, ShopperFacts
from offers.model.ids import ConsentId, ShopperId
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from offers.storage.condition_sql import audience_clause, granted_clause
from offers.storage.insert_once import insert_once
from offers.storage.tables import (
    CONSENTS,
    DECISIONS,
    MEMBERSHIPS,
    SHOPPER_ATTRIBUTES,
    SHOPPER_FACTS,
    SHOPPER_TIERS,
    SHOPPERS,
)
from offers.storage.tables.shopper_facts import IS_PLACE
from rtls.model.units import SiteId, UnixMs, ZoneId

_F = SHOPPER_FACTS.c
_MINE: sa.BindParameter[str] = sa.bindparam("shopper")
_PAST = (
    sa.select(SHOPPER_FACTS)
    .where(
        _F.shopper_id == _MINE,
        _F.kind.in_(sa.bindparam("kinds", expanding=True)),
        _F.at_ms > sa.bindparam("since_ms"),
    )
    .order_by(_F.at_ms, _F.sequence)
)
_SHOPPER = sa.select(SHOPPERS).where(SHOPPERS.c.shopper_id == _MINE)
_NEWEST = (
    sa.select(sa.func.max(CONSENTS.c.sequence))
    .where(CONSENTS.c.shopper_id == _MINE)
    .group_by(CONSENTS.c.purpose)
)
_GRANTED = sa.select(CONSENTS.c.purpose).where(
    CONSENTS.c.sequence.in_(_NEWEST.scalar_subquery()), CONSENTS.c.is_granted.is_(True)
)
_ATTRIBUTES = sa.select(SHOPPER_ATTRIBUTES.c.name, SHOPPER_ATTRIBUTES.c.value).where(
    SHOPPER_ATTRIBUTES.c.shopper_id == _MINE
)
_SEGMENT = sa.select(MEMBERSHIPS.c.segment).where(
    MEMBERSHIPS.c.shopper_id == _MINE,
    MEMBERSHIPS.c.site == sa.bindparam("site"),
    MEMBERSHIPS.c.left_at_ms.is_(None),
)
_TIER = sa.select(SHOPPER_TIERS.c.tier).where(
    SHOPPER_TIERS.c.shopper_id == _MINE, SHOPPER_TIERS.c.site == sa.bindparam("site")
)
_FORGET = sa.delete(SHOPPER_FACTS).where(
    _F.sequence.in_(
        sa.select(_F.sequence)
        .where(IS_PLACE, _F.at_ms < sa.bindparam("before_ms"))
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
)
_ERASE = sa.delete(SHOPPER_FACTS).where(_F.shopper_id == _MINE)


class SqlFacts:
    """What shoppers did."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(SHOPPER_FACTS, connection.dialect.name)

    def append(self, shopper: ShopperId, facts: Sequence[Fact], *, consent: ConsentId) -> int:
        """Write facts under the consent that allows it; return how many are not known yet."""
        rows = [_row(shopper, fact, consent) for fact in facts]
        return self._connection.execute(self._insert, rows).rowcount if rows else 0

    def of_shopper(
        self, shopper: ShopperId, needs: FactNeeds, *, site: SiteId, as_of_ms: UnixMs
    ) -> ShopperFacts | None:
        """Return all that conditions with these needs may ask; None for an unknown shopper."""
        mine = {"shopper": shopper}
        known = self._connection.execute(_SHOPPER, mine).one_or_none()
        if known is None:
            return None
        granted = self._connection.execute(_GRANTED, mine).scalars()
        here = mine | {"site": site}
        segment = self._connection.execute(_SEGMENT, here).scalar_one_or_none()
        return ShopperFacts(
            as_of_ms=as_of_ms,
            enrolled_at_ms=UnixMs(known.enrolled_at_ms),
            locale=Locale(known.locale),
            granted=frozenset(Purpose(purpose) for purpose in granted),
            attributes=self._attributes(shopper),
            segment=None if segment is None else Segment(segment),
            tier=self._connection.execute(_TIER, here).scalar_one_or_none(),
            past=self._past(shopper, needs, as_of_ms=as_of_ms),
        )

    def audience_size(self, condition: Condition | None, *, site: SiteId, as_of_ms: UnixMs) -> int:
        """Count the shoppers with `personalise` whom some situation at the site could reach."""
        reached = _reached(condition, site=site, as_of_ms=as_of_ms)
        counted = sa.select(sa.func.count()).select_from(SHOPPERS).where(*reached)
        return self._connection.execute(counted).scalar_one()

    def audience(
        self,
        condition: Condition | None,
        *,
        site: SiteId,
        as_of_ms: UnixMs,
        undecided: str,
        limit: int,
    ) -> tuple[ShopperId, ...]:
        """Return the first of those that `audience_size` counts, as far as they are undecided.

        Whom a decision at the site names for the occasion ``undecided`` is left out.
        """
        is_decided = sa.exists().where(
            DECISIONS.c.shopper_id == SHOPPERS.c.shopper_id,
            DECISIONS.c.site == site,
            DECISIONS.c.occasion == undecided,
        )
        query = (
            sa.select(SHOPPERS.c.shopper_id)
            .where(*_reached(condition, site=site, as_of_ms=as_of_ms), ~is_decided)
            .order_by(SHOPPERS.c.shopper_id)
            .limit(limit)
        )
        return tuple(map(ShopperId, self._connection.execute(query).scalars()))

    def forget_places(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete facts older than ``before_ms`` that say where somebody stood; return how many."""
        given = {"before_ms": before_ms, "most": limit}
        return self._connection.execute(_FORGET, given).rowcount

    def erase(self, shopper: ShopperId) -> None:
        """Delete all facts of a shopper."""
        self._connection.execute(_ERASE, {"shopper": shopper})

    def _attributes(self, shopper: ShopperId) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for row in self._connection.execute(_ATTRIBUTES, {"shopper": shopper}):
            found.setdefault(row.name, set()).add(row.value)
        return {name: frozenset(values) for name, values in found.items()}

    def _past(
        self, shopper: ShopperId, needs: FactNeeds, *, as_of_ms: UnixMs
    ) -> dict[FactKind, tuple[Fact, ...]]:
        if not needs.days:
            return {}
        asked = {
            "shopper": shopper,
            "kinds": sorted(needs.days),
            "since_ms": as_of_ms - max(needs.days.values()) * DAY_MS,
        }
        found: dict[FactKind, list[Fact]] = {}
        for row in self._connection.execute(_PAST, asked):
            fact = _fact(row)
            found.setdefault(fact.kind, []).append(fact)
        return {kind: tuple(facts) for kind, facts in found.items()}


def _reached(
    condition: Condition | None, *, site: SiteId, as_of_ms: UnixMs
) -> list[sa.ColumnElement[bool]]:
    reached = [granted_clause(Purpose.PERSONALISE)]
    if condition is not None:
        reached.append(audience_clause(condition, site=site, as_of_ms=as_of_ms))
    return reached


def _row(shopper: ShopperId, fact: Fact, consent: ConsentId) -> dict[str, object]:
    return {
        "shopper_id": shopper,
        "consent_id": consent,
        "kind": fact.kind.value,
        "reference": fact.reference,
        "at_ms": fact.at_ms,
        "site": fact.site,
        "zone": fact.zone,
        "category": fact.category,
        "sku": fact.sku,
        "amount_minor": None if fact.amount is None else fact.amount.amount_minor,
        "currency": None if fact.amount is None else fact.amount.currency,
        "quantity": fact.quantity,
    }


def _fact(row: sa.Row[*tuple[object, ...]]) -> Fact:
    has_amount = row.amount_minor is not None
    return Fact(
        kind=FactKind(row.kind),
        reference=row.reference,
        at_ms=UnixMs(row.at_ms),
        site=SiteId(row.site),
        zone=None if row.zone is None else ZoneId(row.zone),
        category=row.category,
        sku=row.sku,
        amount=Money(amount_minor=row.amount_minor, currency=row.currency) if has_amount else None,
        quantity=row.quantity,
    )
