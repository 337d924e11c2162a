"""Say what a sound map would break if it were put into force: campaigns, formats, the site itself.

Layer: doors. Takes: a map, settings, and from offers the campaigns in force. Gives: `MapProblem`s
to the desk, which refuses to publish. What locating alone would refuse is asked here too, since it
is better refused to who publishes than found out by a service that goes back.
"""

import zoneinfo
from collections.abc import Callable, Iterator
from typing import Final

from inaisle.service.format_tables import format_settings
from inaisle.settings import Settings
from offers.handlers.campaigns.start_campaign import check_against_map
from offers.model.campaigns.campaign import CampaignState
from offers.model.errors import InvalidCampaign
from offers.ports import Reader
from rtls.model.errors import InaisleError
from rtls.model.map_problem import MapProblem
from rtls.model.site_map import SiteMap

PAUSE_OR_DRAW: Final = (
    "Draw the zone, give it the dwell threshold, or pause the campaign before publishing."
)


def map_objections(
    settings: Settings, reader: Reader, *, in_force: SiteMap
) -> Callable[[SiteMap], Iterator[MapProblem]]:
    """Return what asks everybody whom a new map of this site concerns."""

    def objections(site_map: SiteMap) -> Iterator[MapProblem]:
        yield from _of_site(site_map, in_force)
        yield from _of_formats(site_map, settings)
        if site_map.site == in_force.site:
            yield from _of_campaigns(site_map, reader)

    return objections


def _of_site(site_map: SiteMap, in_force: SiteMap) -> Iterator[MapProblem]:
    if site_map.site != in_force.site:
        yield MapProblem(
            message=f"site is {site_map.site!r}; expected {in_force.site!r}.",
            remedy="A map is published at its own site: keep the site's id.",
            field="site",
        )
    try:
        zoneinfo.ZoneInfo(site_map.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        yield MapProblem(
            message=f"time_zone is {site_map.time_zone!r}, which nobody knows.",
            remedy="Expected a name such as Europe/Berlin.",
            field="time_zone",
        )


def _of_formats(site_map: SiteMap, settings: Settings) -> Iterator[MapProblem]:
    try:
        format_settings(settings.formats, site_map)
    except InaisleError as error:
        yield MapProblem(
            message=f"the settings of the gateways do not fit it: {error}",
            remedy="Keep the anchors that the settings name, or correct the settings first.",
            field="anchor",
        )


def _of_campaigns(site_map: SiteMap, reader: Reader) -> Iterator[MapProblem]:
    for campaign in reader.run(lambda work: work.campaigns.of_site(site_map.site)):
        if campaign.state is not CampaignState.ACTIVE:
            continue
        try:
            check_against_map(campaign.revision, site_map)
        except InvalidCampaign as error:
            yield MapProblem(message=str(error), remedy=PAUSE_OR_DRAW, field="zone")
