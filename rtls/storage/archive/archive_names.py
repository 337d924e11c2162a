"""Name the objects of a chain's archive, and say which of them count.

Layer: edges. Takes: table, partition and offsets of the log; site and day. Gives: names to the
writer, to settling and to the reader.

    site=<site>/day=<YYYY-MM-DD>/
        arriving-fixes-p00003-000000000000004096-000000000000006143.parquet
                                  rows of these messages of a partition
        fixes-000001.parquet      the whole day, settled; as a store's own history has it

What arrived may overlap: after a kill messages are read again, and cut elsewhere. Settling knows
each row by its visitor and second, each visit by its number, so that it counts once all the same.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rtls.model.site_map import check_id
from rtls.model.units import SiteId
from rtls.storage.history.history_folder import DAY, Table

ARRIVING: Final = re.compile(r"\Aarriving-(fixes|visits)-p(\d{5})-(\d{18})-(\d{18})\.parquet\Z")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ArrivingObject:
    """Rows of the messages `first` to `last` of a partition, of one site and day."""

    table: Table
    partition: int
    first: int
    last: int

    @property
    def name(self) -> str:
        """Its name within the folder of the day."""
        return (
            f"arriving-{self.table}-p{self.partition:05}-{self.first:018}-{self.last:018}.parquet"
        )


def site_name(site: SiteId) -> str:
    """Return the folder of a site; `InvalidSiteMap` where its id could not name one."""
    check_id("site", site)
    return f"site={site}"


def day_name(site: SiteId, day: dt.date) -> str:
    """Return the folder of a day of a site."""
    return f"{site_name(site)}/day={day.isoformat()}"


def settled_name(table: Table) -> str:
    """Return the name of the whole day, within its folder."""
    return f"{table}-000001.parquet"


def parse_day(name: str) -> dt.date | None:
    """Return the day that a folder is of, or None."""
    match = DAY.match(name)
    try:
        return None if match is None else dt.date.fromisoformat(match[1])
    except ValueError:
        return None  # day=2026-13-40: nobody's day


def arriving_of(names: Iterable[str], table: Table) -> list[ArrivingObject]:
    """Return what arrived of a table, of the names in the folder of a day."""
    found = []
    for name in names:
        match = ARRIVING.match(name)
        if match and match[1] == table.value:
            partition, first, last = (int(match[group]) for group in (2, 3, 4))
            found.append(ArrivingObject(table=table, partition=partition, first=first, last=last))
    return sorted(found)
