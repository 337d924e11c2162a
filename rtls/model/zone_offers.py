"""How many shoppers were offered something for a zone, saw it, redeemed it, and bought from there.

Layer: nouns. Takes: columns from whoever knows offers and purchases. Gives: `ZoneOffers` to the
shelf report, which alone decides what of it may be shown. Numbers without persons.
"""

from dataclasses import dataclass

import numpy as np

from rtls.model.footfall import (
    Block,
    Int8s,
    Int32s,
    Int64s,
    check_hours,
)
from rtls.model.report_columns import Columns, check_codes, check_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOffers:
    """Distinct shoppers by zone and block of time; offers by their hour, purchases by theirs.

    Each (day, hour, zone) stands once; `hour` is `WHOLE_DAY` where the block is a day.

    Parameters
    ----------
    offered, seen, redeemed
        (n,) Shoppers that were made an offer for the zone, that opened it, that redeemed it.
    bought
        (n,) Shoppers that bought something that stands there, and showed their card.
    """

    block: Block
    day: Int32s
    hour: Int8s
    zone: Int32s
    zone_names: tuple[str, ...]
    offered: Int64s
    seen: Int64s
    redeemed: Int64s
    bought: Int64s

    def __post_init__(self) -> None:
        columns: Columns = {
            "day": (self.day, np.int32),
            "hour": (self.hour, np.int8),
            "zone": (self.zone, np.int32),
            "offered": (self.offered, np.int64),
            "seen": (self.seen, np.int64),
            "redeemed": (self.redeemed, np.int64),
            "bought": (self.bought, np.int64),
        }
        check_columns(columns)
        check_hours(self.block, self.hour)
        check_codes("zone", self.zone, self.zone_names)
