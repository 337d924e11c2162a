"""Coupons in GS1 element strings: read, written, and refused with the place of the fault."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.check_digit import check_digit_of
from offers.checkout.gs1 import FNC1, parse_gs1_coupon, render_gs1_coupon
from offers.model.errors import InvalidCode
from offers.model.till.gs1_coupon import Gs1Coupon, Gs1Number, PositiveOffer

TODAY = date(2026, 11, 22)
GCN = "4012345000016"
DIGITS = "0123456789"


def parse(scanned: str) -> Gs1Coupon | PositiveOffer:
    return parse_gs1_coupon(scanned, today=TODAY)


def number(digits: int, decimals: int) -> Gs1Number:
    return Gs1Number(digits=digits, decimals=decimals)


def test_a_coupon_of_one_euro_fifty_is_read_field_by_field() -> None:
    """GTIN-like number with serial, an expiry, and 150 with two decimals."""
    coupon = parse(f"]e017261231255{GCN}000042{FNC1}3902150")
    assert coupon == Gs1Coupon(
        gcn=GCN, serial="000042", expires_on=date(2026, 12, 31), amount=number(150, 2)
    )
    assert coupon.amount is not None
    assert coupon.amount.minor(2) == 150


def test_a_percentage_and_points_are_read() -> None:
    """10.5 % is 105 with one decimal; points are four digits."""
    assert parse(f"255{GCN}{FNC1}39410105") == Gs1Coupon(gcn=GCN, percent=number(105, 1))
    assert parse(f"255{GCN}{FNC1}81110250") == Gs1Coupon(gcn=GCN, points=250)


# The bounds of the reference tests of GS1 (lint_couponposoffer).
@pytest.mark.parametrize(
    ("data", "offer"),
    [
        ("001234561234560123456", ("123456", "123456", "123456")),
        ("101234561234560123456", ("123456", "123456", "123456")),
        ("061234567890121234569123456789012345", ("123456789012", "123456", "123456789012345")),
    ],
)
def test_a_positive_offer_is_read_by_its_length_indicators(data: str, offer) -> None:
    """AI 8112: format, funder, offer, serial; two of them say how long they are."""
    found = parse("8112" + data)
    assert found == PositiveOffer(
        format_code=int(data[0]), funder=offer[0], offer=offer[1], serial=offer[2]
    )


@pytest.mark.parametrize(
    ("scanned", "fault"),
    [
        ("", r"has AI \[\]"),
        ("0104012345000016", "position 0: '0104' begins no field"),
        ("255401234500001", "position 3: AI 255 has 12 digits; expected 13 to 25"),
        ("2554012345000017", "position 15: the check digit is 7; expected 6"),
        ("25540123450000a6", "position 14: AI 255 has 'a'"),
        (f"255{GCN}{FNC1}255{GCN}", "position 17: AI 255 comes twice"),
        (f"255{GCN}{FNC1}39001{FNC1}39021", "position 27: AI 3902 stands with 3900"),
        (f"255{GCN}{FNC1}3900", "position 21: AI 3900 has 0 digits"),
        (f"255{GCN}{FNC1}39001{FNC1}39400010", "grants .'amount', 'percent'."),
        (f"255{GCN}{FNC1}39400101", "expected at most 100"),
        (f"17261301255{GCN}", "position 2: 261301 is no date"),
        (f"17261231{FNC1}39001", "expected a coupon"),
        (f"8112001234561234560123456{FNC1}17261231", "expected it alone"),
        ("8112201234561234560123456", "position 4: AI 8112: format_code is 2"),
        ("81120712345678901231234560123456", "position 4: AI 8112: funder is .* expected 6 to 12"),
        ("8112001234561234561123456", "position 18: AI 8112 is cut off after 21 digits"),
        ("8112061234567890123456", "position 4: AI 8112 has 18 digits; expected 21 to 36"),
        ("81120012345612345601234567", "position 25: AI 8112 has 1 digits too many"),
        ("9" * 101, "101 characters"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(scanned: str, fault: str) -> None:
    """Somebody stands at the till and has to know whether it is the scanner or the coupon."""
    with pytest.raises(InvalidCode, match=fault):
        parse(scanned)


def test_day_zero_is_the_end_of_the_month_and_the_century_is_the_nearest() -> None:
    """29 February in a leap year; 76 is 2076, 77 is 1977."""
    ends = {"280200": date(2028, 2, 29), "260200": date(2026, 2, 28), "761231": date(2076, 12, 31)}
    ends |= {"770101": date(1977, 1, 1)}
    for written, end in ends.items():
        coupon = parse(f"17{written}255{GCN}")
        assert isinstance(coupon, Gs1Coupon)
        assert coupon.expires_on == end


def test_a_part_of_a_cent_is_refused_and_yen_have_none() -> None:
    """1.505 euro cannot be paid; 150 with two decimals is no whole number of yen."""
    with pytest.raises(InvalidCode, match="not whole"):
        number(1_505, 3).minor(2)
    with pytest.raises(InvalidCode, match="not whole"):
        number(150, 2).minor(0)
    assert number(2, 0).minor(2) == 200


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=least, max_size=most)


GCNS = digits(12, 12).map(lambda body: body + check_digit_of(body))
AMOUNTS = st.builds(number, st.integers(0, 10**15 - 1), st.integers(0, 9))
PERCENTS = st.integers(0, 3).flatmap(
    lambda n: st.builds(number, st.integers(0, min(9_999, 100 * 10**n)), st.just(n))
)
COUPONS = st.builds(
    lambda gcn, serial, expires_on, granted: Gs1Coupon(
        gcn=gcn, serial=serial, expires_on=expires_on, **granted
    ),
    GCNS,
    digits(0, 12),
    st.none() | st.dates(date(1977, 1, 1), date(2076, 12, 31)),
    st.just({})
    | AMOUNTS.map(lambda amount: {"amount": amount})
    | PERCENTS.map(lambda percent: {"percent": percent})
    | st.integers(0, 9_999).map(lambda points: {"points": points}),
)
OFFERS = st.builds(
    PositiveOffer,
    format_code=st.integers(0, 1),
    funder=digits(6, 12),
    offer=digits(6, 6),
    serial=digits(6, 15),
)


@given(COUPONS | OFFERS, st.sampled_from(["", FNC1, "]C1", "]d2"]))
def test_what_is_written_is_read_back(coupon: Gs1Coupon | PositiveOffer, prefix: str) -> None:
    """Printer and till must agree to the digit."""
    assert parse(prefix + render_gs1_coupon(coupon)) == coupon


@given(COUPONS | OFFERS, st.data())
def test_a_damaged_string_gives_a_coupon_or_our_error(coupon, data) -> None:
    """Whatever comes out of a scanner: no other exception leaves the parser."""
    whole = render_gs1_coupon(coupon)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 4)))
    damage = data.draw(st.text(f"{DIGITS}{FNC1}a]é²", max_size=4))
    with suppress(InvalidCode):
        parse(whole[:start] + damage + whole[end:])


@given(st.text(max_size=120))
def test_any_text_gives_a_coupon_or_our_error(scanned: str) -> None:
    """Somebody scans a web address."""
    with suppress(InvalidCode):
        parse(scanned)
