"""Name the steps of a programme, what each asks for and what it brings.

Layer: nouns. Takes: a retailer's ladder. Gives: `TierLadder`, `Credit` to `offers.loyalty.tier`,
and `TierStanding`, where a shopper stands, to the handlers and the API.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offers.model.errors import InvalidProgramme
from offers.model.ids import ShopperId, check_name, check_text
from offers.model.money import AMOUNT_MINOR_MAX, CURRENCIES
from rtls.model.units import SiteId, UnixMs

TIERS_MAX: Final = 10
WINDOW_DAYS_MAX: Final = 1_096
GRACE_DAYS_MAX: Final = 366


class Perk(StrEnum):
    """What a tier brings beside the campaigns that are meant for it."""

    FREE_DELIVERY = "free_delivery"
    EARLY_ACCESS = "early_access"
    PERSONAL_SERVICE = "personal_service"
    MEMBER_SALES = "member_sales"
    EVENTS = "events"
    EXCLUSIVE_CONTENT = "exclusive_content"


class TierWindow(StrEnum):
    """Over what time spending counts."""

    ROLLING = "rolling"
    """the last so many days, at any moment"""
    CALENDAR_YEAR = "calendar_year"
    """a year of the site's calendar; what is reached in it lasts until the end of the next"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step."""

    tier: str
    name: str
    threshold_minor: int
    """what has to be spent in the window, after discounts and returns"""
    perks: frozenset[Perk] = frozenset()

    def __post_init__(self) -> None:
        check_name("tier", self.tier, error=InvalidProgramme)
        check_text("name", self.name, error=InvalidProgramme)
        threshold = self.threshold_minor
        if type(threshold) is not int or not 1 <= threshold <= AMOUNT_MINOR_MAX:
            raise InvalidProgramme(
                f"tier {self.tier}: threshold_minor is {threshold!r}; expected 1 to "
                f"{AMOUNT_MINOR_MAX}. Who has spent nothing needs no tier of his own."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLadder:
    """All steps, the lowest first. Who has reached none is on no tier."""

    currency: str
    window: TierWindow
    time_zone: str
    tiers: tuple[Tier, ...]
    window_days: int = 365
    """of a rolling window"""
    grace_days: int = 90
    """how long a tier is kept after the window has emptied, or the year has ended"""

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise InvalidProgramme(f"tiers.currency is {self.currency!r}; expected e.g. 'EUR'.")
        if not 1 <= len(self.tiers) <= TIERS_MAX:
            raise InvalidProgramme(f"{len(self.tiers)} tiers; expected 1 to {TIERS_MAX}.")
        thresholds = [tier.threshold_minor for tier in self.tiers]
        if any(high <= low for low, high in pairwise(thresholds)):
            raise InvalidProgramme(
                f"thresholds are {thresholds}; expected each above the one before. Put the lowest "
                "tier first."
            )
        if len({tier.tier for tier in self.tiers}) < len(self.tiers):
            raise InvalidProgramme("two tiers have the same id; expected each to have its own.")
        if not 1 <= self.window_days <= WINDOW_DAYS_MAX:
            raise InvalidProgramme(
                f"window_days is {self.window_days}; expected 1 to {WINDOW_DAYS_MAX}."
            )
        if not 0 <= self.grace_days <= GRACE_DAYS_MAX:
            raise InvalidProgramme(
                f"grace_days is {self.grace_days}; expected 0 to {GRACE_DAYS_MAX}."
            )
        check_time_zone(self.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What one purchase counts towards a tier: what is left of it after returns."""

    at_ms: UnixMs
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSpending:
    """A purchase, or a return with what it takes away, as it counts towards a tier."""

    site: SiteId
    reference: str
    """names the purchase or the return; the same one counts once at a site"""
    currency: str
    amount_minor: int
    """what was paid after all discounts; below zero for a return"""
    bought_at_ms: UnixMs
    """also of a return: it counts as if the goods had never been bought"""

    def __post_init__(self) -> None:
        check_text("reference", self.reference, error=InvalidProgramme)
        if type(self.amount_minor) is not int or abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise InvalidProgramme(
                f"amount_minor is {self.amount_minor!r}; expected a whole number of minor units."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """A shopper has come to another tier."""

    shopper: ShopperId
    site: SiteId
    before: str | None
    after: str | None
    at_ms: UnixMs
    is_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStanding:
    """Where a shopper stands, and what comes next."""

    tier: Tier | None
    ends_at_ms: UnixMs | None
    """when the tier is lost if nothing more is bought; None without a tier"""
    next_tier: Tier | None
    counted_minor: int
    """what counts now"""
    missing_minor: int
    """what is missing to the next tier; 0 on the highest"""


def check_time_zone(name: str) -> None:
    """Refuse a zone that the calendar does not know.

    Raises
    ------
    InvalidProgramme
        If ``name`` is no IANA time zone.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidProgramme(
            f"time_zone is {name!r}; expected an IANA name, e.g. 'Europe/Berlin'."
        ) from error
