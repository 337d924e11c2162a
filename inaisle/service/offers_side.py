"""Wire the offers half: database, handlers, relay, apps, API.

Layer: doors. Takes: settings, the site map, a fan-out and whom to tell of tags. Gives: a started or
stopped `OffersSide` with a callback for zone events and the parts of the API.
"""

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import structlog
from fastapi import APIRouter, FastAPI

from inaisle.catalogue.product_desk import ProductDesk
from inaisle.config_files import consent_text_files
from inaisle.database.consent_texts import keep_consent_texts
from inaisle.database.database_place import database_place, key_file
from inaisle.errors import InvalidSettings
from inaisle.reports.kept_history import kept_history
from inaisle.reports.shelf_outcomes import ShelfOutcomes
from inaisle.service.locating_side import Around
from inaisle.service.messages_side import MessagesSide
from inaisle.service.metrics import OfferTimes
from inaisle.service.shop_ways import ShopWays
from inaisle.service.watched_zones import WatchedZones
from inaisle.settings import Settings
from inaisle.site.site_loading import (
    load_programme,
    read_campaigns,
    read_catalogue_file,
    read_templates,
)
from inaisle.staff.access_keys import AccessKeys, provide_keys
from offers.api.app import create_app
from offers.api.offering.stream_frames import answer_frame, offer_frame, points_frame
from offers.api.services import ScanSink, Services
from offers.delivery.app_channel import AppChannel
from offers.delivery.parcel import parcel_listener
from offers.delivery.relay import Relay
from offers.delivery.repeated_turn import always
from offers.handlers.campaigns.replace_catalogue import replace_catalogue
from offers.handlers.campaigns.start_campaign import start_campaign
from offers.handlers.expire_overdue import (
    A_CALL_MAX,
    SWEEP_EVERY_S,
    Expired,
    expire_overdue,
)
from offers.handlers.loyalty.start_programme import start_filed_programme
from offers.handlers.note_audit import note_audit
from offers.handlers.offering.daily_round import daily_round
from offers.handlers.profile.refresh_segment import refresh_segments
from offers.model.audit import SYSTEM, AuditAction, Detail
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.campaign_json import parse_campaigns
from offers.model.catalogue.product import Product
from offers.ports import FanOut, UnitOfWork, ZoneStopsSource
from offers.storage.checkpoint import empty_log
from offers.storage.database import prepare_database
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.sending_turn import sending_turn
from offers.storage.writer import Writer
from offers.visit_feed.visit_feed import VisitFeed
from rtls.api.metrics import CountersCollector
from rtls.api.site_map.map_documents import MAP_BODIES
from rtls.model.counted_tag import CountedTag
from rtls.model.errors import InaisleError
from rtls.model.map_draft import MapRevision
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, UnixMs
from rtls.ports import LiveStateReader

log = structlog.get_logger("inaisle.offers")
EMPTY_LOG_EVERY: Final = 120  # sweeps: ten minutes
STOP_S_MAX: Final = 2.0


class StartedFanOut(FanOut, Protocol):
    """A fan-out that the door starts and closes."""

    def start(self) -> None:
        """Begin."""
        ...

    def close(self) -> None:
        """End."""
        ...


class OffersSide:
    """The offers half of one process.

    Parameters
    ----------
    fan_out
        Brings offers to the apps, of this process or of all replicas.
    tell_tag
        Told of each tag that may be located from now on (True) or no longer (False), after the
        commit that says so.
    scans
        Where phones' scans go; None where nobody takes them.
    live
        Where tags are now, for ways that begin there; None where nobody can say.
    has_replicas
        Whether the fan-out reaches the apps of all processes on the database, so that one of them
        can tell all. Mails and webhooks are sent by one at a time in any case.
    """

    def __init__(
        self,
        settings: Settings,
        around: Around,
        *,
        site_map: SiteMap,
        fan_out: StartedFanOut,
        tell_tag: Callable[[TagId, bool], None],
        scans: ScanSink | None = None,
        live: LiveStateReader | None = None,
        has_replicas: bool = False,
    ) -> None:
        self._place = place = database_place(settings)
        prepare_database(place)
        self._site_map = site_map
        self._kept_elsewhere = partial(kept_history, settings, site_map)
        self._clock = around.clock
        self._fan_out = fan_out
        self._scans = scans
        self.secrets = SystemSecretSource(load_key(key_file(settings)))
        committed = threading.Event()
        self.writer = Writer(place, after_commit=committed.set)
        self.reader = Reader(place)
        self._turn = sending_turn(place)
        self.channel = AppChannel()
        self.zone_stops: ZoneStopsSource | None = None  # set where footfall is served
        self.products = ProductDesk(self.reader, site_map=site_map)
        self.ways = ShopWays(site_map, live=live, now_ms=around.clock.now_ms)
        self.messages = self._messages_side(settings)
        self._tells = self._turn.is_ours if has_replicas else always
        self.relay = self._relay(committed, tell_tag)
        self.offer_times = OfferTimes(around.registry)
        self.feed = VisitFeed(
            writer=self.writer,
            now_ms=around.clock.now_ms,
            secrets=self.secrets,
            concerns=WatchedZones(self.reader, site=site_map.site).concerns,
            offered=self.offer_times.note,
        )
        self.keys = self._provide_keys(settings)
        self._load(settings)
        self._stop = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="offers-sweep", daemon=True)
        self._watch(around)

    def _messages_side(self, settings: Settings) -> MessagesSide:
        return MessagesSide(
            settings.delivery,
            writer=self.writer,
            reader=self.reader,
            secrets=self.secrets,
            now_ms=self._clock.now_ms,
            site_map=self._site_map,
            is_our_turn=self._turn.is_ours,
        )

    def _relay(self, committed: threading.Event, tell_tag: Callable[[TagId, bool], None]) -> Relay:
        return Relay(
            writer=self.writer,
            reader=self.reader,
            woken=committed,
            fan_out=self._fan_out,
            render=offer_frame,
            render_points=points_frame,
            render_answer=answer_frame,
            tell_tag=tell_tag,
            now_ms=self._clock.now_ms,
            unseen=self.messages.unseen,
            answered=self.messages.answered,
            is_our_turn=self._tells,
        )

    def start(self) -> None:
        """Deliver what waits, and everything from now on."""
        self._fan_out.subscribe(
            parcel_listener(
                self.channel,
                written=self.relay.written,
                answer_written=self.relay.answer_written,
            ),
            hears=self.channel.is_connected,
        )
        self._fan_out.start()
        self.messages.start()
        self.relay.start()
        self.products.start()
        self.ways.start()
        self._sweeper.start()

    def stop(self) -> None:
        """End in the order in which nothing is lost: first who makes work, last who stores it.

        Safe before `start`: wiring that fails closes what it has made, and must keep its own error.
        """
        self._stop.set()
        if self._sweeper.is_alive():
            self._sweeper.join(STOP_S_MAX)
        self.products.close()
        self.relay.close()
        self.messages.stop()
        self._turn.close()
        self._fan_out.close()
        self.writer.close()
        self.reader.close()

    def admitted_tags(self) -> frozenset[TagId]:
        """Return every tag that may be located now, from the database."""
        now_ms = self._clock.now_ms()
        return self.reader.run(lambda work: work.pairings.admitted_tags(now_ms=now_ms))

    def counted_tags(self, tag: TagId | None = None) -> tuple[CountedTag, ...]:
        """Return every tag that counts in reports now, or ``tag`` if it does; from the database."""
        now_ms, site = self._clock.now_ms(), self._site_map.site
        return self.reader.run(
            lambda work: work.pairings.counted_tags(site, now_ms=now_ms, tag=tag)
        )

    def shelf_outcomes(self) -> ShelfOutcomes:
        """Return what became of offers and purchases at each shelf, for reports."""

        def products() -> Mapping[str, Product]:
            indexed = self.products.indexed
            return {} if indexed is None else indexed.by_sku

        return ShelfOutcomes(self.reader, site_map=self._site_map, products=products)

    def note_map(self, published: MapRevision) -> None:
        """Note in the audit that somebody has published a map of the site."""
        now_ms = self._clock.now_ms()
        details: dict[str, Detail] = {
            "revision": published.revision,
            "credential": published.published_by,
        }
        self.writer.run(
            lambda work: note_audit(
                AuditAction.SITE_MAP_PUBLISHED,
                subject=self._site_map.site,
                details=details,
                work=work,
                now_ms=now_ms,
            )
        )

    def app(self, *, open_routers: Sequence[APIRouter]) -> FastAPI:
        """Return the API, with the routers of other packages."""
        return create_app(
            Services(
                writer=self.writer,
                reader=self.reader,
                secrets=self.secrets,
                now_ms=self._clock.now_ms,
                site_map=self._site_map,
                channel=self.channel,
                connected=self.relay.connected,
                scans=self._scans,
                push_key=self.messages.push_key,
                templates=read_templates(),
                products=self.products,
                ways=self.ways,
                zone_stops=self.zone_stops,
                kept_elsewhere=self._kept_elsewhere,
            ),
            open_routers=open_routers,
            larger_bodies=MAP_BODIES,
        )

    def fatal(self) -> str | None:
        """Return why the process must end with status 1, or None."""
        if not self.writer.is_alive:
            return "the writer of the database has ended"
        return self.messages.fault() if self.relay.is_running else "the relay has ended"

    def _provide_keys(self, settings: Settings) -> AccessKeys:
        return provide_keys(
            settings.offers,
            folder=settings.site.data,
            site=self._site_map.site,
            writer=self.writer,
            secrets=self.secrets,
            now_ms=self._clock.now_ms(),
        )

    def _load(self, settings: Settings) -> None:
        keep_consent_texts(consent_text_files(), writer=self.writer)
        self._load_campaigns(settings)
        self._load_programme(settings)
        self._load_catalogue(settings)

    def _load_campaigns(self, settings: Settings) -> None:
        found = read_campaigns(settings.site)
        if found is None:
            return
        content, path = found
        for revision in parse_campaigns(content, source=str(path)):
            self.writer.run(partial(_start_if_new, revision, self._site_map, self._clock.now_ms()))

    def _load_programme(self, settings: Settings) -> None:
        found = load_programme(settings.site)
        if found is not None:
            if found.site != self._site_map.site:
                raise InvalidSettings(
                    f"site.programme is of site {found.site!r}; expected that of the map, "
                    f"{self._site_map.site!r}. Give each site its own file."
                )
            now_ms = self._clock.now_ms()
            self.writer.run(lambda work: start_filed_programme(found, work=work, now_ms=now_ms))

    def _load_catalogue(self, settings: Settings) -> None:
        found = read_catalogue_file(settings.site)
        site = self._site_map.site
        if found is None or self.reader.run(lambda work: work.catalogues.revision_of(site)):
            return  # what was imported since stays
        content, path = found
        packed = self.products.read_file(content, source=str(path))
        now_ms = self._clock.now_ms()
        self.writer.run(lambda work: replace_catalogue(packed, by=SYSTEM, work=work, now_ms=now_ms))

    def _sweep(self) -> None:
        for turn in itertools.count(1):
            if self._stop.wait(SWEEP_EVERY_S):
                return
            try:
                self.writer.run(self._expire)
                self.writer.run(self._go_round)
                self.writer.run(self._refresh)
                if turn % EMPTY_LOG_EVERY == 0:
                    empty_log(self._place)  # what was erased leaves the log as well
            except InaisleError as error:
                log.warning("the sweep stopped this time", error=str(error))

    def _expire(self, work: UnitOfWork) -> Expired:
        return expire_overdue(work=work, now_ms=self._clock.now_ms())

    def _refresh(self, work: UnitOfWork) -> int:
        return refresh_segments(
            work=work, now_ms=self._clock.now_ms(), secrets=self.secrets, limit=A_CALL_MAX
        )

    def _go_round(self, work: UnitOfWork) -> int:
        return daily_round(
            self._site_map.site, work=work, now_ms=self._clock.now_ms(), secrets=self.secrets
        )

    def _watch(self, around: Around) -> None:
        around.health.watch("database", lambda: None if self.writer.is_alive else "has ended")
        around.health.watch("messages", self.messages.fault)
        around.health.watch("relay", lambda: None if self.relay.is_running else "starting")
        around.health.watch("products", self.products.trouble, is_essential=False)
        around.health.watch("ways", self.ways.trouble, is_essential=False)
        for name, counters in (
            ("inaisle_relay", self.relay.counters),
            ("inaisle_visit_feed", self.feed.counters),
            ("inaisle_apps", self.channel.counters),
            *self.messages.counters(),
        ):
            around.registry.register(CountersCollector(name, partial(dict, counters)))


def _start_if_new(
    revision: CampaignRevision, site_map: SiteMap, now_ms: UnixMs, work: UnitOfWork
) -> None:
    # One that is known already may have been changed over the API since.
    if work.campaigns.find(revision.campaign) is None:
        started = start_campaign(revision, site_map=site_map, work=work, now_ms=now_ms)
        note_audit(
            AuditAction.CAMPAIGN_STARTED,
            subject=started.campaign,
            details={"revision": started.revision.revision},
            work=work,
            now_ms=now_ms,
        )
