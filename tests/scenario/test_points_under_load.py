"""One wallet, many tills at once: not one point too many, not one too few, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from offers.handlers.loyalty.post_points import earn, spend
from offers.model.errors import Busy
from offers.model.ids import ShopperId
from offers.model.loyalty.ledger import POINTS, PostingReason
from offers.model.loyalty.points import Earning, LedgerRefusal, Spending, Spent
from offers.model.people.shopper import Locale, Shopper
from offers.ports import UnitOfWork
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from offers.storage.writer import Writer
from rtls.model.units import UnixMs

ANNA = Shopper(shopper=ShopperId("a" * 32), enrolled_at_ms=UnixMs(0), locale=Locale.DE)
SECRETS = SystemSecretSource(bytes(32))
NOW_MS = UnixMs(1_700_000_000_000)
TILLS = 40
LOTS = 10
SPENDINGS = 150
TRIES_MAX = 50


def earn_ten(work: UnitOfWork, number: int) -> None:
    earning = Earning(
        unit=POINTS,
        amount_minor=10,
        reason=PostingReason.PURCHASE,
        reference=f"purchase {number}",
        active_at_ms=NOW_MS,
        expires_at_ms=UnixMs(NOW_MS + 1_000 + number),
    )
    earn(ANNA.shopper, earning, work=work, now_ms=NOW_MS, secrets=SECRETS)


def spend_one(work: UnitOfWork, number: int) -> Spent | LedgerRefusal:
    spending = Spending(
        unit=POINTS, amount_minor=1, reason=PostingReason.PAYMENT, reference=f"basket {number}"
    )
    return spend(ANNA.shopper, spending, work=work, now_ms=NOW_MS, secrets=SECRETS)


@pytest.mark.slow
def test_a_hundred_points_are_spent_a_hundred_times_and_no_more(database: Place) -> None:
    """Each earning and spending is told twice, by tills that wait for nobody.

    On PostgreSQL two processes' worth of writers share the wallet; on SQLite there is one.
    """
    prepare_database(database)
    count = 2 if isinstance(database, sa.URL) else 1
    with ExitStack() as stack:
        writers = [Writer(database) for _ in range(count)]
        for writer in writers:
            stack.callback(writer.close)
        writers[0].run(lambda work: work.shoppers.add(ANNA))
        tills = stack.enter_context(ThreadPoolExecutor(TILLS))

        def ask(act, number: int):
            for turn in range(TRIES_MAX):
                try:
                    return writers[(number + turn) % count].run(lambda work: act(work, number))
                except Busy:
                    continue
            raise AssertionError("busy for ever")

        list(tills.map(lambda n: ask(earn_ten, n % LOTS), range(2 * LOTS)))
        answers = list(tills.map(lambda n: ask(spend_one, n % SPENDINGS), range(2 * SPENDINGS)))
    spent = {answer.transaction for answer in answers if isinstance(answer, Spent)}
    assert len(spent) == 10 * LOTS
    check_book(database)


def check_book(database: Place) -> None:
    """Add the book up by itself."""
    engine = open_engine(database, is_reader=True)
    with engine.connect() as connection:

        def one(query: str) -> int:
            return int(connection.exec_driver_sql(query).scalar_one() or 0)

        assert one("SELECT sum(amount_minor) FROM ledger_postings") == 0
        assert one("SELECT sum(open_minor) FROM ledger_lots") == 0
        assert one("SELECT sum(amount_minor) FROM ledger_allocations") == 10 * LOTS
        assert one("SELECT count(*) FROM ledger_transactions WHERE kind = 'earn'") == LOTS
        assert one("SELECT count(*) FROM wallets") == 1
    engine.dispose()
