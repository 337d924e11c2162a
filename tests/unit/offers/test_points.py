"""Points and cashback: earned in lots, spent first-expiring-first, undone by new records."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

import offers
from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.close_account import close_account
from offers.handlers.loyalty.post_points import earn, spend
from offers.handlers.loyalty.reverse_points import claw_back, give_back
from offers.loyalty.entry import spend as spending_of
from offers.model.errors import Busy, InvalidLedger, NotFound, ReferenceReused, WrongState
from offers.model.ids import ShopperId, TransactionId
from offers.model.loyalty.ledger import (
    POINTS,
    Account,
    AccountId,
    AccountKind,
    LedgerTransaction,
    LedgerUnit,
    Lot,
    Posting,
    PostingReason,
    TransactionKind,
    Wallet,
)
from offers.model.loyalty.points import Earned, Earning, LedgerRefusal, Spending, Spent
from offers.storage.tables import METADATA
from rtls.model.units import UnixMs
from tests.unit.offers.shop import START_MS, Shop

DAY_MS = 86_400_000
EUR = LedgerUnit("EUR")


class Card:
    """A shopper with a wallet, and the steps that the tests share."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.shopper = shop.shopper()
        self.day = 0
        self.count = 0

    @property
    def now_ms(self) -> UnixMs:
        return UnixMs(START_MS + self.day * DAY_MS)

    def earn(
        self,
        amount: int,
        *,
        lasts: int = 365,
        pending: int = 0,
        reference: str | None = None,
        unit: LedgerUnit = POINTS,
        shopper: ShopperId | None = None,
    ) -> Earned:
        self.count += 1
        active_at_ms = UnixMs(self.now_ms + pending * DAY_MS)
        earning = Earning(
            unit=unit,
            amount_minor=amount,
            reason=PostingReason.PURCHASE,
            reference=reference or f"purchase {self.count}",
            active_at_ms=active_at_ms,
            expires_at_ms=UnixMs(active_at_ms + lasts * DAY_MS),
        )
        return earn(shopper or self.shopper, earning, **self._now(), secrets=self.shop.secrets)

    def spend(self, amount: int, *, reference: str | None = None) -> Spent | LedgerRefusal:
        self.count += 1
        spending = Spending(
            unit=POINTS,
            amount_minor=amount,
            reason=PostingReason.PAYMENT,
            reference=reference or f"basket {self.count}",
        )
        return spend(self.shopper, spending, **self._now(), secrets=self.shop.secrets)

    def pay(self, amount: int) -> TransactionId:
        spent = self.spend(amount)
        assert isinstance(spent, Spent)
        return spent.transaction

    def claw_back(self, transaction: TransactionId, amount: int, reference: str = "") -> None:
        self.count += 1
        claw_back(transaction, amount, reference=reference or f"return {self.count}", **self._now())

    def give_back(self, transaction: TransactionId, amount: int, reference: str = "") -> None:
        self.count += 1
        give_back(transaction, amount, reference=reference or f"return {self.count}", **self._now())

    @property
    def wallet(self) -> Wallet:
        return self.shop.work.ledger.wallets_of(self.shopper)[0]

    def lots(self) -> list[tuple[int, int]]:
        """Days until expiry and what is open, soonest first."""
        return sorted(
            ((lot.expires_at_ms - START_MS) // DAY_MS, lot.open_minor) for lot in self.wallet.lots
        )

    def _now(self) -> dict[str, object]:
        return {"work": self.shop.work, "now_ms": self.now_ms}


@pytest.fixture
def card(shop: Shop) -> Card:
    return Card(shop)


def test_points_can_be_spent_in_the_moment_they_are_earned(card: Card) -> None:
    """C5: whoever qualifies at the till may pay with it at the same till."""
    card.earn(100)
    assert isinstance(card.spend(100), Spent)
    assert card.wallet.balance_minor == 0


def test_what_expires_first_is_spent_first(card: Card) -> None:
    """Any other order loses points that the shopper could have kept."""
    card.earn(50, lasts=90)
    card.earn(50, lasts=30)
    card.earn(50, lasts=60)
    card.pay(70)
    assert card.lots() == [(60, 30), (90, 50)]


def test_of_equal_expiry_the_older_is_spent_first(card: Card) -> None:
    """A tie must not depend on the mood of the database."""
    first = card.earn(50).transaction
    card.earn(50)
    card.pay(60)
    assert first not in {lot.lot for lot in card.wallet.lots}


def test_pending_points_are_seen_but_not_spent(card: Card) -> None:
    """They may be taken back with the goods: the refusal says that they are only late."""
    card.earn(100, pending=14)
    assert card.wallet.pending_minor(card.now_ms) == 100
    assert card.spend(1) is LedgerRefusal.STILL_PENDING
    assert card.spend(101) is LedgerRefusal.BALANCE_TOO_LOW
    card.day = 14
    card.pay(100)


def test_expired_points_are_gone_on_the_tick_swept_or_not(card: Card) -> None:
    """A sweep that comes late must not make a gift, and one that comes early no theft."""
    card.earn(100, lasts=30)
    card.day = 30
    assert card.spend(1) is LedgerRefusal.BALANCE_TOO_LOW
    assert card.wallet.balance_minor == 0


def test_the_sweep_posts_what_has_expired(card: Card) -> None:
    """The book must know of it although nobody comes to spend."""
    card.earn(100, lasts=30)
    card.day = 31
    swept = expire_overdue(work=card.shop.work, now_ms=card.now_ms)
    again = expire_overdue(work=card.shop.work, now_ms=card.now_ms)
    assert (swept.wallets, again.wallets) == (1, 0)
    assert card.wallet.balance_minor == 0


def test_the_same_purchase_earns_once(card: Card) -> None:
    """A till that repeats its message after a lost answer must not double the points."""
    first = card.earn(100, reference="purchase-7")
    assert card.earn(100, reference="purchase-7") == replace(first, is_new=False)
    assert card.wallet.balance_minor == 100


def test_a_purchase_may_earn_points_and_cashback(card: Card) -> None:
    """One cause, two units: each counts by itself."""
    card.earn(100, reference="purchase-7")
    card.earn(42, reference="purchase-7", unit=EUR)
    wallets = card.shop.work.ledger.wallets_of(card.shopper)
    assert [(w.account.unit, w.balance_minor) for w in wallets] == [("EUR", 42), ("points", 100)]


def test_a_cause_that_comes_again_with_another_wish_is_refused(card: Card) -> None:
    """Two purchases under one number are a fault of the till: told, not guessed at."""
    card.earn(100, reference="purchase-7")
    with pytest.raises(ReferenceReused, match="expected the same, not 200"):
        card.earn(200, reference="purchase-7")
    other = card.shop.shopper(tag=None)
    with pytest.raises(ReferenceReused):
        card.earn(100, reference="purchase-7", shopper=other)


def test_a_return_takes_from_its_own_lot_first_then_from_others_then_makes_a_debt(
    card: Card,
) -> None:
    """100 earned, 60 of them spent: 40 are there, 30 come from another lot, 30 are owed."""
    card.earn(30, lasts=400)
    earned = card.earn(100).transaction
    card.pay(60)
    card.claw_back(earned, 100)
    assert (card.wallet.balance_minor, card.wallet.debt_minor) == (-30, 30)
    assert card.spend(1) is LedgerRefusal.BALANCE_TOO_LOW


def test_a_return_takes_active_points_before_pending_ones(card: Card) -> None:
    """Pending ones may fall away by themselves; the shopper keeps what he can."""
    card.earn(20, pending=10, lasts=5)
    card.earn(20, lasts=90)
    earned = card.earn(20, lasts=10).transaction
    card.pay(20)
    card.claw_back(earned, 10)
    assert card.lots() == [(15, 20), (90, 10)]


def test_the_next_earning_repays_the_debt_first(card: Card) -> None:
    """Also a pending one: whoever owes does not wait for the other's points."""
    earned = card.earn(50).transaction
    card.pay(50)
    card.claw_back(earned, 50)
    card.earn(70, pending=5)
    assert (card.wallet.debt_minor, card.wallet.pending_minor(card.now_ms)) == (0, 20)


def test_parts_of_a_return_sum_to_the_whole_and_to_no_more(card: Card) -> None:
    """I9: three lines come back on three days."""
    earned = card.earn(100).transaction
    for part in (33, 33, 34):
        card.claw_back(earned, part)
    assert card.wallet.balance_minor == 0
    with pytest.raises(WrongState, match="0 of 100 are left"):
        card.claw_back(earned, 1)


def test_what_was_paid_with_points_comes_back_with_its_old_expiry(card: Card) -> None:
    """Buying and returning must neither lengthen nor shorten the life of points."""
    card.earn(50, lasts=30)
    card.earn(50, lasts=60)
    paid = card.pay(80)
    card.day = 3
    card.give_back(paid, 80)
    assert card.lots() == [(30, 50), (60, 50)]


def test_a_part_comes_back_as_if_less_had_been_spent(card: Card) -> None:
    """80 spent and 40 back is 40 spent: the lot that lives longest is whole again."""
    card.earn(50, lasts=30)
    card.earn(50, lasts=60)
    paid = card.pay(80)
    card.give_back(paid, 40)
    assert card.lots() == [(30, 10), (60, 50)]


def test_what_expired_while_it_was_spent_comes_back_for_thirty_days(card: Card) -> None:
    """The goods came back late; the points were never the shopper's to lose."""
    card.earn(50, lasts=10)
    paid = card.pay(50)
    card.day = 20
    card.give_back(paid, 50)
    assert card.lots() == [(50, 50)]


def test_what_comes_back_repays_a_debt_first(card: Card) -> None:
    """Both halves of a purchase are undone: nothing is left, and nothing is owed."""
    earned = card.earn(100).transaction
    paid = card.pay(60)
    card.claw_back(earned, 100)
    assert card.wallet.debt_minor == 60
    card.give_back(paid, 60)
    assert (card.wallet.debt_minor, card.wallet.lots) == (0, ())


def test_points_that_expired_unused_are_not_taken_back_twice(card: Card) -> None:
    """The issuer has them already; the return only says that they were never granted."""
    earned = card.earn(100, lasts=30).transaction
    card.earn(100, lasts=365)
    card.pay(40)
    card.day = 40
    card.claw_back(earned, 100)
    assert card.lots() == [(365, 60)]


def test_a_return_told_twice_counts_once(card: Card) -> None:
    """As with everything that a till repeats."""
    earned = card.earn(100).transaction
    other = card.earn(100).transaction
    card.claw_back(earned, 40, "return-7")
    card.claw_back(earned, 40, "return-7")
    assert card.wallet.balance_minor == 160
    with pytest.raises(ReferenceReused, match="has reversed"):
        card.claw_back(other, 40, "return-7")


def test_a_spending_cannot_be_clawed_back_nor_an_earning_given_back(card: Card) -> None:
    """The two undo different things; a till that mixes them up is told so."""
    earned = card.earn(100).transaction
    paid = card.pay(50)
    with pytest.raises(NotFound):
        card.claw_back(paid, 1)
    with pytest.raises(NotFound):
        card.give_back(earned, 1)


def test_a_closed_account_is_at_zero_and_nobodys(card: Card) -> None:
    """Erasure: the book still adds up, and no row leads from the wallet to the person."""
    earned = card.earn(100).transaction
    card.earn(5, unit=EUR)
    wallet = card.wallet.account.account
    assert close_account(card.shopper, work=card.shop.work, now_ms=card.now_ms) == 2
    assert card.shop.work.ledger.wallets_of(card.shopper) == ()
    assert card.shop.work.ledger.begin_change(wallet).balance_minor == 0
    assert card.shop.work.ledger.history_of(card.shopper, before=10**9, limit=9) == ()
    with pytest.raises(NotFound):
        card.claw_back(earned, 100)


def test_a_debt_is_forgiven_when_its_shopper_is_erased(card: Card) -> None:
    """The closing entry brings any balance to zero, also one below it."""
    earned = card.earn(100).transaction
    card.pay(100)
    card.claw_back(earned, 100)
    wallet = card.wallet.account.account
    close_account(card.shopper, work=card.shop.work, now_ms=card.now_ms)
    assert card.shop.work.ledger.begin_change(wallet).balance_minor == 0


def test_the_history_tells_the_newest_first_page_by_page(card: Card) -> None:
    """What the shopper reads when he wonders where his points went."""
    earned = card.earn(100).transaction
    card.pay(30)
    card.claw_back(earned, 10)
    history = card.shop.work.ledger.history_of
    newest = history(card.shopper, before=10**9, limit=2)
    assert [(line.kind, line.change_minor) for line in newest] == [
        (TransactionKind.CLAW_BACK, -10),
        (TransactionKind.SPEND, -30),
    ]
    rest = history(card.shopper, before=newest[-1].sequence, limit=2)
    assert [line.change_minor for line in rest] == [100]


def test_an_entry_that_takes_more_than_is_open_is_refused_by_the_database(card: Card) -> None:
    """A handler with a bug must be stopped by the row itself, not by good manners."""
    earned = card.earn(100).transaction
    card.pay(80)
    wallet = card.wallet
    stale = replace(wallet, lots=tuple(replace(lot, open_minor=100) for lot in wallet.lots))
    wish = Spending(
        unit=POINTS, amount_minor=90, reason=PostingReason.PAYMENT, reference="stale basket"
    )
    entry = spending_of(replace(stale, changes=99), wish, now_ms=card.now_ms)
    assert isinstance(entry, LedgerTransaction)
    with pytest.raises(Busy, match=f"lot {earned} has just changed"):
        card.shop.work.ledger.post(entry)


WALLET = Account(account=AccountId("a" * 32), kind=AccountKind.WALLET, unit=POINTS)
GRANTED_EUR = Account.of_issuer(AccountKind.GRANTED, EUR, None)
GRANTED = Account.of_issuer(AccountKind.GRANTED, POINTS, None)


def entry(**changes: object) -> LedgerTransaction:
    lot = Lot(
        lot=TransactionId("b" * 32),
        number=1,
        amount_minor=100,
        open_minor=100,
        active_at_ms=START_MS,
        expires_at_ms=UnixMs(START_MS + 1),
    )
    given: dict[str, object] = {
        "transaction": lot.lot,
        "wallet": WALLET,
        "kind": TransactionKind.EARN,
        "reason": PostingReason.PURCHASE,
        "amount_minor": 100,
        "at_ms": START_MS,
        "postings": (
            Posting(account=WALLET, amount_minor=100),
            Posting(account=GRANTED, amount_minor=-100),
        ),
        "lot": lot,
        "reference": "purchase-1",
    }
    return LedgerTransaction(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"postings": (Posting(account=WALLET, amount_minor=100),)}, "do not sum to 0"),
        ({"lot": None}, r"posts 100 to the wallet, its lots and debt change by 0"),
        ({"amount_minor": 0}, "amount_minor is 0; expected an integer from 1"),
        ({"amount_minor": 1.5}, "amount_minor is 1.5"),
        ({"reverses": TransactionId("c" * 32)}, "earn reverses"),
        ({"reference": ""}, "reference is ''"),
        ({"reference": "a\nb"}, "printable"),
        (
            {
                "postings": (
                    Posting(
                        account=Account.of_issuer(AccountKind.GRANTED, EUR, None), amount_minor=1
                    ),
                )
            },
            "not all in one unit",
        ),
    ],
)
def test_an_entry_that_does_not_add_up_cannot_be_written(
    changes: dict[str, object], message: str
) -> None:
    """I1 and I2 hold for each entry by itself, before any database sees it."""
    assert entry().change_minor == 100
    with pytest.raises(InvalidLedger, match=message):
        entry(**changes)


@pytest.mark.parametrize("unit", ["POINTS", "eur", "", "XXX"])
def test_the_ledger_counts_in_points_and_currencies_only(unit: str) -> None:
    """A third unit by a slip of the pen would be money that nobody can spend."""
    with pytest.raises(InvalidLedger, match="expected 'points'"):
        Spending(unit=LedgerUnit(unit), amount_minor=1, reason=PostingReason.PAYMENT, reference="b")


def test_an_earning_has_an_end_within_ten_years(card: Card) -> None:
    """What never ends grows for ever, and is owed for ever."""
    with pytest.raises(InvalidLedger, match="ten years"):
        card.earn(1, lasts=3_661)
    with pytest.raises(InvalidLedger, match="more than 0"):
        card.earn(1, lasts=0)


def test_no_statement_changes_what_stands_in_the_book() -> None:
    """I13: postings, transactions and allocations are added to, never updated, never deleted."""
    booked = {"LEDGER_TRANSACTIONS", "LEDGER_POSTINGS", "LEDGER_ALLOCATIONS"}
    for path in Path(offers.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sa.update", "sa.delete"}:
                assert ast.unparse(node.args[0]) not in booked, path
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.upper().split()
                assert not {"UPDATE", "DELETE"} & set(words[:1]) or not booked & set(words), path


def test_money_of_the_book_is_kept_in_64_bits() -> None:
    """A column of 32 bits overflows at 21 million euro, in the database of the largest client."""
    for table in ("ledger_postings", "ledger_lots", "ledger_allocations"):
        column = METADATA.tables[table].c.amount_minor
        assert isinstance(column.type, sa.BigInteger)
