"""Choose line by line while rewards come in: task t7 of `inaisle rank`.

Layer: doors. Takes: a folder of tables, lines of JSON. Gives: for each line that asks for a
decision one line with the chosen item and the probability with which it was drawn, at once.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from inaisle.ranking.rank_panel import RankInput, rank_input
from inaisle.ranking.rank_tables import RankTask, read_tables
from offers.decision.ranking.shelf_bandit import ShelfBandit
from offers.model.errors import InvalidPanel

CANDIDATES_MAX: Final = 1_000
SEED: Final = "t7"
TYPES: Final = ("decide", "reward", "end")


def rank_stream(folder: Path, lines: Iterable[str], out: TextIO) -> int:
    """Answer every decision that is asked for; return how many.

    Tables that cannot be ranked by, and lines that cannot be understood, raise `InvalidPanel`.
    """
    given = rank_input(read_tables(folder, RankTask.CHOICES))
    stream = _Stream(given)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        message = _message(line, number)
        if message["type"] == "end":
            break
        answer = stream.take(message, number)
        if answer is not None:
            out.write(json.dumps(answer) + "\n")
            out.flush()
    return stream.decided


class _Stream:
    """One run: the bandit, and the codes of the names in the lines."""

    def __init__(self, given: RankInput) -> None:
        self.bandit = ShelfBandit(given.panel, seed=SEED)
        self.customers = _book(given, "customer_id")
        self.items = _book(given, "item_id")
        self.unknown_item = given.panel.sizes.items - 1
        self.decided = 0

    def take(self, message: Mapping[str, object], number: int) -> dict[str, object] | None:
        """Take a line in; return the answer to a decision that is asked for."""
        name = _of(message, "id", number)
        if message["type"] == "reward":
            self.bandit.reward(_key(name), _reward(message, number))
            return None
        offered = _candidates(message, number)
        who = _key(_of(message, "customer_id", number))
        customer = self.customers.setdefault(who, len(self.customers))
        codes = np.array(
            [self.items.get(_key(item), self.unknown_item) for item in offered], np.int64
        )
        chosen = self.bandit.decide(_key(name), customer=customer, items=codes)
        self.decided += 1
        return {
            "id": name,
            "item_id": offered[chosen.index],
            "propensity": float(chosen.propensities[chosen.index]),
        }


def _book(given: RankInput, column: str) -> dict[str, int]:
    return {_key(value): code for code, value in enumerate(given.books[column].to_pylist())}


def _key(value: object) -> str:
    """Return a name by which 7 and "7" are the same id, as they are in tables of either type."""
    return str(value)


def _message(line: str, number: int) -> Mapping[str, object]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise InvalidPanel(
            f"line {number} is no JSON ({error}); expected an object a line, with 'type' decide, "
            "reward or end."
        ) from error
    if not isinstance(message, dict) or message.get("type") not in TYPES:
        raise InvalidPanel(
            f"line {number} is {line.strip()[:80]!r}; expected an object with 'type' "
            "decide, reward or end."
        )
    told: Mapping[str, object] = message
    return told


def _of(message: Mapping[str, object], field: str, number: int) -> object:
    value = message.get(field)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidPanel(f"line {number} has {field} {value!r}; expected an id.")
    return value


def _reward(message: Mapping[str, object], number: int) -> float:
    reward = message.get("reward")
    if isinstance(reward, bool) or not isinstance(reward, int | float) or not math.isfinite(reward):
        raise InvalidPanel(f"line {number} has reward {reward!r}; expected a finite number.")
    return float(reward)


def _candidates(message: Mapping[str, object], number: int) -> list[object]:
    offered = message.get("candidates")
    if not isinstance(offered, list) or not 1 <= len(offered) <= CANDIDATES_MAX:
        raise InvalidPanel(
            f"line {number} has candidates {offered!r}; expected a list of 1 to {CANDIDATES_MAX} "
            "item ids."
        )
    if len({_key(item) for item in offered}) != len(offered):
        raise InvalidPanel(f"line {number} names a candidate twice; expected each once.")
    return offered
