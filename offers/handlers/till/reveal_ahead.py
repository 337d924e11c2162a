"""Give the app the card's codes of the hours to come, so that the card is good without a line.

Layer: flow. Takes: a shopper. Gives: `CodesAhead` to the app, and an entry in the audit. The key of
a card never leaves us: what a phone holds is good for some hours, each code once, and only while
the card is; which tills ask of us as ever (decision 0038).
"""

from dataclasses import dataclass
from typing import Final

from offers.checkout.card_code import STEP_MS, render_card_code, step_of
from offers.handlers.note_audit import note_audit, shopper_actor, shopper_pseudonym
from offers.handlers.till.reveal_card import GROUP, key_of, make_card
from offers.model.audit import AuditAction
from offers.model.ids import ShopperId
from offers.model.people.card import CardCodeForm
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

STEPS_AHEAD_MAX: Final = 960
"""eight hours, as long as a pairing lasts: one day of shopping"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CodesAhead:
    """One code for each half minute, in both forms. Not printed by `repr`."""

    from_ms: UnixMs
    """when the first of them begins"""
    qr: tuple[str, ...]
    digits: tuple[str, ...]

    @property
    def until_ms(self) -> UnixMs:
        """Return when the last of them ends."""
        return UnixMs(self.from_ms + len(self.qr) * STEP_MS)


def reveal_ahead(
    shopper: ShopperId,
    *,
    steps: int,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> CodesAhead:
    """Return the codes of this half minute and those after it; the audit notes how many."""
    assert 1 <= steps <= STEPS_AHEAD_MAX
    make_card(shopper, work=work, secrets=secrets)
    number = work.cards.number_of(shopper)
    assert number is not None
    first, key = step_of(now_ms), key_of(number, secrets)

    def codes(form: CardCodeForm) -> tuple[str, ...]:
        return tuple(
            render_card_code(number, key=key, group=GROUP, step=step, form=form)
            for step in range(first, first + steps)
        )

    note_audit(
        AuditAction.CARD_CODES_AHEAD,
        subject=shopper_pseudonym(shopper, secrets=secrets),
        by=shopper_actor(shopper, secrets=secrets),
        details={"from_step": first, "steps": steps},
        work=work,
        now_ms=now_ms,
    )
    return CodesAhead(
        from_ms=UnixMs(first * STEP_MS),
        qr=codes(CardCodeForm.QR),
        digits=codes(CardCodeForm.DIGITS),
    )
