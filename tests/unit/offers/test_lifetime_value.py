"""The value of a member: models against integrals, found again in what they made, and honest."""

import numpy as np
import pytest

from offers.insight.lifetime_value import HOLDOUT_WEEKS, lifetime_kpi, lifetime_value
from offers.insight.purchase_model import Buyers, PurchaseModel, fit_purchases
from offers.insight.spend_model import SpendModel, fit_spends
from offers.model.errors import InvalidSample
from offers.model.insight.kpi import Withheld
from offers.model.insight.kpi_columns import PurchaseColumns
from tests.reference import key_figures as twin
from tests.reference.key_figures import Receipt
from tests.unit.offers.kpi_columns import purchases

TRUE = PurchaseModel(r=0.8, alpha=4.0, a=0.9, b=3.0)
NOW = 20_000


def one(repeats: int, last_w: float, known_w: float) -> Buyers:
    return Buyers(
        repeats=np.array([float(repeats)]), last_w=np.array([last_w]), known_w=np.array([known_w])
    )


@pytest.mark.parametrize("seen", [(0, 0.0, 10.0), (1, 3.0, 10.0), (4, 9.5, 10.0)])
def test_the_model_of_purchases_is_the_integral_over_who_the_shopper_may_be(
    seen: tuple[int, float, float],
) -> None:
    """Equations are copied wrongly; an integral over λ and p has nothing to copy."""
    log_likelihood, ahead = twin.repeats_to_come((0.8, 4.0, 0.9, 3.0), seen, 13.0)
    buyer = one(*seen)
    assert TRUE.log_likelihood(buyer)[0] == pytest.approx(log_likelihood, abs=2e-3)
    assert TRUE.expected_repeats(buyer, 13.0)[0] == pytest.approx(ahead, rel=5e-3)


@pytest.mark.parametrize(("days", "mean"), [(1, 0.4), (3, 1.2), (12, 2.5)])
def test_the_model_of_spends_is_the_integral_over_what_a_day_may_be_worth(
    days: int, mean: float
) -> None:
    """The same for Gamma-Gamma."""
    log_density, ahead = twin.spend_to_come((5.0, 4.0, 3.0), days, mean)
    model = SpendModel(p=5.0, q=4.0, gamma=3.0, scale=1.0)
    columns = np.array([float(days)]), np.array([mean])
    assert model.log_likelihood(*columns)[0] == pytest.approx(log_density, abs=1e-5)
    assert model.expected_spend(*columns)[0] == pytest.approx(ahead, rel=1e-5)


def test_who_was_never_seen_again_is_worth_what_a_newcomer_is() -> None:
    """His mean is no number: it must not become one."""
    model = SpendModel(p=5.0, q=4.0, gamma=3.0, scale=100.0)
    nobody = model.expected_spend(np.zeros(1), np.array([np.nan]))
    assert nobody[0] == pytest.approx(100.0 * 5.0 * 3.0 / 3.0)


def drawn(seed: int, count: int, *, weeks: int = 78) -> list[Receipt]:
    """Shoppers as BG/NBD and Gamma-Gamma draw them, each from a first day of his own."""
    rng = np.random.default_rng(seed)
    rows = []
    for shopper in range(count):
        rate, leaves = rng.gamma(TRUE.r, 1 / TRUE.alpha), rng.beta(TRUE.a, TRUE.b)
        spend = rng.gamma(4.0, 1 / 3.0)
        first = at = NOW - 7 * weeks + 7 * float(rng.uniform(0, weeks - 30))
        while at < NOW:
            paid = max(round(1_000 * rng.gamma(5.0, 1 / spend)), 1)
            rows.append(Receipt(shopper, int(at), paid))
            if at > first and rng.uniform() < leaves:
                break
            at += 7 * rng.exponential(1 / rate)
    return rows


@pytest.fixture(scope="module")
def receipts() -> PurchaseColumns:
    return purchases(drawn(7, 1_500))


def test_a_model_is_found_again_in_what_it_made() -> None:
    """Fitted to 4,000 shoppers it expects of them what the true one does."""
    rng = np.random.default_rng(3)
    known = rng.uniform(30, 60, 4_000)
    repeats, last = np.zeros(4_000), np.zeros(4_000)
    for n in range(4_000):
        rate, leaves, at = rng.gamma(TRUE.r, 1 / TRUE.alpha), rng.beta(TRUE.a, TRUE.b), 0.0
        while (at := at + rng.exponential(1 / rate)) < known[n]:
            repeats[n], last[n] = repeats[n] + 1, at
            if rng.uniform() < leaves:
                break
    buyers = Buyers(repeats=repeats, last_w=last, known_w=known)
    found = fit_purchases(buyers)
    expected = TRUE.expected_repeats(buyers, 26.0).sum()
    assert found.expected_repeats(buyers, 26.0).sum() == pytest.approx(expected, rel=0.1)
    assert fit_purchases(buyers) == found


def test_on_weeks_kept_apart_it_beats_the_mean_and_says_by_how_much(
    receipts: PurchaseColumns,
) -> None:
    """The error stands beside the number; a peer that knows nothing stands beside the error."""
    value = lifetime_value(receipts, until_day=NOW)
    assert value is not None
    model, mean, own = value.errors
    assert value.holdout_weeks == HOLDOUT_WEEKS
    assert model.weighted_error < min(mean.weighted_error, own.weighted_error)
    assert abs(model.bias) < 0.25
    assert lifetime_kpi(value).value is not None


def test_the_same_receipts_give_the_same_value(receipts: PurchaseColumns) -> None:
    """Whatever order the database gives them in: a report may be asked twice."""
    order = np.random.default_rng(1).permutation(len(receipts.shopper))
    first = lifetime_value(receipts, until_day=NOW)
    again = lifetime_value(receipts.rows(order), until_day=NOW)
    assert first is not None
    assert again is not None
    assert first.mean_minor == again.mean_minor


def test_with_a_short_history_there_is_no_value() -> None:
    """A dozen shoppers, or a month, teach seven numbers nothing."""
    assert lifetime_kpi(lifetime_value(purchases([]), until_day=NOW)).withheld is (
        Withheld.SHORT_HISTORY
    )
    few = purchases(drawn(8, 50))
    assert lifetime_value(few, until_day=NOW) is None


def test_columns_that_cannot_be_are_refused() -> None:
    """Bought after now, or for nothing."""
    with pytest.raises(InvalidSample, match="last after now"):
        one(1, 11.0, 10.0)
    with pytest.raises(InvalidSample, match="no day or no spend"):
        fit_spends(np.array([1.0]), np.array([0.0]))
