"""Keep the simulator's latest truth for those who ask about an instant.

Layer: doors. Takes: `ShopNews` once a simulated second. Gives: the latest one, and the stay of a
scripted shopper up to an instant, once the truth of that instant is known.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from firmware_sim.truth import Stay
from inaisle.errors import PartBroke
from inaisle.simulation.simulator_process import ShopNews
from rtls.model.units import TagId, UnixMs

NEWS_WITHIN_S: Final = 15.0

Listener = Callable[[ShopNews], None]


class NewsBoard:
    """The latest news; safe between threads.

    Parameters
    ----------
    listeners
        Called with each news, in the thread that brings it.
    """

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self._listeners = tuple(listeners)
        self._changed = threading.Condition()
        self._latest: ShopNews | None = None

    def put(self, news: ShopNews) -> None:
        """Take the news of one second."""
        for listener in self._listeners:
            listener(news)
        with self._changed:
            self._latest = news
            self._changed.notify_all()

    @property
    def latest(self) -> ShopNews | None:
        """Return the latest news, None before the first."""
        with self._changed:
            return self._latest

    def stay_until(self, tag: TagId, at_ms: UnixMs) -> Stay:
        """Return what a scripted shopper had done by ``at_ms``, or a little later.

        Raises
        ------
        PartBroke
            If the truth of that instant does not come, or knows no such shopper.
        """

        def is_known() -> bool:
            return self._latest is not None and self._latest.at_ms >= at_ms

        with self._changed:
            if not self._changed.wait_for(is_known, NEWS_WITHIN_S):
                raise PartBroke("the simulator has gone silent.")
            assert self._latest is not None
            stay = self._latest.stays.get(tag)
        if stay is None:
            raise PartBroke("the simulator knows no such scripted shopper.")
        return stay
