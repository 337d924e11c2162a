"""The code on the card: good for half a minute, in one group of shops, once."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.checkout.card_code import (
    DIGITS_LENGTH,
    QR_LENGTH,
    STEP_MS,
    accepted_step,
    parse_card_code,
    render_card_code,
    step_of,
)
from offers.model.errors import InvalidCode
from offers.model.offering.refusal import CardRefusal
from offers.model.people.card import CARD_DIGITS, CardCodeForm, CardNumber
from tests.unit.offers.shop import START_MS

KEY = bytes(range(32))
GROUP = "demo"
NUMBERS = st.integers(0, 10**CARD_DIGITS - 1)
FORMS = st.sampled_from(CardCodeForm)
NOW = step_of(START_MS)
HOUR_MS = 3_600_000


def shown(number: int = 4711, *, step: int = NOW, form=CardCodeForm.QR, group: str = GROUP) -> str:
    return render_card_code(CardNumber(number), key=KEY, group=group, step=step, form=form)


def checked(code: str, *, now_ms: int = START_MS, group: str = GROUP, key: bytes = KEY):
    return accepted_step(parse_card_code(code), key=key, group=group, now_ms=now_ms)


@given(NUMBERS, FORMS, st.integers(-1, 1))
def test_a_code_is_good_in_its_half_minute_and_the_ones_beside_it(
    number: int, form: CardCodeForm, off: int
) -> None:
    """Phones are seconds off; the step comes back, so that it can be taken once."""
    code = shown(number, form=form, step=NOW + off)
    assert parse_card_code(code).number == number
    assert checked(code) == NOW + off


@given(NUMBERS, FORMS, st.sampled_from([-HOUR_MS, HOUR_MS, -2 * STEP_MS, 2 * STEP_MS]))
def test_a_clock_that_is_an_hour_off_is_refused_and_told_so(
    number: int, form: CardCodeForm, off_ms: int
) -> None:
    """Yesterday's screenshot and a wrong time zone: not taken, and the remedy can be named."""
    code = shown(number, form=form)
    assert checked(code, now_ms=START_MS + off_ms) is CardRefusal.CODE_OUT_OF_TIME


@given(FORMS)
def test_a_code_is_worth_nothing_in_another_group_or_for_another_card(form: CardCodeForm) -> None:
    """A shop that learns codes must not be able to use them elsewhere."""
    code = shown(form=form)
    assert checked(code, group="other") is CardRefusal.CODE_WRONG
    assert checked(code, key=bytes(32)) is CardRefusal.CODE_WRONG
    other = render_card_code(CardNumber(4712), key=KEY, group=GROUP, step=NOW, form=form)
    assert other[-10:] != code[-10:]


def test_a_proof_is_for_its_own_form() -> None:
    """Nine digits are less than eighty bits; they must not pass for them."""
    of_qr, of_digits = shown(), shown(form=CardCodeForm.DIGITS)
    assert (len(of_qr), len(of_digits)) == (QR_LENGTH, DIGITS_LENGTH) == (26, 22)
    assert of_digits.isdigit()


@given(NUMBERS, st.data())
def test_a_misread_digit_is_found_before_anything_is_asked(number: int, data) -> None:
    """A scratched display is no attack, and must not count as a failed attempt."""
    code = shown(number, form=CardCodeForm.DIGITS)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from(sorted(set("0123456789") - {code[place]})))
    with pytest.raises(InvalidCode, match="check digit"):
        parse_card_code(code[:place] + wrong + code[place + 1 :])


def test_digits_may_be_typed_in_groups() -> None:
    """Where the scanner is broken, somebody reads them out."""
    code = shown(form=CardCodeForm.DIGITS)
    assert checked(" ".join(code[start : start + 4] for start in range(0, 22, 4))) == NOW
    assert checked(shown().lower()) == NOW


@given(st.text(max_size=80) | st.text("C10ZU-", min_size=20, max_size=28))
def test_whatever_is_scanned_gives_a_card_or_our_error(typed: str) -> None:
    """The next thing under the scanner is a tin of paint."""
    with suppress(InvalidCode):
        assert 0 <= parse_card_code(typed).number < 10**CARD_DIGITS


def test_a_number_beyond_the_digits_is_refused_also_from_a_qr_code() -> None:
    """Forty bits hold more than twelve digits."""
    with pytest.raises(InvalidCode, match="card number"):
        parse_card_code("C1" + "Z" * 24)
    with pytest.raises(InvalidCode, match="card number"):
        shown(10**CARD_DIGITS)
