"""Ask for secrets, and tell other replicas: what offers need that is no storage.

Layer: ports. Takes: nouns. Gives: `SecretSource`, `FanOut` to the edges that implement them.
"""

from collections.abc import Callable
from typing import Protocol

from offers.model.ids import ShopperId


class SecretSource(Protocol):
    """Random bytes, and the keyed fingerprint under which secrets are stored."""

    def random_bytes(self, count: int) -> bytes:
        """Return ``count`` bytes that nobody can guess."""
        ...

    def fingerprint(self, secret: str, *, purpose: str) -> str:
        """Return HMAC-SHA256 of ``secret`` as 64 hex digits; another ``purpose``, another value."""
        ...

    def hash_password(self, password: str) -> str:
        """Return what a password is recognised by; takes long on purpose: never in a transaction.

        Unlike a secret of ours a password can be guessed: each guess has to cost time and memory.
        """
        ...

    def is_password(self, password: str, password_hash: str | None) -> bool:
        """Return whether it is the password; takes as long where there is none to compare with."""
        ...


class FanOut(Protocol):
    """Tell every API replica what concerns a shopper. May lose all: costs freshness only."""

    def publish(self, shopper: ShopperId, payload: bytes) -> None:
        """Hand over one message. Never blocks; loses it rather than waiting."""
        ...

    def is_heard(self, shopper: ShopperId) -> bool:
        """Say whether a message may find anybody; True where that cannot be known here."""
        ...

    def subscribe(
        self,
        listener: Callable[[ShopperId, bytes], None],
        *,
        hears: Callable[[ShopperId], bool] | None = None,
    ) -> Callable[[], None]:
        """Call ``listener`` for each message from now on; the returned function ends it.

        ``hears`` says whom it takes messages for at this moment; without it, for everybody.
        """
        ...
