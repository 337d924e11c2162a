"""Look at what is stored, beside the writer and without waiting for it.

Layer: edges. Takes: queries from any thread. Gives: what they return, from one consistent state of
the database: it keeps that state for us while the writer goes on.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from offers.ports import UnitOfWork
from offers.storage.database import Place, open_engine
from offers.storage.faults import fault_of
from offers.storage.sql_work import SqlWork

T = TypeVar("T")


class Reader:
    """A few connections that cannot write (`offers.ports.Reader`)."""

    def __init__(self, place: Place) -> None:
        """Open a database that `prepare_database` has prepared."""
        self._engine = open_engine(place, is_reader=True)

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run ``work``, which must not change anything, on one consistent state.

        Raises `Busy` where no connection is free in time, and `StorageError` where ``work`` writes.

        Raises
        ------
        fault_of
            The `StorageError` that the database's own error means.
        """
        try:
            with self._engine.connect() as connection, connection.begin():
                return work(SqlWork(connection))
        except SQLAlchemyError as error:
            raise fault_of(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()
