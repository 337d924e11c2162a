"""Serve what the staff look at beside the offers' own routes: live map, anchors, health, reports.

Layer: doors. Takes: the live state, the locating half where this process has it. Gives: routers and
background work to the `Service`.
"""

import structlog

from inaisle.reports.footfall_side import open_footfall
from inaisle.reports.history_side import has_insight, open_playback
from inaisle.reports.report_access import authorise_reports
from inaisle.reports.review_side import open_reviews
from inaisle.reports.zone_stops import FootfallStops
from inaisle.service.health_figures import health_figures
from inaisle.service.locating_side import LocatingSide
from inaisle.service.operator_access import admit_looker, authorise_looker, authorise_operator
from inaisle.service.playback_audit import note_playback
from inaisle.service.service import Service
from inaisle.site.map_side import map_routers
from rtls.api.fence_stream import FenceStream
from rtls.api.figures_routes import FiguresDocument, figures_router
from rtls.api.footfall.footfall_routes import FootfallParts, footfall_router
from rtls.api.live_feed import LiveFeed
from rtls.api.live_routes import live_router
from rtls.api.omlox_routes import TakeMessage, omlox_router
from rtls.api.operator_routes import OperatorParts, operator_router
from rtls.api.playback_routes import PlaybackParts, playback_router
from rtls.ingest.formats.format_name import FormatName
from rtls.model.site_map import SiteMap
from rtls.ports import LiveStateReader
from rtls.publish.in_process import InProcessBus

log = structlog.get_logger("inaisle.operator")


def add_operator(
    service: Service,
    site_map: SiteMap,
    *,
    live: LiveStateReader,
    take: TakeMessage,
    locating: LocatingSide | None = None,
    bus: InProcessBus | None = None,
) -> None:
    """Add the routes.

    Parameters
    ----------
    service, site_map
        What runs, and where.
    live
        Where tags are now.
    take
        Where messages of integrators go.
    locating
        The locating half; None where it runs in another process.
    bus
        Where zone events pass; None where they do not pass through this process.
    """
    fences = None if bus is None else FenceStream()
    parts = OperatorParts(
        site_map=site_map,
        live=live,
        anchors=(lambda: ()) if locating is None else locating.tally.heard,
        health=service.around.health,
        now_ms=service.around.clock.now_ms,
        fences=fences,
        unknown=None if locating is None else locating.unknown_names,
    )
    service.routers.append(
        operator_router(parts, authorise=authorise_operator, authorise_looker=authorise_looker)
    )
    feed = LiveFeed(
        site_map=site_map,
        live=live,
        now_ms=service.around.clock.now_ms,
        located_until_ms=None if locating is None else lambda: locating.loop.caught_up_ms,
        speed=service.around.clock.speed,
    )
    service.routers.append(live_router(feed, admit=admit_looker))
    offers = service.offers
    assert offers is not None  # the staff sign in where the API is

    def figures() -> FiguresDocument:
        now_ms = service.around.clock.now_ms()
        lately = offers.offer_times.lately
        return health_figures(locating, live=live, fix_to_offer=lately, now_ms=now_ms)

    service.routers.append(figures_router(figures, authorise=authorise_looker))
    service.count(inaisle_live_feed=feed.counters)
    if bus is not None and fences is not None:
        bus.subscribe("fence events", fences.accept)
        bus.subscribe("live events", feed.accept)
    _add_maps(service)
    _add_footfall(service, site_map)
    _add_reviews(service, site_map)
    if FormatName.OMLOX in service.settings.formats.on:
        service.routers.append(omlox_router(take, authorise=authorise_operator))


def _add_maps(service: Service) -> None:
    """Serve who draws the map of the site."""
    offers = service.offers
    assert offers is not None  # maps are drawn where the API is
    service.routers += map_routers(service, offers)


def _add_footfall(service: Service, site_map: SiteMap) -> None:
    """Serve the reports and the playback, where the libraries of the history are installed.

    They read the folder of the history: where locating runs elsewhere, `history.folder` says where
    this process finds it.
    """
    if not has_insight():
        log.info("no reports of footfall: the extra insight is not installed")
        return
    offers = service.offers
    assert offers is not None  # reports are served where the API is
    reports = open_footfall(service.settings, site_map=site_map, offers=offers.shelf_outcomes())
    parts = FootfallParts(reports=reports, now_ms=service.around.clock.now_ms)
    offers.zone_stops = FootfallStops(reports, now_ms=service.around.clock.now_ms)
    service.routers.append(footfall_router(parts, authorise=authorise_reports(site_map.site)))
    played = PlaybackParts(
        site_map=site_map,
        source=open_playback(service.settings, site_map=site_map),
        now_ms=service.around.clock.now_ms,
        note=note_playback,
    )
    service.routers.append(playback_router(played, authorise=authorise_looker))


def _add_reviews(service: Service, site_map: SiteMap) -> None:
    """Make reviews when they are due, where they are wanted."""
    offers = service.offers
    assert offers is not None  # as above
    reviews = open_reviews(service.settings, offers, site_map=site_map, clock=service.around.clock)
    if reviews is None:
        return
    service.run_with(reviews.start, reviews.close)
    service.around.health.watch(
        "reviews", lambda: None if reviews.is_running else "has ended", is_essential=False
    )
    service.count(inaisle_reviews=reviews.counters)
