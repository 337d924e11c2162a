"""Redemption with many tills at once, and with processes and servers killed in the middle.

The long runs (`make test-long`) are the promise: 100,000 attempts and 200 kills on each database.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from offers.model.campaigns.campaign import Budget
from offers.model.errors import Busy
from offers.model.idempotency import StoredAnswer
from offers.model.ids import ONLY_TENANT
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.sql_work import SqlWork
from offers.storage.tables import BUDGETS
from offers.storage.tenancy import SETTING
from offers.storage.writer import Writer
from tests.conftest import REPOSITORY
from tests.postgres import PostgresServer, make_server
from tests.reference.coupon_stock import stock_coupons
from tests.scenario.redeeming_child import LOSING_ANSWERS, redeem_once

TILLS = 200
KILLS = 24
KILLS_LONG = 200
CODES = 5_000
CODES_A_KILL = 400
CODES_A_KILL_LONG = 520
LIMIT_LONG = 60_000
UNPAID_LONG = 45_000


class Shop:
    """A database with coupons in shoppers' hands."""

    def __init__(self, database: Place, folder: Path) -> None:
        self.database = database
        self.key = folder / "offers.key"
        self.secrets = SystemSecretSource(load_key(self.key))

    @property
    def address(self) -> str:
        if isinstance(self.database, sa.URL):
            return self.database.render_as_string(hide_password=False)
        return str(self.database)

    def issue(self, count: int, budget: Budget | None) -> list[str]:
        prepare_database(self.database)
        return stock_coupons(self.database, count, secrets=self.secrets, budget=budget)

    def rows(self, query: str) -> list[tuple]:
        engine = open_engine(self.database, is_reader=True)
        with engine.connect() as connection:
            found = connection.exec_driver_sql(query).all()
        engine.dispose()
        return [tuple(row) for row in found]

    def count(self, query: str) -> int:
        return int(self.rows(query)[0][0])

    def redemptions(self) -> dict[str, str]:
        return dict(self.rows("SELECT redemption_id, coupon_id FROM redemptions"))

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        writer = Writer(self.database)
        yield writer
        writer.close()


@pytest.fixture
def shop(database: Place, tmp_path: Path) -> Shop:
    return Shop(database, tmp_path)


@pytest.mark.slow
def test_a_limit_of_100_gives_100_redemptions_to_200_tills(shop: Shop) -> None:
    """2,000 requests, each key sent twice: read-then-write gave 178 where 100 were paid for."""
    codes = shop.issue(1_000, Budget(redemptions_max=100, is_reserved=False))
    with shop.writer() as writer, ThreadPoolExecutor(TILLS) as tills:

        def ask(code: str) -> StoredAnswer:
            return writer.run(lambda work: redeem_once(work, code, shop.secrets))

        answers = list(tills.map(ask, [code for code in codes for _ in range(2)]))
    assert answers[::2] == answers[1::2]
    assert sum(answer.status == 201 for answer in answers[::2]) == 100
    check_limit(shop, limit=100)


def check_limit(shop: Shop, *, limit: int) -> None:
    """Say whether exactly so many redemptions were made, in every book that counts them."""
    assert shop.count("SELECT count(*) FROM redemptions") == limit
    assert shop.count("SELECT used FROM budgets") == limit
    assert shop.count("SELECT held FROM budgets") == 0
    assert shop.count("SELECT count(*) FROM coupons WHERE state = 'redeemed'") == limit
    assert shop.count("SELECT count(DISTINCT coupon_id) FROM redemptions") == limit


@pytest.mark.slow
def test_one_coupon_at_200_tills_is_redeemed_once(shop: Shop) -> None:
    """A screenshot shown at every till in the same second."""
    (code,) = shop.issue(1, None)
    with shop.writer() as writer, ThreadPoolExecutor(TILLS) as tills:

        def ask(_number: int) -> StoredAnswer:
            return writer.run(lambda work: redeem_without_key(work, code, shop))

        answers = list(tills.map(ask, range(TILLS)))
    assert sum(answer.status == 201 for answer in answers) == 1
    assert shop.count("SELECT count(*) FROM redemptions") == 1


def redeem_without_key(work, code: str, shop: Shop) -> StoredAnswer:
    class NoAnswers:
        def find(self, request) -> None:
            del request

        def keep(self, request, answer, *, at_ms) -> None:
            del request, answer, at_ms

    return redeem_once(With(work, answers=NoAnswers()), code, shop.secrets)


class With:
    """The same work, but for some of its repositories."""

    def __init__(self, work, **replaced) -> None:
        self._work = work
        self.__dict__ |= replaced

    def __getattr__(self, name: str):
        return getattr(self._work, name)


@pytest.mark.slow
def test_a_limit_of_100_holds_for_four_processes(shop: Shop) -> None:
    """Each of four workers gets every request: one answer to each, and one hundred effects."""
    codes = shop.issue(300, Budget(redemptions_max=100, is_reserved=False))
    processes = Processes(shop)
    processes.answers(codes, count=4)
    processes.close()
    assert sorted(processes.told) == codes
    assert all(len(told) == 1 for told in processes.told.values())
    check_limit(shop, limit=100)


@pytest.mark.slow
def test_the_harness_sees_a_race(postgres: PostgresServer, tmp_path: Path) -> None:
    """The negative control: nobody waits for his turn, who looks first writes later, no CHECK."""
    url = postgres.database()
    shop = Shop(url, tmp_path)
    codes = shop.issue(300, Budget(redemptions_max=100, is_reserved=False))
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_size=16)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE budgets DROP CONSTRAINT ck_budgets_cap")

    def ask(code: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT set_config('{SETTING}', '{ONLY_TENANT}', true)")
            work = SqlWork(connection)
            redeem_once(With(work, budgets=LooksFirst(work)), code, shop.secrets)

    with ThreadPoolExecutor(16) as tills:
        for _ in tills.map(ask, codes):
            pass
    engine.dispose()
    with pytest.raises(AssertionError):
        check_limit(shop, limit=100)
    postgres.drop(url)


class LooksFirst:
    """A budget as it is often written: read, compare, write what was computed."""

    def __init__(self, work: SqlWork) -> None:
        self._budgets = work.budgets
        self._connection = work.budgets._connection

    def use(self, _coupon: str, _redemption: str, charges) -> bool:
        state = self._budgets.state_of(charges[0].key)
        if state.used >= 100:
            return False
        self._connection.execute(sa.update(BUDGETS).values(used=state.used + 1))
        return True

    def __getattr__(self, name: str):
        return getattr(self._budgets, name)


class Processes:
    """Lets processes redeem, and kills them after so many answers."""

    def __init__(self, shop: Shop) -> None:
        command = [sys.executable, "-m", "tests.scenario.redeeming_child"]
        self._codes = shop.key.with_name("codes.txt")
        self._zygote = subprocess.Popen(
            [*command, shop.address, str(shop.key)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kills_in_flight = 0
        self.told: dict[str, set[str]] = {}
        """everything that was answered to each key, of which there may be one thing only"""

    def answers(
        self, codes: list[str], *, kill_after: int = 0, count: int = 1, is_losing: bool = False
    ) -> dict[str, str]:
        """Return which redemptions had been answered when the processes had ended."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._codes.write_text("\n".join(codes))
        self._zygote.stdin.write(f"{self._codes} {count}{' --lose' if is_losing else ''}\n")
        self._zygote.stdin.flush()
        pid = 0
        heard = 0
        answers: dict[str, str] = {}
        for line in self._zygote.stdout:
            match line.split():
                case ["started", number]:
                    pid = int(number)
                case ["ended", status]:
                    self.kills_in_flight += status == "-9"
                    return answers
                case [code, status, body]:
                    heard += 1
                    self.told.setdefault(code, set()).add(f"{status} {body}")
                    if status == "201":
                        answers[code] = body
            if pid and kill_after and heard == kill_after:
                os.kill(pid, signal.SIGKILL)
                pid = 0
        pytest.fail("the process that forks has died")

    def close(self) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(30)
        self._zygote.stdout.close()


def kill_many(shop: Shop, codes: list[str], *, kills: int) -> int:
    """Kill again and again, check the books each time; return how many kills hit work in flight."""
    processes = Processes(shop)
    acknowledged: dict[str, str] = {}
    for number in range(kills):
        todo = [code for code in codes if code not in acknowledged]
        assert len(todo) > CODES_A_KILL, "too few coupons: the kills would hit an idle process"
        kill_after = 1 + 5 * (number % 12)
        acknowledged |= processes.answers(todo[:CODES_A_KILL], kill_after=kill_after)
        check_books(shop, acknowledged)
    processes.close()
    return processes.kills_in_flight


def check_books(shop: Shop, acknowledged: dict[str, str]) -> None:
    """Nothing that was answered is missing, nothing is there twice, and the counters agree."""
    stored = shop.redemptions()
    lost = [body for body in acknowledged.values() if body not in stored]
    assert lost == []
    assert len(set(stored.values())) == len(stored)
    assert shop.count("SELECT used FROM budgets") == len(stored)
    assert shop.count("SELECT count(*) FROM answers WHERE status = 201") == len(stored)
    assert shop.count("SELECT count(*) FROM coupons WHERE state = 'redeemed'") == len(stored)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """An SQLite file full of coupons, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("stocked")
    budget = Budget(redemptions_max=10**6, is_reserved=False)
    return folder, Shop(folder / "offers.db", folder).issue(CODES, budget)


@pytest.fixture
def file_shop(stocked: tuple[Path, list[str]], tmp_path: Path) -> Shop:
    shutil.copytree(stocked[0], tmp_path, dirs_exist_ok=True)
    return Shop(tmp_path / "offers.db", tmp_path)


@pytest.fixture
def server_shop(postgres: PostgresServer, tmp_path: Path) -> Iterator[Shop]:
    url = postgres.database()
    yield Shop(url, tmp_path)
    postgres.drop(url)


@pytest.mark.slow
def test_kill_9_loses_no_answer_and_doubles_none(
    stocked: tuple[Path, list[str]], file_shop: Shop
) -> None:
    """A till that was told 'redeemed' is right, whatever happened to us the moment after."""
    assert kill_many(file_shop, stocked[1], kills=KILLS) > KILLS / 2
    assert file_shop.count("SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1


@pytest.mark.slow
def test_kill_9_loses_no_answer_of_a_server_either(server_shop: Shop) -> None:
    """The process that redeems dies; the server takes back what it had not committed."""
    codes = server_shop.issue(2_500, Budget(redemptions_max=10**6, is_reserved=False))
    assert kill_many(server_shop, codes, kills=KILLS // 3) > KILLS / 6


@pytest.mark.slow
def test_the_harness_sees_an_answer_that_came_before_its_commit(
    stocked: tuple[Path, list[str]], file_shop: Shop
) -> None:
    """The negative control: with the bug planted, the same books do not agree."""
    processes = Processes(file_shop)
    codes = stocked[1][:CODES_A_KILL]
    answers = processes.answers(codes, kill_after=LOSING_ANSWERS, is_losing=True)
    processes.close()
    assert processes.kills_in_flight == 1
    with pytest.raises(AssertionError):
        check_books(file_shop, answers)


def redeem_while_the_server_dies(server: PostgresServer, folder: Path, *, kills: int) -> None:
    """Kill the server under 16 tills that ask until they are answered."""
    shop = Shop(server.database(), folder)
    codes = shop.issue(150 * kills, Budget(redemptions_max=100 * kills, is_reserved=False))
    answered: dict[str, StoredAnswer] = {}
    is_over = threading.Event()

    def kill() -> None:
        for number in range(1, kills + 1):
            while len(answered) < 120 * number and not is_over.wait(0.002):
                pass
            server.kill()
            server.start()

    def ask(code: str) -> None:
        while code not in answered:
            try:
                answered[code] = writer.run(lambda work: redeem_once(work, code, shop.secrets))
            except Busy:
                threading.Event().wait(0.01)

    with shop.writer() as writer, ThreadPoolExecutor(17) as tills:
        killer = tills.submit(kill)
        for _ in tills.map(ask, codes):
            pass
        is_over.set()
        killer.result(30)
    redeemed = {code: a.body.decode() for code, a in answered.items() if a.status == 201}
    assert len(redeemed) == 100 * kills
    check_books(shop, redeemed)
    check_limit(shop, limit=100 * kills)


@pytest.mark.slow
def test_a_server_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    """The till is told 'later', asks again, and is never told twice that it redeemed."""
    server = make_server()
    try:
        server.start()
        redeem_while_the_server_dies(server, tmp_path, kills=3)
    finally:
        server.remove()


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_a_server_killed_a_hundred_times_loses_nothing(tmp_path: Path) -> None:
    """The same for long, as a release test."""
    server = make_server()
    try:
        server.start()
        redeem_while_the_server_dies(server, tmp_path, kills=100)
    finally:
        server.remove()


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_a_hundred_thousand_attempts_and_200_kills_are_exact(shop: Shop) -> None:
    """More coupons than are paid for, each asked for until it is answered, and then once more."""
    codes = shop.issue(
        LIMIT_LONG + UNPAID_LONG, Budget(redemptions_max=LIMIT_LONG, is_reserved=False)
    )
    processes = Processes(shop)
    acknowledged: dict[str, str] = {}
    waiting = codes
    for _ in range(KILLS_LONG):
        todo = waiting[:CODES_A_KILL_LONG]
        acknowledged |= processes.answers(todo, kill_after=CODES_A_KILL_LONG - 60)
        waiting = [code for code in waiting if code not in processes.told]
    check_books(shop, acknowledged)
    acknowledged |= processes.answers(waiting)
    acknowledged |= processes.answers(codes)
    processes.close()
    assert processes.kills_in_flight > KILLS_LONG * 0.9
    assert sorted(processes.told) == codes
    assert all(len(told) == 1 for told in processes.told.values())
    assert len(acknowledged) == LIMIT_LONG
    check_books(shop, acknowledged)
    check_limit(shop, limit=LIMIT_LONG)
