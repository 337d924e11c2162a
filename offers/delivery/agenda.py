"""Keep what is to be done at which time, each thing once, and hand it to the threads that do it.

Layer: edges. Takes: things with a due time, from any thread. Gives: the next one that is due, to
the workers of the push sender. Bounded: what finds no room is refused, and told so.
"""

import heapq
from collections.abc import Callable
from threading import Condition
from typing import Final, Generic, TypeVar

from rtls.model.units import UnixMs

T = TypeVar("T", bound=str)
_LOOK_S: Final = 0.1  # the program's clock may run faster than the wall's


class Agenda(Generic[T]):
    """A bounded queue by due time.

    Parameters
    ----------
    things_max
        So many may wait.
    now_ms
        The door's clock.
    """

    def __init__(self, *, things_max: int, now_ms: Callable[[], UnixMs]) -> None:
        self._things_max = things_max
        self._now_ms = now_ms
        self._waiting: list[tuple[UnixMs, T, int]] = []
        self._known: set[T] = set()
        self._changed = Condition()
        self._is_closed = False

    def put(self, thing: T, *, due_ms: UnixMs, attempt: int = 0) -> bool:
        """Note a thing; False where there is no room. One that is known already stays as it is."""
        with self._changed:
            if thing in self._known:
                return True
            if self._is_closed or len(self._known) >= self._things_max:
                return False
            self._known.add(thing)
            self._push(thing, due_ms=due_ms, attempt=attempt)
            return True

    def again(self, thing: T, *, due_ms: UnixMs, attempt: int) -> None:
        """Put back what `next` has given, for a further attempt."""
        with self._changed:
            assert thing in self._known
            self._push(thing, due_ms=due_ms, attempt=attempt)

    def done(self, thing: T) -> None:
        """Forget what `next` has given."""
        with self._changed:
            self._known.discard(thing)

    def next(self) -> tuple[T, int] | None:
        """Wait for the next thing that is due, and how often it was tried; None at the end."""
        with self._changed:
            while not self._is_closed:
                if self._waiting and self._waiting[0][0] <= self._now_ms():
                    _, thing, attempt = heapq.heappop(self._waiting)
                    return thing, attempt
                self._changed.wait(_LOOK_S if self._waiting else None)
            return None

    def close(self) -> None:
        """Let all workers end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """Return how many things wait or are being done."""
        return len(self._known)

    def _push(self, thing: T, *, due_ms: UnixMs, attempt: int) -> None:
        heapq.heappush(self._waiting, (due_ms, thing, attempt))
        self._changed.notify()
