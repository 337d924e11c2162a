"""Several relays on one database: nothing is sent twice, and a kill -9 loses nothing."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from offers.model.offering.offer import OfferState
from offers.ports import UnitOfWork
from offers.storage.reader import Reader
from offers.storage.writer import Writer
from tests.conftest import REPOSITORY
from tests.postgres import PostgresServer
from tests.unit.offers.shop import Shop, campaign
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
OFFERS_A_ROUND = 24


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    yield url
    postgres.drop(url)


class RelayProcess:
    """A relay in a process of its own, and all that it has sent."""

    def __init__(self, url: sa.URL, *, takes_turns: bool, heard: "queue.Queue[str]") -> None:
        address = url.render_as_string(hide_password=False)
        flag = "yes" if takes_turns else "no"
        self.sent: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenario.relaying_child", address, flag],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._heard = heard
        self._is_started = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def wait_until_started(self) -> None:
        assert self._is_started.wait(30), "it did not start"

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._thread.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "started\n":
                self._is_started.set()
            else:
                self.sent.append(line.strip())
                self._heard.put(line.strip())


class Scene:
    """Offers that are issued, and relays that are to bring each to its phone."""

    def __init__(self, url: sa.URL, *, takes_turns: bool = True) -> None:
        self.url = url
        self.takes_turns = takes_turns
        self.heard: queue.Queue[str] = queue.Queue()
        self.writer, self.reader = Writer(url), Reader(url)
        self.writer.run(lambda work: Shop(work, seed="campaign").start(campaign()))
        self.relays: list[RelayProcess] = []
        self.sent: Counter[str] = Counter()
        self.issued = 0

    def add_relay(self) -> RelayProcess:
        relay = RelayProcess(self.url, takes_turns=self.takes_turns, heard=self.heard)
        self.relays.append(relay)
        relay.wait_until_started()
        return relay

    def issue(self, count: int = OFFERS_A_ROUND) -> None:
        for number in range(self.issued, self.issued + count):
            self.writer.run(lambda work, number=number: _issue(work, number))
        self.issued += count

    def hear(self, count: int) -> None:
        """Wait until so many offers have come out of any relay."""
        for _ in range(count):
            self.sent[self.heard.get(timeout=30)] += 1

    def wait_until_all_are_delivered(self) -> None:
        wait_until(lambda: self.reader.run(_delivered) == self.issued, timeout_s=60.0)
        self.hear(max(0, self.issued - len(self.sent)))  # a line may be read behind its report
        while len(self.sent) < self.issued or not self.heard.empty():
            self.hear(1)

    def close(self) -> None:
        for relay in self.relays:
            relay.kill()
        self.writer.close()
        self.reader.close()


def _issue(work: UnitOfWork, number: int) -> None:
    shop = Shop(work, seed=f"shopper-{number}")
    shop.shopper(tag=f"tag:{number}")
    decision = shop.stand(f"tag:{number}")
    assert decision is not None
    assert decision.chosen is not None


def _delivered(work: UnitOfWork) -> int:
    found = work.offers._connection.execute(
        sa.text("SELECT count(*) FROM offers WHERE state = :state"),
        {"state": OfferState.DELIVERED.value},
    )
    return int(found.scalar_one())


@pytest.fixture
def scene(url: sa.URL) -> Iterator[Scene]:
    scene = Scene(url)
    yield scene
    scene.close()


def test_of_two_relays_one_sends(scene: Scene) -> None:
    """An offer that comes twice is the message that makes people leave the app."""
    for _ in range(2):
        scene.add_relay()
    scene.issue()
    scene.wait_until_all_are_delivered()
    assert set(scene.sent.values()) == {1}
    assert len(scene.sent) == scene.issued
    assert sorted(bool(relay.sent) for relay in scene.relays) == [False, True]


def kill_relays(scene: Scene, *, kills: int) -> None:
    """Kill the relay that sends, each time in the middle of its work; another one goes on."""
    scene.add_relay()
    for number in range(kills):
        scene.add_relay()
        scene.issue()
        scene.hear(1 + number % (OFFERS_A_ROUND - 2))
        sending = next(relay for relay in scene.relays if relay.sent)
        sending.kill()
        scene.relays.remove(sending)
        for relay in scene.relays:
            relay.sent.clear()  # who sends from now on has the turn
        scene.wait_until_all_are_delivered()
        assert len(scene.sent) == scene.issued


@pytest.mark.timeout(120)
def test_kill_9_of_the_relay_that_sends_loses_nothing(scene: Scene) -> None:
    """The next goes on where it stopped; what it may have sent last is sent once more, by its id.

    What is sent twice bears the same id, and the phone shows it once; the database says delivered
    once, since a delivered offer is not delivered again.
    """
    kill_relays(scene, kills=1)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_kill_9_of_fifty_relays_loses_nothing(scene: Scene) -> None:
    """The same, as the issue asks; and second copies are as few as what was on its way."""
    kill_relays(scene, kills=50)
    assert len(scene.sent) == 50 * OFFERS_A_ROUND
    assert sum(scene.sent.values()) - len(scene.sent) <= 50 * OFFERS_A_ROUND


def test_the_harness_sees_relays_that_do_not_take_turns(url: sa.URL) -> None:
    """The negative control: two relays that both send, and the same counts do not agree."""
    scene = Scene(url, takes_turns=False)
    try:
        for _ in range(2):
            scene.add_relay()
        scene.issue(60)
        scene.wait_until_all_are_delivered()
        assert set(scene.sent.values()) != {1}
    finally:
        scene.close()
