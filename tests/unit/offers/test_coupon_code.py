"""Coupon codes: sixty bits that people can read out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.coupon_code import ALPHABET, group_code, parse_code, render_code
from offers.model.errors import InvalidOffer


@given(st.binary(min_size=8, max_size=8))
def test_a_code_comes_back_however_it_was_typed(drawn: bytes) -> None:
    """Cashiers type small letters, hyphens, blanks, and O for 0."""
    code = render_code(drawn)
    assert len(code) == 12
    assert set(code) <= set(ALPHABET)
    typed = group_code(code).lower().replace("0", "o").replace("1", "l")
    assert parse_code(typed) == code
    assert parse_code(f" {code} ") == code


def test_all_sixty_bits_count() -> None:
    """A code that ignored a bit would be guessed twice as fast."""
    codes = {render_code((1 << bit).to_bytes(8, "big")) for bit in range(60)}
    assert len(codes) == 60
    assert render_code((1 << 60).to_bytes(8, "big")) == "000000000000"


@pytest.mark.parametrize(
    "typed", ["", "ABCD", "ABCDEFGHJKMU", "ABCDEFGHJKMNP", "ÄBCDEFGHJKMN", "A" * 99]
)
def test_what_cannot_be_a_code_is_refused_without_repeating_it(typed: str) -> None:
    """The error goes to a log; a code is a secret."""
    with pytest.raises(InvalidOffer, match="expected 12") as refused:
        parse_code(typed)
    assert typed == "" or typed not in str(refused.value)
