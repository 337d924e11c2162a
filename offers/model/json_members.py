"""Take members out of a JSON document, or say which of them is wrong.

Layer: nouns. Takes: what `json.loads` gives. Gives: texts, numbers, money, instants to the readers
of campaigns, triggers and benefits. Each error names the member, its value and what was expected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from datetime import UTC, datetime
from enum import Enum
from typing import ClassVar, Protocol

from offers.model.campaigns.basket_scope import Scope
from offers.model.errors import InvalidCampaign
from offers.model.money import Money
from rtls.model.units import Second, UnixMs

Json = Mapping[str, object]


class Noun(Protocol):
    """A dataclass, as `dataclasses.fields` takes it."""

    __dataclass_fields__: ClassVar[dict[str, Field[object]]]


def refuse_unknown(given: Json, what: str, expected: frozenset[str] | set[str]) -> None:
    """Refuse a member that is not known: a misspelt "budgett" costs money.

    Raises
    ------
    InvalidCampaign
        If there is one.
    """
    unknown = sorted(set(given) - expected)
    if unknown:
        raise InvalidCampaign(
            f"{what} has unknown members {unknown}; expected of {sorted(expected)}."
        )


def object_of(given: object, what: str) -> Json:
    """Return a JSON object.

    Raises
    ------
    InvalidCampaign
        If it is anything else.
    """
    if not isinstance(given, dict):
        raise InvalidCampaign(f"{what} is {type(given).__name__}; expected an object.")
    return given


def list_of(given: object, what: str) -> Sequence[object]:
    """Return a JSON list.

    Raises
    ------
    InvalidCampaign
        If it is anything else.
    """
    if not isinstance(given, list):
        raise InvalidCampaign(f"{what} is {type(given).__name__}; expected a list.")
    return given


def text_of(given: Json, member: str) -> str:
    """Return a text.

    Raises
    ------
    InvalidCampaign
        If it is missing or anything else.
    """
    text = given.get(member)
    if not isinstance(text, str):
        raise InvalidCampaign(f"{member} is {text!r}; expected a text.")
    return text


def integer_of(given: Json, member: str, default: int | None = None) -> int:
    """Return a whole number.

    Raises
    ------
    InvalidCampaign
        If it is anything else, or missing without a default.
    """
    number = given.get(member, default)
    if type(number) is not int:
        raise InvalidCampaign(f"{member} is {number!r}; expected a whole number.")
    return number


def claim_of(given: Json, member: str, *, is_usual: bool) -> bool:
    """Return a member that is true or false.

    Raises
    ------
    InvalidCampaign
        If it is neither.
    """
    claim = given.get(member, is_usual)
    if not isinstance(claim, bool):
        raise InvalidCampaign(f"{member} is {claim!r}; expected true or false.")
    return claim


def seconds_of(given: Json, member: str, what: str) -> Second:
    """Return a duration.

    Raises
    ------
    InvalidCampaign
        If it is missing or no number.
    """
    number = given.get(member)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise InvalidCampaign(f"{what}.{member} is {number!r}; expected a number of seconds.")
    return Second(float(number))


def money_of(given: Json, member: str) -> Money | None:
    """Return money, or None where the member is left out."""
    found = given.get(member)
    if found is None:
        return None
    money = object_of(found, member)
    refuse_unknown(money, member, {"amount_minor", "currency"})
    return Money(
        amount_minor=integer_of(money, "amount_minor"), currency=text_of(money, "currency")
    )


def required_money_of(given: Json, member: str, what: str) -> Money:
    """Return money that must be there.

    Raises
    ------
    InvalidCampaign
        If it is missing.
    """
    money = money_of(given, member)
    if money is None:
        raise InvalidCampaign(
            f'{what}.{member} is missing; expected {{"amount_minor": 200, "currency": "EUR"}}.'
        )
    return money


def scope_of(given: Json, member: str = "applies_to") -> Scope:
    """Return the lines meant, every line where the member is left out."""
    scope = object_of(given.get(member, {}), member)
    refuse_unknown(scope, member, {"categories", "skus"})
    named = {
        part: frozenset(str(entry) for entry in list_of(scope.get(part, []), part))
        for part in ("categories", "skus")
    }
    return Scope(categories=named["categories"], skus=named["skus"])


def instant_of(given: Json, member: str, what: str) -> UnixMs:
    """Return an instant.

    Raises
    ------
    InvalidCampaign
        If it is missing, not RFC 3339, or without a time zone.
    """
    text = text_of(given, member)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCampaign(f"{what}.{member}: {error}; expected RFC 3339.") from error
    if instant.tzinfo is None:
        raise InvalidCampaign(
            f"{what}.{member} is {text!r}, without a time zone; expected e.g. "
            "'2026-12-01T00:00:00+01:00'."
        )
    return UnixMs(round(instant.timestamp() * 1_000))


def rendered_members(noun: Noun) -> dict[str, object]:
    """Return a noun member by member, under the names of its fields; what is None is left out.

    An instant loses the unit of its name: `starts_at_ms` is written as "starts_at".
    """
    rendered: dict[str, object] = {}
    for field in fields(noun):
        value = getattr(noun, field.name)
        if value is None:
            continue
        if field.name.endswith("_ms"):
            rendered[field.name.removesuffix("_ms")] = rendered_instant(value)
        else:
            rendered[field.name] = _rendered(value)
    return rendered


def rendered_instant(at_ms: UnixMs) -> str:
    """Return what `instant_of` reads."""
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat(timespec="milliseconds")


def _rendered(value: object) -> object:
    match value:
        case Money():
            return {"amount_minor": value.amount_minor, "currency": value.currency}
        case Scope():
            return {"categories": sorted(value.categories), "skus": sorted(value.skus)}
        case Enum():
            return value.value
        case _:
            return value
