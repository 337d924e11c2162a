"""A transaction on an empty database for each test of offers, once on each database."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer
from tests.unit.offers.shop import Shop, memory_engine, scratch_work


@pytest.fixture(scope="session")
def memory() -> Iterator[sa.Engine]:
    with memory_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def postgres_engine(postgres: PostgresServer) -> Iterator[sa.Engine]:
    """One database for all tests here: each of them rolls back."""
    with postgres.engine() as engine:
        yield engine


@pytest.fixture(params=["memory", "postgres_engine"], ids=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    with scratch_work(request.getfixturevalue(request.param)) as work:
        yield Shop(work)
