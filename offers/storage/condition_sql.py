"""Say in SQL whom a condition could reach: the second face of conditions.

Layer: edges. Takes: a `Condition`, a site, an instant. Gives: a clause about ``shoppers`` to the
count of an audience. A property test compares it with the closure, shopper by shopper.

Terms about the moment (zone, dwell, basket, local time) have no row to look at. An audience counts
the shoppers whom *some* moment could reach: such a term counts as fulfilled, and under a `not` as
not fulfilled. The count is an upper bound: no moment is in two places, and the clause does not see
that. Each term about the past is a subquery of its own, run once for all shoppers.
"""

from typing import assert_never

import sqlalchemy as sa

from offers.model.conditions.condition import And, Condition, Not, Or
from offers.model.conditions.condition_terms import (
    AttributeIn,
    AttributeRange,
    AttributeTerm,
    ConsentGranted,
    EnrolledDays,
    Events,
    LocaleIn,
    Measure,
    MomentTerm,
    PastCount,
    PastSum,
    Range,
    SegmentIn,
    ShopperTerm,
    StandingTerm,
    TierIn,
)
from offers.model.conditions.fact import DAY_MS, TAKEN_BACK_BY
from offers.model.people.consent import Purpose
from offers.storage.tables import (
    CONSENTS,
    MEMBERSHIPS,
    SHOPPER_ATTRIBUTES,
    SHOPPER_FACTS,
    SHOPPER_TIERS,
    SHOPPERS,
)
from rtls.model.units import SiteId, UnixMs

Clause = sa.ColumnElement[bool]
_F = SHOPPER_FACTS.c
_S = SHOPPERS.c


def audience_clause(condition: Condition, *, site: SiteId, as_of_ms: UnixMs) -> Clause:
    """Return the clause that is true of each shopper whom some moment could reach."""
    return _Audience(site, as_of_ms).could(condition)


def granted_clause(purpose: Purpose) -> Clause:
    """Return the clause that is true of each shopper whose newest word on a purpose is yes."""
    newest = (
        sa.select(sa.func.max(CONSENTS.c.sequence))
        .where(CONSENTS.c.purpose == purpose.value)
        .group_by(CONSENTS.c.shopper_id)
    )
    return _S.shopper_id.in_(
        sa.select(CONSENTS.c.shopper_id).where(
            CONSENTS.c.sequence.in_(newest.scalar_subquery()), CONSENTS.c.is_granted.is_(True)
        )
    )


class _Audience:
    """The clauses of one site as of one instant."""

    def __init__(self, site: SiteId, as_of_ms: UnixMs) -> None:
        self._site = site
        self._as_of_ms = as_of_ms

    def could(self, condition: Condition) -> Clause:
        """Return the clause: some moment makes it true."""
        match condition:
            case And():
                return sa.and_(sa.true(), *map(self.could, condition.parts))
            case Or():
                return sa.or_(sa.false(), *map(self.could, condition.parts))
            case Not():
                return sa.not_(self._must(condition.part))
            case _:
                return sa.true() if isinstance(condition, MomentTerm) else self._term(condition)

    def _must(self, condition: Condition) -> Clause:
        """Return the clause: every moment makes it true, as far as the terms alone can say."""
        match condition:
            case And():
                return sa.and_(sa.true(), *map(self._must, condition.parts))
            case Or():
                return sa.or_(sa.false(), *map(self._must, condition.parts))
            case Not():
                return sa.not_(self.could(condition.part))
            case _:
                return sa.false() if isinstance(condition, MomentTerm) else self._term(condition)

    def _term(self, term: ShopperTerm) -> Clause:
        match term:
            case PastCount():
                return self._past_count(term)
            case PastSum():
                return self._past_sum(term)
            case AttributeIn() | AttributeRange():
                return _attribute(term)
            case _:
                return self._standing(term)

    def _standing(self, term: StandingTerm) -> Clause:
        match term:
            case LocaleIn():
                return _S.locale.in_(sorted(locale.value for locale in term.locales))
            case ConsentGranted():
                return granted_clause(term.purpose)
            case SegmentIn():
                return self._segment(term)
            case TierIn():
                return self._tier(term)
            case EnrolledDays():
                return self._enrolled(term.range)
            case _:
                assert_never(term)

    def _past_count(self, term: PastCount) -> Clause:
        counted = sa.and_(_F.kind == term.events.kind.value, *self._meant(term.events))
        return _whose_total(sa.func.count(), counted, term.range)

    def _past_sum(self, term: PastSum) -> Clause:
        kind = term.events.kind
        kinds = {kind.value, TAKEN_BACK_BY.get(kind, kind).value}
        counted = sa.and_(_F.kind.in_(sorted(kinds)), *self._meant(term.events))
        worth: sa.ColumnElement[int | None] = _F.quantity
        if term.measure is Measure.AMOUNT_MINOR:
            worth = _F.amount_minor
            counted = sa.and_(counted, _F.currency == term.currency)
        signed = sa.case((_F.kind == kind.value, worth), else_=-worth)
        return _whose_total(sa.func.sum(signed), counted, term.range)

    def _meant(self, events: Events) -> list[Clause]:
        asked = (
            (_F.category, events.categories),
            (_F.sku, events.skus),
            (_F.zone, events.zones),
            (_F.site, events.sites),
        )
        named = [column.in_(sorted(names)) for column, names in asked if names]
        return [_F.at_ms > self._as_of_ms - events.within_days * DAY_MS, *named]

    def _segment(self, term: SegmentIn) -> Clause:
        columns = MEMBERSHIPS.c
        members = sa.select(columns.shopper_id).where(
            columns.site == self._site,
            columns.segment.in_(sorted(segment.value for segment in term.segments)),
            columns.left_at_ms.is_(None),
        )
        return _S.shopper_id.in_(members)

    def _tier(self, term: TierIn) -> Clause:
        columns = SHOPPER_TIERS.c
        standing = sa.select(columns.shopper_id).where(
            columns.site == self._site, columns.tier.in_(sorted(term.tiers))
        )
        return _S.shopper_id.in_(standing)

    def _enrolled(self, days: Range) -> Clause:
        clauses: list[Clause] = [sa.true()]
        if days.at_least is not None:
            clauses.append(_S.enrolled_at_ms <= self._as_of_ms - days.at_least * DAY_MS)
        if days.at_most is not None:
            clauses.append(_S.enrolled_at_ms > self._as_of_ms - (days.at_most + 1) * DAY_MS)
        return sa.and_(*clauses)


def _attribute(term: AttributeTerm) -> Clause:
    columns = SHOPPER_ATTRIBUTES.c
    if isinstance(term, AttributeIn):
        is_meant: Clause = columns.value.in_(sorted(term.values))
    else:
        is_meant = sa.and_(columns.number.is_not(None), _within(columns.number, term.range))
    named = sa.select(columns.shopper_id).where(columns.name == term.name, is_meant)
    return _S.shopper_id.in_(named)


def _whose_total(total: sa.ColumnElement[int], counted: Clause, wanted: Range) -> Clause:
    totals = sa.select(_F.shopper_id).where(counted).group_by(_F.shopper_id)
    # Who has none of these facts has no row here, and a total of 0.
    if wanted.covers(0):
        return _S.shopper_id.not_in(totals.having(sa.not_(_within(total, wanted))))
    return _S.shopper_id.in_(totals.having(_within(total, wanted)))


def _within(number: sa.ColumnElement[int], wanted: Range) -> Clause:
    clauses: list[Clause] = [sa.true()]
    if wanted.at_least is not None:
        clauses.append(number >= wanted.at_least)
    if wanted.at_most is not None:
        clauses.append(number <= wanted.at_most)
    return sa.and_(*clauses)
