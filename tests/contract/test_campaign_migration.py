"""Migration 0007 on a database with customers in it: nothing is lost, nothing loses its ground."""

from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from offers.storage.database import open_engine, prepare_database
from offers.storage.migrate import FOLDER


def migrate_to(engine: sa.Engine, revision: str) -> None:
    scripts = ScriptDirectory(str(FOLDER))

    def steps(_seen, _context):
        older = [*scripts.iterate_revisions(revision, "base")][::-1]
        return [RevisionStep(scripts.revision_map, step, is_upgrade=True) for step in older]

    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"fn": steps})
        with Operations.context(context):
            context.run_migrations()


def fill(connection: sa.Connection) -> None:
    """One shopper, one offer with its coupon, as a release before wrote them."""
    for statement in (
        "INSERT INTO shoppers (shopper_id, enrolled_at_ms, locale) VALUES ('a', 1, 'de')",
        (
            "INSERT INTO campaigns (campaign_id, site, zone, state, revision, redemptions_max, held"
            ", used) VALUES ('c', 'demo', 'dowels', 'active', 1, 5, 1, 0)"
        ),
        "INSERT INTO campaign_revisions VALUES ('c', 1, '{}')",
        (
            "INSERT INTO consents (consent_id, shopper_id, purpose, is_granted, at_ms, text_version"
            ", locale, channel) VALUES ('k', 'a', 'locate', 1, 1, 'v', 'de', 'app')"
        ),
        (
            "INSERT INTO decisions (decision_id, event_id, shopper_id, site, zone, visit_id, at_ms,"
            " policy, passed_over) VALUES ('d', 'e', 'a', 'demo', 'dowels', 'v1', 1, 'p', '[]')"
        ),
        (
            "INSERT INTO offers (offer_id, shopper_id, campaign_id, revision, decision_id, site,"
            " zone, visit_id, locate_consent_id, personalise_consent_id, may_notify, state,"
            " issued_at_ms, expires_at_ms) VALUES"
            " ('o', 'a', 'c', 1, 'd', 'demo', 'dowels', 'v1', 'k', 'k', 1, 'issued', 1, 2)"
        ),
        "INSERT INTO cap_slots VALUES ('a', 'c', 0, 'o', 1)",
        (
            "INSERT INTO coupons (coupon_id, offer_id, shopper_id, campaign_id, revision, site,"
            " state, issued_at_ms, expires_at_ms, is_reserved) VALUES"
            " ('q', 'o', 'a', 'c', 1, 'demo', 'issued', 1, 2, 1)"
        ),
    ):
        connection.exec_driver_sql(statement)


def test_a_shop_that_is_open_already_keeps_its_offers_and_coupons(tmp_path: Path) -> None:
    """SQLite makes the table anew; what refers to it must not block that, nor be left behind."""
    path = tmp_path / "offers.db"
    engine = open_engine(path, is_reader=False)
    migrate_to(engine, "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA application_id = 1229865289")  # "INAI"
        fill(connection)
    engine.dispose()
    prepare_database(path)
    engine = open_engine(path, is_reader=True)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        row = connection.exec_driver_sql("SELECT occasion, visit_id, zone FROM offers").one()
        assert tuple(row) == ("visit:v1", "v1", "dowels")
        kind = connection.exec_driver_sql("SELECT trigger_kind FROM campaigns").scalar_one()
        assert kind == "visit"
        coupon = connection.exec_driver_sql("SELECT offer_id FROM coupons").scalar_one()
        assert coupon == "o"
    engine.dispose()
