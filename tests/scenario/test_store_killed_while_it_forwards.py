"""A store is killed at random while it forwards, and its line breaks at random: nothing is lost."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtls.model.fix_frame import unpack_fixes
from rtls.model.visit_json import parse_event
from tests.breakable_line import BreakableLine
from tests.conftest import REPOSITORY
from tests.kafka_broker import KafkaBroker, make_server
from tests.scenario.telling_store import STOP_FILE, told_until
from tests.unit.publish.zone_event_samples import dwell_event
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker]

PREFIX = "chain."
STARTED_S_MAX = 60.0
DRAINED_S_MAX = 120.0


class KilledStore:
    """The process of a store, its line, and what has arrived at the chain."""

    def __init__(self, folder: Path, line: BreakableLine, *, bug: str = "") -> None:
        self.folder = folder
        self.line = line
        self.brokers = f"127.0.0.1:{line.port}"
        self._command = [
            *(sys.executable, "-m", "tests.scenario.telling_store"),
            *(str(folder), self.brokers, PREFIX, *filter(None, [bug])),
        ]
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def start(self) -> None:
        """Start it, and wait until it tells something new."""
        before = told_until(self.folder)
        with (self.folder / "store.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=REPOSITORY, stdout=log, stderr=log)
        wait_until(lambda: self.told() > before, timeout_s=STARTED_S_MAX)

    def wait_until_it_forwards(self) -> None:
        """The first position is written when the brokers have said that they have something."""
        wait_until((self.folder / "chain" / "events" / "sent.json").exists, timeout_s=30.0)

    def told(self) -> int:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "store.log").read_text()[-2_000:]
        return told_until(self.folder)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def drain(self) -> int:
        """Let it tell nothing new, and all that it has told; return how many events that is."""
        assert self.process is not None
        (self.folder / STOP_FILE).touch()
        assert self.process.wait(DRAINED_S_MAX) == 0
        return told_until(self.folder)

    def arrived(self, told: int) -> list[str]:
        """The ids of events as they stand in the log, copies included."""
        last = dwell_event(told - 1).event_id.encode()
        read = KafkaBroker(self.brokers).read(
            f"{PREFIX}events",
            lambda found: any(one.headers["event"] == last for one in found),
            within_s=60.0,
        )
        ids = [one.headers["event"].decode() for one in read]
        assert ids == [parse_event(one.value).event_id for one in read]
        return ids

    def fix_instants(self) -> list[int]:
        """The instants of fixes as they stand in the log."""
        read = KafkaBroker(self.brokers).read(f"{PREFIX}fixes", lambda found: len(found) > 1)
        return [unpack_fixes(one.value)[0].at_ms for one in read]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[BreakableLine]:
    """A line with a broker behind it, which clients know by the line's own end alone."""
    with BreakableLine() as made:
        server = make_server(tmp_path, reached_at=made.port)
        server.start()
        made.to_port = server.port
        KafkaBroker(f"127.0.0.1:{made.port}").wait_until_it_answers()
        yield made
        server.stop()


def disturb(store: KilledStore, drawn: random.Random) -> None:
    """Break the line, or not, and kill the store in the middle of it."""
    for _ in range(drawn.randrange(4)):
        drawn.choice((store.line.cut, store.line.hold_up, store.line.mend))()
        time.sleep(drawn.uniform(0.0, 0.3))
    if drawn.random() < 0.5:
        store.line.mend()
    time.sleep(drawn.uniform(0.0, 0.3))
    store.kill()
    if drawn.random() < 0.5:
        store.line.mend()
    store.start()


def check(store: KilledStore) -> int:
    """Nothing lost, each effect once, first copies in order; return how many copies there were."""
    store.line.mend()
    told = store.drain()
    arrived = store.arrived(told)
    assert list(dict.fromkeys(arrived)) == [dwell_event(n).event_id for n in range(told)]
    instants = list(dict.fromkeys(store.fix_instants()))
    assert instants == sorted(instants)
    assert instants
    return len(arrived) - told


def test_a_kill_while_it_forwards_over_a_line_that_breaks_loses_nothing(
    tmp_path: Path, line: BreakableLine
) -> None:
    """At least once, in order, whatever the line and the power do."""
    store = KilledStore(tmp_path / "data", line)
    store.start()
    store.wait_until_it_forwards()
    line.hold_up()
    time.sleep(0.5)
    store.kill()
    line.cut()
    store.start()
    check(store)


def test_a_position_written_before_the_delivery_is_found_out(
    tmp_path: Path, line: BreakableLine
) -> None:
    """The test above would be worth nothing if it passed with the bug that it is there for."""
    store = KilledStore(tmp_path / "data", line, bug="position-first")
    store.start()
    store.wait_until_it_forwards()
    line.hold_up()
    time.sleep(0.5)
    store.kill()
    line.cut()
    line.mend()
    store.start()
    told = store.drain()
    arrived = dict.fromkeys(store.arrived(told))
    missing = [n for n in range(told) if dwell_event(n).event_id not in arrived]
    assert missing


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_fifty_kills_at_random_lose_nothing(tmp_path: Path, line: BreakableLine) -> None:
    """0 lost, 0 doubled effects, order kept; some copies, or the kills were harmless."""
    drawn = random.Random(42)
    store = KilledStore(tmp_path / "data", line)
    store.start()
    for _ in range(50):
        disturb(store, drawn)
    copies = check(store)
    assert copies > 0
