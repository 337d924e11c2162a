"""Count what the demo has brought about, from the database.

Layer: doors. Takes: the database of the offers half. Gives: numbers to the demo's view. Read-only,
on connections of its own.
"""

from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from offers.storage.database import Place, open_engine

QUERY = sa.text("SELECT (SELECT count(*) FROM offers), (SELECT count(*) FROM redemptions)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of each."""

    offers: int
    redemptions: int


class DemoCounts:
    """A connection that only counts; a context that closes it."""

    def __init__(self, database: Place) -> None:
        self._engine = open_engine(database, is_reader=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def read(self) -> Counts:
        """Return the numbers of now."""
        with self._engine.connect() as connection:
            offers, redemptions = connection.execute(QUERY).one()
        return Counts(offers=offers, redemptions=redemptions)
