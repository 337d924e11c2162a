"""Export and erasure against the database itself, for shoppers who did anything in any order."""

import os
from collections.abc import Callable, Iterator

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from offers.handlers.people.erase_shopper import erase_shopper
from offers.model.campaigns.campaign import FrequencyCap
from offers.model.errors import ConsentMissing, TagTaken
from offers.model.ids import ShopperId
from offers.model.people.consent import Purpose
from offers.storage.personal_data import APART, MORE_LINKS
from offers.storage.tables import METADATA
from rtls.model.units import UnixMs
from tests.unit.offers.remembered import a_shopper_who_has_done_it_all, connection_of
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign, memory_engine, scratch_work
from tests.unit.offers.till import Till

NIGHTLY = int(os.environ.get("INAISLE_NIGHTLY", "0"))
END_MS = UnixMs(START_MS + 10_000 * MINUTE_MS)
CAMPAIGN = campaign(cap=FrequencyCap(offers_max=9, window_s=60))
Row = tuple[str, tuple[object, ...]]
Edge = tuple[str, list[str], str, list[str]]


class Street:
    """Three shoppers; each step happens to one of them, an hour after the step before."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.now_ms = START_MS
        shop.start(CAMPAIGN)
        self.shoppers = [shop.shopper(tag=None) for _ in range(3)]

    def take(self, step: str, who: int) -> None:
        self.now_ms += 60 * MINUTE_MS
        deeds: dict[str, Callable[[int], object]] = {
            "pair": self._pair,
            "stand": self._stand,
            "buy": self._buy,
            "everything": self._everything,
            "withdraw": lambda n: self._say(n, is_granted=False),
            "grant": lambda n: self._say(n, is_granted=True),
        }
        deeds[step](who)

    def _pair(self, who: int) -> None:
        try:
            self.shop.pair(self.shoppers[who], f"tag:{who}", now_ms=self.now_ms)
        except (ConsentMissing, TagTaken):
            return

    def _stand(self, who: int) -> None:
        self.shop.stand(f"tag:{who}", at_ms=self.now_ms)

    def _buy(self, who: int) -> None:
        code = self.shop.code_in_hand(f"tag:buyer-{who}-{self.now_ms}", at_ms=self.now_ms)
        Till(self.shop, now_ms=self.now_ms).pay(code)

    def _everything(self, who: int) -> None:
        self.shoppers[who] = a_shopper_who_has_done_it_all(
            self.shop, f"tag:all-{who}-{self.now_ms}"
        )

    def _say(self, who: int, *, is_granted: bool) -> None:
        purpose = list(Purpose)[self.now_ms // (60 * MINUTE_MS) % len(Purpose)]
        self.shop.say(self.shoppers[who], purpose, is_granted=is_granted, now_ms=self.now_ms)


def edges_of(connection: sa.Connection) -> list[Edge]:
    """Return every foreign key as the database lists it, and the links that have none."""
    inspector = sa.inspect(connection)
    keys = [
        (table.name, key["constrained_columns"], key["referred_table"], key["referred_columns"])
        for table in METADATA.sorted_tables
        for key in inspector.get_foreign_keys(table.name)
    ]
    more = [
        (table.name, [link[0][0].name], link[0][1].table.name, [link[0][1].name])
        for table, link in MORE_LINKS.items()
    ]
    return keys + more


def rows_by_hand(connection: sa.Connection, edges: list[Edge], shopper: ShopperId) -> set[Row]:
    """Follow the values of foreign keys as the database lists them, row by row, until no more come.

    A row that names a shopper itself belongs to that shopper alone, whatever else it refers to.
    """
    stored = {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in METADATA.sorted_tables
    }
    names_shopper = {table for table, _, to, _ in edges if to == "shoppers"}
    own = {("shoppers", (shopper,))}
    found = {"shoppers": [row for row in stored["shoppers"] if row["shopper_id"] == shopper]}
    for _ in stored:
        for table, columns, to, targets in edges:
            if table in names_shopper and to != "shoppers":
                continue
            values = {tuple(row[name] for name in targets) for row in found.get(to, ())}
            for row in stored[table]:
                key = (table, key_of(table, row))
                if key not in own and tuple(row[name] for name in columns) in values:
                    own.add(key)
                    found.setdefault(table, []).append(row)
    return {key for key in own if key[0] not in {table.name for table in APART}}


def key_of(table: str, row: dict[str, object]) -> tuple[object, ...]:
    return tuple(row[column.name] for column in METADATA.tables[table].primary_key.columns)


def exported(shop: Shop, shopper: ShopperId) -> set[Row]:
    export = shop.work.personal_data.export(shopper)
    return {(table, key_of(table, dict(row))) for table, rows in export.items() for row in rows}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pair", "stand", "buy", "everything", "withdraw", "grant"]),
        st.integers(0, 2),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as made:
        yield made


@settings(max_examples=200 if NIGHTLY else 12, deadline=None)
@given(steps=STEPS, gone=st.integers(0, 2))
def test_an_export_is_what_the_database_holds_and_an_erasure_takes_just_that(
    engine: sa.Engine, steps: list[tuple[str, int]], gone: int
) -> None:
    """What is exported is what is erased: nothing more, nothing less, and nothing of others."""
    with scratch_work(engine) as work:
        street = Street(Shop(work))
        for step, who in steps:
            street.take(step, who)
        shop, connection = street.shop, connection_of(street.shop)
        edges = edges_of(connection)
        for shopper in street.shoppers:
            assert exported(shop, shopper) == rows_by_hand(connection, edges, shopper)
        others = [who for n, who in enumerate(street.shoppers) if n != gone]
        before = [shop.work.personal_data.export(who) for who in others]
        erase_shopper(street.shoppers[gone], work=work, now_ms=END_MS, secrets=shop.secrets)
        assert shop.work.personal_data.export(street.shoppers[gone]) == {}
        assert [shop.work.personal_data.export(who) for who in others] == before
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
