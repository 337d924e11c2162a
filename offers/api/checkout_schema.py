"""Say what goes between a till and us.

Layer: edges. Takes: JSON of the till; quotes and redemptions. Gives: checked bodies to the checkout
routes, and their schemas to the OpenAPI document.
"""

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import Body, Currency, Id, Instant, Minor, MoneyBody, render_instant
from offers.model.basket import LINES_MAX, QUANTITY_MAX, Basket, BasketLine
from offers.model.redemption import Quote, Redemption


class BasketLineBody(Body):
    """One item."""

    sku: StrictStr = Field(min_length=1, max_length=200, examples=["4006209781234"])
    category: StrictStr = Field(min_length=1, max_length=200, examples=["dowels"])
    quantity: StrictInt = Field(ge=1, le=QUANTITY_MAX, examples=[2])
    unit_price_minor: Minor


class BasketBody(Body):
    """What is at the checkout."""

    currency: Currency
    lines: list[BasketLineBody] = Field(min_length=1, max_length=LINES_MAX)

    def basket(self) -> Basket:
        """Return the noun."""
        lines = tuple(BasketLine(**line.model_dump()) for line in self.lines)
        return Basket(currency=self.currency, lines=lines)


class CheckoutBody(Body):
    """A coupon's code and the basket it is shown with."""

    code: StrictStr = Field(min_length=1, max_length=64, examples=["7K2M-9QXD-4TRB"])
    basket: BasketBody


class QuoteBody(Body):
    """What the basket would cost. Nothing is used up."""

    campaign: str
    basket_total: MoneyBody
    discount: MoneyBody
    discount_lines_minor: tuple[int, ...] = Field(
        description="one entry for each line of the basket; they sum to the discount"
    )
    to_pay: MoneyBody

    @classmethod
    def of(cls, quote: Quote) -> "QuoteBody":
        """Render a quote."""
        return cls(
            campaign=quote.campaign,
            basket_total=MoneyBody.of(quote.basket_total),
            discount=MoneyBody.of(quote.discount.total),
            discount_lines_minor=quote.discount.lines_minor,
            to_pay=MoneyBody.of(quote.to_pay),
        )


class RedemptionBody(Body):
    """One coupon used with one basket, once."""

    redemption: Id
    campaign: str
    at: Instant
    basket_total: MoneyBody
    discount: MoneyBody
    discount_lines_minor: tuple[int, ...]
    to_pay: MoneyBody

    @classmethod
    def of(cls, redemption: Redemption) -> "RedemptionBody":
        """Render a redemption."""
        return cls(
            redemption=redemption.redemption,
            campaign=redemption.campaign,
            at=render_instant(redemption.at_ms),
            basket_total=MoneyBody.of(redemption.basket_total),
            discount=MoneyBody.of(redemption.discount.total),
            discount_lines_minor=redemption.discount.lines_minor,
            to_pay=MoneyBody.of(redemption.to_pay),
        )
