"""Say how full stores are over a day, by the clocks of a chain that spans time zones.

Layer: doors. Takes: the size of the chain and a seed. Gives: shares of the busiest hour to
the plan, tags and readings second by second to the simulated day.

The course of a day is assumed, not measured: open from 8 to 20 o'clock, a peak before noon and a
higher one after work. A retailer's own till receipts by the hour tell better.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.capacity.needs import ChainNeeds

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_S: Final = 86_400
PRESENCE: Final = (
    *(0.0,) * 8,
    *(0.25, 0.5, 0.75, 0.85, 0.7, 0.6, 0.6, 0.7, 0.85, 1.0, 0.8, 0.45),
    *(0.0,) * 4,
)
"""shoppers in a store in each hour of its day, as a share of the busiest"""
SPREAD: Final = 0.3
"""how the busiest hours of stores differ: the standard deviation of their logarithm"""


def busiest_hour_share(time_zones: int) -> float:
    """Return which share of a day's shoppers come in the chain's busiest hour.

    Examples
    --------
    >>> busiest_hour_share(1) > busiest_hour_share(6)
    True
    """
    return float(_by_hour(time_zones).max() / sum(PRESENCE))


def simultaneous_share(time_zones: int) -> float:
    """Return which share of all stores' peaks fall together; 1 where all clocks agree."""
    return float(_by_hour(time_zones).max())


def presence(at_s: Floats) -> Floats:
    """Return how full a store is at seconds of its day, without steps at the full hour.

    Examples
    --------
    >>> presence(np.array([3 * 3600.0, 17.5 * 3600.0])).tolist()
    [0.0, 1.0]
    """
    middles = (np.arange(26) - 0.5) * 3600.0
    return np.interp(at_s % DAY_S, middles, [PRESENCE[-1], *PRESENCE, PRESENCE[0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKeys:
    """The shards of all thin stores: what is spread over partitions.

    Parameters
    ----------
    readings_a_second
        (n,) Of each key at its store's busiest hour.
    opens_later_s
        (n,) How much later than the first zone's the clocks of its store open.
    """

    readings_a_second: Floats
    opens_later_s: Floats


def draw_keys(needs: ChainNeeds, rng: np.random.Generator) -> StoreKeys:
    """Draw stores of different sizes that have, together, the readings of the chain."""
    sizes = rng.lognormal(0.0, SPREAD, needs.thin_stores)
    sizes *= needs.thin_stores / sizes.sum()
    zones = rng.integers(0, needs.time_zones, needs.thin_stores).astype(np.float64)
    a_shard = sizes * needs.readings_a_store / needs.shards
    return StoreKeys(
        readings_a_second=np.repeat(a_shard, needs.shards),
        opens_later_s=np.repeat(zones * 3600.0, needs.shards),
    )


def _by_hour(time_zones: int) -> Floats:
    day = np.array(PRESENCE)
    mean: Floats = np.mean([np.roll(day, zone) for zone in range(time_zones)], axis=0)
    return mean
