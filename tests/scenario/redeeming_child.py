"""Processes that redeem coupons until they are killed; every answer they give is on the output.

Run as ``python -m tests.scenario.redeeming_child DATABASE KEY``, where the database is a path or a
URL. For each line of input, the path of a file of codes and a number, it forks so many processes
(the imports are done by then) that each redeem all the codes under keys that are the codes, with
several threads; who is told that the database is busy asks again. A further word ``--lose`` makes
them answer before the commit, which is a bug that the harness must be able to see.
"""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from offers.handlers.answer_once import answer_once
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.errors import Busy
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import CredentialId
from offers.model.till.redemption import Redemption
from offers.ports import UnitOfWork
from offers.storage.database import Place, prepare_database
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from tests.reference.coupon_stock import NOW_MS
from tests.unit.offers.shop import checkout

TILL = CredentialId("c" * 32)
THREADS = 32
LOSING_ANSWERS = 3
ATTEMPTS_MAX = 600


def redeem_once(work: UnitOfWork, code: str, secrets: SystemSecretSource) -> StoredAnswer:
    """Redeem under a key that is the code: a retry after a kill is the same request."""

    def act() -> StoredAnswer:
        answer = redeem_coupon(checkout(code), work=work, now_ms=NOW_MS, secrets=secrets)
        if isinstance(answer, Redemption):
            return StoredAnswer(status=201, body=answer.redemption.encode())
        return StoredAnswer(status=409, body=answer.value.encode())

    request = IdempotentRequest.of(
        caller=TILL, key=f"key-{code}", operation="redeem", body=code.encode()
    )
    return answer_once(request, act, work=work, now_ms=NOW_MS)


def place_of(text: str) -> Place:
    return sa.make_url(text) if "://" in text else Path(text)


def serve(
    database: Place, codes: list[str], secrets: SystemSecretSource, *, is_losing: bool
) -> None:
    """Redeem all codes; say each answer when, or in the planted bug before, it is durable."""
    prepare_database(database)
    writer = Writer(database)
    told: list[str] = []

    def redeem(code: str) -> None:
        def command(work: UnitOfWork) -> StoredAnswer:
            answer = redeem_once(work, code, secrets)
            if is_losing:
                tell(code, answer)
                told.append(code)
            if len(told) == LOSING_ANSWERS:
                threading.Event().wait(60)  # the commit must not be quicker than the kill
            return answer

        for _ in range(ATTEMPTS_MAX):
            with suppress(Busy):
                answer = writer.run(command)
                if not is_losing:
                    tell(code, answer)
                return
            threading.Event().wait(0.05)

    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(redeem, codes):
            pass
    writer.close()


def tell(code: str, answer: StoredAnswer) -> None:
    # One write below the pipe's atomic size: a kill cannot cut a line in two.
    say(f"{code} {answer.status} {answer.body.decode()}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    database, key = place_of(sys.argv[1]), load_key(Path(sys.argv[2]))
    for line in sys.stdin:
        codes, count, *flags = line.split()
        pids = []
        for _ in range(int(count)):
            pids.append(os.fork())
            if pids[-1] == 0:
                todo = Path(codes).read_text().split()
                secrets = SystemSecretSource(key)
                serve(database, codes=todo, secrets=secrets, is_losing="--lose" in flags)
                os._exit(0)
            say(f"started {pids[-1]}")
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        say(f"ended {min(statuses)}")


if __name__ == "__main__":
    main()
