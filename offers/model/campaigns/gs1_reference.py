"""Name a campaign's coupons in the numbers of GS1, so that a till that knows GS1 can scan them.

Layer: nouns. Takes: the member "gs1" of a campaign: ``{"coupon_reference": "00001"}`` for a Global
Coupon Number (AI 255), or ``{"north_american_offer": "123456"}`` for a digital offer of North
America (AI 8112). Gives: `Gs1Reference` to campaigns. The company prefix in front of either is the
retailer's, and stands in the programme.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidCampaign
from offers.model.json_members import Json, refuse_unknown, text_of
from offers.model.till.gs1_coupon import GCN_DIGITS, OFFER_DIGITS

PREFIX_DIGITS_MIN: Final = 6
PREFIX_DIGITS_MAX: Final = 12


class Gs1Scheme(StrEnum):
    """Which element string the coupons have; also the member's name in the document."""

    GLOBAL_COUPON = "coupon_reference"
    """AI 255: company prefix, reference and check digit, with a serial number"""
    NORTH_AMERICAN_OFFER = "north_american_offer"
    """AI 8112: company prefix as funder, offer code, serial number"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gs1Reference:
    """What a campaign is called behind the retailer's company prefix."""

    scheme: Gs1Scheme
    digits: str

    def __post_init__(self) -> None:
        most = GCN_DIGITS - 1 - PREFIX_DIGITS_MIN
        expected = f"1 to {most}"
        if self.scheme is Gs1Scheme.NORTH_AMERICAN_OFFER:
            most, expected = OFFER_DIGITS, str(OFFER_DIGITS)
        is_whole = self.scheme is Gs1Scheme.GLOBAL_COUPON or len(self.digits) == most
        is_sound = self.digits.isascii() and self.digits.isdigit() and is_whole
        if not is_sound or len(self.digits) > most:
            raise InvalidCampaign(
                f"gs1.{self.scheme} is {self.digits[:40]!r}; expected {expected} digits. Take the "
                "number under which your company keeps this coupon."
            )

    def misfit(self, prefix: str | None) -> str | None:
        """Return why no number comes of it with this company prefix, or None.

        Examples
        --------
        >>> reference = Gs1Reference(scheme=Gs1Scheme.GLOBAL_COUPON, digits="00001")
        >>> reference.misfit("4012345") is None
        True
        """
        if prefix is None:
            return (
                "the programme names no gs1_company_prefix; expected that of the retailer. Add it "
                "to the programme, or leave 'gs1' out of the campaign."
            )
        digits = len(prefix) + len(self.digits)
        if self.scheme is Gs1Scheme.GLOBAL_COUPON and digits != GCN_DIGITS - 1:
            return (
                f"gs1.{self.scheme} has {len(self.digits)} digits and gs1_company_prefix "
                f"{len(prefix)}; expected {GCN_DIGITS - 1} together. Fill the reference with "
                "zeros from the left."
            )
        return None


def parse_gs1_reference(given: Json) -> Gs1Reference:
    """Read the reference.

    Raises
    ------
    InvalidCampaign
        If it does not name exactly one number, or that is none.
    """
    refuse_unknown(given, "gs1", {scheme.value for scheme in Gs1Scheme})
    named = [scheme for scheme in Gs1Scheme if scheme.value in given]
    if len(named) != 1:
        raise InvalidCampaign(
            f"gs1 has {sorted(given)}; expected one of {[scheme.value for scheme in Gs1Scheme]}."
        )
    return Gs1Reference(scheme=named[0], digits=text_of(given, named[0].value))


def render_gs1_reference(reference: Gs1Reference) -> Json:
    """Return what `parse_gs1_reference` reads."""
    return {reference.scheme.value: reference.digits}
