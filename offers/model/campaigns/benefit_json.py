"""Read a benefit from a campaign's document, and write one back.

Layer: nouns. Takes: the member "benefit". Gives: a `Benefit`, or an error that names the member.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    EarlyAccess,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
    Service,
)
from offers.model.errors import InvalidCampaign
from offers.model.json_members import (
    Json,
    instant_of,
    integer_of,
    money_of,
    refuse_unknown,
    rendered_members,
    required_money_of,
    scope_of,
    text_of,
)


class BenefitKind(StrEnum):
    """The name of each benefit in a document and in the app."""

    MONEY_OFF = "money_off"
    PERCENT_OFF = "percent_off"
    FREE_ITEM = "free_item"
    GIFT = "gift"
    POINTS = "points"
    POINTS_MULTIPLIER = "points_multiplier"
    CASHBACK = "cashback"
    FREE_DELIVERY = "free_delivery"
    EARLY_ACCESS = "early_access"
    EVENT = "event"
    SERVICE = "service"
    INFORMATION = "information"


KIND_OF_BENEFIT: Final[dict[type[Benefit], BenefitKind]] = {
    MoneyOff: BenefitKind.MONEY_OFF,
    PercentOff: BenefitKind.PERCENT_OFF,
    FreeItem: BenefitKind.FREE_ITEM,
    Gift: BenefitKind.GIFT,
    Points: BenefitKind.POINTS,
    PointsMultiplier: BenefitKind.POINTS_MULTIPLIER,
    Cashback: BenefitKind.CASHBACK,
    FreeDelivery: BenefitKind.FREE_DELIVERY,
    EarlyAccess: BenefitKind.EARLY_ACCESS,
    Event: BenefitKind.EVENT,
    Service: BenefitKind.SERVICE,
    Information: BenefitKind.INFORMATION,
}


def parse_benefit(given: Json) -> Benefit:
    """Return the benefit.

    Raises
    ------
    InvalidCampaign
        If the kind is unknown, or a member is missing, unknown or wrong.
    """
    try:
        kind = BenefitKind(str(given.get("kind")))
    except ValueError as error:
        expected = [kind.value for kind in BenefitKind]
        raise InvalidCampaign(
            f"benefit.kind is {given.get('kind')!r}; expected of {expected}."
        ) from error
    members, parse = _PARSERS[kind]
    refuse_unknown(given, "benefit", members | {"kind"})
    return parse(given)


def render_benefit(benefit: Benefit) -> dict[str, object]:
    """Return the member that `parse_benefit` reads."""
    return {"kind": KIND_OF_BENEFIT[type(benefit)].value, **rendered_members(benefit)}


def _money_off(given: Json) -> MoneyOff:
    return MoneyOff(
        amount=required_money_of(given, "amount", "benefit"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
    )


def _percent_off(given: Json) -> PercentOff:
    return PercentOff(
        percent=integer_of(given, "percent"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
        discount_max=money_of(given, "discount_max"),
    )


def _free_item(given: Json) -> FreeItem:
    return FreeItem(
        applies_to=scope_of(given),
        quantity=integer_of(given, "quantity", 1),
        with_bought=integer_of(given, "with_bought", 0),
        basket_min=money_of(given, "basket_min"),
    )


def _gift(given: Json) -> Gift:
    return Gift(
        item=text_of(given, "item"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
    )


def _points_multiplier(given: Json) -> PointsMultiplier:
    return PointsMultiplier(
        percent=integer_of(given, "percent"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
    )


def _cashback(given: Json) -> Cashback:
    return Cashback(
        percent=integer_of(given, "percent"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
        cashback_max=money_of(given, "cashback_max"),
    )


def _free_delivery(given: Json) -> FreeDelivery:
    return FreeDelivery(applies_to=scope_of(given), basket_min=money_of(given, "basket_min"))


def _early_access(given: Json) -> EarlyAccess:
    return EarlyAccess(
        item=text_of(given, "item"), public_from_ms=instant_of(given, "public_from", "benefit")
    )


def _event(given: Json) -> Event:
    return Event(
        name=text_of(given, "name"), starts_at_ms=instant_of(given, "starts_at", "benefit")
    )


def _service(given: Json) -> Service:
    return Service(
        service=text_of(given, "service"),
        applies_to=scope_of(given),
        basket_min=money_of(given, "basket_min"),
    )


_BASKET: Final = {"applies_to", "basket_min"}
_PARSERS: Final[Mapping[BenefitKind, tuple[set[str], Callable[[Json], Benefit]]]] = (
    MappingProxyType(
        {
            BenefitKind.MONEY_OFF: (_BASKET | {"amount"}, _money_off),
            BenefitKind.PERCENT_OFF: (_BASKET | {"percent", "discount_max"}, _percent_off),
            BenefitKind.FREE_ITEM: (_BASKET | {"quantity", "with_bought"}, _free_item),
            BenefitKind.GIFT: (_BASKET | {"item"}, _gift),
            BenefitKind.POINTS: (
                {"points"},
                lambda given: Points(points=integer_of(given, "points")),
            ),
            BenefitKind.POINTS_MULTIPLIER: (_BASKET | {"percent"}, _points_multiplier),
            BenefitKind.CASHBACK: (_BASKET | {"percent", "cashback_max"}, _cashback),
            BenefitKind.FREE_DELIVERY: (_BASKET, _free_delivery),
            BenefitKind.EARLY_ACCESS: ({"item", "public_from"}, _early_access),
            BenefitKind.EVENT: ({"name", "starts_at"}, _event),
            BenefitKind.SERVICE: (_BASKET | {"service"}, _service),
            BenefitKind.INFORMATION: (set(), lambda _: Information()),
        }
    )
)
