"""Put the halves together: in one process by a bus, in two by Redis.

Layer: doors. Takes: settings, a role, a broker, a clock. Gives: a `Service` to
inaisle.service.serve and inaisle.demo.demo. Five things cross the seam: zone events one way, live
fixes beside them; the tags that may be located, which of them count in reports, and what phones
hear the other way.
"""

import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import structlog

from inaisle.calibration.calibration_in_force import calibration_on
from inaisle.chain.chain_seam import chain_feed, tell_chain, tell_chain_only
from inaisle.clock import Clock
from inaisle.errors import InvalidSettings
from inaisle.service.broker import BrokerAddress
from inaisle.service.locating_side import LocatingSide
from inaisle.service.offers_side import OffersSide
from inaisle.service.operator_side import add_operator
from inaisle.service.phone_scans import phone_scans
from inaisle.service.redis_site import site_in_redis
from inaisle.service.service import Service
from inaisle.settings import Settings
from inaisle.site.map_in_force import MapInForce, maps_to_run_on
from offers.delivery.fan_out import InProcessFanOut, RedisFanOut
from offers.visit_feed.redis_visit_feed import RedisVisitFeed
from rtls.engine_snapshot import digest_of_zones
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.queue_source import QueueSource
from rtls.model.counted_tag import CountedTag, parse_counted, render_counted
from rtls.model.errors import InvalidReading
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, TagId
from rtls.ports import LiveState
from rtls.publish.admitted_tags_redis import AdmittedTagsFollower, AdmittedTagsPublisher
from rtls.publish.event_journal import EventJournal
from rtls.publish.in_process import InProcessBus
from rtls.publish.live_redis import RedisLiveState
from rtls.publish.live_redis_reader import RedisLiveReader
from rtls.publish.map_in_redis import ZonesListener, ZonesTeller
from rtls.publish.redis_keys import admitted_tags, connect_redis, counted_tags
from rtls.publish.redis_stream import RedisEventSink
from rtls.publish.scans_redis import ScanFollower, ScanPublisher
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.live_state import InMemoryLiveState

log = structlog.get_logger("inaisle.service.assembly")
Watch = Callable[[LiveState], LiveState]
# Looks, one a second. The process that is told of a change may be one of another site.
REREAD_EVERY: Final = 2
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
    in_force: MapInForce | None = None,
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
    in_force
        The map to run on; the newest that can be read where none is given.

    Raises
    ------
    InvalidSettings
        If the role is none, or needs Redis and no address is set.
    """
    if role not in ROLES:
        raise InvalidSettings(f"role is {role!r}; expected of {', '.join(ROLES)}.")
    in_force = in_force or next(maps_to_run_on(settings.site))
    site_map = in_force.site_map
    # A calibration of another map is refused before anything starts.
    calibration = calibration_on(in_force, settings.site)
    service = Service(settings, clock, in_force, calibration)
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
    locating = LocatingSide(
        settings,
        service.around,
        site_map=site_map,
        broker=broker,
        sink=bus,
        live=tell_chain(service, site=site_map.site, bus=bus, live=watch(live)),
        admitted=admitted,
        counted=counted,
        calibration=service.calibration,
        phones=phones,
    )
    service.locating = locating
    service.run_with(lambda: _take_up(offers, admitted, counted), lambda: None)
    service.run_with(locating.start, locating.close)
    service.count(inaisle_bus=bus.counters, inaisle_scans=phones.counters)
    add_operator(service, site_map, live=live, take=phones.put, locating=locating, bus=bus)


def _wire_locate(
    service: Service, settings: Settings, site_map: SiteMap, broker: BrokerAddress, watch: Watch
) -> None:
    address = _redis_address(settings)
    site = site_in_redis(settings, site_map.site)
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
    zones = ZonesListener(connect_redis(address), site=site, digest=digest_of_zones(site_map))
    phones = QueueSource(clock=service.around.clock.now_ms)
    scans = ScanFollower(connect_redis(address), site=site, take=phones.put)
    for part in (sink, live, scans, zones, counted_follower, follower):
        service.run_with(part.start, part.close)
    told, shown = tell_chain_only(service, site=site_map.site, sink=sink, live=watch(live))
    locating = LocatingSide(
        settings,
        service.around,
        site_map=site_map,
        broker=broker,
        sink=told,
        live=shown,
        admitted=admitted,
        counted=counted,
        calibration=service.calibration,
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
    health.watch("site map of offers", zones.trouble, is_essential=False)
    service.count(
        inaisle_events=sink.counters,
        inaisle_live=live.counters,
        inaisle_scans=phones.counters,
    )


def _wire_offers(service: Service, settings: Settings, site_map: SiteMap) -> None:
    address = _redis_address(settings)
    site = site_in_redis(settings, site_map.site)
    told: list[AdmittedTagsPublisher] = []
    # Of the tenant, not of the site: one process at a time tells the shoppers of all its sites.
    channel = f"inaisle:{settings.offers.tenant}:fan_out"
    fan_out = RedisFanOut(address, channel=channel, origin=secrets.token_hex(16))
    scans = ScanPublisher(connect_redis(address), site=site, monotonic_s=time.monotonic)
    client = connect_redis(address)
    service.stack.callback(client.close)
    reader = RedisLiveReader(client, site=site)
    offers = OffersSide(
        settings,
        service.around,
        site_map=site_map,
        fan_out=fan_out,
        tell_tag=lambda _tag, _is_admitted: _tell(told),
        scans=phone_scans(settings.formats, scans),
        live=reader,
        has_replicas=True,
    )
    told += _tag_publishers(service, address, site=site, offers=offers)
    # The name stays over restarts, so that a consumer finds again what it had begun.
    consumer = f"{socket.gethostname()}-{settings.api.port}"
    feed = chain_feed(
        service, site=site_map.site, consumer=consumer, feed=offers.feed
    ) or RedisVisitFeed(address, site=site, consumer=consumer, feed=offers.feed)
    service.offers = offers
    zones = ZonesTeller(connect_redis(address), site=site, digest=digest_of_zones(site_map))
    service.run_with(scans.start, scans.close)
    service.run_with(zones.start, zones.close)
    service.run_with(offers.start, offers.stop)
    service.run_with(feed.start, feed.close)
    health = service.around.health
    health.watch("phones' scans to redis", scans.trouble, is_essential=False)
    health.watch(feed.name, feed.trouble, is_essential=False)
    health.watch(
        "offers to other replicas by redis",
        lambda: None if fan_out.is_listening else "not subscribed",
        is_essential=False,
    )
    service.count(
        inaisle_visit_stream=feed.counters,
        inaisle_fan_out=fan_out.counters,
        inaisle_scans=scans.counters,
    )
    add_operator(service, site_map, live=reader, take=scans.put)


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
            connect_redis(address),
            site=site,
            key=key,
            read_tags=read_tags,
            reread_every=REREAD_EVERY,
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
