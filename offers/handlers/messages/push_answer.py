"""Bring what staff answered to the shopper: to the open app, or else to his browsers.

Layer: flow. Takes: an answer. Gives: `AnswerToTell` to the relay, `AnswerPush` to the answer
sender, or why not. A service message answers the shopper's own: no trip, cap, pace or quiet hour
stands against it, and it takes the place of no offer. What he has switched off stays off, and who
was erased is not there to be told.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from offers.handlers.messages.contact_link import unsubscribe_token
from offers.model.ids import CaseAnswerId, PushSubscriptionId, ShopperId
from offers.model.messages.contact import Delivery, DeliveryChannel, DeliveryOutcome
from offers.model.messages.push import PushSubscription
from offers.model.offering.refusal import PushRefusal
from offers.model.people.service_case import AnswerToTell, CaseAnswer
from offers.model.people.shopper import Locale
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

_PUSH: Final = DeliveryChannel.PUSH


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnswerPush:
    """What goes to the push services. Not printed by `repr`."""

    answer: CaseAnswer
    locale: Locale
    browsers: tuple[PushSubscription, ...]
    unsubscribe_token: str


def answer_to_tell(answer: CaseAnswerId, *, work: UnitOfWork) -> AnswerToTell | None:
    """Return the answer for the open app; None where it has been reached, or is gone."""
    found = work.cases.find_answer(answer)
    if found is None:
        return None
    is_new = any(one.answer == answer for one in work.cases.unreached_of(found.shopper))
    return AnswerToTell(answer=found, locale=_locale(found.shopper, work=work)) if is_new else None


def answers_to_tell(shopper: ShopperId, *, work: UnitOfWork) -> tuple[AnswerToTell, ...]:
    """Return what a shopper whose app has just connected has not read yet."""
    waiting = work.cases.unreached_of(shopper)
    if not waiting:  # nearly always
        return ()
    locale = _locale(shopper, work=work)
    return tuple(AnswerToTell(answer=answer, locale=locale) for answer in waiting)


def prepare_answer_push(
    answer: CaseAnswerId, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> AnswerPush | PushRefusal | None:
    """Return what to push now, why nothing is pushed, or None where the answer has been read."""
    told = answer_to_tell(answer, work=work)
    if told is None:
        return None
    shopper = told.answer.shopper
    if not work.contacts.wishes_of(shopper).wants(_PUSH):
        return PushRefusal.CHANNEL_OFF
    browsers = work.push_subscriptions.of_shopper(shopper)
    if not browsers:
        return PushRefusal.NO_ADDRESS
    return AnswerPush(
        answer=told.answer,
        locale=told.locale,
        browsers=browsers,
        unsubscribe_token=unsubscribe_token(shopper, _PUSH, now_ms=now_ms, secrets=secrets),
    )


def note_answer_push(
    answer: CaseAnswerId,
    outcome: DeliveryOutcome,
    *,
    gone: tuple[PushSubscriptionId, ...] = (),
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Write what became of a push; who was erased meanwhile is left alone."""
    for subscription in gone:
        work.push_subscriptions.remove(subscription)
    match outcome:
        case DeliveryOutcome.ACCEPTED:
            note_answer_reached(answer, _PUSH, work=work, now_ms=now_ms)
        case DeliveryOutcome.FAILED:
            found = work.cases.find_answer(answer)
            if found is not None:
                _note(found, _PUSH, outcome, work=work, now_ms=now_ms)
        case _:
            assert_never(outcome)


def note_answer_reached(
    answer: CaseAnswerId, channel: DeliveryChannel, *, work: UnitOfWork, now_ms: UnixMs
) -> bool:
    """Write that an app or a browser has taken the answer; False where one had before."""
    found = work.cases.find_answer(answer)
    if found is None or not work.cases.note_reached(answer, at_ms=now_ms):
        return False
    _note(found, channel, DeliveryOutcome.ACCEPTED, work=work, now_ms=now_ms)
    return True


def _note(
    answer: CaseAnswer,
    channel: DeliveryChannel,
    outcome: DeliveryOutcome,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    work.contacts.note_delivery(
        Delivery(shopper=answer.shopper, offer=None, channel=channel, outcome=outcome, at_ms=now_ms)
    )


def _locale(shopper: ShopperId, *, work: UnitOfWork) -> Locale:
    found = work.shoppers.find(shopper)
    return Locale.DE if found is None else found.locale
