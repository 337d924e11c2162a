"""The quick way to execute against the ordinary one: the same rows, counts and errors."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from offers.storage.database import Place, open_engine
from offers.storage.insert_once import insert_once
from offers.storage.quick_connection import QuickConnection, Rows
from offers.storage.tables import ANSWERS, CONSENTS, SHOPPERS

ROW = {"shopper_id": "a" * 32, "enrolled_at_ms": 1, "locale": "de"}
CONSENT = {
    "consent_id": "b" * 32,
    "shopper_id": "a" * 32,
    "purpose": "locate",
    "is_granted": True,
    "at_ms": 2**60,
    "text_version": "v1 – ü",
    "locale": "de",
    "channel": "app",
}
ANSWER = {
    "caller": "c",
    "key": "k",
    "fingerprint": "f",
    "status": 201,
    "body": b"\0\xff",
    "at_ms": 1,
}


@pytest.fixture
def slow(database: Place) -> Iterator[sa.Connection]:
    engine = open_engine(database, is_reader=False)
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.insert(SHOPPERS), ROW)
        connection.execute(sa.insert(CONSENTS), CONSENT)
        connection.execute(sa.insert(ANSWERS), ANSWER)
        yield connection
    engine.dispose()


@pytest.fixture
def quick(slow: sa.Connection) -> QuickConnection:
    return QuickConnection(slow)


def quickly(quick: QuickConnection, statement: sa.Executable, given=None) -> Rows:
    """Execute until the quick way is taken: from the second time on."""
    quick.execute(statement, given)
    found = quick.execute(statement, given)
    assert isinstance(found, Rows)
    return found


@pytest.mark.parametrize("table", [SHOPPERS, CONSENTS, ANSWERS])
def test_rows_are_the_same_with_truth_bytes_big_numbers_and_nothing(
    slow: sa.Connection, quick: QuickConnection, table: sa.Table
) -> None:
    """SQLite knows no truth, and each driver has its own bytes."""
    statement = sa.select(table, sa.null().label("absent"))
    expected = slow.execute(statement).all()
    found = quickly(quick, statement).all()
    assert found == [tuple(row) for row in expected]
    assert [type(value) for value in found[0]] == [type(value) for value in expected[0]]
    for name in expected[0]._fields:
        assert getattr(found[0], name) == getattr(expected[0], name)


def test_values_are_written_as_ordinary_ones_are(
    slow: sa.Connection, quick: QuickConnection
) -> None:
    """Truth, bytes, and a constant that the statement itself carries."""
    turn = (
        sa.update(CONSENTS)
        .where(CONSENTS.c.consent_id == sa.bindparam("which"), CONSENTS.c.locale == "de")
        .values(is_granted=sa.bindparam("says"), at_ms=CONSENTS.c.at_ms + 1)
    )
    found = quickly(quick, turn, {"which": "b" * 32, "says": False})
    assert found.rowcount == 1
    assert slow.execute(sa.select(CONSENTS.c.is_granted, CONSENTS.c.at_ms)).one() == (
        False,
        2**60 + 2,
    )


def test_an_insert_says_whether_it_met_its_row(quick: QuickConnection) -> None:
    """`insert_once` stands on the count."""
    once = insert_once(SHOPPERS, quick.dialect.name)
    quick.execute(once, ROW)
    for number, count in ((1, 1), (1, 0), (2, 1)):
        row = ROW | {"shopper_id": f"{number:032x}"}
        assert quick.execute(once, row).rowcount == count


def test_one_statement_with_other_columns_is_another(
    slow: sa.Connection, quick: QuickConnection
) -> None:
    """An insert takes its columns from the values."""
    insert = sa.insert(CONSENTS)
    for number in range(4):
        fresh = CONSENT | {"consent_id": f"{number:032x}"}
        quick.execute(insert, fresh)
        quick.execute(insert, dict(reversed(fresh.items())) | {"consent_id": f"{number:031x}x"})
    assert slow.execute(sa.select(sa.func.count()).select_from(CONSENTS)).scalar_one() == 9


def test_lists_of_any_length_go_the_ordinary_way(quick: QuickConnection) -> None:
    """IN with three values is another text than IN with two."""
    among = sa.select(SHOPPERS).where(
        SHOPPERS.c.locale.in_(sa.bindparam("locales", expanding=True))
    )
    for locales in (["de"], ["de", "en"], [], ["en"]):
        assert len(quick.execute(among, {"locales": locales}).all()) == ("de" in locales)


def test_how_many_rows_are_asked_for_is_said_in_the_same_words(quick: QuickConnection) -> None:
    """Repositories rely on `one` and its kin to notice what cannot be."""
    statement = sa.select(SHOPPERS.c.locale)
    assert quickly(quick, statement).scalar_one() == "de"
    assert quickly(quick, statement).scalars().all() == ["de"]
    assert quickly(quick, statement).first() == ("de",)
    assert [row.locale for row in quickly(quick, statement)] == ["de"]
    nobody = statement.where(SHOPPERS.c.shopper_id == "nobody")
    assert quickly(quick, nobody).scalar_one_or_none() is None
    assert quickly(quick, nobody).first() is None
    with pytest.raises(sa.exc.NoResultFound):
        quickly(quick, nobody).one()
    quick.execute(sa.insert(SHOPPERS), ROW | {"shopper_id": "d" * 32})
    with pytest.raises(sa.exc.MultipleResultsFound):
        quickly(quick, statement).one_or_none()


def test_a_broken_constraint_is_the_same_error_without_the_values(
    slow: sa.Connection, quick: QuickConnection
) -> None:
    """The fault is told by its class and code; what a shopper said stays out of it."""
    insert = sa.insert(SHOPPERS)
    quick.execute(insert, ROW | {"shopper_id": "d" * 32})
    slow.exec_driver_sql("SAVEPOINT before")
    with pytest.raises(sa.exc.IntegrityError) as told:
        quick.execute(insert, ROW)
    slow.exec_driver_sql("ROLLBACK TO SAVEPOINT before")
    assert "aaaa" not in str(told.value).split("DETAIL")[0]
    assert quick.execute(sa.select(SHOPPERS.c.locale)).scalars().all() == ["de", "de"]


def test_a_value_that_is_missing_is_named(quick: QuickConnection) -> None:
    """A bug of ours, told as SQLAlchemy tells it."""
    find = sa.select(SHOPPERS).where(SHOPPERS.c.shopper_id == sa.bindparam("who"))
    quickly(quick, find, {"who": "a"})
    with pytest.raises(sa.exc.StatementError, match="who"):
        quick.execute(find, {})
