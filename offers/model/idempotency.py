"""Recognise a request that comes again, and keep the answer it got.

Layer: nouns. Takes: a key and the request's bytes. Gives: `IdempotentRequest`, `StoredAnswer` to
handlers and storage. A till that lost our answer asks again with the same key, and must neither
redeem twice nor be told that the coupon is used.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidKey
from offers.model.ids import CredentialId

# 8 to 128 characters; printable ASCII without blanks, so that it can stand in a header and a log.
KEY_PATTERN: Final = re.compile(r"\A[\x21-\x7e]{8,128}\Z")
BODY_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """Who asks, under which key, and what: the same key of two callers never meets."""

    caller: CredentialId
    key: str
    fingerprint: str
    """hash of operation and body: another fingerprint under the same key is another request"""

    def __post_init__(self) -> None:
        if not KEY_PATTERN.match(self.key):
            raise InvalidKey(
                f"Idempotency-Key is {self.key[:140]!r}; expected 8 to 128 printable ASCII "
                "characters. A fresh UUID for each wish, the same one for each retry, will do."
            )

    @classmethod
    def of(
        cls, *, caller: CredentialId, key: str, operation: str, body: bytes
    ) -> "IdempotentRequest":
        """Return the request with the fingerprint of ``operation`` and ``body``."""
        name = operation.encode()
        # The length in front keeps ("ab", "c") and ("a", "bc") apart.
        told = len(name).to_bytes(4, "big") + name + body
        return cls(caller=caller, key=key, fingerprint=hashlib.sha256(told).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What was answered, to the byte."""

    status: int
    body: bytes

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 499:
            raise InvalidKey(
                f"status is {self.status}; expected 200 to 499. A fault of ours is not kept: the "
                "retry shall try again."
            )
        if len(self.body) > BODY_BYTES_MAX:
            raise InvalidKey(f"the answer has {len(self.body)} bytes; at most {BODY_BYTES_MAX}.")
