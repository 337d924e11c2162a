"""Redemption with many tills at once, and with the process killed in the middle."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from offers.model.campaign import Budget
from offers.model.idempotency import StoredAnswer
from offers.storage.database import prepare_database
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from tests.conftest import REPOSITORY
from tests.reference.coupon_stock import stock_coupons
from tests.scenario.redeeming_child import LOSING_ANSWERS, redeem_once

KILLS = 24
KILLS_LONG = 300
CODES = 5_000
CODES_A_KILL = 400


class Till:
    """A database with coupons in shoppers' hands, made once for all tests here."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "offers.db"
        self.key = folder / "offers.key"
        self.secrets = SystemSecretSource(load_key(self.key))

    def issue(self, count: int, budget: Budget | None) -> list[str]:
        prepare_database(self.database)
        return stock_coupons(self.database, count, secrets=self.secrets, budget=budget)

    def count(self, query: str) -> int:
        connection = sqlite3.connect(self.database)
        found: int = connection.execute(query).fetchone()[0]
        connection.close()
        return found

    def redemptions(self) -> dict[str, str]:
        connection = sqlite3.connect(self.database)
        rows = connection.execute("SELECT redemption_id, coupon_id FROM redemptions").fetchall()
        connection.close()
        return dict(rows)


@pytest.mark.slow
def test_a_limit_of_100_gives_100_redemptions_to_32_tills(tmp_path: Path) -> None:
    """2,000 requests, each key sent twice: read-then-write gave 178 where 100 were paid for."""
    till = Till(tmp_path)
    codes = till.issue(1_000, Budget(redemptions_max=100, is_reserved=False))
    writer = Writer(till.database)

    def ask(code: str) -> StoredAnswer:
        return writer.run(lambda work: redeem_once(work, code, till.secrets))

    with ThreadPoolExecutor(32) as tills:
        answers = list(tills.map(ask, [code for code in codes for _ in range(2)]))
    writer.close()
    assert answers[::2] == answers[1::2]
    assert sum(answer.status == 201 for answer in answers[::2]) == 100
    assert till.count("SELECT count(*) FROM redemptions") == 100
    assert till.count("SELECT used FROM campaigns") == 100
    assert till.count("SELECT held FROM campaigns") == 0
    assert till.count("SELECT count(*) FROM coupons WHERE state = 'redeemed'") == 100


@pytest.mark.slow
def test_one_coupon_at_32_tills_is_redeemed_once(tmp_path: Path) -> None:
    """A screenshot shown at every till in the same second."""
    till = Till(tmp_path)
    (code,) = till.issue(1, None)
    writer = Writer(till.database)

    def ask(number: int) -> StoredAnswer:
        del number
        return writer.run(lambda work: _redeem_without_key(work, code, till))

    with ThreadPoolExecutor(32) as tills:
        answers = list(tills.map(ask, range(200)))
    writer.close()
    assert sum(answer.status == 201 for answer in answers) == 1
    assert till.count("SELECT count(*) FROM redemptions") == 1


def _redeem_without_key(work, code: str, till: Till) -> StoredAnswer:
    class NoAnswers:
        def find(self, request) -> None:
            del request

        def keep(self, request, answer, *, at_ms) -> None:
            del request, answer, at_ms

    bare = _With(work, NoAnswers())
    return redeem_once(bare, code, till.secrets)


class _With:
    """The same work, but for the answers: so each request is one of its own."""

    def __init__(self, work, answers) -> None:
        self._work = work
        self.answers = answers

    def __getattr__(self, name: str):
        return getattr(self._work, name)


class Killer:
    """Lets processes redeem, and kills them after so many answers."""

    def __init__(self, till: Till) -> None:
        command = [sys.executable, "-m", "tests.scenario.redeeming_child"]
        self._codes = till.database.with_name("codes.txt")
        self._zygote = subprocess.Popen(
            [*command, str(till.database), str(till.key)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.kills_in_flight = 0

    def answers(
        self, codes: list[str], *, kill_after: int, is_losing: bool = False
    ) -> dict[str, str]:
        """Return what the process had answered when it was dead."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._codes.write_text("\n".join(codes))
        self._zygote.stdin.write(f"{self._codes}{' --lose' if is_losing else ''}\n")
        self._zygote.stdin.flush()
        pid = 0
        answers: dict[str, str] = {}
        for line in self._zygote.stdout:
            match line.split():
                case ["started", number]:
                    pid = int(number)
                case ["ended", status]:
                    self.kills_in_flight += status == "-9"
                    return answers
                case [code, "201", body]:
                    answers[code] = body
            if pid and len(answers) == kill_after:
                os.kill(pid, signal.SIGKILL)
                pid = 0
        pytest.fail("the process that forks has died")

    def close(self) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(30)
        self._zygote.stdout.close()


def kill_many(till: Till, codes: list[str], *, kills: int) -> int:
    """Kill again and again, check the books each time; return how many kills hit work in flight."""
    killer = Killer(till)
    acknowledged: dict[str, str] = {}
    for number in range(kills):
        todo = [code for code in codes if code not in acknowledged]
        assert len(todo) > CODES_A_KILL, "too few coupons: the kills would hit an idle process"
        answers = killer.answers(todo[:CODES_A_KILL], kill_after=1 + 5 * (number % 12))
        acknowledged |= answers
        check_books(till, acknowledged)
    killer.close()
    return killer.kills_in_flight


def check_books(till: Till, acknowledged: dict[str, str]) -> None:
    """Nothing that was answered is missing, nothing is there twice, and the counters agree."""
    stored = till.redemptions()
    lost = [body for body in acknowledged.values() if body not in stored]
    assert lost == []
    assert len(set(stored.values())) == len(stored)
    assert till.count("SELECT used FROM campaigns") == len(stored)
    assert till.count("SELECT count(*) FROM answers WHERE status = 201") == len(stored)
    assert till.count("SELECT count(*) FROM coupons WHERE state = 'redeemed'") == len(stored)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("stocked")
    budget = Budget(redemptions_max=10**6, is_reserved=False)
    return folder, Till(folder).issue(CODES, budget)


@pytest.fixture
def till(stocked: tuple[Path, list[str]], tmp_path: Path) -> Till:
    shutil.copytree(stocked[0], tmp_path, dirs_exist_ok=True)
    return Till(tmp_path)


@pytest.mark.slow
def test_kill_9_loses_no_answer_and_doubles_none(
    stocked: tuple[Path, list[str]], till: Till
) -> None:
    """A till that was told 'redeemed' is right, whatever happened to us the moment after."""
    assert kill_many(till, stocked[1], kills=KILLS) > KILLS / 2
    assert till.count("SELECT integrity_check = 'ok' FROM pragma_integrity_check") == 1


@pytest.mark.slow
def test_the_harness_sees_an_answer_that_came_before_its_commit(
    stocked: tuple[Path, list[str]], till: Till
) -> None:
    """The negative control: with the bug planted, the same books do not agree."""
    killer = Killer(till)
    answers = killer.answers(stocked[1][:CODES_A_KILL], kill_after=LOSING_ANSWERS, is_losing=True)
    killer.close()
    assert killer.kills_in_flight == 1
    with pytest.raises(AssertionError):
        check_books(till, answers)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_hundreds_of_kills_lose_nothing(tmp_path: Path) -> None:
    """The same for long, as a release test."""
    till = Till(tmp_path)
    codes = till.issue(KILLS_LONG * 200, None)
    assert kill_many(till, codes, kills=KILLS_LONG) > KILLS_LONG / 2
