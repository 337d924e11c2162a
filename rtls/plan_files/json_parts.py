"""Take JSON of foreign make apart, with an error that says where it is not as expected.

Layer: rules. Takes: bytes, or a part of a document. Gives: objects, lists and numbers to the
readers of GeoJSON and IMDF.
"""

import json
import math
from collections.abc import Mapping, Sequence

from rtls.model.errors import InvalidPlanFile
from rtls.plan_files.limits import check_marks

Json = Mapping[str, object]


def parse_json(content: bytes, *, source: str) -> Json:
    """Return the object of a JSON file, after looking how many things it has.

    Raises
    ------
    InvalidPlanFile
        If it has too many lists or objects, or is no JSON object.
    """
    check_marks(content, b"[", source=source, what="lists in the file")
    check_marks(content, b"{", source=source, what="objects in the file")
    try:
        return object_of(json.loads(content), "the file")
    except (ValueError, RecursionError) as error:
        raise InvalidPlanFile(
            f"{source}: not a JSON object ({error}). Export it anew, as UTF-8."
        ) from error


def object_of(given: object, what: str) -> Json:
    """Return an object.

    Raises
    ------
    InvalidPlanFile
        If it is something else.
    """
    if not isinstance(given, dict):
        raise InvalidPlanFile(f"{what} is {_named(given)}; expected an object. Correct the file.")
    return given


def list_of(given: object, what: str) -> Sequence[object]:
    """Return a list.

    Raises
    ------
    InvalidPlanFile
        If it is something else.
    """
    if not isinstance(given, list):
        raise InvalidPlanFile(f"{what} is {_named(given)}; expected a list. Correct the file.")
    return given


def number_of(given: object, what: str) -> float:
    """Return a finite number.

    Raises
    ------
    InvalidPlanFile
        If it is something else.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise InvalidPlanFile(f"{what} is {_named(given)}; expected a number. Correct the file.")
    try:
        number = float(given)
    except OverflowError:  # an integer of four hundred digits
        number = math.inf
    if not math.isfinite(number):
        raise InvalidPlanFile(f"{what} is {number}; expected a finite number. Correct the file.")
    return number


def whole_of(given: object, what: str) -> int:
    """Return a whole number.

    Raises
    ------
    InvalidPlanFile
        If it is something else.
    """
    number = number_of(given, what)
    if not number.is_integer():
        raise InvalidPlanFile(f"{what} is {number}; expected a whole number. Correct the file.")
    return int(number)


def _named(given: object) -> str:
    return "missing" if given is None else type(given).__name__
