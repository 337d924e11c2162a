"""Say how long each thing about a person is kept, and delete what is older.

Layer: edges. Takes: the tables. Gives: the one list of what is kept how long, which docs/privacy.md
prints, and `SqlRetention`. A row goes with all that refers to it; what tax law keeps is cut off
from it instead, by the same list as at an erasure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from offers.model.conditions.fact import DAY_MS
from offers.model.offering.coupon import CouponState
from offers.model.people.kept_data import KeptData
from offers.storage.personal_data import KEPT
from offers.storage.tables import (
    ASSIGNMENTS,
    COUPONS,
    CREDENTIALS,
    DECISIONS,
    MEMBERSHIPS,
    METADATA,
    OFFERS,
    PAIRINGS,
    PURCHASES,
    REDEMPTIONS,
    SERVICE_CASES,
    SHOPPER_FACTS,
    STAFF_REQUESTS,
    SURVEY_ANSWERS,
    SUSPENSIONS,
)
from rtls.model.units import UnixMs

MONTH: Final = 30
THIRTEEN_MONTHS: Final = 396
TEN_YEARS: Final = 3_653
ROWS_COUNTED_MAX: Final = 1_000_000
"""of one table; a page for people need not say more, and must not read for minutes"""
SWEPT_APART: Final = "with what it belongs to, by a sweep of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long rows of a table are kept, counted from one of their columns."""

    since: sa.Column[int]
    days: int
    reason: str
    only: sa.ColumnElement[bool] | None = None
    """rows that may go at all; None: all"""


_LIVE_COUPON: Final = (
    sa.select(COUPONS.c.coupon_id)
    .where(
        COUPONS.c.offer_id == OFFERS.c.offer_id,
        COUPONS.c.state.in_([CouponState.ISSUED.value, CouponState.HELD.value]),
    )
    .exists()
)
_OFFER_OF_DECISION: Final = (
    sa.select(OFFERS.c.offer_id).where(OFFERS.c.decision_id == DECISIONS.c.decision_id).exists()
)
RULES: Final[Mapping[sa.Table, Rule]] = {
    OFFERS: Rule(
        since=OFFERS.c.ended_at_ms,
        days=THIRTEEN_MONTHS,
        reason="a year's comparison of campaigns, and a month to make it",
        only=sa.not_(_LIVE_COUPON),
    ),
    DECISIONS: Rule(
        since=DECISIONS.c.at_ms,
        days=THIRTEEN_MONTHS,
        reason="as offers: the answer to why one was made",
        only=sa.not_(_OFFER_OF_DECISION),
    ),
    ASSIGNMENTS: Rule(
        since=ASSIGNMENTS.c.at_ms, days=THIRTEEN_MONTHS, reason="as decisions: to judge experiments"
    ),
    PAIRINGS: Rule(
        since=PAIRINGS.c.ended_at_ms, days=MONTH, reason="as long as dwell events, with visits"
    ),
    STAFF_REQUESTS: Rule(
        since=STAFF_REQUESTS.c.ended_at_ms, days=MONTH, reason="says where somebody stood"
    ),
    SHOPPER_FACTS: Rule(
        since=SHOPPER_FACTS.c.at_ms, days=400, reason="no condition looks back further"
    ),
    MEMBERSHIPS: Rule(
        since=MEMBERSHIPS.c.left_at_ms, days=THIRTEEN_MONTHS, reason="as offers, once left"
    ),
    SURVEY_ANSWERS: Rule(
        since=SURVEY_ANSWERS.c.at_ms, days=1_096, reason="three yearly surveys are compared"
    ),
    SUSPENSIONS: Rule(
        since=SUSPENSIONS.c.lifted_at_ms, days=THIRTEEN_MONTHS, reason="to know a second case"
    ),
    SERVICE_CASES: Rule(
        since=SERVICE_CASES.c.at_ms,
        days=THIRTEEN_MONTHS,
        reason="to know whether it happens again, open or not",
    ),
    CREDENTIALS: Rule(
        since=CREDENTIALS.c.revoked_at_ms, days=THIRTEEN_MONTHS, reason="to trace a stolen key"
    ),
    PURCHASES: Rule(since=PURCHASES.c.at_ms, days=TEN_YEARS, reason="tax law"),
    REDEMPTIONS: Rule(since=REDEMPTIONS.c.at_ms, days=TEN_YEARS, reason="tax law"),
}
# Swept by handlers of their own.
ELSEWHERE: Final[Mapping[str, int]] = {
    "answers": MONTH,
    "visits": MONTH,
    "held_baskets": MONTH,
    "trips": MONTH,
    "deliveries": THIRTEEN_MONTHS,
    "mails": THIRTEEN_MONTHS,
    "webhook_events": MONTH,
    "webhook_queue": MONTH,
    "card_steps": 1,
    "card_claims": 365,
    "outbox": 1,
}
WHILE_ENROLLED: Final[Mapping[str, str]] = {
    "shoppers": "the card itself",
    "cards": "the card itself",
    "minors": "so that a child stays without a profile",
    "consents": "proof of what was agreed to (GDPR Art. 7)",
    "contact_wishes": "how the shopper wishes to be addressed",
    "contact_paces": "one row a channel",
    "push_subscriptions": "five browsers at most",
    "referral_codes": "one row",
    "referrals": "so that nobody is recommended twice",
    "wallets": "points and cashback are the shopper's",
    "ledger_accounts": "the book of points must add up",
    "ledger_transactions": "the book of points must add up",
    "ledger_postings": "the book of points must add up",
    "ledger_lots": "the book of points must add up",
    "ledger_allocations": "the book of points must add up",
    "ledger_references": "so that nothing earns twice",
    "shopper_attributes": "what the shopper said; until withdrawn or overwritten",
    "segment_reviews": "one row a site",
    "shopper_tiers": "one row a site",
    "tier_credits": "the tier sweeps what no longer counts",
    "tier_changes": "the history of the shopper's tier",
    "budgets": "counters, which the campaign needs",
    "budget_uses": "counters, which the campaign needs",
    "budget_holds": "until the coupon is used or over",
}


class SqlRetention:
    """What is older than it may be (`offers.ports.Retention`)."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def forget_old(self, *, now_ms: UnixMs, limit: int) -> int:
        """Delete at most ``limit`` rows of each table that are too old; return how many."""
        return sum(
            self._forget(table, rule, now_ms=now_ms, limit=limit) for table, rule in RULES.items()
        )

    def kept(self) -> tuple[KeptData, ...]:
        """Return each class of data about persons with its time, its rows and its oldest one."""
        ruled = [
            KeptData(
                data=table.name,
                days=rule.days,
                reason=rule.reason,
                rows=self._count(table),
                oldest_at_ms=self._oldest(rule),
            )
            for table, rule in RULES.items()
        ]
        tables = METADATA.tables
        swept = [
            KeptData(
                data=name,
                days=days,
                reason=SWEPT_APART,
                rows=self._count(tables[name]) if name in tables else None,
                oldest_at_ms=None,
            )
            for name, days in ELSEWHERE.items()
        ]
        enrolled = [
            KeptData(
                data=name,
                days=None,
                reason=reason,
                rows=self._count(tables[name]),
                oldest_at_ms=None,
            )
            for name, reason in WHILE_ENROLLED.items()
        ]
        return tuple(sorted((*ruled, *swept, *enrolled), key=lambda one: one.data))

    def _count(self, table: sa.Table) -> int:
        some = sa.select(sa.literal(1)).select_from(table).limit(ROWS_COUNTED_MAX).subquery()
        counted = sa.select(sa.func.count()).select_from(some)
        return int(self._connection.execute(counted).scalar_one())

    def _oldest(self, rule: Rule) -> UnixMs | None:
        oldest: sa.ColumnElement[int | None] = sa.func.min(rule.since)
        found = self._connection.execute(sa.select(oldest)).scalar_one()
        return None if found is None else UnixMs(found)

    def _forget(self, table: sa.Table, rule: Rule, *, now_ms: UnixMs, limit: int) -> int:
        key = tuple(table.primary_key.columns)
        is_old = rule.since < now_ms - rule.days * DAY_MS
        query = sa.select(*key).where(is_old, sa.true() if rule.only is None else rule.only)
        old = [tuple(row) for row in self._connection.execute(query.limit(limit))]
        if old:
            self._delete(table, sa.tuple_(*key).in_(old))
        return len(old)

    def _delete(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> None:
        for child, links in _references_to(table):
            columns = sa.tuple_(*(column for column, _ in links))
            targets = sa.select(*(to for _, to in links)).where(condition)
            is_child = columns.in_(targets)
            kept = KEPT.get(child)
            if kept is not None and all(column in kept.links for column, _ in links):
                emptied = {column.name: None for column, _ in links}
                self._connection.execute(sa.update(child).where(is_child).values(emptied))
            else:
                self._delete(child, is_child)
        self._connection.execute(sa.delete(table).where(condition))


def _references_to(
    table: sa.Table,
) -> list[tuple[sa.Table, list[tuple[sa.Column[object], sa.Column[object]]]]]:
    return [
        (child, [(element.parent, element.column) for element in key.elements])
        for child in METADATA.sorted_tables
        if child is not table
        for key in child.foreign_key_constraints
        if key.referred_table is table
    ]
