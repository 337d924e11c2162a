"""The best stack by trying them all: every subset, in every order, and the rules word for word.

Layer: tests. Takes: items and a basket. Gives: the twin of `offers.checkout.stack`, slow and plain.
It shares the nouns with it and nothing else: percentages are Fractions, splitting is its own.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import floor

from offers.model.campaigns.benefit import FreeItem, Gift, MoneyOff, PercentOff
from offers.model.campaigns.stacking import StackingClass
from offers.model.till.basket import Basket
from offers.model.till.stack import StackItem

Saved = dict[str, list[int]]  # coupon → what it takes off each line


def best_stack_slowly(items: Sequence[StackItem], basket: Basket) -> Saved:
    """Return what each coupon of the best legal stack takes off each line."""
    best: tuple[tuple[object, ...], Saved] = ((0, 0, 0, [], []), {})
    for count in range(1, len(items) + 1):
        for chosen in combinations(items, count):
            # Any order of the same coupons must come to the same: the order of effect is a rule.
            saved = {repr(_saved_by(order, basket)) for order in permutations(chosen)}
            assert len(saved) == 1, saved
            found = _saved_by(chosen, basket)
            if found is not None:
                best = min(best, (_rank(chosen, found), found), key=lambda pair: pair[0])
    return best[1]


def _rank(chosen: Sequence[StackItem], saved: Saved) -> tuple[object, ...]:
    return (
        -sum(map(sum, saved.values())),
        -sum(isinstance(item.benefit, Gift) for item in chosen),
        len(chosen),
        sorted(item.expires_at_ms for item in chosen),
        sorted(item.coupon for item in chosen),
    )


def _saved_by(chosen: Sequence[StackItem], basket: Basket) -> Saved | None:
    """Return what this stack saves; None where it is not legal."""
    if len(chosen) > 1 and any(item.stacking is StackingClass.EXCLUSIVE for item in chosen):
        return None
    if not all(_is_for(item, basket) for item in chosen):
        return None
    left = [line.quantity * line.unit_price_minor for line in basket.lines]
    owner: dict[int, str] = {}
    saved: Saved = {}
    for item in sorted(chosen, key=lambda item: _place(item, basket)):
        wanted = _lines_of_effect(item, basket)
        lines = wanted
        if item.stacking is StackingClass.ONE_A_LINE:
            lines = [line for line in wanted if owner.setdefault(line, item.coupon) == item.coupon]
        off = _off(item, [left[line] for line in lines], lines, basket)
        if not _does_something(item, wanted, lines, off):
            return None
        saved[item.coupon] = [0] * len(left)
        for line, share in zip(lines, off, strict=True):
            left[line] -= share
            saved[item.coupon][line] = share
    assert min(left) >= 0
    return dict(sorted(saved.items()))


def _lines_of_effect(item: StackItem, basket: Basket) -> list[int]:
    if isinstance(item.benefit, FreeItem):
        return sorted(set(_free_pieces(item, basket)))
    return _lines(item, basket)


def _does_something(item: StackItem, wanted: list[int], lines: list[int], off: list[int]) -> bool:
    if isinstance(item.benefit, Gift):
        return bool(lines) or not wanted
    if isinstance(item.benefit, FreeItem) and len(lines) < len(wanted):
        return False
    return sum(off) > 0


def _lines(item: StackItem, basket: Basket) -> list[int]:
    scope = item.benefit.applies_to
    is_all = not scope.skus and not scope.categories
    return [
        place
        for place, line in enumerate(basket.lines)
        if is_all or line.sku in scope.skus or line.category in scope.categories
    ]


def _costs(item: StackItem, basket: Basket) -> int:
    lines = [basket.lines[place] for place in _lines(item, basket)]
    return sum(line.quantity * line.unit_price_minor for line in lines)


def _place(item: StackItem, basket: Basket) -> tuple[object, ...]:
    tail = (item.stacking.value != "one_a_line", -item.priority, item.expires_at_ms, item.coupon)
    if isinstance(item.benefit, PercentOff):
        return (0, -item.benefit.percent, *tail)
    if isinstance(item.benefit, FreeItem):
        pieces = _free_pieces(item, basket)
        return (1, -sum(basket.lines[line].unit_price_minor for line in pieces), *tail)
    if isinstance(item.benefit, Gift):
        return (3, 0, *tail)
    return (2, _costs(item, basket), *tail)


def _free_pieces(item: StackItem, basket: Basket) -> list[int]:
    """Return the line of each free piece, the cheapest first; pieces at no price are left out."""
    pieces = [line for line in _lines(item, basket) for _ in range(basket.lines[line].quantity)]
    cheapest = sorted(pieces, key=lambda line: basket.lines[line].unit_price_minor)
    free = cheapest[: item.benefit.quantity]
    return [line for line in free if basket.lines[line].unit_price_minor]


def _is_for(item: StackItem, basket: Basket) -> bool:
    benefit = item.benefit
    amounts = [benefit.basket_min]
    amounts += [getattr(benefit, name, None) for name in ("amount", "discount_max")]
    if any(money is not None and money.currency != basket.currency for money in amounts):
        return False
    least = benefit.basket_min
    if isinstance(benefit, FreeItem):
        bought = sum(basket.lines[line].quantity for line in _lines(item, basket))
        if bought < benefit.quantity + benefit.with_bought or not _free_pieces(item, basket):
            return False
    if isinstance(benefit, Gift):
        is_there = bool(_lines(item, basket))
        return is_there and _costs(item, basket) >= (0 if least is None else least.amount_minor)
    return _costs(item, basket) >= (1 if least is None else max(1, least.amount_minor))


def _off(item: StackItem, left: list[int], lines: list[int], basket: Basket) -> list[int]:
    whole = sum(left)
    benefit = item.benefit
    if isinstance(benefit, Gift):
        return [0] * len(left)
    if isinstance(benefit, FreeItem):
        pieces = _free_pieces(item, basket)
        return [
            floor(Fraction(price * pieces.count(line), basket.lines[line].quantity))
            for line, price in zip(lines, left, strict=True)
        ]
    if isinstance(benefit, MoneyOff):
        total = min(benefit.amount.amount_minor, whole)
    else:
        total = floor(Fraction(whole * benefit.percent, 100) + Fraction(1, 2))
        if benefit.discount_max is not None:
            total = min(total, benefit.discount_max.amount_minor)
    exact = [Fraction(total * price, whole) if whole else Fraction(0) for price in left]
    shares = [floor(share) for share in exact]
    for _ in range(total - sum(shares)):
        waiting = [share - given for share, given in zip(exact, shares, strict=True)]
        shares[waiting.index(max(waiting))] += 1
    return shares
