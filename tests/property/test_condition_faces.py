"""Both faces of a condition: the closure for one shopper, and SQL for all of them at once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.decision.condition import compile_condition
from offers.model.conditions.attribute import Attribute
from offers.model.conditions.condition import Condition
from offers.model.conditions.shopper_facts import ShopperFacts
from offers.model.ids import ConsentId, ShopperId
from offers.model.loyalty.segment import Membership, Segment
from offers.model.people.consent import Consent, Purpose
from offers.model.people.shopper import Shopper
from offers.ports import UnitOfWork
from offers.storage.condition_sql import audience_clause
from offers.storage.sql_work import SqlWork
from offers.storage.tables import SHOPPERS
from rtls.model.units import SiteId
from tests.postgres import PostgresServer
from tests.unit.offers.condition_samples import NOW_MS, conditions, shoppers
from tests.unit.offers.shop import SITE, memory_engine

ELSEWHERE = SiteId("elsewhere")


@pytest.fixture(scope="module")
def sqlite() -> Iterator[sa.Engine]:
    with memory_engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def postgresql(postgres: PostgresServer) -> Iterator[sa.Engine]:
    with postgres.engine() as engine:
        yield engine


def put(number: int, known: ShopperFacts, work: UnitOfWork) -> ShopperId:
    """Write a shopper as the handlers would, though without asking for consent."""
    shopper = ShopperId(f"{number:032x}")
    work.shoppers.add(
        Shopper(shopper=shopper, enrolled_at_ms=known.enrolled_at_ms, locale=known.locale)
    )
    for n, purpose in enumerate(Purpose):
        # A no before each yes, and the reverse: only the newest word counts.
        for step, is_granted in enumerate((purpose not in known.granted, purpose in known.granted)):
            work.consents.append(
                Consent(
                    consent=ConsentId(f"{number:016x}{n:08x}{step:08x}"),
                    shopper=shopper,
                    purpose=purpose,
                    is_granted=is_granted,
                    at_ms=NOW_MS,
                    text_version="v1",
                )
            )
    consent = ConsentId(f"{number:016x}{0:016x}")
    for name, values in known.attributes.items():
        attribute = Attribute(name=name, values=values)
        work.attributes.put(shopper, attribute, consent=consent, at_ms=NOW_MS)
    for site, segment in ((SITE, known.segment), (ELSEWHERE, Segment.NEW)):
        if segment is not None:
            work.memberships.enter(
                Membership(shopper=shopper, site=site, segment=segment, entered_at_ms=NOW_MS)
            )
    for site, tier in ((SITE, known.tier), (ELSEWHERE, "gold")):
        work.tiers.begin_review(shopper, site)
        work.tiers.end_review(shopper, site, tier=tier, due_at_ms=None)
    facts = [
        replace(fact, reference=f"{number}-{fact.reference}")
        for kind in known.past.values()
        for fact in kind
    ]
    assert work.facts.append(shopper, facts, consent=consent) == len(facts)
    return shopper


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_audience_is_who_could_be_reached(
    database: str, request: pytest.FixtureRequest
) -> None:
    """What the merchandiser is told beforehand is whom the campaign may address afterwards."""
    engine = request.getfixturevalue(database)

    @settings(max_examples=120 if database == "sqlite" else 20, deadline=None)
    @given(condition=conditions(), known=st.lists(shoppers(), min_size=1, max_size=4))
    def law(condition: Condition, known: list[ShopperFacts]) -> None:
        compare_faces(condition, known, engine)

    law()


def compare_faces(condition: Condition, known: list[ShopperFacts], engine: sa.Engine) -> None:
    compiled = compile_condition(condition)
    with engine.connect() as connection:
        transaction = connection.begin()
        work = SqlWork(connection)
        ids = [put(number, facts, work) for number, facts in enumerate(known)]
        clause = audience_clause(condition, site=SITE, as_of_ms=NOW_MS)
        reached = set(connection.execute(sa.select(SHOPPERS.c.shopper_id).where(clause)).scalars())
        expected = {
            shopper
            for shopper, facts in zip(ids, known, strict=True)
            if compiled.could_reach(facts)
        }
        read = {
            shopper
            for shopper in ids
            if compiled.could_reach(
                work.facts.of_shopper(shopper, compiled.needs, site=SITE, as_of_ms=NOW_MS)
            )
        }
        size = work.facts.audience_size(condition, site=SITE, as_of_ms=NOW_MS)
        allowed = {
            shopper
            for shopper, facts in zip(ids, known, strict=True)
            if Purpose.PERSONALISE in facts.granted
        }
        transaction.rollback()
    assert reached == expected
    assert read == expected
    assert size == len(expected & allowed)
