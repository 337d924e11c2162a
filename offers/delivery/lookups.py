"""Ask the resolver for a name with an end in any case, however long the resolver takes.

Layer: edges. Takes: a resolver that may hang, a deadline. Gives: addresses to safe_post, or
`Unreachable`. The system's resolver cannot be interrupted, so each question is asked in a thread of
its own; there are few of them, and what one finds after its caller has gone is dropped.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from offers.model.errors import Unreachable

AT_ONCE_MAX: Final = 8


class Lookups:
    """A resolver whose questions end in time.

    Parameters
    ----------
    resolve
        Finds the addresses of a host; may hang, and raises `Unreachable`.
    at_once_max
        How many questions may be open, those included whose callers have gone. A resolver that
        answers none keeps as many threads, and no call starts another.
    """

    def __init__(
        self, resolve: Callable[[str, int], Sequence[str]], *, at_once_max: int = AT_ONCE_MAX
    ) -> None:
        self._resolve = resolve
        self._free = threading.BoundedSemaphore(at_once_max)

    def within(self, host: str, port: int, left_s: float) -> Sequence[str]:
        """Return the addresses of the host; raises what the resolver raises.

        Raises
        ------
        Unreachable
            If they are not there in ``left_s``.
        """
        if not self._free.acquire(timeout=max(left_s, 0.0)):
            raise Unreachable(f"{host}: too many names wait for the resolver. Try again.")
        found: Future[Sequence[str]] = Future()
        # A daemon: the program may end while the resolver still thinks.
        threading.Thread(
            target=self._ask, args=(host, port, found), name="lookup", daemon=True
        ).start()
        try:
            return found.result(timeout=max(left_s, 0.0))
        except TimeoutError as error:
            raise Unreachable(f"{host}: the name was not resolved in time.") from error

    def _ask(self, host: str, port: int, found: "Future[Sequence[str]]") -> None:
        try:
            found.set_result(self._resolve(host, port))
        except BaseException as error:  # noqa: BLE001 - the caller's, whatever it is
            found.set_exception(error)
        finally:
            self._free.release()
