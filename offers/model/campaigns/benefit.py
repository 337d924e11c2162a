"""Say what a shopper gets: money off, an item, points, a service, an invitation, or information.

Layer: nouns. Takes: what a campaign grants. Gives: `Benefit` to campaigns, checkout and app. Each
member says what the till or the app does with it. Only three take money off a basket
(`PriceBenefit`); mypy names every `match` that has to learn a new one.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.campaigns.basket_scope import EVERY_LINE, Scope
from offers.model.errors import InvalidCampaign
from offers.model.ids import check_text
from offers.model.money import Money
from rtls.model.units import UnixMs

POINTS_MAX: Final = 10_000_000
ITEMS_MAX: Final = 100
MULTIPLIER_PERCENT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyOff:
    """A fixed amount off the lines in scope, never more than they cost. Taken off at the till."""

    amount: Money
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    """what the lines in scope must cost together, at least"""

    def __post_init__(self) -> None:
        _check_positive("amount", self.amount)
        if self.basket_min is not None:
            _check_positive("basket_min", self.basket_min)
            if self.basket_min.currency != self.amount.currency:
                raise InvalidCampaign(
                    f"basket_min is in {self.basket_min.currency} and amount in "
                    f"{self.amount.currency}; expected one currency."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOff:
    """A share of what the lines in scope cost, up to an amount. Taken off at the till."""

    percent: int
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    discount_max: Money | None = None

    def __post_init__(self) -> None:
        _check_percent(self.percent)
        _check_limits(basket_min=self.basket_min, discount_max=self.discount_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeItem:
    """Pieces in scope at no price. The till takes off what the cheapest of them cost.

    The pieces must be in the basket. With `with_bought` that many others in scope are paid for:
    "buy two, get a third" is ``quantity=1, with_bought=2``.
    """

    applies_to: Scope
    quantity: int = 1
    with_bought: int = 0
    basket_min: Money | None = None

    def __post_init__(self) -> None:
        if self.applies_to.is_every_line:
            raise InvalidCampaign(
                "benefit.applies_to is empty; expected the items of which one is free. Name their "
                "skus or categories."
            )
        _check_number("benefit.quantity", self.quantity, least=1, most=ITEMS_MAX)
        _check_number("benefit.with_bought", self.with_bought, least=0, most=ITEMS_MAX)
        _check_limits(basket_min=self.basket_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """Something handed over that is not in the basket. The till names it, the staff hand it out."""

    item: str
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None

    def __post_init__(self) -> None:
        check_text("benefit.item", self.item, error=InvalidCampaign)
        _check_limits(basket_min=self.basket_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points for nothing but being here. Posted when the shopper opens the offer; no coupon."""

    points: int

    def __post_init__(self) -> None:
        _check_number("benefit.points", self.points, least=1, most=POINTS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsMultiplier:
    """More points for the lines in scope. The till reports it, the earning of the purchase uses it.

    `percent` is of what would be earned without: 200 doubles.
    """

    percent: int
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None

    def __post_init__(self) -> None:
        if type(self.percent) is not int or not 100 < self.percent <= MULTIPLIER_PERCENT_MAX:
            raise InvalidCampaign(
                f"benefit.percent is {self.percent!r}; expected a whole number above 100, at most "
                f"{MULTIPLIER_PERCENT_MAX}: 200 doubles the points."
            )
        _check_limits(basket_min=self.basket_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cashback:
    """A share of what the lines in scope cost, as credit. The basket is paid in full.

    The credit is posted with the purchase and can pay for the next one.
    """

    percent: int
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None
    cashback_max: Money | None = None

    def __post_init__(self) -> None:
        _check_percent(self.percent)
        _check_limits(basket_min=self.basket_min, cashback_max=self.cashback_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDelivery:
    """No charge for delivery. The till, or the shop's own system, leaves the charge out."""

    basket_min: Money | None = None
    applies_to: Scope = EVERY_LINE

    def __post_init__(self) -> None:
        _check_limits(basket_min=self.basket_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyAccess:
    """What others get later. The app shows it from now on; no coupon.

    `public_from_ms` is when everybody gets it, and the advantage ends.
    """

    item: str
    public_from_ms: UnixMs

    def __post_init__(self) -> None:
        check_text("benefit.item", self.item, error=InvalidCampaign)
        if self.public_from_ms <= 0:
            raise InvalidCampaign(
                f"benefit.public_from is {self.public_from_ms}; expected an instant after 1970."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A seat at an event or an experience. The coupon is the ticket, the budget the capacity.

    Each ticket is set aside when it is issued, so nobody with a ticket stands before a full room.
    """

    name: str
    starts_at_ms: UnixMs

    def __post_init__(self) -> None:
        check_text("benefit.name", self.name, error=InvalidCampaign)
        if self.starts_at_ms <= 0:
            raise InvalidCampaign(
                f"benefit.starts_at is {self.starts_at_ms}; expected an instant after 1970."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something done for the shopper: cutting, mixing, advice. The staff do it for the coupon."""

    service: str
    applies_to: Scope = EVERY_LINE
    basket_min: Money | None = None

    def __post_init__(self) -> None:
        check_text("benefit.service", self.service, error=InvalidCampaign)
        _check_limits(basket_min=self.basket_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """How to use the product: the message itself is the benefit, and no coupon is needed."""


PriceBenefit = MoneyOff | PercentOff | FreeItem
"""those that take money off a basket"""
BasketBenefit = Gift | PointsMultiplier | Cashback | FreeDelivery | Service
"""those got at the till with a basket, without money off it"""
TillBenefit = PriceBenefit | BasketBenefit | Event
"""those got for a coupon"""
AppBenefit = Points | EarlyAccess | Information
"""those got in the app, without a coupon"""
Benefit = TillBenefit | AppBenefit


def _check_percent(percent: int) -> None:
    if type(percent) is not int or not 1 <= percent <= 100:
        raise InvalidCampaign(f"percent is {percent!r}; expected a whole number from 1 to 100.")


def _check_number(field: str, number: int, *, least: int, most: int) -> None:
    if type(number) is not int or not least <= number <= most:
        raise InvalidCampaign(f"{field} is {number!r}; expected a whole number, {least} to {most}.")


def _check_limits(**limits: Money | None) -> None:
    given = {name: limit for name, limit in limits.items() if limit is not None}
    for name, limit in given.items():
        _check_positive(name, limit)
    if len({limit.currency for limit in given.values()}) > 1:
        raise InvalidCampaign(f"{' and '.join(given)} differ in currency; expected one.")


def _check_positive(field: str, money: Money) -> None:
    if money.amount_minor <= 0:
        raise InvalidCampaign(
            f"{field} is {money.amount_minor} {money.currency}; expected more than 0. Leave the "
            "field out where there is no limit."
        )
