"""Remember which browsers a shopper's pushes go to.

Layer: nouns. Takes: what a browser gives when its user allows pushes. Gives: `PushSubscription` to
handlers, storage and delivery.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidTarget
from offers.model.ids import PushSubscriptionId, ShopperId, check_random_id
from offers.model.messages.target import Target
from rtls.model.units import UnixMs

PUBLIC_KEY_BYTES: Final = 65
AUTH_BYTES: Final = 16
SUBSCRIPTIONS_A_SHOPPER_MAX: Final = 5
_UNCOMPRESSED: Final = 4
_BASE64URL: Final = re.compile(r"\A[A-Za-z0-9_-]{1,128}={0,2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """One browser: where its push service takes messages, and for which key."""

    subscription: PushSubscriptionId
    shopper: ShopperId
    endpoint: str
    browser_key: bytes
    """``p256dh``: a point of P-256, uncompressed"""
    browser_secret: bytes
    """``auth``"""
    created_at_ms: UnixMs

    def __post_init__(self) -> None:
        check_random_id("subscription", self.subscription, error=InvalidTarget)
        Target.parse(self.endpoint)
        is_point = len(self.browser_key) == PUBLIC_KEY_BYTES and (
            self.browser_key[0] == _UNCOMPRESSED
        )
        if not is_point:
            raise InvalidTarget(
                f"p256dh has {len(self.browser_key)} bytes; expected the {PUBLIC_KEY_BYTES} of an "
                "uncompressed point, as PushSubscription.getKey gives them."
            )
        if len(self.browser_secret) != AUTH_BYTES:
            raise InvalidTarget(
                f"auth has {len(self.browser_secret)} bytes; expected {AUTH_BYTES}, as "
                "PushSubscription.getKey gives them."
            )


def render_base64url(content: bytes) -> str:
    """Return base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def parse_base64url(field: str, text: str) -> bytes:
    """Return the bytes of a text in base64url, with or without padding.

    Raises
    ------
    InvalidTarget
        If it is none, or too long to be a key.
    """
    bare = text.rstrip("=")
    # A length of 4n + 1 is of no bytes at all.
    if not _BASE64URL.match(text) or len(bare) % 4 == 1:
        raise InvalidTarget(
            f"{field} is {text[:20]!r}…; expected base64url as PushSubscription.toJSON gives it."
        )
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
