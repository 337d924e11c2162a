"""Say what a till reads of a purchase, and what it sends and reads of a return.

Layer: edges. Takes: JSON of the till; purchases and returns. Gives: checked bodies to the routes of
the till, and their schemas to the OpenAPI document. A shopper's key is in none of them.
"""

from pydantic import Field, StrictInt

from offers.api.schema import Body, Id, Instant, Minor, MoneyBody, render_instant
from offers.api.till.till_schema import BasketLineBody
from offers.handlers.till.return_purchase import ReturnRequest
from offers.model.errors import InvalidBasket
from offers.model.ids import PurchaseId, TillId
from offers.model.till.basket import LINES_MAX, QUANTITY_MAX
from offers.model.till.purchase import PointsMove, Purchase, PurchaseLine, PurchaseReturn
from rtls.model.units import SiteId


class PointsMovedBody(Body):
    """What was earned or spent, or goes back of it."""

    move: PointsMove
    unit: str
    amount_minor: int


class PurchaseLineBody(BasketLineBody):
    """One item as it was paid for."""

    discount_minor: Minor
    tender_minor: Minor
    paid_minor: Minor
    returned: StrictInt = Field(description="how many pieces have been brought back")

    @classmethod
    def of(cls, line: PurchaseLine) -> "PurchaseLineBody":
        """Render a line."""
        return cls(
            sku=line.item.sku,
            category=line.item.category,
            quantity=line.item.quantity,
            unit_price_minor=line.item.unit_price_minor,
            discount_minor=line.discount_minor,
            tender_minor=line.tender_minor,
            paid_minor=line.paid_minor,
            returned=line.returned,
        )


class PurchaseBody(Body):
    """What was paid at one till at once."""

    purchase: Id
    at: Instant
    lines: tuple[PurchaseLineBody, ...]
    basket_total: MoneyBody
    discount: MoneyBody
    tender: MoneyBody = Field(description="what points or cashback paid")
    paid: MoneyBody = Field(description="what was paid in whatever way, the tender included")
    points: tuple[PointsMovedBody, ...]
    redemptions: tuple[Id, ...]

    @classmethod
    def of(cls, purchase: Purchase) -> "PurchaseBody":
        """Render a purchase."""
        return cls(
            purchase=purchase.purchase,
            at=render_instant(purchase.at_ms),
            lines=tuple(PurchaseLineBody.of(line) for line in purchase.lines),
            basket_total=MoneyBody.of(purchase.total),
            discount=MoneyBody.of(purchase.discount),
            tender=MoneyBody.of(purchase.tender),
            paid=MoneyBody.of(purchase.paid),
            points=tuple(
                PointsMovedBody(move=moved.move, unit=moved.unit, amount_minor=moved.total_minor)
                for moved in purchase.points
            ),
            redemptions=purchase.redemptions,
        )


class ReturnLineWishBody(Body):
    """Pieces of one line that come back."""

    line: StrictInt = Field(ge=0, lt=LINES_MAX, description="place in the purchase, from 0")
    quantity: StrictInt = Field(ge=1, le=QUANTITY_MAX)


class ReturnWishBody(Body):
    """What comes back."""

    lines: list[ReturnLineWishBody] = Field(min_length=1, max_length=LINES_MAX)

    def request(self, purchase: PurchaseId, *, till: TillId, site: SiteId) -> ReturnRequest:
        """Return the noun.

        Raises
        ------
        InvalidBasket
            If a line is named twice.
        """
        pieces = {wish.line: wish.quantity for wish in self.lines}
        if len(pieces) < len(self.lines):
            raise InvalidBasket("a line is named twice; expected each once, with all its pieces.")
        return ReturnRequest(purchase=purchase, till=till, site=site, pieces=pieces)


class ReturnedLineBody(Body):
    """Pieces of one line that came back, and their shares."""

    line: int
    quantity: int
    refund_minor: int
    tender_minor: int = Field(description="what had been paid with points or cashback of it")
    discount_minor: int
    points_minor: tuple[int, ...] = Field(
        description="what goes back of each entry of the purchase's `points`"
    )


class ReturnBody(Body):
    """What came back at once, and what the shopper gets for it."""

    returned: Id
    purchase: Id
    number: int = Field(description="1 for the first return of the purchase")
    at: Instant
    refund: MoneyBody
    lines: tuple[ReturnedLineBody, ...]

    @classmethod
    def of(cls, returned: PurchaseReturn) -> "ReturnBody":
        """Render a return."""
        return cls(
            returned=returned.returned,
            purchase=returned.purchase,
            number=returned.number,
            at=render_instant(returned.at_ms),
            refund=MoneyBody.of(returned.refund),
            lines=tuple(
                ReturnedLineBody(
                    line=line.line,
                    quantity=line.quantity,
                    refund_minor=line.refund_minor,
                    tender_minor=line.tender_minor,
                    points_minor=line.points_minor,
                    discount_minor=sum(line.discounts_minor),
                )
                for line in returned.lines
            ),
        )
