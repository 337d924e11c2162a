"""Hand one message to the push service of one browser (RFC 8030).

Layer: edges. Takes: a subscription, a payload, how long it is of use. Gives: `PushAnswer` to the
push sender: taken, gone for good, try again, or never.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from offers.delivery.push_encryption import SALT_BYTES, encrypt_push
from offers.delivery.safe_post import Answer, SafePost
from offers.delivery.vapid import Vapid
from offers.model.errors import InvalidTarget, Unreachable
from offers.model.messages.push import PushSubscription
from offers.model.messages.target import Target
from offers.ports import SecretSource
from rtls.model.units import UnixMs

PAD_TO: Final = 1_024
_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({408, 429})
_SERVER_FAULTS_FROM: Final = 500


class PushResult(StrEnum):
    """What became of one message to one browser."""

    TAKEN = "taken"
    GONE = "gone"
    """the browser has ended the subscription, or never was one: forget it"""
    LATER = "later"
    """the service is busy or away"""
    REFUSED = "refused"
    """the service will never take this; the fault is ours"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer:
    """The result, and when the service wants to be asked again."""

    result: PushResult
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """What is pushed."""

    payload: bytes
    ttl_s: int
    topic: str
    """a message with the same topic replaces one that is still on the way"""


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a fresh key pair, for one message."""
    return ec.generate_private_key(ec.SECP256R1())


class WebPush:
    """Sends to push services.

    Parameters
    ----------
    post
        Calls public servers only.
    vapid
        Says who sends.
    secrets, now_ms
        Randomness and the door's clock.
    """

    def __init__(
        self,
        *,
        post: SafePost,
        vapid: Vapid,
        secrets: SecretSource,
        now_ms: Callable[[], UnixMs],
    ) -> None:
        self._post = post
        self._vapid = vapid
        self._secrets = secrets
        self._now_ms = now_ms

    def send(self, browser: PushSubscription, message: PushMessage) -> PushAnswer:
        """Send one message; whatever goes wrong is an answer."""
        try:
            target = Target.parse(browser.endpoint)
            body = encrypt_push(
                message.payload,
                browser_key=browser.browser_key,
                browser_secret=browser.browser_secret,
                salt=self._secrets.random_bytes(SALT_BYTES),
                own_key=new_key(),
                pad_to=PAD_TO,
            )
            return _read(self._post(target, body=body, headers=self._headers(target, message)))
        except InvalidTarget:
            # No browser has such an address or key, or its name has come to lead inside.
            return PushAnswer(result=PushResult.GONE)
        except Unreachable:
            return PushAnswer(result=PushResult.LATER)

    def _headers(self, target: Target, message: PushMessage) -> dict[str, str]:
        return {
            "Authorization": self._vapid.authorization(target, now_ms=self._now_ms()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(message.ttl_s),
            "Topic": message.topic,
            "Urgency": "high",  # it is of use now, or never
        }


def _read(answer: Answer) -> PushAnswer:
    if answer.is_success:
        return PushAnswer(result=PushResult.TAKEN)
    if answer.status in _GONE:
        return PushAnswer(result=PushResult.GONE)
    if answer.status in _LATER or answer.status >= _SERVER_FAULTS_FROM:
        return PushAnswer(result=PushResult.LATER, retry_after_s=answer.retry_after_s)
    return PushAnswer(result=PushResult.REFUSED)
