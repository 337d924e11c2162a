"""Join terms by and, or and not: whom a campaign means, and in which situation.

Layer: nouns. Takes: terms. Gives: `Condition` to campaigns, decisions and the audience's SQL. A
tree is data and never code, and it is bounded: in depth, since it is walked by recursion, and in
nodes, since every visit of every shopper evaluates it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from offers.model.conditions.condition_terms import Term
from offers.model.errors import InvalidCondition

DEPTH_MAX: Final = 8
NODES_MAX: Final = 100
ROOT: Final = "conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """Every part holds."""

    parts: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_tree(self, self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """At least one part holds."""

    parts: tuple["Condition", ...]

    def __post_init__(self) -> None:
        _check_tree(self, self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The part does not hold."""

    part: "Condition"

    def __post_init__(self) -> None:
        _check_tree(self, (self.part,))


Condition = And | Or | Not | Term


def parts_of(condition: Condition, path: str = ROOT) -> tuple[tuple[str, Condition], ...]:
    """Return what a node joins, each with its place in the document."""
    match condition:
        case And():
            return tuple((f"{path}.and[{n}]", part) for n, part in enumerate(condition.parts))
        case Or():
            return tuple((f"{path}.or[{n}]", part) for n, part in enumerate(condition.parts))
        case Not():
            return ((f"{path}.not", condition.part),)
        case _:  # a term; mypy names each use of terms that has to learn a new one
            return ()


def walk(condition: Condition, path: str = ROOT) -> Iterator[tuple[str, Condition]]:
    """Yield every node with its place in the document, parents first."""
    yield path, condition
    for place, part in parts_of(condition, path):
        yield from walk(part, place)


def depth_of(condition: Condition) -> int:
    """Return how many nodes the longest way down passes."""
    return 1 + max((depth_of(part) for _, part in parts_of(condition)), default=0)


def _check_tree(condition: Condition, parts: tuple[Condition, ...]) -> None:
    if not parts:
        raise InvalidCondition("the list is empty; expected at least one condition in it.")
    # The parts have been checked before, so neither walk can be long.
    if depth_of(condition) > DEPTH_MAX:
        raise InvalidCondition(f"the nesting is deeper than {DEPTH_MAX}; expected less of it.")
    nodes = sum(1 for _ in walk(condition))
    if nodes > NODES_MAX:
        raise InvalidCondition(
            f"the condition has {nodes} nodes; expected at most {NODES_MAX}. Use 'in' with several "
            "values instead of several conditions."
        )
