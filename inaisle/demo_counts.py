"""Count what the demo has brought about, from the database.

Layer: doors. Takes: the database of the offers half. Gives: numbers to the demo's view. Read-only,
on a connection of its own.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

QUERY = "SELECT (SELECT count(*) FROM offers), (SELECT count(*) FROM redemptions)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of each."""

    offers: int
    redemptions: int


class DemoCounts:
    """A connection that only counts; a context that closes it."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self) -> Counts:
        """Return the numbers of now."""
        offers, redemptions = self._connection.execute(QUERY).fetchone()
        return Counts(offers=offers, redemptions=redemptions)
