"""Export and erase a person over all tables, by the plan that the tables themselves give.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.PersonalData`.
"""

from typing import Final

import sqlalchemy as sa

from offers.model.ids import ShopperId
from offers.model.people.personal_data import Erasure, Row, Value
from offers.storage.insert_once import insert_once
from offers.storage.personal_data import KEPT, Kept, belongs_to, exported_columns, personal_tables
from offers.storage.tables import ERASURES, SHOPPERS
from rtls.model.units import UnixMs

SOMEBODY_ELSE: Final = "another shopper"  # who recommended us to whom is told, not the key
_SHOPPER: Final = sa.bindparam("whom", type_=sa.Text())
_SHOPPERS: Final = (
    sa.select(SHOPPERS.c.shopper_id)
    .where(SHOPPERS.c.shopper_id > sa.bindparam("after"))
    .order_by(SHOPPERS.c.shopper_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_ERASURES: Final = (
    sa.select(ERASURES)
    .where(ERASURES.c.fingerprint > sa.bindparam("after"))
    .order_by(ERASURES.c.fingerprint)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


class SqlPersonalData:
    """All that is stored about one person."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def export(self, shopper: ShopperId) -> dict[str, tuple[Row, ...]]:
        """Return every row about the shopper, by table; no fingerprint of a secret."""
        found = {table.name: self._rows(table, shopper) for table in personal_tables()}
        return {name: rows for name, rows in found.items() if rows}

    def erase(self, shopper: ShopperId) -> None:
        """Delete every row about the shopper, and cut off what has to stay."""
        given = {"whom": shopper}
        for table in reversed(personal_tables()):
            is_own = belongs_to(table, _SHOPPER)
            kept = KEPT.get(table)
            goes = is_own if kept is None else sa.and_(is_own, _goes(kept))
            self._connection.execute(sa.delete(table).where(goes), given)
            if kept is not None and kept.links:
                emptied = {column.name: None for column in kept.links}
                self._connection.execute(sa.update(table).where(is_own).values(emptied), given)

    def note_erasure(self, erasure: Erasure) -> None:
        """Remember who was erased; once is enough."""
        row = {"fingerprint": erasure.fingerprint, "at_ms": erasure.at_ms}
        self._connection.execute(insert_once(ERASURES, self._connection.dialect.name), row)

    def erasures(self, *, after: str, limit: int) -> tuple[Erasure, ...]:
        """Return who was erased, by fingerprint, behind ``after``."""
        rows = self._connection.execute(_ERASURES, {"after": after, "most": limit})
        return tuple(Erasure(fingerprint=row.fingerprint, at_ms=UnixMs(row.at_ms)) for row in rows)

    def shoppers(self, *, after: str, limit: int) -> tuple[ShopperId, ...]:
        """Return the keys of all shoppers behind ``after``, in their order."""
        rows = self._connection.execute(_SHOPPERS, {"after": after, "most": limit})
        return tuple(ShopperId(row.shopper_id) for row in rows)

    def _rows(self, table: sa.Table, shopper: ShopperId) -> tuple[Row, ...]:
        columns = exported_columns(table)
        query = (
            sa.select(*columns)
            .where(belongs_to(table, _SHOPPER))
            .order_by(*table.primary_key.columns)
        )
        rows = self._connection.execute(query, {"whom": shopper})
        return tuple(
            {
                column.name: _value(column, found, shopper)
                for column, found in zip(columns, row, strict=True)
            }
            for row in rows
        )


def _goes(kept: Kept) -> sa.ColumnElement[bool]:
    return sa.false() if kept.where is None else sa.not_(kept.where)


def _value(column: sa.Column[object], found: object, shopper: ShopperId) -> Value:
    if found != shopper and column.references(SHOPPERS.c.shopper_id):
        return None if found is None else SOMEBODY_ELSE
    if isinstance(found, bytes | memoryview):
        return bytes(found).decode("utf-8", "replace")
    assert found is None or isinstance(found, str | int | float)
    return found
