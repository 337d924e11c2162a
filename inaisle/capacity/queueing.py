"""Let work wait for one server, first come, first served.

Layer: doors. Takes: when each piece of work is there, and how long it takes. Gives: when each is
done, to the simulated day; and what queueing theory says of the stationary case, to its check.
"""

import math

import numpy as np
import numpy.typing as npt

from inaisle.errors import InvalidSettings

Floats = npt.NDArray[np.float64]


def done_at(ready_s: Floats, service_s: Floats) -> Floats:
    """Return when each piece of work is done by one server that never rests while work waits.

    Lindley's recursion, done_n = max(ready_n, done_(n-1)) + service_n, without a loop: what is
    done last waited for the piece after which the server was never idle again.

    Parameters
    ----------
    ready_s
        (n,) or (n, servers), rising along the first axis.
    service_s
        Of the same shape.

    Examples
    --------
    >>> done_at(np.array([0.0, 1.0, 9.0]), np.array([3.0, 1.0, 1.0])).tolist()
    [3.0, 4.0, 10.0]
    """
    worked = np.cumsum(service_s, axis=0)
    begun = np.maximum.accumulate(ready_s - (worked - service_s), axis=0)
    done: Floats = begun + worked
    return done


def mean_wait_s(rate: float, service_mean_s: float, service_variance: float = 0.0) -> float:
    """Return the mean wait before service of an M/G/1 queue (Pollaczek, Khinchine).

    Parameters
    ----------
    rate
        Arrivals a second, at random.
    service_mean_s, service_variance
        Of one service; a variance of 0 is M/D/1. Where the server is busy all the time the wait
        has no bound: inf.

    Raises
    ------
    InvalidSettings
        If a number is negative or NaN.

    Examples
    --------
    >>> mean_wait_s(0.5, 1.0), mean_wait_s(1.0, 1.0)
    (0.5, inf)
    """
    if not min(rate, service_mean_s, service_variance) >= 0.0:
        raise InvalidSettings(
            f"rate {rate}, service {service_mean_s}, variance {service_variance}; expected numbers "
            "of 0 or more."
        )
    busy = rate * service_mean_s
    if busy >= 1.0:
        return math.inf
    return rate * (service_variance + service_mean_s**2) / (2.0 * (1.0 - busy))
