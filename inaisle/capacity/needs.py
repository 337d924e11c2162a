"""Say how big a chain is: stores, shoppers, rates, and what is kept how long.

Layer: doors. Takes: flags of `inaisle plan`. Gives: `ChainNeeds` to the plan and the simulated day.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from inaisle.errors import InvalidSettings

DAY_FOLD: Final = 12
"""Shoppers of a day for each at the busiest hour: with the hours of `arrivals.PRESENCE` that is
40 minutes each, where nobody says otherwise."""
Bound = tuple[float, float, str]
"""least, most, and what to do about another value"""
BOUNDS: Final[Mapping[str, Bound]] = {
    "stores": (1, 100_000, "Plan for the stores that are open in the end."),
    "shoppers_per_store": (1, 20_000, "Give the tags that are heard at the busiest hour."),
    "shoppers_a_day": (1, 1_000_000, "Give the shoppers with a tag on a busy day of one store."),
    "rate_hz": (0.01, 50.0, "Give how often a second a tag is heard by each of its anchors."),
    "anchors_heard": (1, 64, "Give how many anchors hear a tag at once; 8 is usual for UWB."),
    "epoch_ms": (10, 1_000, "It is reception.epoch_ms of the stores."),
    "shards": (1, 64, "It is chain.shards: fixed for the life of a site."),
    "thin_share": (0.0, 1.0, "Give the share of stores without a server of their own."),
    "time_zones": (1, 24, "Give over how many hours the openings of the stores are spread."),
    "replicas": (1, 5, "Give how many brokers hold each message; 3 is usual."),
    "retention_hours": (1, 24 * 90, "Give how long the broker keeps messages."),
    "history_days": (1, 400, "It is history.retention_days."),
    "utilisation": (0.1, 0.9, "Above 0.9 a queue has no room for a peak; 0.6 is usual."),
    "gap_s": (1.0, 600.0, "Give the seconds until another worker takes over."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainNeeds:
    """A chain at its busiest hour.

    Parameters
    ----------
    shoppers_per_store
        Tags in a store at once at the busiest hour.
    shoppers_a_day
        Shoppers with a tag on a busy day of one store.
    rate_hz, anchors_heard
        How often each anchor hears a tag, and how many do.
    epoch_ms
        A frame of readings goes out so often for each shard.
    shards
        Of a site.
    thin_share
        Stores without a server: their readings go to the chain. Others send events and fixes.
    time_zones
        Hours over which the openings are spread, equally.
    replicas, retention_hours
        Of each message in the broker.
    history_days
        How long positions and visits are kept.
    utilisation
        How much of a core is used at the peak.
    gap_s
        Until another worker takes over from one that died.
    """

    stores: int
    shoppers_per_store: int
    shoppers_a_day: int
    rate_hz: float
    anchors_heard: int
    epoch_ms: int = 1_000
    shards: int = 1
    thin_share: float = 1.0
    time_zones: int = 1
    replicas: int = 3
    retention_hours: float = 72.0
    history_days: int = 30
    utilisation: float = 0.6
    gap_s: float = 8.0

    def __post_init__(self) -> None:
        for name, (least, most, remedy) in BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:  # written so that NaN fails too
                flag = "--" + name.replace("_", "-")
                raise InvalidSettings(
                    f"{flag} is {value}; expected {least:g} to {most:,.6g}. {remedy}"
                )
        if self.shoppers_a_day < self.shoppers_per_store:
            raise InvalidSettings(
                f"--shoppers-a-day is {self.shoppers_a_day}, less than the "
                f"{self.shoppers_per_store} of --shoppers-per-store; expected at least as many as "
                "are there at once."
            )

    @property
    def thin_stores(self) -> int:
        """Stores whose readings the chain locates."""
        return round(self.stores * self.thin_share)

    @property
    def served_stores(self) -> int:
        """Stores with a server of their own."""
        return self.stores - self.thin_stores

    @property
    def tags(self) -> int:
        """Tags in all stores at the busiest hour."""
        return self.stores * self.shoppers_per_store

    @property
    def readings_a_store(self) -> float:
        """Readings a second of one store."""
        return self.shoppers_per_store * self.rate_hz * self.anchors_heard

    @property
    def frames_a_store(self) -> float:
        """Frames a second of one thin store."""
        return self.shards * 1_000.0 / self.epoch_ms

    @property
    def readings_a_frame(self) -> float:
        """Readings of one frame at the busiest hour."""
        return self.readings_a_store / self.frames_a_store

    @property
    def keys(self) -> int:
        """Shards of all thin stores: what is spread over partitions."""
        return self.thin_stores * self.shards


def a_day_of(shoppers_per_store: int, given: int | None) -> int:
    """Return the shoppers of a day: as given, or `DAY_FOLD` for each who is there at once."""
    return DAY_FOLD * shoppers_per_store if given is None else given


def next_power_of_two(least: float) -> int:
    """Return the smallest power of two that is not less.

    Examples
    --------
    >>> next_power_of_two(33), next_power_of_two(0.2)
    (64, 1)
    """
    return 1 << max(0, math.ceil(math.log2(max(least, 1.0))))
