"""Every state machine of offers, once more in small on PostgreSQL.

They find their faults on SQLite in memory, where a thousand steps cost nothing. Here they show that
the same statements mean the same on the other database.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.conftest import REPOSITORY
from tests.postgres import PostgresServer

FOLDERS = ("tests/property", "tests/unit/offers")
SMALL = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def machines() -> Iterator[type[RuleBasedStateMachine]]:
    """Find them by looking, so that a new one need not be told to anybody."""
    for folder in FOLDERS:
        for path in sorted((REPOSITORY / folder).glob("test_*.py")):
            content = path.read_text()
            if "RuleBasedStateMachine" in content and "memory_engine" in content:
                module = importlib.import_module(f"{folder.replace('/', '.')}.{path.stem}")
                yield from (
                    found
                    for _, found in inspect.getmembers(module, inspect.isclass)
                    if issubclass(found, RuleBasedStateMachine)
                    and found.__module__ == module.__name__
                )


@pytest.fixture
def engine(postgres: PostgresServer) -> Iterator[sa.Engine]:
    with postgres.engine() as engine:
        yield engine


@pytest.mark.parametrize("machine", tuple(machines()), ids=lambda machine: machine.__name__)
def test_a_machine_runs_on_postgresql(
    machine: type[RuleBasedStateMachine], engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine takes its database from `memory_engine`, or from its class; each run rolls back."""

    @contextmanager
    def postgres_engine() -> Iterator[sa.Engine]:
        yield engine

    module = inspect.getmodule(machine)
    monkeypatch.setattr(module, "memory_engine", postgres_engine)
    monkeypatch.setattr(machine, "engine", engine, raising=False)
    forget_databases(module)
    try:
        run_state_machine_as_test(machine, settings=SMALL)
    finally:
        forget_databases(module)


def forget_databases(module: ModuleType | None) -> None:
    """Let a machine that keeps one database for all its runs make another."""
    for _, kept in inspect.getmembers(module, lambda found: hasattr(found, "cache_clear")):
        kept.cache_clear()


def test_the_machines_are_found() -> None:
    """An empty list would pass, too."""
    assert {"Redemptions", "OneShopper", "Ledger"} <= {machine.__name__ for machine in machines()}
