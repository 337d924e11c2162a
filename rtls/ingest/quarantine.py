"""Keep what came of the messages that could not be read: how many, why, and the last of them.

Layer: rules. Takes: rejections from the decoders. Gives: counters to metrics, the last entries to
the operator. The payload itself is not kept, since it may name people's tags: its size and hash
suffice to find it again in a gateway's own log.
"""

import hashlib
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from rtls.ingest.formats.decoded import Rejection, RejectionReason
from rtls.model.units import UnixMs

ENTRIES_MAX: Final = 1_000
TOPIC_LENGTH_MAX: Final = 120
HASHED_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One message that was put aside."""

    reason: RejectionReason
    topic: str
    """shortened and escaped: a topic is a stranger's text"""
    where: str
    size_bytes: int
    digest: str
    """BLAKE2b of the first 64 kB, 16 hex digits"""
    received_at_ms: UnixMs


class Quarantine:
    """The last messages put aside, and how many there were by reason."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries: deque[Quarantined] = deque(maxlen=entries_max)
        self._counts: Counter[RejectionReason] = Counter()

    def put(
        self, rejection: Rejection, *, topic: str, payload: bytes, received_at_ms: UnixMs
    ) -> None:
        """Remember one message."""
        self._counts[rejection.reason] += 1
        self._entries.append(
            Quarantined(
                reason=rejection.reason,
                topic=ascii(topic[:TOPIC_LENGTH_MAX])[1:-1],
                where=rejection.where,
                size_bytes=len(payload),
                digest=hashlib.blake2b(payload[:HASHED_BYTES_MAX], digest_size=8).hexdigest(),
                received_at_ms=received_at_ms,
            )
        )

    @property
    def entries(self) -> tuple[Quarantined, ...]:
        """Return the last entries, oldest first."""
        return tuple(self._entries)

    def count_by_reason(self) -> dict[RejectionReason, int]:
        """Return a count for every reason there is, also those that never occurred."""
        return {reason: self._counts[reason] for reason in RejectionReason}
