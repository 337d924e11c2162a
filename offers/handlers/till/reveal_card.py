"""Show the code of a shopper's card, and know the shopper by a code that a till has scanned.

Layer: flow. Takes: a shopper; what a till has scanned. Gives: a `ShownCode` to the app, a
`ScannedCard` to price_basket and hold_basket. Each code is taken once: the half minute that it was
made for is written down in the transaction of the hold.
"""

from dataclasses import dataclass
from typing import Final

from offers.checkout.card_code import (
    STEP_MS,
    STEPS_OFF_MAX,
    accepted_step,
    parse_card_code,
    render_card_code,
    step_of,
)
from offers.model.errors import Busy, InvalidCode
from offers.model.ids import RANDOM_ID_BYTES, ShopperId
from offers.model.people.card import CARD_DIGITS, CardCodeForm, CardNumber
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

KEY_PURPOSE: Final = "card"
# All sites that share this database take each other's cards; another installation has another key.
GROUP: Final = "all"
NUMBERS_TRIED_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShownCode:
    """What the app shows until the next one. Not printed by `repr`."""

    code: str
    form: CardCodeForm
    until_ms: UnixMs
    """when the next code is due; the till takes this one half a minute longer"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedCard:
    """Whose card was scanned, and which half minute its code was of."""

    shopper: ShopperId
    step: int


def reveal_card(
    shopper: ShopperId,
    form: CardCodeForm,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> ShownCode | None:
    """Return the code of this half minute, or None where the shopper has no card yet."""
    number = work.cards.number_of(shopper)
    if number is None:
        return None
    step = step_of(now_ms)
    code = render_card_code(number, key=key_of(number, secrets), group=GROUP, step=step, form=form)
    return ShownCode(code=code, form=form, until_ms=UnixMs((step + 1) * STEP_MS))


def make_card(shopper: ShopperId, *, work: UnitOfWork, secrets: SecretSource) -> None:
    """Give the shopper a card with a number drawn at random; one that has a card keeps it.

    Raises
    ------
    Busy
        If each number drawn is another's: with a million cards that is once in 10^48 tries.
    """
    if work.cards.number_of(shopper) is not None:
        return
    for _ in range(NUMBERS_TRIED_MAX):
        drawn = int.from_bytes(secrets.random_bytes(RANDOM_ID_BYTES), "big")
        if work.cards.add(shopper, CardNumber(drawn % 10**CARD_DIGITS)):
            return
    raise Busy("no number was free for a new card. Try again.")


def scanned_card(
    code: str, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> ScannedCard | None:
    """Return whose card it is; None for a code that is wrong, too old, or was taken before."""
    try:
        card = parse_card_code(code)
    except InvalidCode:
        return None
    shopper = work.cards.holder_of(card.number)
    if shopper is None:
        return None
    step = accepted_step(card, key=key_of(card.number, secrets), group=GROUP, now_ms=now_ms)
    if not isinstance(step, int) or work.cards.is_taken(shopper, step):
        return None
    return ScannedCard(shopper=shopper, step=step)


def forget_card_steps(*, work: UnitOfWork, now_ms: UnixMs, limit: int) -> int:
    """Delete the half minutes that no code can be of any more; return how many."""
    return work.cards.forget_before(step_of(now_ms) - STEPS_OFF_MAX, limit=limit)


def key_of(number: CardNumber, secrets: SecretSource) -> bytes:
    """Return the key that the codes of a card are made with."""
    return bytes.fromhex(secrets.fingerprint(str(number), purpose=KEY_PURPOSE))
