"""Name one thing that is wrong with a site map, where it is, and what to do about it.

Layer: nouns. Takes: what the checks of a map find. Gives: `MapProblem` to whoever refuses a map as
a whole, and to the floor plan, which shows each problem at its place.
"""

import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

FIELD: Final = re.compile(
    r"\A(?:inaisle\.)?([a-z]+_[a-z0-9_]+|[a-z][a-z0-9]*(?=(?: \S+)? (?:is|has|are) ))"
)
REMEDY_USUAL: Final = "Correct it on the plan."


@dataclass(frozen=True, slots=True, kw_only=True)
class MapProblem:
    """One problem.

    Parameters
    ----------
    what
        The thing in words: ``zone dowels``, ``floor 0``; empty where it is the map as a whole.
    message, remedy
        What is wrong, and what helps.
    feature
        Id of the feature, if it has one.
    floor, at
        Where to look, in the frame of the floor; None where it is nowhere.
    field
        The property that is wrong.
    """

    message: str
    remedy: str
    what: str = ""
    feature: str | None = None
    floor: int | None = None
    at: tuple[float, float] | None = None
    field: str | None = None

    @override
    def __str__(self) -> str:
        before = f"{self.what}: " if self.what else ""
        return f"{before}{self.message} {self.remedy}".strip()


def problem_in_words(text: str, *, what: str = "") -> MapProblem:
    """Take an error's sentences apart: the first says what is wrong, the others what to do.

    Examples
    --------
    >>> found = problem_in_words("radio is 'lora'; expected of ['uwb', 'ble'].")
    >>> found.field, found.message, found.remedy
    ('radio', "radio is 'lora'.", "Expected of ['uwb', 'ble'].")
    >>> problem_in_words("zone a is defined twice; rename or remove one.").remedy
    'Rename or remove one.'
    """
    message, _, remedy = text.partition(". ")
    if not remedy:
        message, _, remedy = message.partition("; ")
        remedy = remedy[:1].upper() + remedy[1:]
    field = FIELD.match(text)
    return MapProblem(
        message=message.rstrip(".") + ".",
        remedy=remedy or REMEDY_USUAL,
        what=what,
        field=None if field is None else field[1],
    )
