"""Put the tenant into every table of a PostgreSQL database, and into every key that could tell.

Layer: edges. Takes: the owner's connection inside a transaction. Gives: DDL to the migrations and
to `postgres_server`. A row belongs to the tenant of the transaction that writes it, by a DEFAULT,
and is there for transactions of that tenant alone, by row-level security (docs/decisions/0043). No
statement of the repositories names the tenant, so none can forget it; and a file of SQLite, which
holds one tenant, has the tables without it.

Constraints and indices are read from the catalogue and laid down again with the tenant in front:
what the server prints is what it reads, and no second list of them could be out of date.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

APPLICATION: Final = "inaisle_app"
"""the role in which writers and readers work: no owner, and bound by every policy"""
SETTING: Final = "inaisle.tenant"
LOOKING: Final = "inaisle.looking_for"
TENANTS: Final = "tenants"
SHARED: Final = frozenset({"alembic_version"})
"""tables that say nothing of a tenant"""
# A secret is random and leads to one tenant: its fingerprint is looked up before that is known.
GLOBAL_KEYS: Final = frozenset({"uq_credentials_fingerprint"})
# Empty, and not NULL, is what is left of the setting when the transaction that made it has ended.
# Neither is a tenant: nothing is seen, and nothing can be written.
_OF_NOW: Final = f"current_setting('{SETTING}', true)"
_IS_OURS: Final = f"tenant = {_OF_NOW}"
# Besides the tenant's own rows the owner sees these two tables while a function of his asks.
_LOOKED_AT: Final = {TENANTS: "tenants", "credentials": "credential"}
# Set within the function, and not by its SET clause, which takes a superuser for such a name.
_WHOSE: Final = (
    f"BEGIN PERFORM set_config('{LOOKING}', 'credential', true); "  # noqa: S608 - a name of ours
    "RETURN QUERY SELECT c.tenant, c.site FROM credentials c WHERE c.fingerprint = wanted; "
    f"PERFORM set_config('{LOOKING}', '', true); END"
)
_PART: Final = "(tenant, "

_KEYS: Final = sa.text(
    "SELECT conrelid::regclass::text AS place, conname AS name, contype::text AS kind, "
    "pg_get_constraintdef(oid) AS definition FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f') "
    "AND conrelid::regclass::text = ANY(:tables) ORDER BY contype <> 'f', conname"
)
_INDICES: Final = sa.text(
    "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition "
    "FROM pg_index WHERE indrelid::regclass::text = ANY(:tables) AND NOT EXISTS "
    "(SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u')) ORDER BY 1"
)
_TABLES: Final = sa.text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relkind = 'r' ORDER BY relname"
)
_FORCED: Final = sa.text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relforcerowsecurity ORDER BY relname"
)


_COUNTERS: Final = sa.text(
    "SELECT t.relname AS place, a.attname AS name, s.relname AS counter FROM pg_depend d "
    "JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class t ON t.oid = d.refobjid "
    "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
    "WHERE d.deptype = 'a' AND s.relnamespace = current_schema()::regnamespace "
    "AND t.relname = ANY(:tables) ORDER BY 1, 3"
)


def tables_of_tenants(connection: sa.Connection) -> tuple[str, ...]:
    """Return all tables that hold rows of a tenant."""
    return tuple(name for name in connection.scalars(_TABLES) if name not in SHARED)


def give_tenant(connection: sa.Connection, tables: Sequence[str], *, rows_of: str) -> None:
    """Make tables that hold rows of one retailer hold rows of many.

    Parameters
    ----------
    connection
        The owner's.
    tables
        All that refer to each other, and none that has a tenant.
    rows_of
        The tenant whose the rows are that are there.
    """
    for table in tables:
        _run(connection, f"ALTER TABLE {table} ADD tenant text NOT NULL DEFAULT '{rows_of}'")
        _run(connection, f"ALTER TABLE {table} ALTER tenant SET DEFAULT {_OF_NOW}")
        _run(
            connection,
            f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_tenant CHECK (tenant <> '')",
        )
    _rebuild_keys(connection, tables, has_tenant=True)
    for found in connection.execute(_COUNTERS, {"tables": list(tables)}).all():
        own = f"'{found.place}_{found.name}_' || {_OF_NOW}"
        _run(connection, f"ALTER SEQUENCE {found.counter} RENAME TO {_counter(found, rows_of)}")
        _run(
            connection,
            f"ALTER TABLE {found.place} ALTER {found.name} "
            f"SET DEFAULT nextval(quote_ident({own})::regclass)",
        )
    for table in tables:
        _run(connection, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        _run(connection, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        _run(
            connection,
            f"CREATE POLICY tenant ON {table} USING ({_IS_OURS}) WITH CHECK ({_IS_OURS})",
        )


def give_counters(connection: sa.Connection, tenant: str) -> None:
    """Let a new tenant count its rows from 1: gaps would tell how much the others do."""
    tables = list(tables_of_tenants(connection))
    rows = connection.execute(_COUNTERS, {"tables": tables}).all()
    for place, name in sorted({(found.place, found.name) for found in rows}):
        counter = f'"{place}_{name}_{tenant}"'
        _run(connection, f"CREATE SEQUENCE IF NOT EXISTS {counter} OWNED BY {place}.{name}")


def give_counters_to_all(connection: sa.Connection) -> None:
    """Let every tenant count the rows of tables that a migration has added."""
    if connection.scalar(sa.text("SELECT to_regclass(:name)"), {"name": TENANTS}) is None:
        return
    for tenant in connection.scalars(sa.text("SELECT tenant FROM tenants")).all():
        give_counters(connection, tenant)


def take_tenant(connection: sa.Connection, tables: Sequence[str], *, rows_of: str) -> None:
    """Undo `give_tenant`, where one tenant only has rows."""
    for found in connection.execute(_COUNTERS, {"tables": list(tables)}).all():
        if f'"{found.counter}"' != _counter(found, rows_of):  # of a tenant that was taken away
            _run(connection, f'DROP SEQUENCE "{found.counter}"')
            continue
        plain = f"{found.place}_{found.name}_seq"
        _run(connection, f'ALTER SEQUENCE "{found.counter}" RENAME TO {plain}')
        default = f"nextval('{plain}'::regclass)"
        _run(connection, f"ALTER TABLE {found.place} ALTER {found.name} SET DEFAULT {default}")
    for table in tables:
        _run(connection, f"DROP POLICY tenant ON {table}")
        _run(connection, f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        _run(connection, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    _rebuild_keys(connection, tables, has_tenant=False)
    for table in tables:
        _run(connection, f"ALTER TABLE {table} DROP tenant")


def open_to_owner(connection: sa.Connection) -> tuple[str, ...]:
    """Let the owner, who migrates, work on the rows of all tenants; return the tables."""
    tables = tuple(connection.scalars(_FORCED))
    for table in tables:
        _run(connection, f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    return tables


def bind_owner(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Undo `open_to_owner`."""
    for table in tables:
        _run(connection, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def make_lookups(connection: sa.Connection) -> None:
    """Make the one function that answers across tenants: whose a credential is, and where."""
    for table, what in _LOOKED_AT.items():
        _run(
            connection,
            f"CREATE POLICY lookup ON {table} FOR SELECT TO CURRENT_USER "
            f"USING (current_setting('{LOOKING}', true) = '{what}')",
        )
    schema = connection.scalar(sa.text("SELECT quote_ident(current_schema())"))
    _run(
        connection,
        "CREATE FUNCTION tenant_of_credential(wanted text) "
        "RETURNS TABLE (tenant text, site text) LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {schema}, pg_temp AS $${_WHOSE}$$",
    )
    _run(connection, "REVOKE ALL ON FUNCTION tenant_of_credential(text) FROM PUBLIC")


def drop_lookups(connection: sa.Connection) -> None:
    """Undo `make_lookups`."""
    _run(connection, "DROP FUNCTION tenant_of_credential(text)")
    for table in _LOOKED_AT:
        _run(connection, f"DROP POLICY lookup ON {table}")


def let_application_in(connection: sa.Connection) -> None:
    """Give the application's role what it needs, where the role is or can be made.

    Who owns the database and may make no role has one made for him (docs/tenants.md); until then
    the owner himself works on it, bound by the policies all the same.
    """
    _run(
        connection,
        f"DO $$ BEGIN CREATE ROLE {APPLICATION} NOLOGIN; EXCEPTION WHEN duplicate_object "
        "OR unique_violation OR insufficient_privilege THEN NULL; END $$",
    )
    if connection.scalar(sa.text("SELECT to_regrole(:role)"), {"role": APPLICATION}) is None:
        return
    schema = connection.scalar(sa.text("SELECT quote_ident(current_schema())"))
    tables = tables_of_tenants(connection)
    written = ", ".join(table for table in tables if table != TENANTS)
    read = ", ".join({*SHARED, TENANTS})
    _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {APPLICATION}")
    _run(connection, f"GRANT SELECT, INSERT, UPDATE, DELETE ON {written} TO {APPLICATION}")
    _run(connection, f"GRANT SELECT ON {read} TO {APPLICATION}")
    _run(connection, f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {APPLICATION}")
    _run(connection, f"GRANT EXECUTE ON FUNCTION tenant_of_credential(text) TO {APPLICATION}")


def _counter(found: sa.Row[*tuple[object, ...]], tenant: str) -> str:
    return f'"{found.place}_{found.name}_{tenant}"'


def _rebuild_keys(connection: sa.Connection, tables: Sequence[str], *, has_tenant: bool) -> None:
    """Lay down keys, references and indices again, each with or without the tenant in front."""
    given = {"tables": list(tables)}
    keys = [key for key in connection.execute(_KEYS, given) if key.name not in GLOBAL_KEYS]
    indices = connection.execute(_INDICES, given).all()
    for key in keys:  # references first: they stand on the others
        _run(connection, f"ALTER TABLE {key.place} DROP CONSTRAINT {key.name}")
    for index in indices:
        _run(connection, f"DROP INDEX {index.name}")
    for key in reversed(keys):
        both_sides = 2 if key.kind == "f" else 1
        definition = _changed(key.definition, both_sides, has_tenant=has_tenant)
        _run(connection, f"ALTER TABLE {key.place} ADD CONSTRAINT {key.name} {definition}")
    for index in indices:
        _run(connection, _changed(index.definition, 1, has_tenant=has_tenant))


def _changed(definition: str, sides: int, *, has_tenant: bool) -> str:
    if has_tenant:
        return definition.replace("(", _PART, sides)
    return definition.replace(_PART, "(", sides)


def _run(connection: sa.Connection, statement: str) -> None:
    # Without values the driver takes the text as it is, also a "%".
    connection.exec_driver_sql(statement)
