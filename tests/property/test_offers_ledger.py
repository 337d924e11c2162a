"""The ledger as a machine: whatever is earned, spent and returned, the book adds up."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)

from offers.handlers.loyalty.expire_points import expire_points
from offers.handlers.loyalty.post_points import earn, spend
from offers.handlers.loyalty.reverse_points import claw_back, give_back
from offers.model.errors import WrongState
from offers.model.ids import ShopperId, TransactionId
from offers.model.loyalty.ledger import POINTS, LedgerUnit, PostingReason
from offers.model.loyalty.points import Earning, LedgerRefusal, Spending
from offers.model.people.shopper import Locale, Shopper
from offers.storage.sql_work import SqlWork
from rtls.model.units import SiteId, UnixMs
from tests.property.machine_size import machine_settings
from tests.reference.ledger import PlainWallet
from tests.unit.offers.shop import START_MS, CountedSecrets, memory_engine

DAY_MS = 86_400_000
GRACE_MS = 30 * DAY_MS
SHOPPERS = (ShopperId("a" * 32), ShopperId("b" * 32))
AMOUNTS = st.integers(1, 30)
# Of what is there or left; from 100 on it is more than that.
PERCENTS = st.integers(0, 110)

FAULTS = """
SELECT transaction_id FROM ledger_postings GROUP BY transaction_id HAVING SUM(amount_minor) <> 0
UNION ALL
SELECT l.lot_id FROM ledger_lots l LEFT JOIN ledger_allocations x ON x.lot_id = l.lot_id
GROUP BY l.lot_id, l.amount_minor, l.open_minor
HAVING l.open_minor <> l.amount_minor - COALESCE(SUM(x.amount_minor), 0)
"""
ACCOUNTS = """
SELECT a.kind, a.account_id, a.debt_minor, SUM(p.amount_minor)
FROM ledger_postings p JOIN ledger_accounts a ON a.account_id = p.account_id
GROUP BY a.kind, a.account_id, a.debt_minor
"""
OPEN_LOTS = """
SELECT account_id, active_at_ms, expires_at_ms, open_minor FROM ledger_lots WHERE open_minor > 0
"""


@dataclass(frozen=True)
class Done:
    """A transaction of a shopper that can be reversed."""

    shopper: ShopperId
    unit: LedgerUnit
    name: str
    transaction: TransactionId
    amount: int


@pytest.fixture(scope="module", autouse=True)
def _database() -> Iterator[None]:
    with memory_engine() as engine:
        Ledger.engine = engine
        yield


class Ledger(RuleBasedStateMachine):
    """Two shoppers, points and cashback, against wallets of single tokens."""

    engine: sa.Engine  # one for all runs: each is rolled back
    earnings = Bundle("earnings")
    spendings = Bundle("spendings")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        connection = self._stack.enter_context(self.engine.connect())
        transaction = connection.begin()
        self._stack.callback(transaction.rollback)
        self.connection = connection
        self.work = SqlWork(connection)
        self.secrets = CountedSecrets()
        self.now_ms = START_MS
        self.count = 0
        self.left: dict[str, int] = {}
        self.plain: dict[tuple[ShopperId, LedgerUnit], tuple[str, PlainWallet]] = {}
        for shopper in SHOPPERS:
            self.work.shoppers.add(
                Shopper(shopper=shopper, enrolled_at_ms=START_MS, locale=Locale.DE)
            )

    def teardown(self) -> None:
        self._stack.close()

    @rule(
        target=earnings,
        shopper=st.sampled_from(SHOPPERS),
        unit=st.sampled_from([POINTS, LedgerUnit("EUR")]),
        amount=AMOUNTS,
        pending_days=st.sampled_from([0, 0, 1, 14]),
        lasting_days=st.integers(1, 60),
    )
    def a_shopper_earns(
        self,
        shopper: ShopperId,
        unit: LedgerUnit,
        amount: int,
        pending_days: int,
        lasting_days: int,
    ) -> Done:
        name = self._name("purchase")
        active_at_ms = self.now_ms + pending_days * DAY_MS
        earning = Earning(
            unit=unit,
            amount_minor=amount,
            reason=PostingReason.PURCHASE,
            reference=name,
            active_at_ms=UnixMs(active_at_ms),
            expires_at_ms=UnixMs(active_at_ms + lasting_days * DAY_MS),
            site=SiteId("demo"),
        )
        earned = earn(shopper, earning, **self._now(), secrets=self.secrets)
        assert earned.is_new
        if self.count % 4 == 0:  # the same cause earns once
            again = earn(shopper, earning, **self._now(), secrets=self.secrets)
            assert (again.transaction, again.is_new) == (earned.transaction, False)
        plain = self._plain(shopper, unit)
        plain.earn(name, amount, active_at_ms=active_at_ms, expires_at_ms=earning.expires_at_ms)
        self.left[name] = amount
        return Done(shopper, unit, name, earned.transaction, amount)

    @rule(target=spendings, earned=earnings, percent=PERCENTS)
    def a_shopper_spends(self, earned: Done, percent: int) -> Done | MultipleResults:
        """A share of what is there, so that a spending takes several lots."""
        name = self._name("basket")
        plain = self._plain(earned.shopper, earned.unit)
        amount = plain.available(self.now_ms) * percent // 100 + 1
        spending = Spending(
            unit=earned.unit,
            amount_minor=amount,
            reason=PostingReason.PAYMENT,
            reference=name,
            site=SiteId("demo"),
        )
        spent = spend(earned.shopper, spending, **self._now(), secrets=self.secrets)
        assert plain.spend(name, amount, now_ms=self.now_ms) != isinstance(spent, LedgerRefusal)
        if isinstance(spent, LedgerRefusal):
            return multiple()
        self.left[name] = amount
        return Done(earned.shopper, earned.unit, name, spent.transaction, amount)

    @rule(earned=earnings, percent=PERCENTS)
    def goods_come_back_that_had_earned(self, earned: Done, percent: int) -> None:
        amount = self.left[earned.name] * percent // 100 + 1
        given = {"reference": self._name("return"), **self._now()}
        if amount > self.left[earned.name]:
            with pytest.raises(WrongState):
                claw_back(earned.transaction, amount, **given)
            return
        claw_back(earned.transaction, amount, **given)
        plain = self._plain(earned.shopper, earned.unit)
        plain.claw_back(earned.name, amount, now_ms=self.now_ms)
        self.left[earned.name] -= amount

    @rule(paid=spendings, percent=PERCENTS, is_told_twice=st.booleans())
    def goods_come_back_that_were_paid_with_it(
        self,
        paid: Done,
        percent: int,
        is_told_twice: bool,  # noqa: FBT001
    ) -> None:
        amount = self.left[paid.name] * percent // 100 + 1
        given = {"reference": self._name("return"), **self._now()}
        if amount > self.left[paid.name]:
            with pytest.raises(WrongState):
                give_back(paid.transaction, amount, **given)
            return
        back = give_back(paid.transaction, amount, **given)
        if is_told_twice:
            assert give_back(paid.transaction, amount, **given) == replace(back, is_new=False)
        plain = self._plain(paid.shopper, paid.unit)
        plain.give_back(paid.name, amount, now_ms=self.now_ms, grace_ms=GRACE_MS)
        self.left[paid.name] -= amount

    @rule(days=st.integers(1, 20), is_swept=st.booleans())
    def time_passes(self, days: int, is_swept: bool) -> None:  # noqa: FBT001
        self.now_ms = UnixMs(self.now_ms + days * DAY_MS)
        for _, plain in self.plain.values():
            plain.pass_time(self.now_ms)
        if is_swept:
            expire_points(**self._now(), limit=100)

    @invariant()
    def the_book_adds_up(self) -> None:
        """I1: postings sum to 0. I3: a lot is what it was, less what was taken."""
        assert self._rows(FAULTS) == []

    @invariant()
    def every_account_holds_what_a_slow_count_says(self) -> None:
        """I2: balance = postings = open lots - debt; and the issuer has what shoppers have not."""
        totals: dict[str, int] = {}
        by_account: dict[str, int] = {}
        debts: dict[str, int] = {}
        for kind, account, debt, total in self._rows(ACCOUNTS):
            assert kind == "wallet" or account.endswith(":demo")
            by_account[account] = total
            debts[account] = debt
            totals[kind] = totals.get(kind, 0) + total
        open_lots = self._rows(OPEN_LOTS)
        for account, plain in self.plain.values():
            lots = [lot[1:] for lot in open_lots if lot[0] == account]
            self._check(lots, debts[account], plain)
            assert by_account.get(account, 0) == sum(lot[2] for lot in lots) - debts[account]
        wallets = [plain for _, plain in self.plain.values()]
        overdue = sum(lot[3] for lot in open_lots if lot[2] <= self.now_ms)
        assert -totals.get("granted", 0) == sum(plain.granted for plain in wallets)
        assert totals.get("redeemed", 0) == sum(plain.redeemed for plain in wallets)
        assert totals.get("expired", 0) + overdue == sum(plain.expired for plain in wallets)

    def _check(self, lots: list[tuple[int, int, int]], debt: int, plain: PlainWallet) -> None:
        assert debt == plain.debt
        assert debt == 0 or not lots
        difference: dict[tuple[int, int], int] = {}
        for active_at_ms, expires_at_ms, open_minor in lots:
            if self.now_ms < expires_at_ms:
                when = (active_at_ms, expires_at_ms)
                difference[when] = difference.get(when, 0) + open_minor
        for lot in plain.lots.values():
            when = (lot.active_at_ms, lot.expires_at_ms)
            difference[when] = difference.get(when, 0) - len(lot.at("open"))
        assert not any(difference.values()), "other lots are open than in the slow count"

    def _plain(self, shopper: ShopperId, unit: LedgerUnit) -> PlainWallet:
        if (shopper, unit) not in self.plain:
            account = self.work.ledger.wallet_of(shopper, unit)
            assert account is not None
            self.plain[shopper, unit] = (account, PlainWallet())
        return self.plain[shopper, unit][1]

    def _name(self, kind: str) -> str:
        self.count += 1
        return f"{kind} {self.count}"

    def _now(self) -> dict[str, object]:
        return {"work": self.work, "now_ms": self.now_ms}

    def _rows(self, query: str) -> list[tuple]:
        return list(self.connection.exec_driver_sql(query).all())


TestLedger = Ledger.TestCase
TestLedger.settings = machine_settings()
