"""Write down what was true of a simulated day, and read it again.

Layer: doors. Takes: a `DayRecord`. Gives: tables beside the data folder, never in it: the truth of
a shop is not known to the shop.

    stays.csv      shopper, zone, entered_ms, left_ms, dwell_s, stood_s
    walks.csv      shopper, at_ms, x_m, y_m, standing: a row a second
    shoppers.csv   shopper, tag, arrived_ms, counted
    offers.csv     shopper, campaign, zone, at_ms, opened
    purchases.csv  shopper, at_ms, zones, total_minor, discount_minor, redemptions
"""

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_sim.day_plan import DayShopper
from firmware_sim.day_truth import TrueStay, TrueWalk
from inaisle.simulation.day_people import OfferSeen, Paid
from rtls.model.site_map import Radio

STAY_COLUMNS: Final = ("shopper", "zone", "entered_ms", "left_ms", "dwell_s", "stood_s")
WALK_COLUMNS: Final = ("shopper", "at_ms", "x_m", "y_m", "standing")
SHOPPER_COLUMNS: Final = ("shopper", "tag", "arrived_ms", "counted")
OFFER_COLUMNS: Final = ("shopper", "campaign", "zone", "at_ms", "opened")
PURCHASE_COLUMNS: Final = (
    "shopper", "at_ms", "zones", "total_minor", "discount_minor", "redemptions",
)  # fmt: skip
SEPARATOR: Final = "|"
"""between zones in a cell"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRecord:
    """What was true of one day."""

    shoppers: Sequence[DayShopper]
    stays: Sequence[TrueStay]
    walks: Sequence[TrueWalk]
    offers: Sequence[OfferSeen]
    purchases: Sequence[Paid]

    def counted_stays(self) -> Sequence[TrueStay]:
        """Return the stays of those who agreed to be counted."""
        counted = {one.number for one in self.shoppers if one.is_counted}
        return [stay for stay in self.stays if stay.shopper in counted]

    def carriers(self) -> Mapping[str, frozenset[int]]:
        """Return who of them came with a trolley that has a tag, and who with a phone."""
        return {
            kind: frozenset(
                one.number for one in self.shoppers if one.is_counted and one.script.radio is radio
            )
            for kind, radio in (("trolley", Radio.UWB), ("phone", Radio.BLE))
        }


def truth_folder(data: Path, day: dt.date) -> Path:
    """Return where the truth of a day lies: beside the data folder.

    Examples
    --------
    >>> truth_folder(Path("/srv/shop"), dt.date(2026, 3, 2)).as_posix()
    '/srv/shop.truth/day=2026-03-02'
    """
    return data.absolute().with_name(f"{data.absolute().name}.truth") / f"day={day.isoformat()}"


def write_truth(folder: Path, record: DayRecord) -> None:
    """Write all tables."""
    folder.mkdir(parents=True)
    _write(folder / "stays.csv", STAY_COLUMNS, map(_stay_row, record.stays))
    _write(
        folder / "walks.csv",
        WALK_COLUMNS,
        (
            (walk.shopper, at_ms, round(x_m, 2), round(y_m, 2), int(is_standing))
            for walk in record.walks
            for at_ms, x_m, y_m, is_standing in zip(
                walk.at_ms.tolist(),
                walk.x_m.tolist(),
                walk.y_m.tolist(),
                walk.is_standing.tolist(),
                strict=True,
            )
        ),
    )
    _write(
        folder / "shoppers.csv",
        SHOPPER_COLUMNS,
        ((s.number, s.script.tag, s.arrives_at_ms, int(s.is_counted)) for s in record.shoppers),
    )
    _write(
        folder / "offers.csv",
        OFFER_COLUMNS,
        ((o.shopper, o.campaign, o.zone, o.at_ms, int(o.is_opened)) for o in record.offers),
    )
    _write(folder / "purchases.csv", PURCHASE_COLUMNS, map(_purchase_row, record.purchases))


def _stay_row(stay: TrueStay) -> tuple[object, ...]:
    return (
        stay.shopper,
        stay.zone,
        stay.entered_at_ms,
        stay.left_at_ms,
        stay.dwell_s,
        stay.stood_s,
    )


def _purchase_row(paid: Paid) -> tuple[object, ...]:
    return (
        paid.shopper,
        paid.at_ms,
        SEPARATOR.join(paid.zones),
        paid.total_minor,
        paid.discount_minor,
        paid.redemptions,
    )


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
