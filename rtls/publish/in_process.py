"""Hand zone events to subscribers in the same process, and return when they have committed.

Layer: edges. Takes: events from the locating loop. Gives: the same events, in order, to each
subscriber (the offers side, wired by the door).
"""

import time
from collections.abc import Callable, Sequence

from rtls.model.errors import NotDurable
from rtls.model.visit import ZoneEvent
from rtls.publish.backoff import Backoff

Subscriber = Callable[[Sequence[ZoneEvent]], None]


class InProcessBus:
    """Deliver events to subscribers in the caller's thread (port `EventSink`).

    A subscriber that raises is given the same events again, after a wait; what it did with the
    first copy must therefore be undone by its error or be harmless twice (it refuses known ids).

    Parameters
    ----------
    backoff
        After the last attempt `publish` raises, so that the input is not acknowledged.
    retry_on
        The errors worth another attempt; any other surfaces at once.
    wait
        How to wait between attempts; a test gives its own.
    """

    def __init__(
        self,
        *,
        backoff: Backoff | None = None,
        retry_on: tuple[type[Exception], ...] = (Exception,),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.counters = {"published": 0, "retried": 0, "refused": 0}
        self._backoff = backoff or Backoff()
        self._retry_on = retry_on
        self._wait = wait
        self._subscribers: dict[str, Subscriber] = {}

    def subscribe(self, name: str, accept: Subscriber) -> None:
        """Add a subscriber; ``accept`` returns when the events' effects are committed.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self._subscribers:
            raise ValueError(f"subscriber {name!r} exists already; expected a new name.")
        self._subscribers[name] = accept

    def publish(self, events: Sequence[ZoneEvent]) -> None:
        """Hand over events, in order; return when every subscriber has committed.

        `NotDurable` says that a subscriber failed at every attempt. Subscribers before it have
        the events already; publishing them once more is harmless.
        """
        if not events:
            return
        for name, accept in self._subscribers.items():
            self._deliver(name, accept, events)
        self.counters["published"] += len(events)

    def _deliver(self, name: str, accept: Subscriber, events: Sequence[ZoneEvent]) -> None:
        for failures in range(1, self._backoff.attempts + 1):
            try:
                accept(events)
            except self._retry_on as error:
                if failures == self._backoff.attempts:
                    self.counters["refused"] += len(events)
                    raise NotDurable(
                        f"subscriber {name!r} refused {len(events)} events {failures} times "
                        f"({error!r}); expected it to commit. The input is kept; see its log."
                    ) from error
                self.counters["retried"] += 1
                self._wait(self._backoff.wait_s(failures))
            else:
                return
