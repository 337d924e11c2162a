"""Decide and redeem on one PostgreSQL of one tenant: how much its one turn to write lets through.

Writers of a tenant take turns (docs/decisions/0022), so what bounds a chain's offers is how long a
decision and a purchase hold the turn, however many replicas there are: one process and two are
measured. The server syncs every commit to the disk. The mix is that of the planner's figures,
fourteen decisions to a purchase; each decision is among the campaigns of a shelf and ends in an
offer. The peer is the same load on an SQLite file, in the same run, one round after the other. The
control sends each purchase's key again: the same answer, and no redemption more.
"""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.decision import busy_campaign, map_of, shoppers_of, stay
from benchmarks.redemption import redeem
from offers.handlers.campaigns.start_campaign import start_campaign
from offers.handlers.offering.decide_moment import decide_moment
from offers.model.idempotency import StoredAnswer
from offers.model.ids import ShopperId
from offers.storage.database import Place, open_engine, prepare_database
from offers.storage.secret_source import SystemSecretSource
from offers.storage.sql_work import SqlWork
from offers.storage.writer import Writer
from tests.postgres import DURABLE, make_server
from tests.reference.coupon_stock import stock_coupons
from tests.unit.offers.shop import START_MS

CAMPAIGNS: Final = 200
ZONES: Final = 10
DECISIONS: Final = 280
"""of one process in one round of the mix"""
PURCHASES: Final = 20
ALONE: Final = 200
"""decisions, and purchases, that are measured by themselves"""
ROUNDS: Final = 3
PROCESSES: Final = 2
THREADS: Final = 32
SECRETS: Final = SystemSecretSource(bytes(32))
TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
Row = dict[str, str | float | bool]
Job = tuple[ShopperId, int] | str
"""a shopper whose stay has lasted long enough and the stay's number, or the code of a coupon"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is left to be done on one database."""

    place: Place
    shoppers: list[ShopperId]
    codes: list[str]

    def jobs(self, *, decisions: int, purchases: int) -> list[Job]:
        """Take so many out, evenly mixed."""
        jobs: list[Job] = [(self.shoppers.pop(), len(self.shoppers)) for _ in range(decisions)]
        for number in range(purchases):
            jobs.insert(number * len(jobs) // purchases, self.codes.pop())
        return jobs

    def mix(self) -> list[Job]:
        """Take what one process does in one round."""
        return self.jobs(decisions=DECISIONS, purchases=PURCHASES)


def stocked(place: Place, *, decisions: int, purchases: int) -> Stock:
    """Prepare a database with campaigns, shoppers who agree to all, and coupons in hands."""
    prepare_database(place)
    codes = stock_coupons(place, purchases, secrets=SECRETS)
    site_map = map_of(ZONES)
    engine = open_engine(place, is_reader=False)
    with engine.begin() as connection:
        work = SqlWork(connection)
        for number in range(CAMPAIGNS):
            zone = site_map.zones[number % ZONES].zone
            start_campaign(
                busy_campaign(number, zone), site_map=site_map, work=work, now_ms=START_MS
            )
        shoppers = shoppers_of(work, decisions)
    engine.dispose()
    return Stock(place=place, shoppers=shoppers, codes=codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one process, or several at once, did."""

    jobs: int
    took_s: float
    processor_s: float
    answers: dict[str, StoredAnswer]

    @property
    def rate_hz(self) -> float:
        """Return how many a second."""
        return self.jobs / self.took_s

    @property
    def each_ms(self) -> float:
        """Return the processor time of one, without the server's."""
        return 1e3 * self.processor_s / self.jobs


def work_off(place: Place, jobs: Sequence[Job]) -> Done:
    """Do jobs through one writer as a replica does, many waiting at once."""
    writer = Writer(place)

    def do(job: Job) -> StoredAnswer | None:
        if isinstance(job, str):
            return writer.run(lambda work: redeem(work, job))
        moment = stay(*job)
        decision = writer.run(lambda work: decide_moment(moment, work=work, secrets=SECRETS))
        assert decision is not None
        return None

    begin, processor = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(do, jobs))
    took_s, processor_s = time.perf_counter() - begin, time.process_time() - processor
    writer.close()
    told = {
        job: answer
        for job, answer in zip(jobs, answers, strict=True)
        if isinstance(job, str) and answer is not None
    }
    return Done(jobs=len(jobs), took_s=took_s, processor_s=processor_s, answers=told)


class Replicas:
    """Processes that work off what they are given, all at once."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pools = [ProcessPoolExecutor(1, mp_context=spawn) for _ in range(PROCESSES)]

    def work_off(self, place: Place, *shares: Sequence[Job]) -> Done:
        """Give each process its share; return what they did together."""
        futures = [
            pool.submit(work_off, place, share)
            for pool, share in zip(self._pools, shares, strict=False)
        ]
        done = [future.result() for future in futures]
        return Done(
            jobs=sum(part.jobs for part in done),
            took_s=max(part.took_s for part in done),
            processor_s=sum(part.processor_s for part in done),
            answers={code: answer for part in done for code, answer in part.answers.items()},
        )

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools:
            pool.shutdown()


def processor_s_of(server: int) -> float:
    """Return what a server has used of processors, with its children, the ended ones too.

    /proc/PID/stat, proc(5): utime and stime are fields 14 and 15, those of waited-for children 16
    and 17, counted behind the name in brackets, which may hold spaces.
    """
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
        if int(entry.parent.name) == server:
            ticks += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == server:
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / TICKS_A_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was done, and what the server used for it."""

    done: Done
    server_s: float

    @property
    def server_ms(self) -> float:
        """Return the server's processor time of one."""
        return 1e3 * self.server_s / self.done.jobs


def run() -> list[Row]:
    """Measure both by turns; return the figures."""
    server = make_server(DURABLE)
    replicas = Replicas()
    try:
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            on_server = stocked(
                server.empty_database(),
                decisions=ROUNDS * (1 + PROCESSES) * DECISIONS + ALONE + PROCESSES,
                purchases=ROUNDS * (1 + PROCESSES) * PURCHASES + ALONE,
            )
            on_file = stocked(
                Path(folder) / "offers.db",
                decisions=ROUNDS * DECISIONS + 1,
                purchases=ROUNDS * PURCHASES,
            )
            assert server.process is not None
            return measure(replicas, on_server, on_file, server=server.process.pid)
    finally:
        replicas.close()
        server.remove()


def measure(replicas: Replicas, on_server: Stock, on_file: Stock, *, server: int) -> list[Row]:
    """Work off the mix in rounds, then each kind alone."""

    def on_postgresql(*shares: Sequence[Job]) -> Measured:
        begin_s = processor_s_of(server)
        done = replicas.work_off(on_server.place, *shares)
        return Measured(done=done, server_s=processor_s_of(server) - begin_s)

    # Imports, and each campaign read and compiled once.
    on_postgresql(*(on_server.jobs(decisions=1, purchases=0) for _ in range(PROCESSES)))
    replicas.work_off(on_file.place, on_file.jobs(decisions=1, purchases=0))
    one, both, file = [], [], []
    for _ in range(ROUNDS):
        one.append(on_postgresql(on_server.mix()))
        both.append(on_postgresql(*(on_server.mix() for _ in range(PROCESSES))))
        file.append(replicas.work_off(on_file.place, on_file.mix()))
    decided = on_postgresql(on_server.jobs(decisions=ALONE, purchases=0))
    redeemed = on_postgresql(on_server.jobs(decisions=0, purchases=ALONE))
    told = {
        code: answer
        for part in (*one, *both, redeemed)
        for code, answer in part.done.answers.items()
    }
    again = replicas.work_off(on_server.place, list(told)).answers
    return [
        *_rates(one, both, file),
        *_costs("decision among 20 campaigns", decided),
        *_costs("purchase", redeemed),
        _control(on_server.place, told=told, again=again),
    ]


def _rates(one: list[Measured], both: list[Measured], file: list[Done]) -> list[Row]:
    fastest = [max(a.done.rate_hz, b.done.rate_hz) for a, b in zip(one, both, strict=True)]
    return [
        {
            "name": "transactions on one PostgreSQL, one process",
            "value": median(part.done.rate_hz for part in one),
            "unit": "1/s",
        },
        {
            "name": f"transactions on one PostgreSQL, {PROCESSES} processes",
            "value": median(part.done.rate_hz for part in both),
            "unit": "1/s",
        },
        {
            "name": f"{PROCESSES} processes over one",
            "value": median(
                b.done.rate_hz / a.done.rate_hz for a, b in zip(one, both, strict=True)
            ),
            "unit": "times",
        },
        {
            "name": "PostgreSQL, the faster of the two, over one process on a file",
            "value": median(a / b.rate_hz for a, b in zip(fastest, file, strict=True)),
            "unit": "times",
        },
        {
            "name": "processor time of one in the mix on a file",
            "value": median(part.each_ms for part in file),
            "unit": "ms",
        },
    ]


def _costs(name: str, measured: Measured) -> list[Row]:
    return [
        {"name": f"{name}: replica", "value": measured.done.each_ms, "unit": "ms of processor"},
        {"name": f"{name}: PostgreSQL", "value": measured.server_ms, "unit": "ms of processor"},
    ]


def _control(place: Place, *, told: dict[str, StoredAnswer], again: dict[str, StoredAnswer]) -> Row:
    engine = open_engine(place, is_reader=True)
    with engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT count(*) FROM redemptions").scalar_one()
    engine.dispose()
    refused = sum(answer.status != HTTPStatus.CREATED for answer in told.values())
    others = sum(again[code] != answer for code, answer in told.items())
    return {
        "name": "control: redemptions refused, missing, doubled or answered otherwise the 2nd time",
        "value": float(abs(len(told) - stored) + refused + others),
        "unit": "redemptions",
        "target": 0.0,
        "is_floor": False,
    }


if __name__ == "__main__":
    for figure in run():
        print(figure)
