"""Whose turn it is to send, on both databases: one at a time, and never nobody for long."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from offers.model.errors import Busy
from offers.model.ids import TenantId
from offers.storage import sending_turn as module
from offers.storage.database import Place
from offers.storage.postgres_server import TenantPlace
from offers.storage.sending_turn import SendingTurn, sending_turn
from offers.storage.tenant_book import add_tenant
from rtls.model.units import UnixMs
from tests.conftest import REPOSITORY
from tests.postgres import PostgresServer
from tests.waiting import wait_until

HOLDER = """
import pathlib, sys, time
import sqlalchemy as sa
from offers.storage.sending_turn import sending_turn
place = sa.make_url(sys.argv[1]) if "://" in sys.argv[1] else pathlib.Path(sys.argv[1])
turn = sending_turn(place)
print(turn.is_ours(), flush=True)
time.sleep(60)
"""


@contextmanager
def turns(*places: Place) -> Iterator[list[SendingTurn]]:
    made = [sending_turn(place) for place in places]
    yield made
    for turn in made:
        turn.close()


def test_one_has_the_turn_and_keeps_it_until_he_gives_it_away(database: Place) -> None:
    """Two that send would send everything twice."""
    with turns(database, database) as (first, second):
        assert first.is_ours()
        assert not second.is_ours()
        assert first.is_ours()
        first.close()
        wait_until(second.is_ours)
        with turns(database) as (third,):
            assert not third.is_ours()


def test_all_threads_of_a_process_have_the_same_turn(database: Place) -> None:
    """Relay, mails and webhooks ask side by side."""
    found: list[bool] = []
    with turns(database) as (turn,):
        threads = [threading.Thread(target=lambda: found.append(turn.is_ours())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [True] * 8


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_turn_of_a_process_that_died_is_free(database: Place, how: signal.Signals) -> None:
    """A kill -9 runs nothing of ours: the system or the server has to see it."""
    text = (
        database.render_as_string(hide_password=False)
        if isinstance(database, sa.URL)
        else str(database)
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, text], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with turns(database) as (turn,):
        assert not turn.is_ours()
        os.kill(holder.pid, how)
        holder.wait(10)
        wait_until(turn.is_ours)
    holder.stdout.close()


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    yield url
    postgres.drop(url)


def cut_all(url: sa.URL) -> None:
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()


def test_who_lost_his_session_does_not_believe_that_he_has_the_turn(url: sa.URL) -> None:
    """A failover, an administrator: meanwhile somebody else may send."""
    with turns(url, url) as (first, second):
        assert first.is_ours()
        cut_all(url)
        with pytest.raises(Busy):
            first.is_ours()
        wait_until(second.is_ours)
        assert not first.is_ours()


def test_who_says_nothing_loses_the_turn(url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a debugger has stopped, a machine without power: nobody closes its session."""
    monkeypatch.setattr(module, "SILENCE_S_MAX", 1)
    with turns(url, url) as (first, second):
        assert first.is_ours()
        wait_until(lambda: _is_ours_or_busy(second))
        with pytest.raises(Busy):
            first.is_ours()


def _is_ours_or_busy(turn: SendingTurn) -> bool:
    try:
        return turn.is_ours()
    except Busy:
        return False


def test_tenants_do_not_wait_for_each_other(url: sa.URL) -> None:
    """Each has a process that sends for it, perhaps the same."""
    add_tenant(url, TenantId("acme"), at_ms=UnixMs(0))
    with turns(url, TenantPlace(url=url, tenant=TenantId("acme"))) as (first, second):
        assert (first.is_ours(), second.is_ours()) == (True, True)
