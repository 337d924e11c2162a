"""Slow down who guesses: count failures of one identity within a minute.

Layer: edges. Takes: an identity (till, shopper or address) and the instant. Gives: how many seconds
to wait before the next attempt, to the routes that take codes. Memory is bounded: the identities
that failed longest ago are forgotten first.
"""

from collections import OrderedDict, deque
from threading import Lock

from rtls.model.units import UnixMs


class FailureLimit:
    """A sliding window of failures for each identity.

    Parameters
    ----------
    failures_max
        From this many failures within the window on, attempts are refused.
    window_ms
        Length of the window.
    identities_max
        So many identities are kept; an attacker's inventions cannot grow memory.
    """

    def __init__(
        self, *, failures_max: int = 10, window_ms: int = 60_000, identities_max: int = 50_000
    ) -> None:
        self._failures_max = failures_max
        self._window_ms = window_ms
        self._identities_max = identities_max
        self._failed_at_ms: OrderedDict[str, deque[UnixMs]] = OrderedDict()
        self._lock = Lock()

    def count_failure(self, identity: str, *, now_ms: UnixMs) -> None:
        """Note that an attempt has failed."""
        with self._lock:
            instants = self._failed_at_ms.setdefault(identity, deque(maxlen=self._failures_max))
            instants.append(now_ms)
            self._failed_at_ms.move_to_end(identity)
            if len(self._failed_at_ms) > self._identities_max:
                self._failed_at_ms.popitem(last=False)

    def wait_s(self, identity: str, *, now_ms: UnixMs) -> int:
        """Return 0 when an attempt is allowed, else the whole seconds until it is."""
        with self._lock:
            instants = self._failed_at_ms.get(identity)
            if instants is None or len(instants) < self._failures_max:
                return 0
            left_ms = instants[0] + self._window_ms - now_ms
        return max(0, -(-left_ms // 1000))

    def __len__(self) -> int:
        """Return the number of identities kept."""
        return len(self._failed_at_ms)
