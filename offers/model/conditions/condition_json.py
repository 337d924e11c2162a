"""Read conditions from JSON, and write them back.

Layer: nouns. Takes: the member ``conditions`` of a campaign's document. Gives: a `Condition`, or an
error that names the place in the document, the value, what was expected and the remedy. A member
that is not known is refused: a misspelt "within_day" would address everybody.

A node is ``{"and": [...]}``, ``{"or": [...]}``, ``{"not": {...}}`` or a term, which names its kind:
``{"kind": "count", "of": "purchase_line", "within_days": 30, "skus": ["4006209"], "at_least": 2}``.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from offers.model.conditions.condition import DEPTH_MAX, NODES_MAX, ROOT, And, Condition, Not, Or
from offers.model.conditions.condition_json_out import render_condition
from offers.model.conditions.condition_terms import (
    VALUES_MAX,
    AttributeIn,
    AttributeRange,
    BasketSum,
    ConsentGranted,
    DwellSeconds,
    EnrolledDays,
    Events,
    LocaleIn,
    LocalTimeIn,
    Measure,
    PastCount,
    PastSum,
    Range,
    SegmentIn,
    Term,
    TierIn,
    Weekday,
    ZoneIn,
)
from offers.model.conditions.fact import FactKind
from offers.model.errors import InvalidCondition
from offers.model.loyalty.segment import Segment
from offers.model.people.consent import Purpose
from offers.model.people.shopper import Locale
from rtls.model.units import SiteId, ZoneId

__all__ = ["parse_condition", "render_condition"]

Json = Mapping[str, object]
E = TypeVar("E", bound=StrEnum)
RANGE: Final = frozenset({"at_least", "at_most"})
EVENTS: Final = frozenset({"of", "within_days", "categories", "skus", "zones", "sites"})


def parse_condition(given: object, path: str = ROOT) -> Condition:
    """Read a condition.

    Parameters
    ----------
    given
        What a JSON parser made of the document.
    path
        Where it stands in a larger document, for error messages.

    Raises `InvalidCondition` if it cannot be; the message begins with the place, as in
    ``conditions.and[2].within_days is 900; expected 1 to 400``.
    """
    return _Parser().node(given, path, depth=1)


class _Parser:
    """Counts nodes while it reads, so that a hostile document is refused before it is built."""

    def __init__(self) -> None:
        self._nodes = 0

    def node(self, given: object, path: str, *, depth: int) -> Condition:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise InvalidCondition(f"{path}: there are more than {NODES_MAX} nodes; expected less.")
        if depth > DEPTH_MAX:
            raise InvalidCondition(f"{path}: the nesting is deeper than {DEPTH_MAX}.")
        if not isinstance(given, dict):
            raise InvalidCondition(f"{path} is {type(given).__name__}; expected an object.")
        joints = {"and", "or", "not"} & set(given)
        if not joints:
            return _term(given, path)
        if len(given) != 1:
            raise InvalidCondition(
                f"{path} has the members {sorted(map(str, given))}; expected one of 'and', 'or', "
                "'not' alone. Put each condition into an object of its own."
            )
        if "not" in joints:
            return Not(part=self.node(given["not"], f"{path}.not", depth=depth + 1))
        joint = joints.pop()
        parts = self._parts(given[joint], f"{path}.{joint}", depth=depth)
        return And(parts=parts) if joint == "and" else Or(parts=parts)

    def _parts(self, given: object, path: str, *, depth: int) -> tuple[Condition, ...]:
        if not isinstance(given, list) or not given:
            raise InvalidCondition(f"{path}: expected a list with at least one condition.")
        return tuple(
            self.node(part, f"{path}[{n}]", depth=depth + 1) for n, part in enumerate(given)
        )


def _term(given: Json, path: str) -> Term:
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidCondition(f"{path}.kind is {kind!r}; expected of {sorted(_KINDS)}.")
    members, read = _KINDS[kind]
    unknown = sorted(set(given) - members - {"kind"})
    if unknown:
        raise InvalidCondition(
            f"{path} has unknown members {unknown}; expected of {sorted(members)}."
        )
    try:
        return read(given)
    except InvalidCondition as error:  # its message begins with the member's name
        raise InvalidCondition(f"{path}.{error}") from error


def _count(given: Json) -> PastCount:
    return PastCount(events=_events(given), range=_range(given))


def _sum(given: Json) -> PastSum:
    return PastSum(
        events=_events(given),
        measure=_member(given, "measure", Measure),
        range=_range(given),
        currency=_optional_text(given, "currency"),
    )


def _events(given: Json) -> Events:
    return Events(
        kind=_member(given, "of", FactKind),
        within_days=_integer(given, "within_days"),
        categories=_texts(given, "categories"),
        skus=_texts(given, "skus"),
        zones=frozenset(map(ZoneId, _texts(given, "zones"))),
        sites=frozenset(map(SiteId, _texts(given, "sites"))),
    )


def _attribute(given: Json) -> AttributeIn | AttributeRange:
    name = _text(given, "name")
    if "in" not in given:
        return AttributeRange(name=name, range=_range(given))
    both = sorted(RANGE & set(given))
    if both:
        raise InvalidCondition(f"in meets {both}; expected values or a range, not both.")
    return AttributeIn(name=name, values=_texts(given, "in"))


def _basket(given: Json) -> BasketSum:
    return BasketSum(
        measure=_member(given, "measure", Measure),
        range=_range(given),
        currency=_optional_text(given, "currency"),
        categories=_texts(given, "categories"),
        skus=_texts(given, "skus"),
    )


def _local_time(given: Json) -> LocalTimeIn:
    days = _members(given, "weekdays", Weekday) if "weekdays" in given else frozenset(Weekday)
    return LocalTimeIn(
        weekdays=days,
        from_minute=_minute(given, "from", "00:00"),
        until_minute=_minute(given, "until", "24:00"),
    )


_KINDS: Final[Mapping[str, tuple[frozenset[str], Callable[[Json], Term]]]] = {
    "count": (EVENTS | RANGE, _count),
    "sum": (EVENTS | RANGE | {"measure", "currency"}, _sum),
    "attribute": (RANGE | {"name", "in"}, _attribute),
    "locale": (frozenset({"in"}), lambda given: LocaleIn(locales=_members(given, "in", Locale))),
    "consent": (
        frozenset({"purpose"}),
        lambda given: ConsentGranted(purpose=_member(given, "purpose", Purpose)),
    ),
    "segment": (
        frozenset({"in"}),
        lambda given: SegmentIn(segments=_members(given, "in", Segment)),
    ),
    "tier": (frozenset({"in"}), lambda given: TierIn(tiers=_texts(given, "in"))),
    "enrolled_days": (RANGE, lambda given: EnrolledDays(range=_range(given))),
    "zone": (
        frozenset({"in"}),
        lambda given: ZoneIn(zones=frozenset(map(ZoneId, _texts(given, "in")))),
    ),
    "dwell_s": (RANGE, lambda given: DwellSeconds(range=_range(given))),
    "basket": (RANGE | {"measure", "currency", "categories", "skus"}, _basket),
    "local_time": (frozenset({"weekdays", "from", "until"}), _local_time),
}


def _range(given: Json) -> Range:
    return Range(
        at_least=_integer(given, "at_least") if "at_least" in given else None,
        at_most=_integer(given, "at_most") if "at_most" in given else None,
    )


def _integer(given: Json, member: str) -> int:
    number = given.get(member)
    if type(number) is not int:
        raise InvalidCondition(f"{member} is {number!r}; expected a whole number.")
    return number


def _text(given: Json, member: str) -> str:
    text = given.get(member)
    if not isinstance(text, str):
        raise InvalidCondition(f"{member} is {text!r}; expected a text.")
    return text


def _optional_text(given: Json, member: str) -> str | None:
    return _text(given, member) if member in given else None


def _texts(given: Json, member: str) -> frozenset[str]:
    texts = given.get(member, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidCondition(f"{member} is not a list of texts; expected one.")
    if len(texts) > VALUES_MAX:
        raise InvalidCondition(f"{member} has {len(texts)} entries; expected up to {VALUES_MAX}.")
    return frozenset(texts)


def _member(given: Json, member: str, kinds: type[E]) -> E:
    return _known(_text(given, member), member, kinds)


def _members(given: Json, member: str, kinds: type[E]) -> frozenset[E]:
    return frozenset(_known(text, member, kinds) for text in _texts(given, member))


def _known(text: str, member: str, kinds: type[E]) -> E:
    try:
        return kinds(text)
    except ValueError as error:
        expected = [known.value for known in kinds]
        raise InvalidCondition(f"{member} is {text!r}; expected of {expected}.") from error


def _minute(given: Json, member: str, default: str) -> int:
    text = _text(given, member) if member in given else default
    hours, colon, minutes = text.partition(":")
    is_clock = len(text) == len("00:00") and colon and hours.isdecimal() and minutes.isdecimal()
    if not is_clock or not text.isascii() or int(minutes) > 59 or int(hours) > 24:
        raise InvalidCondition(f"{member} is {text!r}; expected a time such as '18:30'.")
    return int(hours) * 60 + int(minutes)
