"""Read the rules of a zone from a map, in our words or in those of an omlox hub.

Layer: nouns. Takes: the member ``rules`` of a zone's properties. Gives: `DwellRules` to the map.

omlox (hub API, object Fence) counts in milliseconds, and -1 means without end. Its settings have
the same meaning here, but for two things: a fence is entered and left by probability, not by a
point, and no silence is waited for without end, since a visit that never ends is none.
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import GRACE_S_MAX, DwellRules
from rtls.model.units import Metre, Second

Json = Mapping[str, object]

SECONDS_MAX: Final = 86_400.0
WITHOUT_END: Final = -1.0
OMLOX: Final = {
    "timeout": "grace_s",
    "fence_timeout": "grace_s",
    "exit_tolerance": "exit_tolerance_m",
    "tolerance_timeout": "tolerance_timeout_s",
    "exit_delay": "exit_delay_s",
}
"""omlox setting, and the rule that it is another name of"""
LONGEST_S: Final = {
    "grace_s": GRACE_S_MAX,
    "tolerance_timeout_s": SECONDS_MAX,
    "exit_delay_s": SECONDS_MAX,
}
"""what -1 becomes"""
DEFAULT: Final = DwellRules()
OWN: Final = tuple(field.name for field in fields(DwellRules))
NUMBERS: Final = tuple(name for name in OWN if name != "dwell_thresholds_s")


def parse_rules(given: Json) -> DwellRules:
    """Return the rules that a zone gives, the default of each that it does not.

    Parameters
    ----------
    given
        Members of `DwellRules`, omlox settings, or both, but none of them twice.

    Raises
    ------
    InvalidSiteMap
        If a member is unknown, no number, given under two names, or out of its range.

    Examples
    --------
    >>> parse_rules({"exit_delay": 8000}).exit_delay_s
    8.0
    """
    unknown = sorted(set(given) - set(OWN) - set(OMLOX))
    if unknown:
        raise InvalidSiteMap(
            f"rules has unknown members {unknown}; expected of {sorted(OWN)}, or of the omlox "
            f"settings {sorted(OMLOX)}."
        )
    numbers = _with_omlox(
        {name: _number(given[name], name) for name in NUMBERS if given.get(name) is not None}, given
    )
    steps = given.get("dwell_thresholds_s", DEFAULT.dwell_thresholds_s)
    if not isinstance(steps, list | tuple):
        raise InvalidSiteMap(
            f"dwell_thresholds_s is {type(steps).__name__}; expected a list of seconds."
        )
    thresholds = tuple(Second(_number(step, "dwell_thresholds_s")) for step in steps)
    return _rules(numbers, thresholds)


def _rules(numbers: Mapping[str, float], thresholds: tuple[Second, ...]) -> DwellRules:
    def of(name: str) -> float:
        return numbers.get(name, getattr(DEFAULT, name))

    return DwellRules(
        p_enter=of("p_enter"),
        p_hold=of("p_hold"),
        p_exit=of("p_exit"),
        p_dwell=of("p_dwell"),
        min_enter_s=Second(of("min_enter_s")),
        exit_delay_s=Second(of("exit_delay_s")),
        reset_after_s=Second(of("reset_after_s")),
        dwell_s_min=Second(of("dwell_s_min")),
        dwell_thresholds_s=thresholds,
        grace_s=Second(numbers["grace_s"]) if "grace_s" in numbers else None,
        exit_tolerance_m=Metre(of("exit_tolerance_m")),
        tolerance_timeout_s=Second(of("tolerance_timeout_s")),
    )


def _with_omlox(values: dict[str, float], given: Json) -> dict[str, float]:
    named = {own: own for own in values}
    for alias, own in OMLOX.items():
        if given.get(alias) is None:  # omlox: null is as good as not set
            continue
        if own in named:
            raise InvalidSiteMap(
                f"rules has {named[own]} and {alias}, which are one setting ({own}); expected one "
                "of them. Remove the other."
            )
        named[own] = alias
        number = _number(given[alias], alias)
        values[own] = number if own == "exit_tolerance_m" else _seconds(number, alias, own)
    return values


def _seconds(milliseconds: float, alias: str, own: str) -> float:
    if milliseconds == WITHOUT_END:
        return LONGEST_S[own]
    if milliseconds < 0.0:
        raise InvalidSiteMap(
            f"{alias} is {milliseconds}; expected milliseconds of 0 or more, or -1 for without end."
        )
    return milliseconds / 1e3


def _number(given: object, what: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise InvalidSiteMap(f"{what} is {given!r}; expected a finite number.")
    return float(given)
