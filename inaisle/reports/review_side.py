"""Wire the reviews: schedule, folder, and what footfall tells.

Layer: doors. Takes: settings, the offers half, the site. Gives: a `ReviewWriter` to the assembly,
and the folder to the command line.
"""

from pathlib import Path
from typing import Final

from inaisle.clock import Clock
from inaisle.service.offers_side import OffersSide
from inaisle.settings import Settings
from inaisle.settings_sections import ReviewSection
from offers.delivery.review_folder import ReviewFolder
from offers.delivery.review_writer import ReviewedSite, ReviewWriter
from offers.model.insight.review_schedule import ReviewSchedule
from rtls.model.site_map import SiteMap

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_reviews(
    settings: Settings, offers: OffersSide, *, site_map: SiteMap, clock: Clock
) -> ReviewWriter | None:
    """Return who makes reviews, or None where none are wanted."""
    if not settings.review.enabled:
        return None
    return ReviewWriter(
        writer=offers.writer,
        reader=offers.reader,
        now_ms=clock.now_ms,
        site=ReviewedSite(site=site_map.site, name=site_map.name, time_zone=site_map.time_zone),
        schedule=schedule_of(settings.review),
        folder=ReviewFolder(review_folder(settings)),
        zone_stops=offers.zone_stops,
    )


def schedule_of(section: ReviewSection) -> ReviewSchedule:
    """Return when reviews are made."""
    return ReviewSchedule(
        weekday=WEEKDAYS.index(section.weekday),
        hour=section.hour,
        weeks=section.weeks,
        kept=section.kept,
    )


def review_folder(settings: Settings) -> Path:
    """Return where reviews lie."""
    return settings.review.folder or settings.site.data / "reviews"
