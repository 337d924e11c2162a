"""What assigned shoppers did, counted in SQL: by hand, on both databases."""

from dataclasses import replace

import numpy as np
import pytest

from offers.handlers.offering.open_offer import dismiss_offer
from offers.handlers.till.settle_basket import Settled
from offers.insight.experiment_report import Advice, experiment_report, plan_of
from offers.model.errors import InvalidSample
from offers.model.experiments.experiment import Dimension, Factor
from offers.model.experiments.experiment_run import Assignment
from offers.model.experiments.metric import Metric
from offers.model.experiments.outcomes import Design, Outcomes
from offers.model.ids import ExperimentId, PurchaseId, ShopperId
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, SITE, START_MS, Shop, asked, campaign
from tests.unit.offers.test_live_experiments import COFFEE
from tests.unit.offers.till import NOON_MS, Till

DESIGN = Design(site=SITE, experiment=ExperimentId("shelf-coffee"), salt="9f2c6a11")
DAY_MS = 86_400_000


def assign(shop: Shop, shopper: ShopperId, arm: int, *, at_ms: int = START_MS, **changes) -> bool:
    assignment = Assignment(
        site=SITE,
        experiment=DESIGN.experiment,
        salt=DESIGN.salt,
        shopper=shopper,
        arm=arm,
        revision=1,
        at_ms=UnixMs(at_ms),
    )
    return shop.work.experiments.note(replace(assignment, **changes))


def buy(shop: Shop, shopper: ShopperId, *prices_minor: int, at_ms: int) -> PurchaseId:
    till = Till(shop, now_ms=at_ms)
    held = till.ask(replace(asked(prices_minor=prices_minor), card=till.scan(shopper)))
    settled = till.commit(held.held.held)
    assert isinstance(settled, Settled)
    return settled.purchase.purchase


def counted(shop: Shop, metric: Metric, *, limit: int = 100) -> list[tuple[int, float, float]]:
    found = shop.work.outcomes.of_design(
        DESIGN,
        metric,
        margin_per_mille=400,
        before_ms=90 * DAY_MS,
        until_ms=UnixMs(START_MS + 30 * DAY_MS),
        limit=limit,
    )
    rows = zip(found.arm, found.value, found.before, strict=True)
    return [(int(arm), float(value), float(before)) for arm, value, before in rows]


def test_each_metric_counts_what_it_says_before_and_after(shop: Shop) -> None:
    """Anna: 10 € last month; then 20 € with 2 € off, of which an item of 5 € comes back."""
    shop.start(campaign())
    anna, ben = shop.shopper(), shop.shopper(tag="tag:2")
    buy(shop, anna, 1_000, at_ms=START_MS - 30 * DAY_MS)
    buy(shop, anna, 9_999, at_ms=START_MS - 91 * DAY_MS)  # too long ago
    assign(shop, anna, 1)
    assign(shop, ben, 0, at_ms=START_MS + 1)
    shop.stand()
    card = shop.offer_of(anna)
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    bought = buy(shop, anna, 1_500, 500, at_ms=NOON_MS)
    Till(shop, now_ms=NOON_MS + DAY_MS).take_back(bought, {1: 1})
    buy(shop, anna, 7_777, at_ms=START_MS + 31 * DAY_MS)  # after the end
    shop.stand("tag:2")
    unwanted = shop.offer_of(ben)
    shop.deliver(unwanted.offer.offer, now_ms=NOON_MS)
    dismiss_offer(ben, unwanted.offer.offer, work=shop.work, now_ms=UnixMs(NOON_MS + MINUTE_MS))
    off_kept = 150.0  # of the 2 € off, the share of the 15 € that stayed
    kept = 1_500 - off_kept
    nothing = (0, 0.0, 0.0)
    assert counted(shop, Metric.REVENUE) == [(1, pytest.approx(kept), 1_000.0), nothing]
    assert counted(shop, Metric.DISCOUNT) == [(1, pytest.approx(off_kept), 0.0), nothing]
    assert counted(shop, Metric.MARGIN) == [
        (1, pytest.approx(0.4 * 1_500 - off_kept), pytest.approx(400.0)),
        nothing,
    ]
    assert counted(shop, Metric.PURCHASES) == [(1, 1.0, 1.0), nothing]
    assert counted(shop, Metric.REDEMPTIONS) == [(1, 1.0, 0.0), nothing]
    assert counted(shop, Metric.DISMISSALS) == [(1, 0.0, 0.0), (0, 1.0, 0.0)]
    assert counted(shop, Metric.OFFERS) == [(1, 1.0, 0.0), (0, 1.0, 0.0)]
    assert counted(shop, Metric.OPENED) == [(1, 1.0, 0.0), nothing]  # used, so it was opened


def test_only_the_first_meeting_of_a_design_counts(shop: Shop) -> None:
    """A shopper in two arms would be compared with himself; another salt is another design."""
    anna = shop.shopper()
    assert assign(shop, anna, 1)
    assert not assign(shop, anna, 0, at_ms=START_MS + 5)
    assert assign(shop, anna, 0, salt="another-1")
    assert assign(shop, anna, 0, site=SiteId("away"))
    assert counted(shop, Metric.REVENUE) == [(1, 0.0, 0.0)]


def test_of_too_many_the_earliest_are_looked_at(shop: Shop) -> None:
    """A bound that says that it was reached."""
    for number in range(3):
        assign(shop, shop.shopper(tag=f"tag:{number}"), number, at_ms=START_MS - number)
    assert [arm for arm, _, _ in counted(shop, Metric.PURCHASES, limit=2)] == [2, 1]
    cut = shop.work.outcomes.of_design(
        DESIGN,
        Metric.PURCHASES,
        margin_per_mille=0,
        before_ms=1,
        until_ms=START_MS,
        limit=2,
    )
    assert cut.is_cut


def test_columns_of_different_lengths_are_refused() -> None:
    """A row of one shopper must not be read as another's."""
    empty = Outcomes(arm=[], value=[], before=[])
    with pytest.raises(InvalidSample, match="one of each for every shopper"):
        replace(empty, arm=[1])


def test_several_factors_are_told_apart_as_soon_as_every_arm_has_shoppers() -> None:
    """Does the tone add to the coupon? Four arms, three shoppers in each, by hand."""
    tone = Factor(name="tone", dimension=Dimension.MESSAGE, levels=("plain", "friendly"))
    offer = replace(COFFEE.factors[0], levels=("none", "five"))
    both = replace(COFFEE, factors=(offer, tone))
    arm = np.repeat(np.arange(4), 3)
    value = 10.0 * (arm >= 2) + 1.0 * (arm % 2) + np.tile([0.0, 1.0, 2.0], 4)
    outcomes = Outcomes(arm=arm, value=value, before=np.zeros(12))
    found = experiment_report(plan_of(both), outcomes, experiment=both)
    assert found.advice is Advice.WAIT
    told = {one.effect.levels: one.effect.estimate.value for one in found.effects}
    assert told == {
        (("offer", "five"),): pytest.approx(10.0),
        (("tone", "friendly"),): pytest.approx(1.0),
        (("offer", "five"), ("tone", "friendly")): pytest.approx(0.0),
    }
    rest = Outcomes(arm=arm[:8], value=value[:8], before=np.zeros(8))
    assert experiment_report(plan_of(both), rest, experiment=both).effects == ()
