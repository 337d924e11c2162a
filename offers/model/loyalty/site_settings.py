"""Read the settings of a site out of its programme's document, and write them back.

Layer: nouns. Takes: the member "settings" of a programme. Gives: `SiteSettings` to programme_json.
What is left out is as it was before anybody could choose.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import (
    InvalidCampaign,
    InvalidContact,
    InvalidExperiment,
    InvalidProgramme,
)
from offers.model.experiments.experiment import Holdout
from offers.model.json_members import Json, integer_of, object_of, refuse_unknown, text_of
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS, SETTABLE, SegmentSettings
from offers.model.messages.brand import Brand, parse_brand, render_brand
from offers.model.messages.quiet_hours import QuietHours
from offers.model.ranking.ranking_policy import (
    RankingPolicy,
    parse_ranking_policy,
    render_ranking_policy,
)
from offers.model.visits.site_rules import DEFAULT_RULES, SiteRules

_MEMBERS: Final = {
    "offers_a_trip_max",
    "segments",
    "quiet_hours",
    "ranking",
    "holdout",
    "margin_per_mille",
    "brand",
}
_QUIET: Final = {"from", "until"}
MARGIN_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What a retailer sets for all campaigns of a site."""

    offers_a_trip_max: int = DEFAULT_RULES.offers_a_trip_max
    """how many offers of places a shopper gets in one trip"""
    segments: SegmentSettings = DEFAULT_SEGMENTS
    quiet_from: str | None = None
    quiet_until: str | None = None
    """when nobody is pushed a message; None: as the service is set up"""
    ranking: RankingPolicy | None = None
    """how eligible campaigns compete; None: the highest priority is chosen"""
    holdout: Holdout | None = None
    """whom no campaign addresses, so that all can be judged; None: nobody"""
    margin_per_mille: int | None = None
    """what the retailer keeps of a price, on average; None: not told, and no margin is reported"""

    brand: Brand | None = None
    """how messages and paper look; None: the site's name, black on white"""

    def __post_init__(self) -> None:
        given = self.offers_a_trip_max
        try:
            if type(given) is not int:
                raise InvalidCampaign(f"offers_a_trip_max is {given!r}; expected a whole number.")
            SiteRules(offers_a_trip_max=given)
        except InvalidCampaign as error:
            raise InvalidProgramme(f"settings.{error}") from error
        margin = self.margin_per_mille
        if margin is not None and not 1 <= margin <= MARGIN_MAX:
            raise InvalidProgramme(
                f"settings.margin_per_mille is {margin}; expected 1 to {MARGIN_MAX}, what is kept "
                "of a thousand before any discount. Leave it out where it is not known."
            )
        begin, end = self.quiet_from, self.quiet_until
        if (begin is None) != (end is None):
            raise InvalidProgramme(
                f"settings.quiet_hours is from {begin!r} until {end!r}; expected both, or none."
            )
        try:
            self.quiet_hours("UTC")
        except (InvalidContact, TypeError) as error:
            raise InvalidProgramme(f"settings.quiet_hours: {error}") from error

    def quiet_hours(self, time_zone: str) -> QuietHours | None:
        """Return the quiet hours by the clocks of a zone; None: as the service is set up."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return QuietHours(begin=self.quiet_from, end=self.quiet_until, time_zone=time_zone)


DEFAULT_SITE_SETTINGS: Final = SiteSettings()


def parse_site_settings(document: object) -> SiteSettings:
    """Read the settings; `InvalidProgramme` or `InvalidCampaign` name the member that is wrong."""
    given = object_of(document, "settings")
    refuse_unknown(given, "settings", _MEMBERS)
    trip_max = given.get("offers_a_trip_max", DEFAULT_SITE_SETTINGS.offers_a_trip_max)
    segments = object_of(given.get("segments", {}), "settings.segments")
    refuse_unknown(segments, "settings.segments", set(SETTABLE))
    quiet = object_of(given.get("quiet_hours") or {}, "settings.quiet_hours")
    refuse_unknown(quiet, "settings.quiet_hours", _QUIET)
    return SiteSettings(
        quiet_from=quiet.get("from"),  # type: ignore[arg-type]
        quiet_until=quiet.get("until"),  # type: ignore[arg-type]
        offers_a_trip_max=trip_max,  # type: ignore[arg-type]  # checked in __post_init__
        segments=SegmentSettings(**dict(segments)),  # type: ignore[arg-type]
        ranking=parse_ranking_policy(given.get("ranking")),
        holdout=_holdout(given.get("holdout")),
        margin_per_mille=None
        if given.get("margin_per_mille") is None
        else integer_of(given, "margin_per_mille"),
        brand=parse_brand(given.get("brand")),
    )


def render_site_settings(settings: SiteSettings) -> Json:
    """Return the document that `parse_site_settings` reads."""
    return {
        "offers_a_trip_max": settings.offers_a_trip_max,
        "segments": {name: getattr(settings.segments, name) for name in SETTABLE},
        "quiet_hours": None
        if settings.quiet_from is None
        else {"from": settings.quiet_from, "until": settings.quiet_until},
        "ranking": None if settings.ranking is None else render_ranking_policy(settings.ranking),
        "holdout": None
        if settings.holdout is None
        else {"salt": settings.holdout.salt, "per_mille": settings.holdout.per_mille},
        "margin_per_mille": settings.margin_per_mille,
        "brand": None if settings.brand is None else render_brand(settings.brand),
    }


def _holdout(document: object) -> Holdout | None:
    if document is None:
        return None
    given = object_of(document, "settings.holdout")
    refuse_unknown(given, "settings.holdout", {"salt", "per_mille"})
    try:
        return Holdout(salt=text_of(given, "salt"), per_mille=integer_of(given, "per_mille", 50))
    except InvalidExperiment as error:
        raise InvalidProgramme(f"settings.{error}") from error
