"""Search the stacks of a dozen coupons by branch and bound; the answer is exact.

Layer: rules. Takes: `Candidate`s in the order of their effect. Gives: the best `Choice` to stack.

A branch is given up when even a bound on what the rest could still save falls short of the best
stack so far. The bound lets every later percentage act on every line of its scope, of one-a-line
benefits the greatest on each line, and every later amount in full. What rounding may add to that:
a coupon's total is rounded by at most half a unit, and moving up to a quarter of its lines' units
between lines matters only if later percentages treat those lines differently (`_slack`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from offers.checkout.discount import shares_of
from offers.model.campaigns.benefit import FreeItem, MoneyOff, PercentOff, PriceBenefit, TillBenefit
from offers.model.campaigns.stacking import StackingClass
from offers.model.ids import CouponId
from offers.model.till.stack import StackItem
from rtls.model.units import UnixMs

# Above what floating point may err by: amounts have at most 13 digits, and doubles nearly 16.
_FLOAT_ERROR: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A coupon that fits the basket."""

    item: StackItem
    benefit: TillBenefit
    lines: tuple[int, ...]
    """places of the lines in scope; of free pieces, those that they lie on"""
    alone_minor: int
    """what it saves without any other; with others it never saves more"""
    rank: tuple[int, int, bool, int, int, str]
    """its place in the order of effect"""
    free: tuple[tuple[int, int], ...] = ()
    """of free pieces, what they cost on each line, and the whole line"""

    @property
    def is_one_a_line(self) -> bool:
        """Say whether it keeps its lines from others of its class."""
        return self.item.stacking is StackingClass.ONE_A_LINE

    @property
    def is_deed(self) -> bool:
        """Say whether it brings something else than money."""
        return not isinstance(self.benefit, PriceBenefit)

    @property
    def rate(self) -> float:
        """Return the share that it takes of each line; 0 where an amount bounds it instead."""
        match self.benefit:
            case PercentOff(discount_max=None):
                return self.benefit.percent / 100
            case _:
                return 0.0

    def effect(self, left_minor: Sequence[int], claimed: frozenset[int]) -> "Taken | None":
        """Return what it does beside those before it, None where that is nothing.

        Parameters
        ----------
        left_minor : (lines,)
            What is still to pay for each line.
        claimed
            Lines that another one-a-line benefit has.
        """
        lines = self.lines
        if self.is_one_a_line and claimed:
            lines = tuple(line for line in lines if line not in claimed)
        match self.benefit:
            case MoneyOff() | PercentOff():
                shares = shares_of(self.benefit, [left_minor[line] for line in lines])
            case FreeItem():
                if len(lines) < len(self.lines):
                    return None
                parts = zip(lines, self.free, strict=True)
                shares = tuple(left_minor[line] * cost // whole for line, (cost, whole) in parts)
            case _:
                if self.lines and not lines:
                    return None
                return Taken(candidate=self, lines=lines, shares_minor=(0,) * len(lines))
        return Taken(candidate=self, lines=lines, shares_minor=shares) if any(shares) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A coupon in a stack, and what it takes off which lines."""

    candidate: Candidate
    lines: tuple[int, ...]
    shares_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Coupons taken together, in the order of their effect."""

    taken: tuple[Taken, ...]
    saved_minor: int

    @property
    def deeds(self) -> int:
        """Return how many of them bring something else than money."""
        return sum(taken.candidate.is_deed for taken in self.taken)

    @property
    def rank(self) -> tuple[int, int, int, list[UnixMs], list[CouponId]]:
        """Return what the best choice has least of: see the module `stack`."""
        items = [taken.candidate.item for taken in self.taken]
        expiries = sorted(item.expires_at_ms for item in items)
        coupons = sorted(item.coupon for item in items)
        return -self.saved_minor, -self.deeds, len(items), expiries, coupons


NOTHING: Final = Choice(taken=(), saved_minor=0)


def best_choice(candidates: Sequence[Candidate], prices_minor: Sequence[int]) -> Choice:
    """Return the best choice.

    Parameters
    ----------
    candidates : (n,)
        Not exclusive, or only one; in the order of their effect.
    prices_minor : (lines,)
        What each line costs before any discount.
    """
    if len(candidates) == 1:  # of most baskets: there is nothing to search
        return _alone(candidates[0], prices_minor)
    search = _Search(candidates, len(prices_minor))
    search.extend(0, NOTHING, list(prices_minor), frozenset())
    return search.best


def _alone(candidate: Candidate, prices_minor: Sequence[int]) -> Choice:
    taken = candidate.effect(prices_minor, frozenset())
    if taken is None:
        return NOTHING
    return Choice(taken=(taken,), saved_minor=sum(taken.shares_minor))


class _Search:
    """Depth first; the first branch takes every coupon that still saves something."""

    def __init__(self, candidates: Sequence[Candidate], line_count: int) -> None:
        self.best = NOTHING
        self._candidates = candidates
        self._gains, self._kept_gains = _gains(candidates, line_count)
        self._rest = _rest(candidates)
        are_deeds = [candidate.is_deed for candidate in candidates]
        self._deeds = [sum(are_deeds[place:]) for place in range(len(candidates))]

    def extend(
        self, start: int, choice: Choice, left_minor: list[int], claimed: frozenset[int]
    ) -> None:
        """Look at all choices that add to ``choice`` candidates from ``start`` on."""
        if choice.saved_minor >= self.best.saved_minor and choice.rank < self.best.rank:
            self.best = choice
        for place in range(start, len(self._candidates)):
            if not self._may_be_best(place, choice, left_minor, claimed):
                return
            candidate = self._candidates[place]
            taken = candidate.effect(left_minor, claimed)
            if taken is None:
                continue
            after_minor = left_minor.copy()
            for line, share in zip(taken.lines, taken.shares_minor, strict=True):
                after_minor[line] -= share
            more = Choice(
                taken=(*choice.taken, taken),
                saved_minor=choice.saved_minor + sum(taken.shares_minor),
            )
            kept = claimed.union(taken.lines) if candidate.is_one_a_line else claimed
            self.extend(place + 1, more, after_minor, kept)

    def _may_be_best(
        self, place: int, choice: Choice, left_minor: list[int], claimed: frozenset[int]
    ) -> bool:
        """Say whether a choice with one more coupon, of ``place`` or behind, can be the best."""
        gains, kept = self._gains[place], self._kept_gains[place]
        gain = sum(map(mul, left_minor, gains)) + self._rest[place]
        gain -= sum(left_minor[line] * (gains[line] - kept[line]) for line in claimed)
        most_minor = choice.saved_minor + int(gain)
        if most_minor != self.best.saved_minor:
            return most_minor > self.best.saved_minor
        deeds_left = self._deeds[place]
        deeds_most = choice.deeds + deeds_left
        if deeds_most != self.best.deeds:
            return deeds_most > self.best.deeds
        # As many deeds as the best has need all that are left, and one more coupon at least.
        return len(choice.taken) + max(1, deeds_left) <= len(self.best.taken)


def _gains(
    candidates: Sequence[Candidate], line_count: int
) -> tuple[list[list[float]], list[list[float]]]:
    """Return the share of each line that the candidates from each place on can take at most.

    First for lines that are free, then for lines that a one-a-line benefit has already.
    """
    single = [0.0] * line_count  # the greatest one-a-line rate
    stays = [1.0] * line_count  # what the combinable rates leave
    gains, kept_gains = [], []
    for candidate in reversed(candidates):
        for line in candidate.lines:
            if candidate.is_one_a_line:
                single[line] = max(single[line], candidate.rate)
            else:
                stays[line] *= 1.0 - candidate.rate
        gains.append([1.0 - s * (1.0 - o) for s, o in zip(stays, single, strict=True)])
        kept_gains.append([1.0 - s for s in stays])
    return gains[::-1], kept_gains[::-1]


def _rest(candidates: Sequence[Candidate]) -> list[float]:
    """Return what amounts and rounding can add, for the candidates from each place on."""
    rest, total = [], _FLOAT_ERROR
    for place in range(len(candidates) - 1, -1, -1):
        candidate = candidates[place]
        if not candidate.rate:
            total += candidate.alone_minor
        else:
            total += _slack(candidate, candidates[place + 1 :])
        rest.append(total)
    return rest[::-1]


def _slack(candidate: Candidate, later: Sequence[Candidate]) -> float:
    """Return by how much rounding this coupon can raise what all from it on save together.

    Largest remainders move at most a quarter of a unit a line from the lines rounded down to those
    rounded up: of n lines with k served, the remainders sum to k, so the served gain k (1 - k/n)
    at most. A later percentage that is on all of these lines or on none feels only the sum.
    """
    own = frozenset(candidate.lines)
    alike = 1.0
    for other in later:
        if candidate.is_one_a_line and other.is_one_a_line:
            continue  # never on the same lines
        shared = own.intersection(other.lines)
        if shared and (other.is_one_a_line or len(shared) < len(own)):
            alike *= 1.0 - other.rate
    return 0.5 + (1.0 - alike) * (len(own) / 4 + 0.5)
