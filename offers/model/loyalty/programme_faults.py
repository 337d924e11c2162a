"""Find every fault of a programme's document with its place, and not the first alone.

Layer: nouns. Takes: a document. Gives: what is wrong and where (JSON pointer, RFC 6901) to the
routes. Parts are told apart by leaving them out: the part without which the document complains of
something else, or of nothing, is where the fault sits. So there is one reader of programmes, and
no second list of what is allowed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidProgramme
from offers.model.loyalty.programme_json import parse_programme

FAULTS_MAX: Final = 20
PARTS_MAX: Final = 500
LISTS: Final = ("units", "earning", "rewards", "poor_answers")
NEEDED: Final = ("version", "site", "time_zone")
"""without them nothing can be read, so they are never left out"""
Json = Mapping[str, object]
Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFault:
    """One thing that is wrong."""

    pointer: str
    """empty: the document as a whole, or what two parts say of each other"""
    message: str


def faults_of_programme(document: Json, *, source: str) -> tuple[ProgrammeFault, ...]:
    """Return what is wrong with a document, at most `FAULTS_MAX`; nothing, if it can be read.

    Examples
    --------
    >>> document = {"version": 1, "site": "demo", "time_zone": "Europe/Berlin", "units": [{}]}
    >>> faults_of_programme(document, source="p")[0].pointer
    '/units/0'
    """
    found: list[ProgrammeFault] = []
    left_out: set[Steps] = set()
    while len(found) < FAULTS_MAX:
        message = _complaint(document, left_out, source)
        if message is None:
            break
        steps = _culprit(document, left_out, message, source)
        found.append(ProgrammeFault(pointer=_pointer(steps), message=message))
        # Whatever names a unit is wrong as well once the unit is left out: that is no fault of it.
        if not steps or steps[0] in {"units", *NEEDED}:
            break
        left_out.add(steps)
    return tuple(found)


def _complaint(document: Json, left_out: AbstractSet[Steps], source: str) -> str | None:
    try:
        parse_programme(json.dumps(_kept(document, (), left_out)), source=source)
    except InvalidProgramme as error:
        return str(error)
    return None


def _culprit(document: Json, left_out: AbstractSet[Steps], message: str, source: str) -> Steps:
    for member in NEEDED:
        if f": {member} is " in message:
            return (member,)
    for parts in _groups(document):
        group = [part for part in parts if part not in left_out]
        if _complaint(document, left_out | set(group), source) != message:  # it is in here
            return _one_of(group, document, left_out, message, source)
    return ()


def _one_of(
    group: list[Steps], document: Json, left_out: AbstractSet[Steps], message: str, source: str
) -> Steps:
    for part in group:  # wrong by itself, as others of its group may be too
        if _complaint(document, left_out | (set(group) - {part}), source) == message:
            return part
    for part in group:  # wrong beside another: a name that is there twice
        if _complaint(document, left_out | {part}, source) != message:
            return part
    return ()


def _groups(document: Json) -> Iterator[Sequence[Steps]]:
    """Return parts that are alike together, the finest first."""
    for member in LISTS:
        yield [(member, place) for place in _places(document.get(member))][:PARTS_MAX]
    settings, ladder = document.get("settings"), document.get("tiers")
    if isinstance(settings, Mapping):
        yield [("settings", str(name)) for name in settings][:PARTS_MAX]
    if isinstance(ladder, Mapping):
        yield [("tiers", "steps", place) for place in _places(ladder.get("steps"))][:PARTS_MAX]
    yield [(member,) for member in document if member not in NEEDED][:PARTS_MAX]


def _places(entries: object) -> range:
    return range(len(entries) if isinstance(entries, list) else 0)


def _kept(value: object, at: Steps, left_out: AbstractSet[Steps]) -> object:
    """Return a copy without the parts that are left out."""
    if isinstance(value, Mapping):
        names = [name for name in value if (*at, name) not in left_out]
        return {name: _kept(value[name], (*at, name), left_out) for name in names}
    if isinstance(value, list):
        places = [place for place in range(len(value)) if (*at, place) not in left_out]
        return [_kept(value[place], (*at, place), left_out) for place in places]
    return value


def _pointer(steps: Steps) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
