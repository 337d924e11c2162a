"""Send one message to all browsers of a shopper, and say what they said together.

Layer: edges. Takes: a message and browsers. Gives: `RoundOutcome` to the senders of offers and of
answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from offers.delivery.web_push import PushAnswer, PushMessage, PushResult
from offers.model.ids import PushSubscriptionId
from offers.model.messages.contact import DeliveryOutcome
from offers.model.messages.push import PushSubscription

ATTEMPTS_MAX: Final = 4
RETRY_MS: Final = 1_000
BODY_CHARACTERS_MAX: Final = 300  # what a notification shows, and what fits into one record


class PushService(Protocol):
    """Sends one message to one browser (`offers.delivery.web_push.WebPush`)."""

    def send(self, browser: PushSubscription, message: PushMessage) -> PushAnswer:
        """Send; whatever goes wrong is an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOutcome:
    """What all browsers of one push said."""

    is_taken: bool
    gone: tuple[PushSubscriptionId, ...]
    is_open: bool
    """some service may take it later"""
    retry_after_s: int

    def is_to_be_repeated(self, attempt: int) -> bool:
        """Say whether it is worth another round after attempt number ``attempt``, from 0."""
        return not self.is_taken and self.is_open and attempt + 1 < ATTEMPTS_MAX

    def wait_ms(self, attempt: int) -> int:
        """Return how long to wait before the next round."""
        wait_ms: int = max(RETRY_MS * 4**attempt, self.retry_after_s * 1_000)
        return wait_ms

    @property
    def ended(self) -> DeliveryOutcome:
        """Return what it comes to where nothing more is tried."""
        return DeliveryOutcome.ACCEPTED if self.is_taken else DeliveryOutcome.FAILED


def push_to_all(
    browsers: Sequence[PushSubscription], message: PushMessage, *, service: PushService
) -> RoundOutcome:
    """Send to each browser once."""
    answers = [(browser, service.send(browser, message)) for browser in browsers]
    return RoundOutcome(
        is_taken=any(answer.result is PushResult.TAKEN for _, answer in answers),
        gone=tuple(b.subscription for b, answer in answers if answer.result is PushResult.GONE),
        is_open=any(answer.result is PushResult.LATER for _, answer in answers),
        retry_after_s=max((answer.retry_after_s or 0 for _, answer in answers), default=0),
    )
