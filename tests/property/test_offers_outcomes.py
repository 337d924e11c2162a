"""What assigned shoppers did: the SQL against a walk over everything that happened."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offers.model.experiments.experiment_run import Assignment
from offers.model.experiments.metric import Metric
from offers.model.experiments.outcomes import Design
from offers.model.ids import ExperimentId, PurchaseId
from offers.model.till.basket import BasketLine
from offers.model.till.purchase import Purchase, PurchaseLine
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, TILL, Shop, memory_engine, scratch_work

DESIGN = Design(site=SITE, experiment=ExperimentId("shelf-coffee"), salt="9f2c6a11")
BEFORE_MS, END_MS = 50, START_MS + 60
SITES = st.sampled_from([SITE, SITE, SITE, SiteId("away")])
BOUGHT = st.tuples(
    st.integers(0, 4), st.integers(-80, 80), st.integers(1, 999), st.integers(1, 3), SITES
)
ASSIGNED = st.dictionaries(st.integers(0, 4), st.tuples(st.integers(0, 2), st.integers(-9, 9)))


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as found:
        yield found


def purchase(number: int, shopper: str, at_ms: int, cents: int, pieces: int, site) -> Purchase:
    item = BasketLine(sku="1", category="c", quantity=pieces, unit_price_minor=cents)
    return Purchase(
        purchase=PurchaseId(f"{number:032x}"),
        site=site,
        till=TILL,
        shopper=shopper,
        at_ms=UnixMs(at_ms),
        currency="EUR",
        lines=(PurchaseLine(item=item, discounts_minor=()),),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(assigned=ASSIGNED, bought=st.lists(BOUGHT, max_size=12), margin=st.integers(0, 1_000))
def test_every_shopper_counts_what_he_did_in_his_own_time(
    engine: sa.Engine, assigned, bought, margin
) -> None:
    """Borders to the millisecond, other sites, strangers: one row for whoever was assigned."""
    with scratch_work(engine) as work:
        shop = Shop(work)
        shoppers = [shop.shopper(tag=None) for _ in range(5)]
        for who, (arm, at) in assigned.items():
            work.experiments.note(
                Assignment(
                    site=SITE,
                    experiment=DESIGN.experiment,
                    salt=DESIGN.salt,
                    shopper=shoppers[who],
                    arm=arm,
                    revision=1,
                    at_ms=UnixMs(START_MS + at),
                )
            )
        for number, (who, at, cents, pieces, site) in enumerate(bought):
            paid = purchase(number, shoppers[who], START_MS + at, cents, pieces, site)
            work.purchases.add(paid)
        for metric in (Metric.REVENUE, Metric.MARGIN, Metric.PURCHASES):
            found = work.outcomes.of_design(
                DESIGN,
                metric,
                margin_per_mille=margin,
                before_ms=BEFORE_MS,
                until_ms=UnixMs(END_MS),
                limit=9,
            )
            rows = zip(found.arm, found.value.round(6), found.before.round(6), strict=True)
            assert sorted(rows) == sorted(walked(assigned, bought, metric, margin))


def walked(assigned, bought, metric: Metric, margin: int) -> list[tuple[int, float, float]]:
    """The same by walking over everything for each shopper."""
    rows = []
    for who, (arm, assigned_at) in assigned.items():
        since = before = 0.0
        for buyer, at, cents, pieces, site in bought:
            worth = cents * pieces * {Metric.MARGIN: margin / 1_000}.get(metric, 1.0)
            counted = 1.0 if metric is Metric.PURCHASES else worth
            if buyer != who or site != SITE:
                continue
            if assigned_at <= at < END_MS - START_MS:
                since += counted
            elif assigned_at - BEFORE_MS <= at < assigned_at:
                before += counted
        rows.append((arm, round(since, 6), round(before, 6)))
    return rows
