"""Compile a condition to closures that say whether it holds, and if not, which term fails.

Layer: rules. Takes: a `Condition`. Gives: a `CompiledCondition` to decide and its handlers. There
is no eval and no expression language: a term becomes one small function when a campaign is loaded,
and a decision only calls it.

An answer has three values (Kleene): a term about a basket is neither true nor false where there is
no basket. None stands for it, and a campaign is offered only where the whole is True.
"""

from collections.abc import Callable
from dataclasses import dataclass

from offers.decision.condition_terms import truth_of
from offers.model.conditions.condition import ROOT, And, Condition, Not, Or, walk
from offers.model.conditions.condition_terms import PastCount, PastSum
from offers.model.conditions.fact import TAKEN_BACK_BY, FactKind
from offers.model.conditions.shopper_facts import NOWHERE, FactNeeds, ShopperFacts, Surroundings

Truth = bool | None
Test = Callable[[ShopperFacts, Surroundings], Truth]
Unmet = Callable[[ShopperFacts, Surroundings], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledCondition:
    """A condition, ready to be asked."""

    condition: Condition
    truth: Test
    """True, False, or None where the surroundings do not say"""
    unmet: Unmet
    """None where it holds; else the place of the first term that stands against it"""
    needs: FactNeeds
    """what has to be read of a shopper's past before asking"""

    def could_reach(self, facts: ShopperFacts) -> bool:
        """Say whether some surroundings might fulfil it: what an audience counts."""
        return self.truth(facts, NOWHERE) is not False


def compile_condition(condition: Condition, path: str = ROOT) -> CompiledCondition:
    """Compile once, ask often.

    Parameters
    ----------
    condition
        What is to hold.
    path
        Where it stands in its document, as answers name it.
    """
    return CompiledCondition(
        condition=condition,
        truth=_truth(condition),
        unmet=_unmet(condition, path),
        needs=needs_of(condition),
    )


def needs_of(*conditions: Condition) -> FactNeeds:
    """Return what has to be read of the past to ask all these conditions."""
    days: dict[FactKind, int] = {}
    for condition in conditions:
        for _, node in walk(condition):
            if isinstance(node, PastCount | PastSum):
                kinds = {node.events.kind}
                if isinstance(node, PastSum):
                    kinds |= {TAKEN_BACK_BY.get(node.events.kind, node.events.kind)}
                for kind in kinds:
                    days[kind] = max(days.get(kind, 0), node.events.within_days)
    return FactNeeds(days=days)


def _truth(condition: Condition) -> Test:
    match condition:
        case And():
            return _all(tuple(_truth(part) for part in condition.parts))
        case Or():
            return _any(tuple(_truth(part) for part in condition.parts))
        case Not():
            return _negation(_truth(condition.part))
        case _:
            return truth_of(condition)


def _all(tests: tuple[Test, ...]) -> Test:
    def test(facts: ShopperFacts, now: Surroundings) -> Truth:
        answer: Truth = True
        for part in tests:
            found = part(facts, now)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return test


def _any(tests: tuple[Test, ...]) -> Test:
    def test(facts: ShopperFacts, now: Surroundings) -> Truth:
        answer: Truth = False
        for part in tests:
            found = part(facts, now)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return test


def _negation(part: Test) -> Test:
    def test(facts: ShopperFacts, now: Surroundings) -> Truth:
        found = part(facts, now)
        return None if found is None else not found

    return test


def _unmet(condition: Condition, path: str) -> Unmet:
    """Return a closure that goes into `and`: of `or` and `not` the whole stands against it."""
    if isinstance(condition, And):
        return _first_unmet(
            tuple(_unmet(part, f"{path}.and[{n}]") for n, part in enumerate(condition.parts))
        )
    test = _truth(condition)

    def unmet(facts: ShopperFacts, now: Surroundings) -> str | None:
        return None if test(facts, now) is True else path

    return unmet


def _first_unmet(parts: tuple[Unmet, ...]) -> Unmet:
    def unmet(facts: ShopperFacts, now: Surroundings) -> str | None:
        for part in parts:
            place = part(facts, now)
            if place is not None:
                return place
        return None

    return unmet
