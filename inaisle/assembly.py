"""Put the halves together: in one process by a bus, in two by Redis.

Layer: doors. Takes: settings, a role, a broker, a clock. Gives: a `Service` to inaisle.serve and
inaisle.demo. Five things cross the seam: zone events one way, live fixes beside them; the tags that
may be located, which of them count in reports, and what phones hear the other way.
"""

import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final

import structlog

from inaisle.broker import BrokerAddress
from inaisle.clock import Clock
from inaisle.errors import InvalidSettings
from inaisle.footfall_side import open_footfall
from inaisle.history_side import has_insight
from inaisle.locating_side import LocatingSide
from inaisle.offers_side import OffersSide
from inaisle.operator_access import authorise_operator
from inaisle.phone_scans import phone_scans
from inaisle.report_access import authorise_reports
from inaisle.review_side import open_reviews
from inaisle.service import Service
from inaisle.settings import Settings
from inaisle.site_loading import load_calibration, load_site_map
from inaisle.zone_stops import FootfallStops
from offers.delivery.fan_out import InProcessFanOut, RedisFanOut
from offers.visit_feed import RedisVisitFeed
from rtls.api.fence_stream import FenceStream
from rtls.api.footfall.footfall_routes import FootfallParts, footfall_router
from rtls.api.metrics import CountersCollector
from rtls.api.omlox_routes import TakeMessage, omlox_router
from rtls.api.operator_routes import OperatorParts, operator_router
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.queue_source import QueueSource
from rtls.model.counted_tag import CountedTag, parse_counted, render_counted
from rtls.model.errors import InvalidReading
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, TagId
from rtls.ports import LiveState, LiveStateReader
from rtls.publish.admitted_tags_redis import AdmittedTagsFollower, AdmittedTagsPublisher
from rtls.publish.event_journal import EventJournal
from rtls.publish.in_process import InProcessBus
from rtls.publish.live_redis import RedisLiveState
from rtls.publish.live_redis_reader import RedisLiveReader
from rtls.publish.redis_keys import admitted_tags, connect_redis, counted_tags
from rtls.publish.redis_stream import RedisEventSink
from rtls.publish.scans_redis import ScanFollower, ScanPublisher
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.live_state import InMemoryLiveState

log = structlog.get_logger("inaisle.assembly")
Watch = Callable[[LiveState], LiveState]
ROLES: Final = ("all", "locate", "offers")


def unwatched(live: LiveState) -> LiveState:
    """Put nothing between the loop and its live state."""
    return live


@contextmanager
def open_service(
    settings: Settings,
    *,
    role: str,
    broker: BrokerAddress,
    clock: Clock,
    watch: Watch = unwatched,
) -> Iterator[Service]:
    """Wire what the role needs, and close it in the order in which nothing is lost.

    Parameters
    ----------
    settings, role
        What to run.
    broker
        Where the gateways publish.
    clock
        The time of all parts.
    watch
        Puts something between the loop and its live state: the demo measures errors there.

    Raises
    ------
    InvalidSettings
        If the role is none, or needs Redis and no address is set.
    """
    if role not in ROLES:
        raise InvalidSettings(f"role is {role!r}; expected of {', '.join(ROLES)}.")
    site_map = load_site_map(settings.site)
    load_calibration(settings.site)  # one of another map is refused before anything starts
    service = Service(settings, clock)
    with service.stack:
        if role == "all":
            _wire_all(service, settings, site_map, broker, watch)
        elif role == "locate":
            _wire_locate(service, settings, site_map, broker, watch)
        else:
            _wire_offers(service, settings, site_map)
        yield service


def _wire_all(
    service: Service, settings: Settings, site_map: SiteMap, broker: BrokerAddress, watch: Watch
) -> None:
    admitted, counted = AdmittedTags(), CountedTags()
    live = InMemoryLiveState()
    bus = InProcessBus()

    def tell_tag(tag: TagId, is_admitted: bool) -> None:  # noqa: FBT001 - the relay's signature
        if is_admitted:
            counted.put_or_withdraw(tag, offers.counted_tags(tag))
            admitted.grant(tag)
        else:
            counted.withdraw(tag)
            admitted.withdraw(tag)
            live.forget((tag,))

    phones = QueueSource(clock=service.around.clock.now_ms)
    offers = OffersSide(
        settings,
        service.around,
        site_map=site_map,
        fan_out=InProcessFanOut(),
        tell_tag=tell_tag,
        scans=phone_scans(settings.formats, phones),
        live=live,
    )
    service.offers = offers
    service.run_with(offers.start, offers.stop)
    bus.subscribe("offers", offers.feed.accept)
    fences = FenceStream()
    bus.subscribe("fence events", fences.accept)
    locating = LocatingSide(
        settings,
        service.around,
        site_map=site_map,
        broker=broker,
        sink=bus,
        live=watch(live),
        admitted=admitted,
        counted=counted,
        phones=phones,
    )
    service.locating = locating
    service.run_with(lambda: _take_up(offers, admitted, counted), lambda: None)
    service.run_with(locating.start, locating.close)
    _count(service, inaisle_bus=bus.counters, inaisle_scans=phones.counters)
    _add_operator(service, site_map, live=live, take=phones.put, locating=locating, fences=fences)


def _wire_locate(
    service: Service, settings: Settings, site_map: SiteMap, broker: BrokerAddress, watch: Watch
) -> None:
    address = _redis_address(settings)
    site = site_map.site
    admitted, counted = AdmittedTags(), CountedTags()
    journal = EventJournal(
        settings.site.data / "events",
        new_id=partial(secrets.token_hex, 16),
        report=log.error,
    )
    sink = RedisEventSink(connect_redis(address), journal, site=site)
    live = RedisLiveState(connect_redis(address), site=site)
    follower = AdmittedTagsFollower(
        connect_redis(address), site=site, replace=admitted.replace, monotonic_s=time.monotonic
    )
    counted_follower = _follow_counted(address, site, counted)
    phones = QueueSource(clock=service.around.clock.now_ms)
    scans = ScanFollower(connect_redis(address), site=site, take=phones.put)
    service.run_with(sink.start, sink.close)
    service.run_with(live.start, live.close)
    service.run_with(scans.start, scans.close)
    service.run_with(counted_follower.start, counted_follower.close)
    service.run_with(follower.start, follower.close)
    locating = LocatingSide(
        settings,
        service.around,
        site_map=site_map,
        broker=broker,
        sink=sink,
        live=watch(live),
        admitted=admitted,
        counted=counted,
        phones=phones,
    )
    service.locating = locating
    service.run_with(locating.start, locating.close)
    health = service.around.health
    health.watch("events to redis", sink.trouble, is_essential=False)
    health.watch("live fixes to redis", live.trouble, is_essential=False)
    health.watch("admitted tags from redis", follower.trouble, is_essential=False)
    health.watch("counted tags from redis", counted_follower.trouble, is_essential=False)
    health.watch("phones' scans from redis", scans.trouble, is_essential=False)
    _count(
        service,
        inaisle_events=sink.counters,
        inaisle_live=live.counters,
        inaisle_scans=phones.counters,
    )


def _wire_offers(service: Service, settings: Settings, site_map: SiteMap) -> None:
    address = _redis_address(settings)
    site = site_map.site
    told: list[AdmittedTagsPublisher] = []
    fan_out = RedisFanOut(address, channel=f"inaisle:{site}:fan_out", origin=secrets.token_hex(16))
    scans = ScanPublisher(connect_redis(address), site=site, monotonic_s=time.monotonic)
    reader = RedisLiveReader(connect_redis(address), site=site)
    offers = OffersSide(
        settings,
        service.around,
        site_map=site_map,
        fan_out=fan_out,
        tell_tag=lambda _tag, _is_admitted: _tell(told),
        scans=phone_scans(settings.formats, scans),
        live=reader,
    )
    told += _tag_publishers(service, address, site=site, offers=offers)
    # The name stays over restarts, so that a consumer finds again what it had begun.
    feed = RedisVisitFeed(
        address, site=site, consumer=f"{socket.gethostname()}-{settings.api.port}", feed=offers.feed
    )
    service.offers = offers
    service.run_with(scans.start, scans.close)
    service.run_with(offers.start, offers.stop)
    service.run_with(feed.start, feed.close)
    health = service.around.health
    health.watch("phones' scans to redis", scans.trouble, is_essential=False)
    health.watch(
        "visits from redis",
        lambda: None if feed.is_reading else "no visits arrive",
        is_essential=False,
    )
    health.watch(
        "offers to other replicas by redis",
        lambda: None if fan_out.is_listening else "not subscribed",
        is_essential=False,
    )
    _count(
        service,
        inaisle_visit_stream=feed.counters,
        inaisle_fan_out=fan_out.counters,
        inaisle_scans=scans.counters,
    )
    _add_operator(service, site_map, live=reader, take=scans.put)


def _add_operator(
    service: Service,
    site_map: SiteMap,
    *,
    live: LiveStateReader,
    take: TakeMessage,
    locating: LocatingSide | None = None,
    fences: FenceStream | None = None,
) -> None:
    parts = OperatorParts(
        site_map=site_map,
        live=live,
        anchors=(lambda: ()) if locating is None else locating.tally.heard,
        health=service.around.health,
        now_ms=service.around.clock.now_ms,
        fences=fences,
        unknown=None if locating is None else locating.unknown_names,
    )
    service.routers.append(operator_router(parts, authorise=authorise_operator))
    _add_footfall(service, site_map)
    _add_reviews(service, site_map)
    if FormatName.OMLOX in service.settings.formats.on:
        service.routers.append(omlox_router(take, authorise=authorise_operator))


def _add_footfall(service: Service, site_map: SiteMap) -> None:
    """Serve the reports, where the libraries of the history are installed.

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
    _count(service, inaisle_reviews=reviews.counters)


def _count(service: Service, **counters: Mapping[str, int]) -> None:
    """Show counters of parts, each under its own name, in /metrics."""
    for name, group in counters.items():
        service.around.registry.register(CountersCollector(name, partial(dict, group)))


def _tell(publishers: Iterable[AdmittedTagsPublisher]) -> None:
    for publisher in publishers:
        publisher.changed()


def _follow_counted(address: str, site: SiteId, counted: CountedTags) -> AdmittedTagsFollower:
    return AdmittedTagsFollower(
        connect_redis(address),
        site=site,
        key=counted_tags(site),
        replace=lambda texts: counted.replace(_counted_of(texts)),
        monotonic_s=time.monotonic,
    )


def _tag_publishers(
    service: Service, address: str, *, site: SiteId, offers: OffersSide
) -> Iterator[AdmittedTagsPublisher]:
    """Yield what tells locating which tags may be located, and which count; started and watched."""
    for what, key, read_tags in (
        ("admitted tags to redis", admitted_tags(site), offers.admitted_tags),
        (
            "counted tags to redis",
            counted_tags(site),
            lambda: map(render_counted, offers.counted_tags()),
        ),
    ):
        publisher = AdmittedTagsPublisher(
            connect_redis(address), site=site, key=key, read_tags=read_tags
        )
        service.run_with(publisher.start, publisher.close)
        service.around.health.watch(what, publisher.trouble, is_essential=False)
        yield publisher


def _take_up(offers: OffersSide, admitted: AdmittedTags, counted: CountedTags) -> None:
    """Let the tables say what the database does: nothing is told anew that was told before."""
    counted.replace(offers.counted_tags())
    admitted.replace(offers.admitted_tags())


def _counted_of(texts: Iterable[str]) -> tuple[CountedTag, ...]:
    try:
        return tuple(map(parse_counted, texts))
    except InvalidReading as error:
        # Whose consent cannot be read has not consented; and the follower must live to hear more.
        log.warning("nobody counts in reports: what Redis holds is not ours", error=str(error))
        return ()


def _redis_address(settings: Settings) -> str:
    if settings.redis.url is None:
        raise InvalidSettings(
            "redis.url is empty; expected redis://host:port/0, for locating and offers in two "
            "processes meet there. Set it, or serve with --role all."
        )
    return settings.redis.url.get_secret_value()
