"""State what holds for all campaigns of a site: its time zone, and how much is enough.

Layer: nouns. Takes: the settings of a site. Gives: `SiteRules` to decisions.
"""

from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offers.model.errors import InvalidCampaign
from offers.model.experiments.experiment import Holdout
from offers.model.messages.quiet_hours import QuietHours
from offers.model.ranking.ranking_policy import RankingPolicy

OFFERS_A_TRIP_MAX: Final = 100
QUIET_FROM: Final = "21:00"
QUIET_UNTIL: Final = "08:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """What a site asks of every decision."""

    time_zone: str = "Europe/Berlin"
    """whose clocks the schedules of campaigns and the birthdays of shoppers follow"""
    offers_a_trip_max: int = 5
    """how many offers a shopper gets in one trip, silent ones in the app too"""
    quiet_from: str = QUIET_FROM
    quiet_until: str = QUIET_UNTIL
    """when nobody is pushed a message, by the clocks of the site; equal means never"""

    ranking: RankingPolicy | None = None
    """how eligible campaigns compete; None: the highest priority is chosen"""
    holdout: Holdout | None = None
    """whom no campaign addresses, so that all can be judged; None: nobody"""
    programme: int | None = None
    """the revision of the programme that says so; None: there is none"""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise InvalidCampaign(
                f"time_zone is {self.time_zone!r}; expected a name of the IANA time zone database "
                "such as 'Europe/Berlin', which must be installed (package tzdata)."
            ) from error
        if not 1 <= self.offers_a_trip_max <= OFFERS_A_TRIP_MAX:
            raise InvalidCampaign(
                f"offers_a_trip_max is {self.offers_a_trip_max}; expected 1 to {OFFERS_A_TRIP_MAX}."
            )

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone; read from disk once and kept by `zoneinfo`."""
        return ZoneInfo(self.time_zone)

    @property
    def quiet_hours(self) -> QuietHours:
        """Return when nobody is to be disturbed."""
        return QuietHours(begin=self.quiet_from, end=self.quiet_until, time_zone=self.time_zone)


DEFAULT_RULES: Final = SiteRules()
