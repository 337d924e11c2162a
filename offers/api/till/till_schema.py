"""Say what goes between a till and us.

Layer: edges. Takes: JSON of the till; priced and held baskets, purchases, returns. Gives: checked
bodies to the routes of the till, and their schemas to the OpenAPI document. A shopper's key is in
none of them: the till learns what the basket costs, not who buys it.
"""

from pydantic import Field, StrictInt, StrictStr

from offers.api.schema import Body, Currency, Id, Instant, Minor, MoneyBody, render_instant
from offers.handlers.till.hold_basket import Held
from offers.model.campaigns.benefit_json import KIND_OF_BENEFIT, BenefitKind
from offers.model.errors import InvalidBasket
from offers.model.ids import BasketId, TillId
from offers.model.loyalty.ledger import LedgerUnit
from offers.model.money import AMOUNT_MINOR_MAX
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.till.basket import LINES_MAX, QUANTITY_MAX, Basket, BasketLine
from offers.model.till.held_basket import (
    CODES_MAX,
    AppliedCoupon,
    BasketRequest,
    CardHint,
    HeldBasket,
    HoldState,
    PricedBasket,
    RefusedCoupon,
    SpendWish,
    Tender,
)
from offers.model.till.redemption import Redemption
from rtls.model.units import SiteId

CODE_CHARACTERS_MAX = 100  # an element string of GS1 in brackets; our own codes have twelve


class BasketLineBody(Body):
    """One item. A till that knows the sum only sends one line, with sku and category ``amount``."""

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
        lines = tuple(
            BasketLine(
                sku=line.sku,
                category=line.category,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
            )
            for line in self.lines
        )
        return Basket(currency=self.currency, lines=lines)


class CheckoutBody(Body):
    """A coupon's code and the basket it is shown with."""

    code: StrictStr = Field(
        min_length=1,
        max_length=CODE_CHARACTERS_MAX,
        description="as typed or scanned: ours, or a GS1 element string with character 29 or "
        "brackets",
        examples=["7K2M-9QXD-4TRB"],
    )
    basket: BasketBody


class SpendBody(Body):
    """What the shopper pays with out of a wallet: points, or cashback in the basket's currency."""

    unit: StrictStr = Field(min_length=1, max_length=16, examples=["points", "EUR"])
    amount_minor: StrictInt = Field(
        ge=1,
        le=AMOUNT_MINOR_MAX,
        description="at most; what is not needed stays in the wallet",
        examples=[500],
    )

    def wish(self) -> SpendWish:
        """Return the noun."""
        return SpendWish(unit=LedgerUnit(self.unit), amount_minor=self.amount_minor)


class BasketRequestBody(Body):
    """A basket with the shopper's card, codes of coupons, or both."""

    basket: BasketBody
    codes: list[StrictStr] = Field(
        default_factory=list,
        max_length=CODES_MAX,
        description="as typed or scanned: ours, or GS1 element strings with character 29 or "
        "brackets",
        examples=[["7K2M-9QXD-4TRB", "(255)4012345000016000123456789"]],
    )
    card: StrictStr | None = Field(
        default=None,
        max_length=CODE_CHARACTERS_MAX,
        description="the code of the shopper's card, as scanned; a hold takes each code once",
    )
    spend: SpendBody | None = None
    replaces: Id | None = Field(
        default=None,
        description="a held basket that this one takes the place of, since its lines have changed",
    )

    def request(self, *, till: TillId, site: SiteId) -> BasketRequest:
        """Return the noun.

        Raises
        ------
        InvalidBasket
            If a code is longer than any can be.
        """
        for place, code in enumerate(self.codes):
            if len(code) > CODE_CHARACTERS_MAX:
                raise InvalidBasket(
                    f"codes[{place}] has {len(code)} characters; expected at most "
                    f"{CODE_CHARACTERS_MAX}. Scan it again."
                )
        return BasketRequest(
            basket=self.basket.basket(),
            till=till,
            site=site,
            codes=tuple(self.codes),
            card=self.card,
            spend=None if self.spend is None else self.spend.wish(),
            replaces=None if self.replaces is None else BasketId(self.replaces),
        )


class AppliedCouponBody(Body):
    """A coupon that is taken."""

    campaign: str
    benefit: BenefitKind = Field(
        description="kind of the campaign's benefit: what the till hands out, if it is no discount",
        examples=["percent_off"],
    )
    discount: MoneyBody
    discount_lines_minor: tuple[int, ...] = Field(
        description="one entry for each line of the basket; they sum to the discount"
    )

    @classmethod
    def of(cls, applied: AppliedCoupon) -> "AppliedCouponBody":
        """Render a coupon that is taken."""
        return cls(
            campaign=applied.coupon.campaign,
            benefit=KIND_OF_BENEFIT[type(applied.benefit)],
            discount=MoneyBody.of(applied.discount.total),
            discount_lines_minor=applied.discount.lines_minor,
        )


class RefusedCouponBody(Body):
    """A coupon that is not taken with this basket, and why."""

    reason: CheckoutRefusal
    code: int | None = Field(description="place in `codes`, from 0; null if the card brought it")
    campaign: str | None

    @classmethod
    def of(cls, refused: RefusedCoupon) -> "RefusedCouponBody":
        """Render a refusal as a till may know it."""
        reason = refused.reason if refused.code is None else refused.reason.for_strangers
        return cls(reason=reason, code=refused.code, campaign=refused.campaign)


class TenderBody(Body):
    """Points or cashback that pay a part of the basket."""

    unit: str
    amount_minor: int = Field(description="in the unit")
    worth: MoneyBody

    @classmethod
    def of(cls, tender: Tender) -> "TenderBody":
        """Render a tender."""
        return cls(
            unit=tender.unit, amount_minor=tender.amount_minor, worth=MoneyBody.of(tender.worth)
        )


class CardHintBody(Body):
    """What the staff may know of the holder of the card; never who it is."""

    spendable_minor: dict[str, int] = Field(
        description="unit → what can be spent now", examples=[{"points": 480}]
    )
    tier: str | None = Field(examples=["gold"])

    @classmethod
    def of(cls, hint: CardHint) -> "CardHintBody":
        """Render what is known."""
        spendable = {str(unit): minor for unit, minor in hint.spendable.items()}
        return cls(spendable_minor=spendable, tier=hint.tier)


class QuoteBody(Body):
    """What the basket costs. Nothing is used up by a quote."""

    basket_total: MoneyBody
    discount: MoneyBody
    discount_lines_minor: tuple[int, ...] = Field(
        description="one entry for each line of the basket; they sum to the discount"
    )
    tender: TenderBody | None = Field(description="what points or cashback pay of the rest")
    to_pay: MoneyBody
    card: CardHintBody | None = Field(description="null where no card was shown")
    coupons: tuple[AppliedCouponBody, ...]
    refused: tuple[RefusedCouponBody, ...]

    @classmethod
    def of(cls, priced: PricedBasket) -> "QuoteBody":
        """Render a priced basket."""
        return cls(
            basket_total=MoneyBody.of(priced.basket.total),
            discount=MoneyBody.of(priced.discount.total),
            discount_lines_minor=priced.discount.lines_minor,
            tender=None if priced.tender is None else TenderBody.of(priced.tender),
            to_pay=MoneyBody.of(priced.to_pay),
            card=None if priced.hint is None else CardHintBody.of(priced.hint),
            coupons=tuple(AppliedCouponBody.of(applied) for applied in priced.applied),
            refused=tuple(RefusedCouponBody.of(refused) for refused in priced.refused),
        )


class HeldBasketBody(Body):
    """A basket that is held: what it costs until then, whatever a campaign does meanwhile."""

    held: Id = Field(description="the name of the held basket, to commit or cancel it")
    until: Instant
    quote: QuoteBody

    @classmethod
    def of(cls, held: Held) -> "HeldBasketBody":
        """Render a held basket."""
        return cls(
            held=held.held.held,
            until=render_instant(held.held.until_ms),
            quote=QuoteBody.of(held.priced),
        )


class EndedBasketBody(Body):
    """A held basket that was given up."""

    held: Id
    state: HoldState

    @classmethod
    def of(cls, held: HeldBasket) -> "EndedBasketBody":
        """Render what became of a basket."""
        return cls(held=held.held, state=held.state)


class RedemptionBody(Body):
    """One coupon used with one basket, once."""

    redemption: Id
    purchase: Id | None = Field(description="what to name when something is brought back")
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
            purchase=redemption.purchase,
            campaign=redemption.campaign,
            at=render_instant(redemption.at_ms),
            basket_total=MoneyBody.of(redemption.basket_total),
            discount=MoneyBody.of(redemption.discount.total),
            discount_lines_minor=redemption.discount.lines_minor,
            to_pay=MoneyBody.of(redemption.to_pay),
        )
