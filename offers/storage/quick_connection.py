"""Execute statements that were seen before without finding out again what they mean.

Layer: edges. Takes: a connection inside a transaction. Gives: a stand-in with the same `execute` to
the repositories. A redemption is twenty statements, each a constant of its module, and SQLAlchemy
works out at each call what to send and how to read what comes back: nine tenths of the time that
SQLite needs for it in all. Here the text of a statement and the conversions of its values are kept
from its second call on. What is built anew at each call, or is not plain, goes the ordinary way.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor, DBAPIModule, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Convert: TypeAlias = Callable[[object], object]
Given: TypeAlias = Mapping[str, object]
Row: TypeAlias = tuple[object, ...]
Values: TypeAlias = Sequence[object] | dict[str, object]
Result: TypeAlias = "Rows | sa.CursorResult[*tuple[object, ...]]"


class Rows:
    """What a statement gave, as far as repositories ask for it (`sqlalchemy.CursorResult`)."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Row], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def all(self) -> Sequence[Row]:
        """Return every row."""
        return self._rows

    def first(self) -> Row | None:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Row | None:
        """Return the only row, or None.

        Raises
        ------
        MultipleResultsFound
            If there are several.
        """
        if len(self._rows) > 1:
            raise sa.exc.MultipleResultsFound(f"{len(self._rows)} rows; expected one at most.")
        return self._rows[0] if self._rows else None

    def one(self) -> Row:
        """Return the only row.

        Raises
        ------
        NoResultFound
            If there is none.
        """
        found = self.one_or_none()
        if found is None:
            raise sa.exc.NoResultFound("no row; expected one.")
        return found

    def scalar_one(self) -> object:
        """Return the first column of the only row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> object:
        """Return the first column of the only row, or None."""
        found = self.one_or_none()
        return None if found is None else found[0]

    def scalars(self) -> "Scalars":
        """Return the first column of every row."""
        return Scalars(row[0] for row in self._rows)


class Scalars(list[object]):
    """One column (`sqlalchemy.ScalarResult`)."""

    def all(self) -> Sequence[object]:
        """Return every value."""
        return self


class _Prepared:
    """The text of a statement, and how its values are written and read."""

    def __init__(self, statement: sa.sql.ClauseElement, compiled: SQLCompiler) -> None:
        dialect = compiled.dialect
        self.text = str(compiled)
        self._is_positional = compiled.positiontup is not None
        self._names = tuple(compiled.positiontup or compiled.bind_names.values())
        binds = [compiled.binds[name] for name in self._names]
        self._fixed = {
            name: bind.effective_value
            for name, bind in zip(self._names, binds, strict=True)
            if not bind.required
        }
        self._write = [
            (name, convert)
            for name, bind in zip(self._names, binds, strict=True)
            if (convert := _writer(bind.type, dialect))
        ]
        columns = statement.selected_columns if isinstance(statement, sa.Select) else ()
        self._read = [
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := _reader(column.type, dialect))
        ]
        self._row: Callable[[Sequence[object]], Row] | None = None
        # The same text always does or never does; psycopg builds its description at each look.
        self._gives_rows: bool | None = None

    def values(self, given: Given) -> Values | None:
        """Return what the driver is to send; None where a value is missing."""
        try:
            known = given
            if self._fixed or self._write:
                changed = {**self._fixed, **given}
                for name, convert in self._write:
                    changed[name] = convert(changed[name])
                known = changed
            if self._is_positional:
                return [known[name] for name in self._names]
            return {name: known[name] for name in self._names}
        except KeyError:
            return None

    def rows(self, cursor: DBAPICursor) -> Rows:
        """Read all that came."""
        if self._gives_rows is None:
            self._gives_rows = bool(cursor.description)
        if not self._gives_rows:
            return Rows((), cursor.rowcount)
        found = cursor.fetchall()
        if not found:
            return Rows(found, cursor.rowcount)
        make = self._row or self._learn_row(cursor)
        if self._read:
            return Rows([make(self._converted(one)) for one in found], cursor.rowcount)
        return Rows([make(one) for one in found], cursor.rowcount)

    def _learn_row(self, cursor: DBAPICursor) -> Callable[[Sequence[object]], Row]:
        names = [str(column[0]) for column in cursor.description]
        found = namedtuple("Found", names, rename=True)  # type: ignore[misc]  # noqa: PYI024
        self._row = found._make
        return self._row

    def _converted(self, one: Sequence[object]) -> list[object]:
        values = list(one)
        for place, convert in self._read:
            values[place] = convert(values[place])
        return values


def _writer(kind: sa.types.TypeEngine[object], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: sa.types.TypeEngine[object], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


# For each dialect and set of names: what was prepared, or None where it is not plain.
_Known: TypeAlias = dict[tuple[str, tuple[str, ...]], _Prepared | None]
# What comes a second time is a constant of its module, and stays. The bound is for what is not.
STATEMENTS_MAX: Final = 2_000
_KNOWN: Final[dict[sa.sql.ClauseElement, _Known]] = {}
_SEEN_ONCE: Final[WeakSet[sa.sql.ClauseElement]] = WeakSet()


def _known(statement: sa.sql.ClauseElement) -> _Known | None:
    """Return what is known of a statement; None at its first call: it may be built for this one."""
    known = _KNOWN.get(statement)
    if known is None and statement in _SEEN_ONCE:
        if len(_KNOWN) >= STATEMENTS_MAX:
            _KNOWN.clear()
        known = _KNOWN[statement] = {}
    if known is None:
        _SEEN_ONCE.add(statement)
    return known


def _prepare(
    statement: sa.sql.ClauseElement, names: tuple[str, ...], dialect: Dialect
) -> _Prepared | None:
    is_insert = isinstance(statement, sa.Insert)
    compiled = statement.compile(dialect=dialect, column_keys=list(names) if is_insert else None)
    assert isinstance(compiled, SQLCompiler)
    is_plain = not (
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled.insert_prefetch
        or compiled.update_prefetch
    )
    return _Prepared(statement, compiled) if is_plain else None


class QuickConnection:
    """Executes as `sqlalchemy.Connection` does, in its transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect
        # One for all statements: what one of them gave is read before the next is sent.
        self._cursor: DBAPICursor | None = None

    def execute(
        self, statement: sa.Executable, given: Given | Sequence[Given] | None = None
    ) -> Result:
        """Send the statement with its values, and return what comes back."""
        if given is None or isinstance(given, dict):
            return self._one(statement, given or {})
        assert not isinstance(given, Mapping)
        if len(given) == 1:  # nearly always: a basket of one line, one coupon
            return self._one(statement, given[0])
        return self._many(statement, given)

    def send(self, text: str) -> None:
        """Send a text without values, such as SAVEPOINT."""
        try:
            self._open_cursor().execute(text)
        except self.dialect.loaded_dbapi.Error as error:
            raise self._fault(text, error) from error

    def _one(self, statement: sa.Executable, given: Given) -> Result:
        prepared = self._find(statement, given)
        values = None if prepared is None else prepared.values(given)
        if prepared is None or values is None:
            return self._connection.execute(statement, given)
        cursor = self._cursor or self._open_cursor()
        try:
            cursor.execute(prepared.text, values)
            return prepared.rows(cursor)
        except self.dialect.loaded_dbapi.Error as error:
            raise self._fault(prepared.text, error) from error

    def _many(self, statement: sa.Executable, given: Sequence[Given]) -> Result:
        prepared = self._find(statement, given[0]) if given else None
        found = [] if prepared is None else map(prepared.values, given)
        values = [one for one in found if one is not None]
        if prepared is None or len(values) < len(given):
            return self._connection.execute(statement, given)
        cursor = self._open_cursor()
        try:
            cursor.executemany(prepared.text, cast("Sequence[Sequence[object]]", values))
            return Rows((), cursor.rowcount)
        except self.dialect.loaded_dbapi.Error as error:
            raise self._fault(prepared.text, error) from error

    def _find(self, statement: sa.Executable, given: Given) -> _Prepared | None:
        assert isinstance(statement, sa.sql.ClauseElement)
        known = _KNOWN.get(statement) or _known(statement)
        if known is None:
            return None
        key = (self.dialect.name, tuple(given))
        if key not in known:
            known[key] = _prepare(statement, key[1], self.dialect)
        return known[key]

    def _open_cursor(self) -> DBAPICursor:
        if self._cursor is None:
            self._cursor = self._connection.connection.cursor()
        return self._cursor

    def _fault(self, text: str, error: DBAPIModule.Error) -> BaseException:
        """Return the error as SQLAlchemy tells it."""
        is_cut = self.dialect.is_disconnect(error, self._connection.connection, self._cursor)
        if is_cut:
            self._connection.invalidate(error)
        return sa.exc.DBAPIError.instance(
            text,
            None,  # values do not belong in a log
            error,
            self.dialect.loaded_dbapi.Error,
            connection_invalidated=is_cut,
            dialect=self.dialect,
        )
