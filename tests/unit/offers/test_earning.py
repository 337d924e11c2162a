"""points_of_purchase: what a purchase earns, and what its returns take back."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.loyalty.earning import points_of_items, points_of_purchase
from offers.model.campaigns.basket_scope import EVERY_LINE, Scope
from offers.model.errors import InvalidProgramme
from offers.model.loyalty.earning_rule import (
    EarningRule,
    EarningTerms,
    ForActivity,
    HowOften,
    Multiplier,
    PerAmount,
    PerItem,
    ThresholdBonus,
)
from offers.model.loyalty.ledger import POINTS, LedgerUnit, PostingReason
from offers.model.till.basket import Basket, BasketLine
from rtls.model.units import UnixMs

NOW_MS = UnixMs(1_700_000_000_000)
EUR = LedgerUnit("EUR")
DOWELS = Scope(categories=frozenset({"dowels"}))
EACH_EURO = PerAmount(amount_minor=1, per_minor=100, currency="EUR")


def line(price: int, *, category: str = "dowels", quantity: int = 1) -> BasketLine:
    return BasketLine(sku="1", category=category, quantity=quantity, unit_price_minor=price)


def rules(*earns, unit: LedgerUnit = POINTS) -> list[EarningRule]:
    return [EarningRule(rule=f"rule-{n}", unit=unit, earns=e) for n, e in enumerate(earns)]


def lines_of(found: list[EarningRule], *lines: BasketLine, off: list[int] | None = None):
    basket = Basket(currency="EUR", lines=lines)
    earned = points_of_purchase(found, basket, off or [0] * len(lines), now_ms=NOW_MS)
    return {earning.unit: earning.lines_minor for earning in earned}


def test_a_larger_basket_earns_more() -> None:
    """C6."""
    assert lines_of(rules(EACH_EURO), line(1_000)) == {POINTS: (10,)}
    assert lines_of(rules(EACH_EURO), line(2_500)) == {POINTS: (25,)}


def test_cents_of_many_lines_are_not_lost() -> None:
    """Ten lines of 99 cents are 9.90: rounded line by line they would earn nothing."""
    assert sum(lines_of(rules(EACH_EURO), *[line(99)] * 10)[POINTS]) == 9


def test_what_was_given_as_a_discount_does_not_earn() -> None:
    """Points are for what the shopper pays."""
    assert lines_of(rules(EACH_EURO), line(1_000), line(1_000), off=[300, 1_000]) == {
        POINTS: (7, 0)
    }


def test_a_category_is_worth_more_for_a_time() -> None:
    """Double points on dowels this week; the paint beside them earns as ever."""
    week = EarningRule(
        rule="dowel-week",
        unit=POINTS,
        earns=Multiplier(percent=200, applies_to=DOWELS),
        from_ms=NOW_MS,
        until_ms=UnixMs(NOW_MS + 1),
    )
    both = [line(1_000), line(1_000, category="paint")]
    assert lines_of([*rules(EACH_EURO), week], *both) == {POINTS: (20, 10)}
    basket = Basket(currency="EUR", lines=tuple(both))
    after = points_of_purchase([*rules(EACH_EURO), week], basket, [0, 0], now_ms=UnixMs(NOW_MS + 1))
    assert after[0].lines_minor == (10, 10)


def test_two_multipliers_do_not_multiply_each_other() -> None:
    """Two campaigns that meet by accident must not make six times of twice and thrice."""
    found = rules(EACH_EURO, Multiplier(percent=200), Multiplier(percent=300, applies_to=DOWELS))
    assert lines_of(found, line(1_000), line(1_000, category="paint")) == {POINTS: (30, 20)}


def test_a_bonus_is_earned_at_the_threshold_and_shared_by_the_lines() -> None:
    """50 points above 100 euro; who returns a line of three quarters takes back three quarters."""
    found = rules(ThresholdBonus(amount_minor=50, threshold_minor=10_000, currency="EUR"))
    assert lines_of(found, line(7_500), line(2_499)) == {}
    assert lines_of(found, line(7_500), line(2_500)) == {POINTS: (38, 12)}


def test_an_item_earns_by_the_piece_and_a_cashback_by_the_cent() -> None:
    """C9: 2.5 % of what was paid, beside five points for each pack."""
    found = [
        *rules(PerItem(amount_minor=5, applies_to=DOWELS)),
        EarningRule(
            rule="cashback",
            unit=EUR,
            earns=PerAmount(amount_minor=25, per_minor=1_000, currency="EUR"),
        ),
    ]
    assert lines_of(found, line(799, quantity=3)) == {POINTS: (15,), EUR: (59,)}


def test_a_rule_of_another_currency_earns_nothing() -> None:
    """A point for each euro is not a point for each forint."""
    forint = PerAmount(amount_minor=1, per_minor=100, currency="HUF")
    assert lines_of(rules(forint), line(10_000)) == {}


PRICES = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(1, 5), st.sampled_from(["dowels", "paint"])),
    min_size=1,
    max_size=12,
)
EARNS = st.lists(
    st.one_of(
        st.builds(
            PerAmount,
            amount_minor=st.integers(1, 20),
            per_minor=st.sampled_from([1, 7, 100, 1_000]),
            currency=st.just("EUR"),
            applies_to=st.sampled_from([EVERY_LINE, DOWELS]),
        ),
        st.builds(PerItem, amount_minor=st.integers(1, 9), applies_to=st.just(DOWELS)),
        st.builds(
            ThresholdBonus,
            amount_minor=st.integers(1, 99),
            threshold_minor=st.integers(1, 9_000),
            currency=st.just("EUR"),
            applies_to=st.sampled_from([EVERY_LINE, DOWELS]),
        ),
        st.builds(
            Multiplier,
            percent=st.integers(101, 400),
            applies_to=st.sampled_from([EVERY_LINE, DOWELS]),
        ),
    ),
    min_size=1,
    max_size=6,
)


def slow_total(earns, lines) -> int:
    """The exact fraction of everything, rounded down once; each bonus is a whole number."""
    total, bonus = Fraction(0), 0
    for each in lines:
        factor = max(
            (
                Fraction(e.percent, 100)
                for e in earns
                if isinstance(e, Multiplier) and covers(e, each)
            ),
            default=Fraction(1),
        )
        for e in earns:
            if isinstance(e, PerAmount) and covers(e, each):
                total += factor * Fraction(e.amount_minor * each.total_minor, e.per_minor)
            if isinstance(e, PerItem) and covers(e, each):
                total += factor * e.amount_minor * each.quantity
    for e in earns:
        if isinstance(e, ThresholdBonus):
            eligible = sum(each.total_minor for each in lines if covers(e, each))
            bonus += e.amount_minor if eligible >= e.threshold_minor else 0
    return int(total) + bonus


def covers(earns, each: BasketLine) -> bool:
    return earns.applies_to.covers(sku=each.sku, category=each.category)


@given(EARNS, PRICES)
def test_the_whole_is_the_exact_sum_rounded_down_once(earns, prices) -> None:
    """Against fractions that are added up the slow way; no line loses or wins more than a point."""
    lines = [line(p, quantity=q, category=c) for p, q, c in prices]
    found = lines_of(rules(*earns), *lines)
    assert sum(found.get(POINTS, ())) == slow_total(earns, lines)


@given(EARNS, PRICES, st.integers(0, 11), st.integers(1, 5_000))
def test_who_pays_more_never_earns_less(earns, prices, place: int, more: int) -> None:
    """A dearer line, or a smaller discount, must not cost points."""
    lines = [line(p, quantity=q, category=c) for p, q, c in prices]
    place %= len(lines)
    off = [0] * len(lines)
    off[place] = min(more, lines[place].total_minor)
    cheaper = lines_of(rules(*earns), *lines, off=off)
    assert sum(cheaper.get(POINTS, ())) <= sum(lines_of(rules(*earns), *lines).get(POINTS, ()))


@given(st.integers(0, 500), st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_pieces_that_come_back_one_by_one_take_back_the_whole(whole: int, portions) -> None:
    """I9: a pack of ten, returned in threes, leaves nothing and takes nothing else."""
    quantity, gone, taken = sum(portions), 0, []
    for portion in portions:
        taken.append(points_of_items(whole, quantity=quantity, gone=gone, now=portion))
        gone += portion
    assert sum(taken) == whole
    assert min(taken) >= 0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PerAmount(amount_minor=0, per_minor=100, currency="EUR"), "amount_minor is 0"),
        (lambda: PerAmount(amount_minor=1, per_minor=0, currency="EUR"), "per_minor is 0"),
        (lambda: PerAmount(amount_minor=1, per_minor=1, currency="euro"), "ISO 4217"),
        (lambda: PerItem(amount_minor=1, applies_to=EVERY_LINE), "hundred screws"),
        (lambda: Multiplier(percent=100), "percent is 100; expected a whole number from 101"),
        (lambda: Multiplier(percent=2.0), "percent is 2.0"),
        (lambda: EarningTerms(unit=POINTS, lasts_days=0), "lasts_days is 0"),
        (
            lambda: ForActivity(
                amount_minor=1, activity=PostingReason.PAYMENT, how_often=HowOften.EACH
            ),
            "activity is",
        ),
        (
            lambda: EarningRule(
                rule="a", unit=POINTS, earns=EACH_EURO, from_ms=UnixMs(5), until_ms=UnixMs(5)
            ),
            "expected a start before its end",
        ),
        (lambda: EarningRule(rule="A b", unit=POINTS, earns=EACH_EURO), "rule is 'A b'"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(build, message: str) -> None:
    """Better at the desk of who writes it than at the till."""
    with pytest.raises(InvalidProgramme, match=message):
        build()
