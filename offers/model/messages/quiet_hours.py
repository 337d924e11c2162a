"""Say when nobody is to be disturbed, in the time of the site.

Layer: nouns. Takes: two times of day and a time zone. Gives: `QuietHours` to the choice of channel.
The wall clock decides, so both nights on which it is changed are as long as people feel them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offers.model.errors import InvalidContact
from rtls.model.units import UnixMs

_TIME: Final = re.compile(r"\A([01][0-9]|2[0-3]):([0-5][0-9])\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `begin` until just before `end` by the clock on the wall; equal means never."""

    begin: str
    """e.g. ``21:00``"""
    end: str
    """e.g. ``08:00``; earlier than `begin` when the night lies between"""
    time_zone: str

    def __post_init__(self) -> None:
        for field, text in (("begin", self.begin), ("end", self.end)):
            if not _TIME.match(text):
                raise InvalidContact(f"{field} is {text[:20]!r}; expected a time like 21:00.")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidContact(
                f"time_zone is {self.time_zone[:60]!r}; expected a name like Europe/Berlin."
            ) from error

    def covers(self, at_ms: UnixMs) -> bool:
        """Say whether it is quiet at an instant.

        Examples
        --------
        >>> night = QuietHours(begin="21:00", end="08:00", time_zone="Europe/Berlin")
        >>> night.covers(UnixMs(1_795_295_100_000))  # 2026-11-21 22:05 in Berlin
        True
        """
        local = datetime.fromtimestamp(at_ms // 1_000, tz=UTC).astimezone(ZoneInfo(self.time_zone))
        now = f"{local:%H:%M}"
        if self.begin <= self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end
