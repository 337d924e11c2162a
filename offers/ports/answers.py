"""Keep what was answered, and what is still to be told to others.

Layer: ports. Takes: nouns. Gives: `Answers`, `Outbox` to storage.
"""

from collections.abc import Sequence
from typing import Protocol

from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.model.ids import ShopperId
from offers.model.outbox import OutboxEvent, OutboxKind
from rtls.model.units import UnixMs


class Answers(Protocol):
    """What was answered to requests that carried an idempotency key."""

    def find(self, request: IdempotentRequest) -> tuple[str, StoredAnswer] | None:
        """Return the fingerprint and answer kept under caller and key, or None."""
        ...

    def keep(self, request: IdempotentRequest, answer: StoredAnswer, *, at_ms: UnixMs) -> None:
        """Write the answer in the transaction of its effect."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete answers older than ``before_ms``; return how many."""
        ...


class Outbox(Protocol):
    """What is still to be told to others."""

    def add(self, kind: OutboxKind, *, shopper: ShopperId, subject: str, at_ms: UnixMs) -> None:
        """Write one thing to tell."""
        ...

    def waiting(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """Return what has not been told, oldest first."""
        ...

    def done(self, sequences: Sequence[int]) -> None:
        """Delete what has been told."""
        ...
