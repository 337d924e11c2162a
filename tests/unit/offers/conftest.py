"""A transaction on an empty database for each test of offers."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.unit.offers.shop import Shop, memory_engine, scratch_work


@pytest.fixture(scope="session")
def offers_engine() -> Iterator[sa.Engine]:
    with memory_engine() as engine:
        yield engine


@pytest.fixture
def shop(offers_engine: sa.Engine) -> Iterator[Shop]:
    with scratch_work(offers_engine) as work:
        yield Shop(work)
