"""Many tenants in one PostgreSQL database: what is one's own, and that nothing else is there."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from offers.handlers.note_audit import note_audit, verify_audit
from offers.handlers.people.issue_credential import issue_credential
from offers.model.audit import AuditAction
from offers.model.errors import InvalidTenant, StorageError
from offers.model.ids import ONLY_TENANT, TenantId, TillId
from offers.model.outbox import OutboxKind
from offers.model.people.shopper import Locale, Role, Shopper
from offers.ports import UnitOfWork
from offers.storage.database import open_engine, open_to_migrate, prepare_database, renew_rights
from offers.storage.migrate import FOLDER, migrate
from offers.storage.postgres_server import TenantPlace
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource
from offers.storage.tables import METADATA, PAIRINGS, SHOPPERS
from offers.storage.tenancy import APPLICATION, SHARED, TENANTS, give_tenant
from offers.storage.tenant_book import CredentialHomes, add_tenant, tenants_of
from offers.storage.writer import Writer
from rtls.model.units import SiteId
from tests.postgres import PostgresServer
from tests.unit.offers.shop import START_MS

ACME, BOLT = TenantId("acme"), TenantId("bolt-und-mutter")
ANNA = Shopper(shopper="a" * 32, enrolled_at_ms=START_MS, locale=Locale.DE)
SECRETS = SystemSecretSource(bytes(32))


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[sa.URL]:
    url = postgres.database()
    for tenant in (ACME, BOLT):
        assert add_tenant(url, tenant, at_ms=START_MS)
    yield url
    postgres.drop(url)


@pytest.fixture
def writers(url: sa.URL) -> Iterator[dict[TenantId, Writer]]:
    found = {name: Writer(TenantPlace(url=url, tenant=name)) for name in (ACME, BOLT)}
    yield found
    for writer in found.values():
        writer.close()


@pytest.fixture
def application(url: sa.URL) -> Iterator[sa.Connection]:
    """Raw SQL in the role of writers and readers, which has not said whose it is."""
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET ROLE {APPLICATION}")
        yield connection
        connection.rollback()
    engine.dispose()


def add(shopper: Shopper):
    return lambda work: work.shoppers.add(shopper)


def find(shopper: Shopper):
    return lambda work: work.shoppers.find(shopper.shopper)


def say_whose(connection: sa.Connection, tenant: str) -> None:
    connection.execute(sa.select(sa.func.set_config("inaisle.tenant", tenant, True)))


def without_protection(connection: sa.Connection) -> set[str]:
    """Tables that a transaction of one tenant could read or write beyond it."""
    found = connection.exec_driver_sql(
        "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') "
        "AND c.relnamespace = current_schema()::regnamespace AND NOT (c.relrowsecurity "
        "AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policies p "
        "WHERE p.tablename = c.relname AND p.policyname = 'tenant' AND p.cmd = 'ALL' "
        "AND p.permissive = 'PERMISSIVE' AND p.roles = '{public}' AND p.with_check = p.qual "
        "AND p.qual = '(tenant = current_setting(''inaisle.tenant''::text, true))'))"
    )
    return set(found.scalars()) - SHARED


def keys_without_tenant(connection: sa.Connection) -> set[str]:
    """Keys, references and unique indices in which tenants would meet."""
    keys = connection.exec_driver_sql(
        "SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace "
        "AND contype IN ('p', 'u', 'f') AND conrelid <> 'alembic_version'::regclass "
        "AND pg_get_constraintdef(oid) NOT LIKE '%%(tenant%%'"
    ).scalars()
    indices = connection.exec_driver_sql(
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() "
        "AND tablename <> 'alembic_version' AND indexdef NOT LIKE '%%(tenant%%'"
    ).scalars()
    return {*keys, *indices}


def test_two_tenants_keep_the_same_keys_and_never_meet(
    url: sa.URL, writers: dict[TenantId, Writer]
) -> None:
    """Both have a campaign `spring` and a site `mitte`, and neither learns of it."""
    for writer in writers.values():
        writer.run(add(ANNA))
    renamed = sa.update(SHOPPERS).values(locale="en")
    writers[ACME].run(lambda work: work.shoppers._connection.execute(renamed))
    reader = Reader(TenantPlace(url=url, tenant=BOLT))
    assert reader.run(find(ANNA)) == ANNA
    reader.close()


def test_who_has_not_said_whose_he_is_sees_nothing_and_can_write_nothing(
    writers: dict[TenantId, Writer], application: sa.Connection
) -> None:
    """A door that forgets the tenant shows an empty shop, not everybody's."""
    for writer in writers.values():
        writer.run(add(ANNA))
        writer.run(issue_key)
    for again in ("in a fresh session", "after a transaction that had a tenant"):
        for table in METADATA.sorted_tables:
            count = application.scalar(sa.select(sa.func.count()).select_from(table))
            assert count == 0, (again, table.name)
        with pytest.raises(sa.exc.DBAPIError, match=r"not-null|ck_shoppers_tenant|row-level"):
            application.execute(sa.insert(SHOPPERS), values_of(ANNA))
        application.rollback()
        application.exec_driver_sql(f"SET ROLE {APPLICATION}")
        say_whose(application, ACME)
        assert application.scalar(sa.select(sa.func.count()).select_from(SHOPPERS)) == 1
        application.commit()


def values_of(shopper: Shopper) -> dict[str, object]:
    return {
        "shopper_id": shopper.shopper,
        "enrolled_at_ms": shopper.enrolled_at_ms,
        "locale": shopper.locale.value,
    }


def issue_key(work: UnitOfWork) -> str:
    issued = issue_credential(
        Role.TILL,
        work=work,
        now_ms=START_MS,
        secrets=SECRETS,
        till=TillId("till-1"),
        site=SiteId("mitte"),
    )
    return issued.secret


def test_every_table_is_protected_and_every_key_has_the_tenant_in_front(url: sa.URL) -> None:
    """A table of a later migration that forgets it must not go out."""
    engine = open_to_migrate(url)
    with engine.connect() as connection:
        assert without_protection(connection) == set()
        assert keys_without_tenant(connection) == {"uq_credentials_fingerprint"}
        held = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = current_schema()::regnamespace"
        ).scalars()
        assert set(held) == {*METADATA.tables, TENANTS, *SHARED}
    engine.dispose()


@pytest.mark.parametrize(
    "bug",
    [
        "DROP POLICY tenant ON offers",
        "ALTER TABLE offers NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE offers DISABLE ROW LEVEL SECURITY",
        "ALTER POLICY tenant ON offers USING (true)",
    ],
)
def test_a_table_without_protection_is_found(url: sa.URL, bug: str) -> None:
    """The negative control of the test above."""
    engine = open_to_migrate(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(bug)
        assert without_protection(connection) == {"offers"}
        connection.exec_driver_sql("CREATE UNIQUE INDEX forgotten ON offers (offer_id)")
        assert "forgotten" in keys_without_tenant(connection)
    engine.dispose()


def test_a_reference_cannot_lead_to_another_tenant(
    writers: dict[TenantId, Writer], application: sa.Connection
) -> None:
    """References are checked by the server without any policy: the key itself must hold it."""
    writers[ACME].run(add(ANNA))
    say_whose(application, BOLT)
    pairing = dict.fromkeys(("pairing_id", "tag", "shopper_id", "consent_id"), ANNA.shopper)
    with pytest.raises(sa.exc.IntegrityError, match="fk_pairings"):
        application.execute(
            sa.insert(PAIRINGS), pairing | {"paired_at_ms": 0, "expires_at_ms": START_MS}
        )


def test_nobody_writes_a_row_of_another_tenant_by_naming_it(
    writers: dict[TenantId, Writer], application: sa.Connection
) -> None:
    """The column has a default, and a statement that says otherwise is refused."""
    assert writers[BOLT].is_alive
    say_whose(application, BOLT)
    with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
        application.execute(
            sa.text(
                "INSERT INTO shoppers (shopper_id, enrolled_at_ms, locale, tenant) "
                "VALUES ('anna', 0, 'de', 'acme')"
            )
        )


def test_each_tenant_has_an_audit_chain_of_its_own(
    url: sa.URL, writers: dict[TenantId, Writer]
) -> None:
    """One chain over all would tell each how much the others do, and one could break it for all."""

    def note(work: UnitOfWork) -> int:
        action = AuditAction.SITE_MAP_PUBLISHED
        note_audit(action, subject="mitte", details={}, work=work, now_ms=START_MS)
        head = work.audit.head()
        assert head is not None
        return head.sequence

    assert [writers[ACME].run(note) for _ in range(3)] == [1, 2, 3]
    assert writers[BOLT].run(note) == 1
    for tenant, entries in ((ACME, 3), (BOLT, 1)):
        reader = Reader(TenantPlace(url=url, tenant=tenant))
        found = reader.run(lambda work: verify_audit(work=work))
        assert (found.entries, found.fault) == (entries, None)
        reader.close()


def test_each_tenant_counts_its_rows_from_one(writers: dict[TenantId, Writer]) -> None:
    """Apps see these numbers as cursors: gaps would tell one retailer what the others sell."""

    def tell(work: UnitOfWork) -> int:
        work.outbox.add(OutboxKind.TAG_ADMITTED, shopper=None, subject="tag:1", at_ms=START_MS)
        return work.outbox.waiting(limit=100)[-1].sequence

    assert [writers[ACME].run(tell) for _ in range(3)] == [1, 2, 3]
    assert writers[BOLT].run(tell) == 1
    assert writers[ACME].run(tell) == 4


def test_a_table_of_a_later_migration_counts_for_every_tenant(url: sa.URL) -> None:
    """It comes when tenants are there already, and each must be able to write into it."""
    owner = open_to_migrate(url)
    with owner.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE late (sequence bigserial PRIMARY KEY)")
        give_tenant(connection, ["late"], rows_of=ONLY_TENANT)
    migrate(owner)
    owner.dispose()
    for tenant in (ACME, BOLT, ONLY_TENANT):
        engine = open_engine(TenantPlace(url=url, tenant=tenant), is_reader=False)
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO late DEFAULT VALUES")
            assert connection.exec_driver_sql("SELECT sequence FROM late").all() == [(1,)]
        engine.dispose()


def test_tenants_do_not_wait_for_each_others_turn(writers: dict[TenantId, Writer]) -> None:
    """A long transaction of one retailer is not felt at the tills of another."""
    seen: list[None] = []
    writers[ACME].run(lambda _: seen.append(writers[BOLT].run(add(ANNA))))
    assert seen == [None]


def test_a_credential_leads_to_its_tenant_and_site_and_to_nothing_else(
    url: sa.URL, writers: dict[TenantId, Writer], application: sa.Connection
) -> None:
    """The one thing that is looked up before the tenant is known, and all that it tells."""
    secret = writers[BOLT].run(issue_key)
    fingerprint = SECRETS.fingerprint(secret, purpose="credential")
    homes = CredentialHomes(url)
    assert homes.find(fingerprint) == (BOLT, "mitte")
    assert homes.find("0" * 64) is None
    homes.close()
    told = sa.text("SELECT * FROM tenant_of_credential(:wanted)")
    columns = application.execute(told, {"wanted": fingerprint})
    assert list(columns.keys()) == ["tenant", "site"]
    looking = sa.func.set_config("inaisle.looking_for", "credential", True)
    application.execute(sa.select(looking))
    assert application.exec_driver_sql("SELECT count(*) FROM credentials").scalar_one() == 0


def test_tenants_are_added_once_and_listed(url: sa.URL) -> None:
    """Who is a customer of ours is no tenant's business: the application sees its own alone."""
    assert not add_tenant(url, ACME, at_ms=START_MS)
    assert tenants_of(url) == (ACME, BOLT, ONLY_TENANT)
    engine = open_engine(TenantPlace(url=url, tenant=BOLT), is_reader=True)
    with engine.connect() as connection:
        assert list(connection.exec_driver_sql("SELECT tenant FROM tenants").scalars()) == [BOLT]
    engine.dispose()


@pytest.mark.parametrize("name", ["", "Acme", "a'; DROP TABLE shoppers; --", "a" * 64])
def test_a_name_that_cannot_be_a_tenant_is_refused(url: sa.URL, name: str) -> None:
    """It stands in statements: nothing but letters, digits and hyphens gets there."""
    with pytest.raises(InvalidTenant, match="tenant is"):
        TenantPlace(url=url, tenant=TenantId(name))
    with pytest.raises(InvalidTenant, match="tenant is"):
        add_tenant(url, TenantId(name), at_ms=START_MS)


def test_a_tenant_that_nobody_added_is_refused_at_the_start(url: sa.URL) -> None:
    """A slip in the settings must not open a new, empty shop."""
    with pytest.raises(InvalidTenant, match="inaisle tenant add acne"):
        prepare_database(TenantPlace(url=url, tenant=TenantId("acne")))


def test_a_user_who_does_not_own_the_tables_serves_and_cannot_change_them(
    url: sa.URL, postgres: PostgresServer
) -> None:
    """As it should be in production: nobody who reaches the service can switch a policy off."""
    with scratch_user(postgres, "clerk", f"IN ROLE {APPLICATION}") as name:
        clerk = url.set(username=name)
        prepare_database(clerk)
        writer = Writer(TenantPlace(url=clerk, tenant=ACME))
        writer.run(add(ANNA))
        with pytest.raises(StorageError, match="must be owner"):
            writer.run(
                lambda work: work.shoppers._connection.execute(
                    sa.text("ALTER TABLE shoppers DISABLE ROW LEVEL SECURITY")
                )
            )
        writer.close()
        with pytest.raises(StorageError, match="does not own the tables"):
            add_tenant(clerk, TenantId("mine"), at_ms=START_MS)
        with pytest.raises(StorageError, match="does not own the tables"):
            tenants_of(clerk)
        with pytest.raises(StorageError, match="does not own the tables"):
            renew_rights(clerk)


def test_an_owner_without_any_further_right_is_enough(postgres: PostgresServer) -> None:
    """As docs/tenants.md sets it up: an owner who migrates, a service that owns nothing.

    Nobody in it is a superuser, whom no policy binds, so that every right is really given.
    """
    ready = postgres.database()  # so the role of the application is there
    with (
        scratch_user(postgres, "landlord", "") as owner,
        scratch_user(postgres, "tenant_clerk", f"IN ROLE {APPLICATION}") as clerk,
    ):
        made = postgres.create(f"OWNER {owner} TEMPLATE template0")
        try:
            of_owner, of_clerk = made.set(username=owner), made.set(username=clerk)
            prepare_database(of_owner)
            assert add_tenant(of_owner, ACME, at_ms=START_MS)
            assert tenants_of(of_owner) == (ACME, ONLY_TENANT)
            prepare_database(of_clerk)
            writer = Writer(TenantPlace(url=of_clerk, tenant=ACME))
            secret = writer.run(issue_key)
            writer.close()
            homes = CredentialHomes(of_clerk)
            fingerprint = SECRETS.fingerprint(secret, purpose="credential")
            assert homes.find(fingerprint) == (ACME, "mitte")
            homes.close()
            engine = open_to_migrate(of_owner)
            with engine.connect() as connection:
                assert connection.scalar(sa.text("SELECT count(*) FROM credentials")) == 0
            migrate(engine)
            with engine.connect() as connection:
                assert without_protection(connection) == set()
            engine.dispose()
        finally:
            postgres.drop(made)
            postgres.drop(ready)


def test_a_role_that_no_policy_binds_is_refused(url: sa.URL, postgres: PostgresServer) -> None:
    """BYPASSRLS is given for backups, and must not be what the service runs with."""
    with scratch_user(postgres, "passer", "BYPASSRLS") as name:
        engine = open_to_migrate(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        engine.dispose()
        with pytest.raises(StorageError, match="row-level security does not bind"):
            prepare_database(url.set(username=name))
        engine = open_to_migrate(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {name}")
        engine.dispose()


@contextmanager
def scratch_user(server: PostgresServer, name: str, options: str) -> Iterator[str]:
    """A user of the server for one test."""
    server.run(f"CREATE ROLE {name} LOGIN {options}")
    yield name
    server.run(f"DROP ROLE {name}")


def migrate_to(url: sa.URL, revision: str, *, is_upgrade: bool = True) -> None:
    """Run the revisions up to one, or that one backwards."""
    scripts = ScriptDirectory(str(FOLDER))

    def steps(seen: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        if not is_upgrade:
            down = scripts.get_revision(revision)
            return [RevisionStep(scripts.revision_map, down, is_upgrade=False)]
        todo = scripts.iterate_revisions(revision, seen[0] if seen else "base")
        return [RevisionStep(scripts.revision_map, one, is_upgrade=True) for one in todo][::-1]

    engine = open_to_migrate(url)
    try:
        with engine.begin() as connection:
            context = MigrationContext.configure(connection, opts={"fn": steps})
            with Operations.context(context):
                context.run_migrations()
    finally:
        engine.dispose()


def test_a_database_of_one_retailer_is_taken_along_and_back_again(
    postgres: PostgresServer,
) -> None:
    """What was there before tenants is the tenant `default`, whole; and the way back is open."""
    url = postgres.empty_database()
    migrate_to(url, "0020")
    before = shape_of(url)
    engine = open_to_migrate(url)
    with engine.begin() as connection:
        connection.execute(sa.insert(SHOPPERS), values_of(ANNA))
    migrate_to(url, "0021")
    migrate(engine)
    reader = Reader(url)
    assert reader.run(find(ANNA)) == ANNA
    reader.close()
    add_tenant(url, ACME, at_ms=START_MS)
    with pytest.raises(StorageError, match=r"1 more tenants, e\.g\. 'acme'"):
        migrate_to(url, "0021", is_upgrade=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tenants WHERE tenant = 'acme'")
    migrate_to(url, "0021", is_upgrade=False)
    assert shape_of(url) == before
    with engine.connect() as connection:
        assert connection.scalar(sa.select(SHOPPERS.c.shopper_id)) == ANNA.shopper
    engine.dispose()
    postgres.drop(url)


def shape_of(url: sa.URL) -> list[tuple[object, ...]]:
    """Every column, constraint, index, policy and function of the database."""
    engine = open_to_migrate(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT 'column', table_name, column_name, is_nullable || coalesce(column_default, '') "
            "FROM information_schema.columns WHERE table_schema = 'public' UNION ALL "
            "SELECT 'key', conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace UNION ALL "
            "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes "
            "WHERE schemaname = 'public' UNION ALL SELECT 'policy', tablename, policyname, qual "
            "FROM pg_policies UNION ALL SELECT 'counter', relname, '', '' FROM pg_class "
            "WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'function', proname, '', '' FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 4"
        ).all()
    engine.dispose()
    return [tuple(row) for row in found]
