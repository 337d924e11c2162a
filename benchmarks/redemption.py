"""Redeem coupons durably: one writer with group commit against BEGIN IMMEDIATE in each request.

Both run the same handler on the same schema with the same settings (WAL, synchronous=FULL), from 32
threads, each coupon once and under its own idempotency key; the rounds alternate. The peer is what
a web framework does by itself: a connection a thread, a transaction a request. The control sends
the same keys again: it must get the same answers, and add no redemption.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from offers.handlers.answer_once import answer_once
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.errors import Busy
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import CredentialId
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.redemption import CheckoutRequest, Redemption
from offers.ports import UnitOfWork
from offers.storage.database import open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from offers.storage.sql_work import SqlWork
from offers.storage.writer import Writer
from tests.reference.coupon_stock import NOW_MS, SITE, TILL, stock_coupons

THREADS = 32
ROUNDS = 3
OURS_A_ROUND = 1_500
PEER_A_ROUND = 150
SECRETS = SystemSecretSource(bytes(32))
CALLER = CredentialId("c" * 32)
BASKET = Basket(
    currency="EUR",
    lines=(BasketLine(sku="s8", category="dowels", quantity=2, unit_price_minor=499),),
)
Ask = Callable[[str], StoredAnswer]


def redeem(work: UnitOfWork, code: str) -> StoredAnswer:
    """Redeem under the code's own key, as the route of the till does."""

    def act() -> StoredAnswer:
        wish = CheckoutRequest(code=code, basket=BASKET, till=TILL, site=SITE)
        answer = redeem_coupon(wish, work=work, now_ms=NOW_MS, secrets=SECRETS)
        if isinstance(answer, Redemption):
            return StoredAnswer(status=201, body=answer.redemption.encode())
        return StoredAnswer(status=409, body=answer.value.encode())

    key = f"key-{code}"
    asked = IdempotentRequest.of(caller=CALLER, key=key, operation="redeem", body=code.encode())
    return answer_once(asked, act, work=work, now_ms=NOW_MS)


def by_transactions(path: Path) -> tuple[Ask, Callable[[], None]]:
    """Return the peer: each thread has a connection and a transaction of its own."""
    engines: dict[int, sa.Engine] = {}

    def ask(code: str) -> StoredAnswer:
        thread = threading.get_ident()
        engine = engines.setdefault(thread, open_engine(path, is_reader=False))
        with engine.begin() as connection:
            return redeem(SqlWork(connection), code)

    def close() -> None:
        for engine in engines.values():
            engine.dispose()

    return ask, close


def timed(ask: Ask, codes: list[str]) -> tuple[float, list[float], list[StoredAnswer | None]]:
    """Return redemptions a second, the seconds that each took, and the answers; None for errors."""
    waits: list[float] = []

    def measured(code: str) -> StoredAnswer | None:
        begin = time.perf_counter()
        try:
            return ask(code)
        except (Busy, SQLAlchemyError):
            return None
        finally:
            waits.append(time.perf_counter() - begin)

    with ThreadPoolExecutor(THREADS) as threads:
        begin = time.perf_counter()
        answers = list(threads.map(measured, codes))
        took_s = time.perf_counter() - begin
    done = sum(answer is not None and answer.status == 201 for answer in answers)
    return done / took_s, waits, answers


def run() -> list[dict[str, str | float | bool]]:
    """Measure both in alternating rounds on one database; return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "offers.db"
        prepare_database(path)
        codes = stock_coupons(path, ROUNDS * (OURS_A_ROUND + PEER_A_ROUND), secrets=SECRETS)
        return measure(path, codes)


def measure(path: Path, codes: list[str]) -> list[dict[str, str | float | bool]]:
    """Redeem all codes, by turns one way and the other."""
    ours, peers, ratios, waits = [], [], [], []
    errors = 0
    for number in range(ROUNDS):
        begin = number * (OURS_A_ROUND + PEER_A_ROUND)
        mine = codes[begin : begin + OURS_A_ROUND]
        theirs = codes[begin + OURS_A_ROUND : begin + OURS_A_ROUND + PEER_A_ROUND]
        writer = Writer(path)
        rate, took, answers = timed(
            lambda code, w=writer: w.run(lambda work: redeem(work, code)), mine
        )
        _, _, again = timed(lambda code, w=writer: w.run(lambda work: redeem(work, code)), mine)
        writer.close()
        ask, close = by_transactions(path)
        peer_rate, _, peer_answers = timed(ask, theirs)
        close()
        ours.append(rate)
        peers.append(peer_rate)
        ratios.append(rate / peer_rate)
        waits += took
        errors += sum(answer is None for answer in peer_answers)
        assert answers == again
        assert None not in answers
    return figures(path, ours=ours, peers=peers, ratios=ratios, waits=waits, errors=errors)


def figures(
    path: Path,
    *,
    ours: list[float],
    peers: list[float],
    ratios: list[float],
    waits: list[float],
    errors: int,
) -> list[dict[str, str | float | bool]]:
    """Return what was measured; every redemption that was answered must be on the disk, once."""
    engine = open_engine(path, is_reader=True)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT count(*) FROM redemptions").scalar_one()
    engine.dispose()
    asked = ROUNDS * (OURS_A_ROUND + PEER_A_ROUND)
    return [
        {
            "name": "speed against a transaction a request",
            "value": median(ratios),
            "unit": "times",
            "target": 5.0,
        },
        {"name": "durable redemptions by group commit", "value": median(ours), "unit": "1/s"},
        {"name": "the same by BEGIN IMMEDIATE", "value": median(peers), "unit": "1/s"},
        {
            "name": "p99 of one redemption, 32 tills at once",
            "value": 1e3 * quantiles(waits, n=100)[98],
            "unit": "ms",
        },
        {"name": "requests the peer refused as locked", "value": float(errors), "unit": "requests"},
        {
            "name": "control: redemptions missing or doubled after sending each key twice",
            "value": float(abs(asked - errors - stored)),
            "unit": "redemptions",
            "target": 0.0,
            "is_floor": False,
        },
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
