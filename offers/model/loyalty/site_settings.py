"""Read the settings of a site out of its programme's document, and write them back.

Layer: nouns. Takes: the member "settings" of a programme. Gives: `SiteSettings` to programme_json.
What is left out is as it was before anybody could choose.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidCampaign, InvalidProgramme
from offers.model.json_members import Json, object_of, refuse_unknown
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS, SETTABLE, SegmentSettings
from offers.model.visits.site_rules import DEFAULT_RULES, SiteRules

_MEMBERS: Final = {"offers_a_trip_max", "segments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What a retailer sets for all campaigns of a site."""

    offers_a_trip_max: int = DEFAULT_RULES.offers_a_trip_max
    """how many offers of places a shopper gets in one trip"""
    segments: SegmentSettings = DEFAULT_SEGMENTS

    def __post_init__(self) -> None:
        given = self.offers_a_trip_max
        try:
            if type(given) is not int:
                raise InvalidCampaign(f"offers_a_trip_max is {given!r}; expected a whole number.")
            SiteRules(offers_a_trip_max=given)
        except InvalidCampaign as error:
            raise InvalidProgramme(f"settings.{error}") from error


DEFAULT_SITE_SETTINGS: Final = SiteSettings()


def parse_site_settings(document: object) -> SiteSettings:
    """Read the settings; `InvalidProgramme` or `InvalidCampaign` name the member that is wrong."""
    given = object_of(document, "settings")
    refuse_unknown(given, "settings", _MEMBERS)
    trip_max = given.get("offers_a_trip_max", DEFAULT_SITE_SETTINGS.offers_a_trip_max)
    segments = object_of(given.get("segments", {}), "settings.segments")
    refuse_unknown(segments, "settings.segments", set(SETTABLE))
    return SiteSettings(
        offers_a_trip_max=trip_max,  # type: ignore[arg-type]  # checked in __post_init__
        segments=SegmentSettings(**dict(segments)),  # type: ignore[arg-type]
    )


def render_site_settings(settings: SiteSettings) -> Json:
    """Return the document that `parse_site_settings` reads."""
    return {
        "offers_a_trip_max": settings.offers_a_trip_max,
        "segments": {name: getattr(settings.segments, name) for name in SETTABLE},
    }
