"""A real PostgreSQL on a free loopback port: made, started, killed and removed by tests.

The server refuses to run as root, so root starts it as somebody else, in a folder of his own.
Nothing is synced to the disk: the tests kill processes, never the machine. Benchmarks take DURABLE.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from offers.storage.database import open_engine, prepare_database
from tests.conftest import Server, find_program, pick_free_port

OWNER = "inaisle"
DEBIAN_FOLDERS = ":".join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "deadlock_timeout": "50ms",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",  # the tests break constraints on purpose
}
DURABLE = SETTINGS | {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}


def unprivileged_user() -> str | None:
    """Return whom root starts the server as; None where nobody need be asked."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


@dataclass
class PostgresServer(Server):
    """One server with a template of our schema, copied for each test that asks."""

    numbers: count = field(default_factory=count, repr=False)
    has_template: bool = False

    def url(self, database: str) -> sa.URL:
        return sa.URL.create(
            "postgresql", username=OWNER, host=self.host, port=self.port, database=database
        )

    def empty_database(self) -> sa.URL:
        return self.create("TEMPLATE template0")

    def database(self) -> sa.URL:
        """Return a database that has the newest schema and is empty."""
        if not self.has_template:
            self.run("CREATE DATABASE ready TEMPLATE template0")
            prepare_database(self.url("ready"))
            self.has_template = True
        return self.create("TEMPLATE ready STRATEGY file_copy")

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        """Give a writer's engine on a database of its own."""
        url = self.database()
        engine = open_engine(url, is_reader=False)
        try:
            yield engine
        finally:
            engine.dispose()
            self.drop(url)

    def drop(self, url: sa.URL) -> None:
        self.run(f'DROP DATABASE "{url.database}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        engine = sa.create_engine(
            self.url("postgres").set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def start(self) -> None:
        # It listens before it answers; and after a kill its children may take a moment to be gone.
        super().start()
        for _ in range(1_500):
            try:
                self.run("SELECT 1")
            except sa.exc.OperationalError:
                time.sleep(0.02)
            else:
                return
        pytest.fail("postgres did not answer within 30 s")

    def stop(self) -> None:
        # SIGTERM would wait for clients that tests have left open.
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def create(self, options: str) -> sa.URL:
        name = f"test_{next(self.numbers)}"
        self.run(f'CREATE DATABASE "{name}" {options}')
        return self.url(name)


def make_server(settings: Mapping[str, str] = SETTINGS) -> PostgresServer:
    """Make the files of a server; start it, and remove its folder in the end."""
    initdb = find_program("initdb", package="postgresql", folders=DEBIAN_FOLDERS)
    program = find_program("postgres", package="postgresql", folders=DEBIAN_FOLDERS)
    folder = Path(tempfile.mkdtemp(prefix="inaisle-postgres-"))
    user = unprivileged_user()
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    command = [
        *(initdb, "--pgdata", str(data), "--username", OWNER, "--auth", "trust", "--no-sync"),
        *("--encoding", "UTF8", "--locale", "C"),
    ]
    made = subprocess.run(command, cwd=folder, user=user, check=False, capture_output=True)
    assert made.returncode == 0, made.stderr.decode()
    port = pick_free_port()
    options = [f"--{name}={value}" for name, value in settings.items()]
    return PostgresServer(
        [program, "-D", str(data), "-p", str(port), *options], port, folder, user=user
    )
