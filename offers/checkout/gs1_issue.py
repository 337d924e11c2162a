"""Put a coupon of ours into the words of GS1, and name it as a till scans it.

Layer: rules. Takes: a campaign's reference, the company prefix, a serial number, the benefit.
Gives: a `Gs1Coupon` or `PositiveOffer` to reveal_coupon, and the one name under which price_basket
finds it again. Only the numbers count then: amount and date in the string are for tills that know
nothing else; what is taken off is what the campaign says, so that nobody prints himself more.
"""

from datetime import date
from typing import assert_never

from offers.checkout.check_digit import check_digit_of
from offers.checkout.coupon_code import CODE_CHARACTERS
from offers.checkout.gs1 import (
    EXPIRY,
    FNC1,
    GCN,
    POSITIVE_OFFER,
    SYMBOLOGIES,
    render_gs1_coupon,
)
from offers.model.campaigns.benefit import Benefit, FreeItem, Gift, MoneyOff, PercentOff
from offers.model.campaigns.gs1_reference import Gs1Reference, Gs1Scheme
from offers.model.money import decimals_of
from offers.model.till.gs1_coupon import (
    OFFER_SERIAL_DIGITS_MAX,
    SERIAL_DIGITS_MAX,
    Gs1Coupon,
    Gs1Number,
    PositiveOffer,
)


def is_element_string(scanned: str) -> bool:
    """Say whether it is meant for GS1, well formed or not; our own codes have twelve characters.

    Examples
    --------
    >>> is_element_string("(255)4012345000016123"), is_element_string("7K2M-9QXD-4TRB")
    (True, False)
    """
    is_marked = scanned.startswith(("(", *SYMBOLOGIES)) or FNC1 in scanned
    is_long = len(scanned.replace("-", "").replace(" ", "")) > CODE_CHARACTERS
    is_long = is_long and scanned.startswith((GCN, EXPIRY, POSITIVE_OFFER))
    return is_marked or is_long


def serial_digits(reference: Gs1Reference) -> int:
    """Return how many digits the serial number has: as many as fit, since they keep it secret."""
    match reference.scheme:
        case Gs1Scheme.GLOBAL_COUPON:
            return SERIAL_DIGITS_MAX
        case Gs1Scheme.NORTH_AMERICAN_OFFER:
            return OFFER_SERIAL_DIGITS_MAX
        case _:
            assert_never(reference.scheme)


def issued_as(
    reference: Gs1Reference, *, prefix: str, serial: str, benefit: Benefit, last_day: date
) -> Gs1Coupon | PositiveOffer:
    """Return the coupon with what it grants, as far as GS1 has words for it.

    Parameters
    ----------
    reference, prefix
        They fit each other (`Gs1Reference.misfit`).
    serial
        Makes it this one coupon; as many digits as `serial_digits` says.
    benefit
        Money and percent off are written down; what is free has the amount 0.
    last_day
        On which it is good, by the calendar of the site.
    """
    match reference.scheme:
        case Gs1Scheme.GLOBAL_COUPON:
            number = prefix + reference.digits
            return Gs1Coupon(
                gcn=number + check_digit_of(number),
                serial=serial,
                expires_on=last_day,
                amount=_amount(benefit),
                percent=_percent(benefit),
            )
        case Gs1Scheme.NORTH_AMERICAN_OFFER:
            return PositiveOffer(
                format_code=0, funder=prefix, offer=reference.digits, serial=serial
            )
        case _:
            assert_never(reference.scheme)


def identity_of(coupon: Gs1Coupon | PositiveOffer) -> str:
    """Return what names the piece, whatever else is printed on it.

    Examples
    --------
    >>> identity_of(Gs1Coupon(gcn="4012345000016", serial="42", expires_on=date(2026, 12, 31)))
    '255401234500001642'
    """
    if isinstance(coupon, Gs1Coupon):
        coupon = Gs1Coupon(gcn=coupon.gcn, serial=coupon.serial)
    return render_gs1_coupon(coupon)


def _amount(benefit: Benefit) -> Gs1Number | None:
    if isinstance(benefit, MoneyOff):
        money = benefit.amount
        return Gs1Number(digits=money.amount_minor, decimals=decimals_of(money.currency))
    return Gs1Number(digits=0, decimals=0) if isinstance(benefit, FreeItem | Gift) else None


def _percent(benefit: Benefit) -> Gs1Number | None:
    return (
        Gs1Number(digits=benefit.percent, decimals=0) if isinstance(benefit, PercentOff) else None
    )
