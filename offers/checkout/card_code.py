"""Make the code on a shopper's card, which changes every half minute, and check one that was shown.

Layer: rules. Takes: a card's number and key, the group of sites that it is good in, and the time.
Gives: codes to the app, and the step of a good one to the handlers of the till, who take each step
of a card once. A photo of the screen is worthless a minute later.

The proof is an HMAC-SHA256 of form, group, number and step (as RFC 6238 does with time steps), cut
to 80 bits in a QR code and to nine digits in a linear one. Three steps of nine digits are guessed
once in 330 million tries, and a till is stopped after ten failures a minute.
"""

import hashlib
import hmac
from typing import Final

from offers.checkout.check_digit import check_digit_of
from offers.checkout.coupon_code import ALPHABET
from offers.model.errors import InvalidCode
from offers.model.offering.refusal import CardRefusal
from offers.model.people.card import (
    CARD_DIGITS,
    CardCode,
    CardCodeForm,
    CardNumber,
    check_card_number,
)
from rtls.model.units import UnixMs

STEP_MS: Final = 30_000
# The step before and after are taken too: phones' clocks differ, and a scan takes seconds.
STEPS_OFF_MAX: Final = 1
# How far a code may be off to be told so, instead of that it is wrong: wrong time zones and clocks
# that were never set are hours off.
STEPS_TOLD_MAX: Final = 150
KEY_BYTES_MIN: Final = 16
PROOF_DIGITS: Final = 9
DIGITS_LENGTH: Final = CARD_DIGITS + PROOF_DIGITS + 1

# QR codes pack capitals and digits (alphanumeric mode); "C1" is the version of the layout.
QR_PREFIX: Final = "C1"
_NUMBER_CHARACTERS: Final = 8
_PROOF_CHARACTERS: Final = 16
QR_LENGTH: Final = len(QR_PREFIX) + _NUMBER_CHARACTERS + _PROOF_CHARACTERS
TYPED_CHARACTERS_MAX: Final = 64


def step_of(at_ms: UnixMs) -> int:
    """Return the number of the half minute.

    Examples
    --------
    >>> step_of(59_999), step_of(60_000)
    (1, 2)
    """
    return at_ms // STEP_MS


def render_card_code(
    number: CardNumber, *, key: bytes, group: str, step: int, form: CardCodeForm
) -> str:
    """Return the code to show during a step.

    Parameters
    ----------
    number, key
        The card's, the key at least `KEY_BYTES_MIN` bytes.
    group
        The sites that the card is good in; part of the proof, not of the code.
    step
        See `step_of`.
    form
        For a two-dimensional or a linear code.
    """
    check_card_number(number)
    proof = _proof(number, key=key, group=group, step=step, form=form)
    match form:
        case CardCodeForm.QR:
            return QR_PREFIX + _base_32(number, _NUMBER_CHARACTERS) + proof
        case CardCodeForm.DIGITS:
            digits = f"{number:0{CARD_DIGITS}d}{proof}"
            return digits + check_digit_of(digits)


def parse_card_code(typed: str) -> CardCode:
    """Read what was scanned or typed; blanks and hyphens between digits are passed over.

    Raises
    ------
    InvalidCode
        If it is no code of a card. The message does not repeat it.
    """
    code = typed[:TYPED_CHARACTERS_MAX].strip().upper()
    if code.startswith(QR_PREFIX) and len(code) == QR_LENGTH and set(code) <= set(ALPHABET):
        number, proof = code[len(QR_PREFIX) :][:_NUMBER_CHARACTERS], code[-_PROOF_CHARACTERS:]
        return CardCode(number=CardNumber(_number_of(number)), form=CardCodeForm.QR, proof=proof)
    digits = code.replace(" ", "").replace("-", "")
    if len(digits) != DIGITS_LENGTH or not (digits.isascii() and digits.isdigit()):
        raise InvalidCode(
            f"the card's code has {len(typed)} characters; expected {DIGITS_LENGTH} digits, or "
            f"{QR_LENGTH} letters and digits that begin with {QR_PREFIX}. Scan it again."
        )
    if check_digit_of(digits[:-1]) != digits[-1]:
        raise InvalidCode(
            "the card's code fails its check digit; expected what the screen shows. Scan it again."
        )
    return CardCode(
        number=CardNumber(int(digits[:CARD_DIGITS])),
        form=CardCodeForm.DIGITS,
        proof=digits[CARD_DIGITS:-1],
    )


def accepted_step(code: CardCode, *, key: bytes, group: str, now_ms: UnixMs) -> int | CardRefusal:
    """Return the step that the code was made for, or why it is not taken.

    Parameters
    ----------
    code, key
        What was scanned, and the key of the card with that number.
    group
        The sites that the till belongs to.
    now_ms
        Our clock; never the till's.
    """
    now = step_of(now_ms)
    near = range(max(0, now - STEPS_OFF_MAX), now + STEPS_OFF_MAX + 1)
    accepted = _steps_of_proof(code, near, key=key, group=group)
    if accepted:
        return accepted[-1]
    far = range(max(0, now - STEPS_TOLD_MAX), now + STEPS_TOLD_MAX + 1)
    is_out_of_time = bool(_steps_of_proof(code, far, key=key, group=group))
    return CardRefusal.CODE_OUT_OF_TIME if is_out_of_time else CardRefusal.CODE_WRONG


def _steps_of_proof(code: CardCode, steps: range, *, key: bytes, group: str) -> list[int]:
    # All of them are tried whatever is found, so that the time of a refusal tells nothing.
    return [
        step
        for step in steps
        if hmac.compare_digest(
            _proof(code.number, key=key, group=group, step=step, form=code.form), code.proof
        )
    ]


def _proof(number: CardNumber, *, key: bytes, group: str, step: int, form: CardCodeForm) -> str:
    assert len(key) >= KEY_BYTES_MIN
    told = f"card {form} {number} {step} {group}"  # the group last: whatever is in it ends it
    digest = hmac.digest(key, told.encode(), hashlib.sha256)
    match form:
        case CardCodeForm.QR:
            return _base_32(int.from_bytes(digest[:10], "big"), _PROOF_CHARACTERS)
        case CardCodeForm.DIGITS:
            return f"{int.from_bytes(digest[:16], 'big') % 10**PROOF_DIGITS:0{PROOF_DIGITS}d}"


def _base_32(number: int, characters: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(characters)))


def _number_of(characters: str) -> int:
    number = 0
    for character in characters:
        number = number << 5 | ALPHABET.index(character)
    return number
