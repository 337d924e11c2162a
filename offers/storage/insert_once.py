"""Insert a row unless a UNIQUE constraint forbids it, and say which of the two happened.

Layer: edges. Takes: a table. Gives: a statement to the repositories; its row count is 1 or 0. Both
databases know ON CONFLICT DO NOTHING, each in a dialect of its own. It passes over UNIQUE only:
a CHECK or a foreign key still fails aloud.
"""

from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


@cache
def insert_once(table: sa.Table, dialect: str) -> sa.Insert:
    """Return the statement for ``dialect``, "sqlite" or "postgresql"."""
    if dialect == "postgresql":
        statement: sa.Insert = postgresql.insert(table).on_conflict_do_nothing()
    else:
        assert dialect == "sqlite"
        statement = sqlite.insert(table).on_conflict_do_nothing()
    # Without it psycopg's count of an insert is gone before anybody asks for it.
    return statement.execution_options(preserve_rowcount=True)
