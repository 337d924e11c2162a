"""Repeat one step of work with Redis in a thread of its own, whatever Redis does.

Layer: edges. Takes: a step from the sinks of this package. Gives: a `RepeatedStep` that tries again
for ever after any error of Redis or of the network.
"""

from collections.abc import Callable

from redis.exceptions import RedisError

from rtls.model.units import Second
from rtls.publish.repeated_step import RepeatedStep


class RedisWorker(RepeatedStep):
    """A thread that calls ``step`` again and again until stopped.

    Parameters
    ----------
    name, step, interval_s
        As of `RepeatedStep`.
    retry_on
        Errors besides those of Redis and the network after which the step is tried again.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], None],
        *,
        interval_s: Second,
        retry_on: tuple[type[Exception], ...] = (),
    ) -> None:
        super().__init__(
            name, step, interval_s=interval_s, retry_on=(RedisError, OSError, *retry_on)
        )
