"""Budgets as a machine: whoever reserves, uses and gives back in whatever order, no cap is passed.

The model is a dictionary of who holds and who used how much; the counters must agree with it to
the unit after each step (I4).
"""

import atexit
from contextlib import ExitStack
from functools import cache

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from offers.model.campaigns.budget import BudgetKey, BudgetStage, Charge
from offers.storage.sql_work import SqlWork
from offers.storage.tables import BUDGET_HOLDS, BUDGETS
from offers.storage.tables import COUPONS as COUPONS_TABLE
from tests.property.machine_size import machine_settings
from tests.unit.offers.shop import (
    MINUTE_MS,
    SITE,
    START_MS,
    Shop,
    campaign,
    memory_engine,
)

CAMPAIGN = campaign().campaign
COUPONS_MAX = 3
KEYS = (
    BudgetKey(site=SITE, campaign=CAMPAIGN),
    BudgetKey(site=SITE, campaign=CAMPAIGN, unit="EUR"),
    BudgetKey(site=SITE, unit="EUR", day="2026-11-22"),
)
COUPONS = st.integers(0, COUPONS_MAX - 1)
# Few values, so that coupons meet at the edge of a cap instead of far from it.
CENTS = st.sampled_from([0, 100, 150, 200])
CAPS = st.sampled_from([150, 200, 250, 300])
STAGES = st.sampled_from(BudgetStage)


OPEN = ExitStack()  # keeps the database until the interpreter ends
atexit.register(OPEN.close)


@cache
def shop_with_coupons() -> tuple[sa.Engine, tuple[str, ...]]:
    """One database for all examples, with three coupons in it; each example is rolled back."""
    engine = OPEN.enter_context(memory_engine())
    with engine.begin() as connection:
        shop = Shop(SqlWork(connection))
        shop.start(campaign())
        for number in range(COUPONS_MAX):
            shop.code_in_hand(f"tag:{number}", at_ms=START_MS + (number + 1) * 20 * MINUTE_MS)
        coupons = connection.execute(sa.select(COUPONS_TABLE.c.coupon_id)).scalars().all()
        connection.execute(sa.delete(BUDGET_HOLDS))
        connection.execute(sa.delete(BUDGETS))
    return engine, tuple(sorted(coupons))


class Budgets(RuleBasedStateMachine):
    """Three coupons on three budgets."""

    def __init__(self) -> None:
        super().__init__()
        engine, self.coupons = shop_with_coupons()
        self.connection = engine.connect()
        self.transaction = self.connection.begin()
        self.budgets = SqlWork(self.connection).budgets
        self.caps: dict[BudgetKey, int | None] = {}
        self.held: dict[tuple[int, BudgetStage, BudgetKey], int] = {}
        self.used: dict[tuple[str, BudgetKey], int] = {}
        self.over: dict[tuple[str, BudgetKey], int] = {}
        self.count = 0

    def teardown(self) -> None:
        self.transaction.rollback()
        self.connection.close()

    @initialize(first=st.integers(3, 9), second=CAPS, third=CAPS)
    def caps_are_set(self, first: int, second: int, third: int) -> None:
        for key, cap in zip(KEYS, (first, second, third), strict=True):
            self.caps[key] = cap

    @rule(coupon=COUPONS, stage=STAGES, cents=CENTS)
    def a_coupon_reserves(self, coupon: int, stage: BudgetStage, cents: int) -> None:
        charges = self._charges(cents)
        own = {key: self._held_of(coupon, key) for key in KEYS}
        needed = {c.key: max(0, c.amount - own[c.key]) for c in charges}
        fits = all(self._fits(key, more) for key, more in needed.items())
        assert self.budgets.has_room(charges, coupon=self.coupons[coupon]) == fits
        is_done = self._try(lambda: self.budgets.reserve(self.coupons[coupon], stage, charges))
        assert is_done == fits
        for key, more in needed.items() if fits else ():
            place = coupon, stage, key
            self.held[place] = self.held.get(place, 0) + more

    @rule(coupon=COUPONS, stage=st.none() | STAGES)
    def a_coupon_is_given_up(self, coupon: int, stage: BudgetStage | None) -> None:
        self.budgets.release(self.coupons[coupon], stage)
        self.held = {
            place: amount
            for place, amount in self.held.items()
            if place[0] != coupon or stage not in {None, place[1]}
        }

    @rule(coupon=COUPONS, cents=CENTS, may_overdraw=st.booleans())
    def a_coupon_is_used(self, coupon: int, cents: int, *, may_overdraw: bool) -> None:
        self.count += 1
        redemption = f"{self.count:032x}"
        charges = self._charges(cents)
        fits = {
            c.key: self._fits(c.key, max(0, c.amount - self._held_of(coupon, c.key)))
            for c in charges
        }
        if may_overdraw:
            over = self.budgets.use_over(self.coupons[coupon], redemption, charges)
            assert set(over) == {key for key, fit in fits.items() if not fit}
        else:
            is_done = self._try(lambda: self.budgets.use(self.coupons[coupon], redemption, charges))
            assert is_done == all(fits.values())
            if not is_done:
                return
        self.held = {place: n for place, n in self.held.items() if place[0] != coupon}
        for charge in charges:
            book = self.used if fits[charge.key] else self.over
            book[redemption, charge.key] = charge.amount

    @rule(number=st.integers(1, 20))
    def a_redemption_is_reversed(self, number: int) -> None:
        redemption = f"{number:032x}"
        self.budgets.give_back(redemption)
        for book in (self.used, self.over):
            for key in KEYS:
                book.pop((redemption, key), None)

    @rule(key=st.sampled_from(KEYS), cap=st.none() | CAPS | st.integers(3, 9))
    def somebody_changes_a_cap(self, key: BudgetKey, cap: int | None) -> None:
        is_changed = self.budgets.set_cap(key, cap)
        assert is_changed == (cap is None or self._taken(key) <= cap)
        if is_changed:
            self.caps[key] = cap

    @invariant()
    def the_counters_agree_with_the_books_and_no_cap_is_passed(self) -> None:
        for key in KEYS:
            state = self.budgets.state_of(key)
            used = sum(n for (_, k), n in self.used.items() if k == key)
            over = sum(n for (_, k), n in self.over.items() if k == key)
            held = self._taken(key) - used
            found = (0, 0, 0) if state is None else (state.held, state.used, state.overdrawn)
            assert found == (held, used, over)
            cap = self.caps.get(key)
            assert cap is None or held + used <= cap

    def _try(self, act) -> bool:
        """Run a step as a command does: refused, it leaves nothing."""
        with self.connection.begin_nested() as savepoint:
            is_done = act()
            if not is_done:
                savepoint.rollback()
        return is_done

    def _charges(self, cents: int) -> list[Charge]:
        amounts = (1, cents, cents)
        return [
            Charge(key=key, cap=self.caps[key], amount=amount)
            for key, amount in zip(KEYS, amounts, strict=True)
        ]

    def _held_of(self, coupon: int, key: BudgetKey) -> int:
        return sum(n for (c, _, k), n in self.held.items() if (c, k) == (coupon, key))

    def _taken(self, key: BudgetKey) -> int:
        held = sum(n for (_, _, k), n in self.held.items() if k == key)
        return held + sum(n for (_, k), n in self.used.items() if k == key)

    def _fits(self, key: BudgetKey, more: int) -> bool:
        cap = self.caps[key]
        return cap is None or not more or self._taken(key) + more <= cap


TestBudgets = Budgets.TestCase
TestBudgets.settings = machine_settings()
