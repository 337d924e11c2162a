"""Say what goes between the app and us.

Layer: edges. Takes: JSON of the app; shoppers, consents, pairings, offers. Gives: checked bodies to
the shopper routes, and their schemas to the OpenAPI document.
"""

from zoneinfo import ZoneInfo

from pydantic import Field, StrictBool, StrictStr

from offers.api.campaigns.benefit_schema import BenefitBody
from offers.api.schema import Body, Id, Instant, render_instant
from offers.decision.terms import terms_of
from offers.handlers.till.reveal_card import ShownCode
from offers.model.offering.coupon import CouponCode, CouponState
from offers.model.offering.offer import OfferCard, OfferState
from offers.model.people.card import CardCodeForm
from offers.model.people.consent import Consent, Purpose
from offers.model.people.pairing import TAG_CHARACTERS_MAX, Pairing
from offers.model.people.shopper import Locale, Shopper


class EnrolledBody(Body):
    """The new shopper. The token is shown this once."""

    shopper: Id
    token: str = Field(examples=["shp_R2VoIGRvY2ggd2VnLg"])
    enrolled_at: Instant

    @classmethod
    def of(cls, shopper: Shopper, *, token: str) -> "EnrolledBody":
        """Render a new shopper with the secret of the app."""
        return cls(
            shopper=shopper.shopper,
            token=token,
            enrolled_at=render_instant(shopper.enrolled_at_ms),
        )


class CardBody(Body):
    """The shopper's card."""

    shopper: Id
    locale: Locale
    enrolled_at: Instant

    @classmethod
    def of(cls, shopper: Shopper) -> "CardBody":
        """Render the card of a shopper."""
        return cls(
            shopper=shopper.shopper,
            locale=shopper.locale,
            enrolled_at=render_instant(shopper.enrolled_at_ms),
        )


class CardCodeBody(Body):
    """The code of the card in this half minute."""

    code: str = Field(examples=["C14H2R90QK7K2M9QXD4TRB0123"])
    form: CardCodeForm
    until: Instant = Field(description="when the next code is due")

    @classmethod
    def of(cls, shown: ShownCode) -> "CardCodeBody":
        """Render a code."""
        return cls(code=shown.code, form=shown.form, until=render_instant(shown.until_ms))


class ConsentWishBody(Body):
    """A grant or a withdrawal, and the text that the shopper was shown."""

    is_granted: StrictBool
    text_version: StrictStr = Field(min_length=1, max_length=200, examples=["2026-11"])
    locale: Locale = Field(default=Locale.DE, examples=["de"])


class EnrolmentConsentBody(ConsentWishBody):
    """What is said about one purpose on the way in."""

    purpose: Purpose = Field(examples=["locate"])


class EnrolmentBody(Body):
    """What a new shopper says. Nothing about the person is asked for."""

    locale: Locale = Field(default=Locale.DE, examples=["de"])
    consents: list[EnrolmentConsentBody] = Field(
        default_factory=list, max_length=len(Purpose), description="none is granted by silence"
    )


class ConsentBody(Body):
    """What counts now for one purpose."""

    purpose: Purpose
    is_granted: bool
    at: Instant | None = Field(description="null: never asked")
    text_version: str | None

    @classmethod
    def of(cls, purpose: Purpose, newest: Consent | None) -> "ConsentBody":
        """Render the newest record of a purpose; none means not granted."""
        if newest is None:
            return cls(purpose=purpose, is_granted=False, at=None, text_version=None)
        return cls(
            purpose=purpose,
            is_granted=newest.is_granted,
            at=render_instant(newest.at_ms),
            text_version=newest.text_version,
        )


class ConsentsBody(Body):
    """Every purpose, asked or not."""

    consents: tuple[ConsentBody, ...]


class PairingWishBody(Body):
    """The tag that the shopper carries from now on."""

    tag: StrictStr = Field(
        min_length=1, max_length=TAG_CHARACTERS_MAX, examples=["ble:c3:00:00:12:ab:07"]
    )


class PairingBody(Body):
    """A tag that stands for the shopper, until it expires."""

    pairing: Id
    tag: str
    paired_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, pairing: Pairing) -> "PairingBody":
        """Render a pairing."""
        return cls(
            pairing=pairing.pairing,
            tag=pairing.tag,
            paired_at=render_instant(pairing.paired_at_ms),
            expires_at=render_instant(pairing.expires_at_ms),
        )


class PairingsBody(Body):
    """The active pairings."""

    pairings: tuple[PairingBody, ...]


class CouponBody(Body):
    """The coupon of an offer, without its code."""

    coupon: Id
    state: CouponState
    expires_at: Instant


class OfferBody(Body):
    """An offer as the app shows it."""

    offer: Id
    cursor: int = Field(description="what `?after=` takes", examples=[17])
    state: OfferState
    campaign: str = Field(examples=["dowels-coupon"])
    site: str
    zone: str | None = Field(description="null: not about a place", examples=["dowels"])
    title: str
    body: str
    benefit: BenefitBody
    terms: tuple[str, ...] = Field(
        description="plain sentences, written from the campaign itself",
        examples=[["Sie erhalten 2,00 € Rabatt."]],
    )
    coupon: CouponBody | None
    issued_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, card: OfferCard, *, locale: Locale) -> "OfferBody":
        """Render an offer in the shopper's language."""
        text = card.revision.texts[locale]
        coupon = card.coupon
        return cls(
            offer=card.offer.offer,
            cursor=card.sequence,
            state=card.offer.state,
            campaign=card.offer.campaign,
            site=card.offer.site,
            zone=card.offer.zone,
            title=text.title,
            body=text.body,
            benefit=BenefitBody.of(card.revision.benefit),
            terms=terms_of(card.revision, zone=ZoneInfo(card.time_zone), locale=locale),
            coupon=None
            if coupon is None
            else CouponBody(
                coupon=coupon.coupon,
                state=coupon.state,
                expires_at=render_instant(coupon.expires_at_ms),
            ),
            issued_at=render_instant(card.offer.issued_at_ms),
            expires_at=render_instant(card.offer.expires_at_ms),
        )


class OffersBody(Body):
    """A page of offers, oldest first."""

    offers: tuple[OfferBody, ...]
    cursor: int = Field(description="for the next page or for the stream", examples=[17])
    has_more: bool


class CouponCodeBody(Body):
    """The code to show at the till. A new one each time; the one before is no longer taken."""

    coupon: Id
    code: str = Field(examples=["7K2M-9QXD-4TRB"])
    gs1: str | None = Field(
        default=None,
        description="the same right as a GS1 element string, with character 29 for FNC1, for tills "
        "that know GS1; null where the campaign has no reference there",
        examples=["172611302554012345000016000123456789\x1d3902200"],
    )
    expires_at: Instant

    @classmethod
    def of(cls, code: CouponCode) -> "CouponCodeBody":
        """Render a code for its owner."""
        return cls(
            coupon=code.coupon,
            code=code.code,
            gs1=code.gs1,
            expires_at=render_instant(code.expires_at_ms),
        )
