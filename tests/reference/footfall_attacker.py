"""A game against the release of footfall: an attacker who knows k - 1 shoppers and asks everything.

He knows how the release works but not its key. He sees every answer about every cell, hour, day and
cohort, in the world as it is and in the worlds in which one more and one more of his shoppers is
left out. For each count he keeps the values that agree with all answers, draw by draw, and tightens
them by what adds up: hours and cohorts to a day, seconds to seconds. He has recovered a count below
k when one value is left, and also when it is shown to him.
"""

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rtls.footfall.heatmap import ToldCells, told_cells, told_cohort_cells
from rtls.footfall.release import ReleaseRules
from rtls.model.footfall import WHOLE_DAY, Block, CellTimes
from rtls.model.units import Metre

HOURS = (10, 11, 12)
CELLS = (0, 1)
COHORTS = ("new", "old")
SECONDS = 60
Place = tuple[int, int]
"""hour (or WHOLE_DAY) and cell"""


@dataclass(frozen=True)
class Presence:
    person: int
    hour: int
    cell: int
    seconds: int


@dataclass(frozen=True)
class World:
    """Who was where; persons below `known` are the attacker's own."""

    presences: tuple[Presence, ...]
    cohort: Mapping[int, str]
    known: int


@dataclass(frozen=True)
class Answer:
    is_told: bool
    count: int
    seconds: float


NOTHING = Answer(is_told=False, count=0, seconds=0.0)


@dataclass(frozen=True)
class Method:
    """What the attacker knows of the release: all but the key."""

    k: int
    step: int = 5
    draws: int = 5
    has_lots: bool = True
    tells_cohorts: bool = False
    told_from: int | None = None
    """visitors from which on a count is told; None: k"""

    @property
    def least(self) -> int:
        return self.k if self.told_from is None else self.told_from


Key = tuple[str | None, int, int]
"""cohort (None: everybody), hour and cell"""
Draw = tuple[int, int]
"""persons that are not the attacker's, and threshold above k"""


def random_world(rng: random.Random, known: int) -> World:
    persons = known + rng.randint(1, 3 * known)
    presences = []
    for person in range(persons):
        for hour, cell in rng.sample(list(itertools.product(HOURS, CELLS)), rng.randint(1, 3)):
            presences.append(Presence(person, hour, cell, rng.choice((1, 2, 5, 20, 90))))
    cohort = {person: rng.choice(COHORTS) for person in range(persons)}
    return World(tuple(presences), cohort, known)


def cell_table(presences: Iterable[Presence], block: Block) -> CellTimes:
    who: dict[Place, set[int]] = defaultdict(set)
    seconds: dict[Place, float] = defaultdict(float)
    for one in presences:
        place = (one.hour if block is Block.HOUR else WHOLE_DAY, one.cell)
        who[place].add(one.person)
        seconds[place] += one.seconds
    places = sorted(who)
    n = len(places)
    return CellTimes(
        cell_m=Metre(1.0),
        block=block,
        day=np.full(n, 20_000, np.int32),
        hour=np.array([hour for hour, _ in places], np.int8),
        floor=np.zeros(n, np.int16),
        column=np.array([cell for _, cell in places], np.int32),
        row=np.zeros(n, np.int32),
        visitors=np.array([len(who[place]) for place in places], np.int64),
        person_s=np.array([seconds[place] for place in places], np.float64),
    )


Answers = dict[Key, Answer]
"""what is absent is withheld"""


def all_answers(
    world: World, left_out: int, rules: ReleaseRules, *, tells_cohorts: bool
) -> Answers:
    """Ask everything in the world without the first of the attacker's shoppers."""
    present = [one for one in world.presences if one.person >= left_out]
    answers = _read(None, told_cells(cell_table(present, Block.HOUR), rules))
    if not tells_cohorts:
        return answers | _read(None, told_cells(cell_table(present, Block.DAY), rules))
    tables = {
        name: cell_table([one for one in present if world.cohort[one.person] == name], Block.DAY)
        for name in COHORTS
    }
    for name in COHORTS:
        answers |= _read(name, told_cohort_cells(tables, name, rules))
    return answers


def _read(cohort: str | None, told: ToldCells) -> Answers:
    rows = zip(
        told.times.hour.tolist(),
        told.times.column.tolist(),
        told.is_told.tolist(),
        told.visitors.tolist(),
        told.person_s.tolist(),
        strict=True,
    )
    return {
        (cohort, hour, cell): Answer(is_told, count, seconds)
        for hour, cell, is_told, count, seconds in rows
    }


def _belongs(one: Presence, key: Key, cohort: Mapping[int, str]) -> bool:
    name, hour, cell = key
    is_then = hour in {WHOLE_DAY, one.hour}
    return one.cell == cell and is_then and name in {None, cohort[one.person]}


def _shown(enough: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Return a bit a world: is each block told, if the first in order that is enough is hidden."""
    shown = list(enough)
    before = 0
    for place in order:
        shown[place] &= before
        before |= enough[place]
    return tuple(shown)


class Attacker:
    """Keeps what is possible of every count, and tightens it."""

    def __init__(self, world: World, answers: Sequence[Answers], method: Method) -> None:
        self._method = method
        self._worlds = range(len(answers))
        self._most = 4 * world.known + 4
        days = COHORTS if method.tells_cohorts else (None,)
        keys = [(None, hour, cell) for hour in HOURS for cell in CELLS]
        keys += [(name, WHOLE_DAY, cell) for name in days for cell in CELLS]
        self._answers = {key: [one.get(key, NOTHING) for one in answers] for key in keys}
        own = [one for one in world.presences if one.person < world.known]
        self._own = {key: [one for one in own if _belongs(one, key, world.cohort)] for key in keys}
        self.owned = {
            key: [
                len({one.person for one in self._own[key] if one.person >= left_out})
                for left_out in self._worlds
            ]
            for key in keys
        }
        self.possible = {key: self._alone(key) for key in keys}
        for cell in CELLS:
            self._draw_lots([(None, hour, cell) for hour in HOURS])
            self._add_up([(name, WHOLE_DAY, cell) for name in days], cell)

    def _alone(self, key: Key) -> set[Draw]:
        """Return the draws that agree with every answer about one count."""
        may_hide = self._method.has_lots and key[1] != WHOLE_DAY
        return {
            draw
            for draw in itertools.product(range(self._most), range(self._method.draws))
            if all(
                self._agrees(draw, own, answer, may_hide=may_hide)
                for own, answer in zip(self.owned[key], self._answers[key], strict=True)
            )
        }

    def _agrees(self, draw: Draw, own: int, answer: Answer, *, may_hide: bool) -> bool:
        others, above = draw
        count, step = others + own, self._method.step
        is_enough = count > 0 and count >= self._method.least + above
        if answer.is_told:
            return is_enough and answer.count == step * ((count + step - 1 - above) // step)
        return not is_enough or may_hide

    def _enough(self, key: Key, draw: Draw) -> int:
        """Return a bit a world: are there enough to be told."""
        others, above = draw
        return sum(
            (others + own > 0 and others + own >= self._method.least + above) << world
            for world, own in enumerate(self.owned[key])
        )

    def _draw_lots(self, keys: Sequence[Key]) -> None:
        """Keep of the hours what agrees with one of them being always hidden."""
        told = tuple(
            sum(answer.is_told << world for world, answer in enumerate(self._answers[key]))
            for key in keys
        )
        masks = [{self._enough(key, draw) for draw in self.possible[key]} for key in keys]
        agreeing = [
            enough
            for enough in itertools.product(*masks)
            if any(
                _shown(enough, order) == told for order in itertools.permutations(range(len(keys)))
            )
            or not self._method.has_lots
        ]
        for place, key in enumerate(keys):
            kept = {enough[place] for enough in agreeing}
            self.possible[key] = {d for d in self.possible[key] if self._enough(key, d) in kept}

    def _bounds(self, key: Key) -> tuple[int, int]:
        others = [others for others, _ in self.possible[key]]
        return min(others, default=0), max(others, default=0)

    def _add_up(self, days: Sequence[Key], cell: int) -> None:
        """Bound hours by days and days by hours: persons by union, seconds by their sum.

        The days of all cohorts together hold each person of a day once.
        """
        hours = [(None, hour, cell) for hour in HOURS]
        most_day_s = sum(self._others_s(key)[1] for key in days)
        for key in hours:
            beside = [one for one in hours if one != key]
            low = sum(self._bounds(day)[0] for day in days)
            low -= sum(self._bounds(one)[1] for one in beside)
            most = sum(self._bounds(day)[1] for day in days)
            most_s = most_day_s - sum(max(self._others_s(one)[0], 0.0) for one in beside)
            if math.isfinite(most_s):
                most = min(most, math.floor(most_s))
            self.possible[key] = {d for d in self.possible[key] if low <= d[0] <= most}
        for key in days:
            beside = [one for one in days if one != key]
            low = max(self._bounds(hour)[0] for hour in hours)
            low -= sum(self._bounds(one)[1] for one in beside)
            most = sum(self._bounds(hour)[1] for hour in hours)
            most -= sum(self._bounds(one)[0] for one in beside)
            self.possible[key] = {d for d in self.possible[key] if low <= d[0] <= most}

    def _others_s(self, key: Key) -> tuple[float, float]:
        """Return between which bounds the seconds lie of those that are not the attacker's."""
        told = [
            answer.seconds - sum(one.seconds for one in self._own[key] if one.person >= world)
            for world, answer in enumerate(self._answers[key])
            if answer.is_told
        ]
        if not told:
            return 0.0, math.inf
        # For an offset q of the rounding, each answer says: seconds + q in [shown, shown + step).
        least, most = max(told), min(told) + SECONDS
        return least - SECONDS + 1 / 16, most


def recovered(world: World, rules: ReleaseRules, method: Method) -> list[str]:
    """Return each count below k that the attacker has recovered, for people to read."""
    answers = [
        all_answers(world, left_out, rules, tells_cohorts=method.tells_cohorts)
        for left_out in range(world.known + 1)
    ]
    attacker = Attacker(world, answers, method)
    found = []
    for key, possible in attacker.possible.items():
        persons = {one.person for one in world.presences if _belongs(one, key, world.cohort)}
        others = sum(person >= world.known for person in persons)
        left = {count for count, _ in possible}
        assert others in left, (key, others, left)
        is_shown = answers[0].get(key, NOTHING).is_told
        if 0 < len(persons) < method.k and (len(left) == 1 or is_shown):
            found.append(f"{key}: {len(persons)}")
    return found
