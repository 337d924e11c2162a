"""Real parts for tests: a broker, a Redis, a Kafka and a PostgreSQL on free loopback ports.

Each is started and ended here.
"""

import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from inaisle.kernel_cache import point_numba_at_its_cache

if TYPE_CHECKING:
    from offers.storage.database import Place
    from tests.kafka_broker import KafkaBroker
    from tests.postgres import PostgresServer

point_numba_at_its_cache()  # before any test imports numba, and for the processes that tests start

REPOSITORY = Path(__file__).resolve().parent.parent
WARM_UP = "from inaisle.early_warm_up import begin_warm_up; begin_warm_up().join()"
PORTS_FROM = 12_000
PORTS_A_WORKER = 5_000

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("developer", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")


def find_program(
    name: str, *, package: str | None = None, folders: str = "/usr/sbin:/usr/local/sbin"
) -> str:
    """Return the program's path, or skip; in CI a missing program is a failure, not a skip."""
    found = shutil.which(name) or shutil.which(name, path=folders)
    if found is None:
        line = f"{name} is not installed: apt-get install {package or name}"
        if os.environ.get("INAISLE_TESTS_REQUIRE_REAL_PARTS"):
            pytest.fail(line)
        pytest.skip(line)
    return found


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist hands out the tests
def pytest_runtestloop(session: pytest.Session) -> None:
    """Compile the kernels before the first test: no limit of time counts it, no two do it at once.

    Where the cache is filled this takes no time, since it is asked for the stamp of an earlier run.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = os.environ.get("NUMBA_CACHE_DIR")
    if is_worker or folder is None or session.config.option.collectonly:
        return
    stamp = Path(folder) / "warm"
    if not stamp.exists():
        subprocess.run([sys.executable, "-c", WARM_UP], check=True, cwd=REPOSITORY)
        stamp.touch()


def pick_free_port() -> int:
    """Return a port that nobody listens on, below those that the system gives to callers.

    Processes that test at the same time draw from ranges of their own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = PORTS_FROM + PORTS_A_WORKER * (worker % 4)
    drawn = random.Random()  # pytest-randomly gives the shared one the same seed before each test
    for _ in range(100):
        port = drawn.randrange(first, first + PORTS_A_WORKER)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail(f"no free port from {first} on")


@dataclass
class Server:
    """One real server process that a test may stop, kill and start again on the same port."""

    command: list[str]
    port: int
    folder: Path
    host: str = "127.0.0.1"
    user: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        log = (self.folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                user=self.user,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.wait_until_it_listens()

    def wait_until_it_listens(self) -> None:
        for _ in range(1_500):
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex((self.host, self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail(f"{self.command[0]} did not listen on {self.port} within 30 s")

    def stop(self) -> None:
        self._end(hard=False)

    def kill(self) -> None:
        self._end(hard=True)

    def _end(self, *, hard: bool) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        if hard:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(timeout=10)


@pytest.fixture
def free_port() -> int:
    return pick_free_port()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Server]:
    """A mosquitto with the limits of config/mosquitto.conf, without accounts."""
    yield from serve_mosquitto(tmp_path / "mosquitto")


def serve_mosquitto(folder: Path) -> Iterator[Server]:
    """Start a mosquitto in a folder, and stop it afterwards."""
    program = find_program("mosquitto")
    folder.mkdir(exist_ok=True)
    port = pick_free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_inflight_messages 500\nmax_queued_messages 100000\nmax_packet_size 65536\n"
        f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
        "autosave_on_changes false\nuser root\n"
    )
    server = Server([program, "-c", str(folder / "mosquitto.conf")], port, folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    program = find_program("redis-server")
    folder = tmp_path / "redis"
    folder.mkdir()
    port = pick_free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
    server = Server(command, port, folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """One server for all tests; each gets a database of its own in it."""
    from tests.postgres import make_server

    server = make_server()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[KafkaBroker]":
    """One Kafka for the tests of a file; each takes a `topic_prefix` of its own.

    Topics of many files would be thousands of partitions, which the small one keeps in memory and
    names whenever it is asked: it answers too late then.
    """
    from tests.kafka_broker import serve_kafka

    yield from serve_kafka(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def topic_prefix() -> str:
    """Names that no other test and no earlier run has."""
    return f"test-{secrets.token_hex(6)}."


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Place]":
    """A database with the newest schema and nothing in it, once on each engine."""
    from tests.ready_database import lay_down_ready_database

    if request.param == "sqlite":
        path = tmp_path / "data" / "offers.db"
        lay_down_ready_database(path)
        yield path
        return
    server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, which lies beside the project and never inside it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: put them there to run this test")
    return folder
