"""The whole offers side as the door wires it, on a loopback port, with a clock that tests set."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn
from fastapi import APIRouter
from websockets.sync.client import ClientConnection, connect

from inaisle.catalogue.product_desk import ProductDesk
from inaisle.reports.report_access import authorise_reports
from inaisle.service.shop_ways import ShopWays
from inaisle.settings import Settings
from inaisle.site.map_access import authorise_planners
from inaisle.site.map_desk import DeskParts, MapDesk
from inaisle.site.map_in_force import THE_FILE, MapInForce
from inaisle.site.map_objections import map_objections
from offers.api.app import create_app
from offers.api.offering.stream_frames import answer_frame, offer_frame, points_frame
from offers.api.services import ApiSettings, Services
from offers.api.serving import serving_config
from offers.delivery.app_channel import AppChannel
from offers.delivery.fan_out import InProcessFanOut
from offers.delivery.parcel import parcel_listener
from offers.delivery.relay import Relay, RelaySettings
from offers.handlers.campaigns.start_campaign import start_campaign
from offers.handlers.people.issue_credential import issue_credential
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.ids import TillId
from offers.model.offering.offer import OfferState
from offers.model.people.shopper import Role
from offers.ports import FanOut
from offers.storage.database import Place, prepare_database
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource
from offers.storage.writer import Writer
from offers.visit_feed.visit_feed import VisitFeed
from rtls.api.footfall.footfall_routes import FootfallParts, footfall_router
from rtls.api.site_map.coverage_routes import CoverageParts, coverage_router
from rtls.api.site_map.draft_routes import draft_router
from rtls.api.site_map.import_routes import import_router
from rtls.api.site_map.map_documents import MAP_BODIES
from rtls.api.site_map.plan_routes import plan_router
from rtls.api.site_map_json import render_site_map
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.map_draft import MapRevision, PublishedMap
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.model.visit import DwellReached, TransitionKind
from rtls.plan_files.plan_reading import read_plan_file
from rtls.storage.live_state import InMemoryLiveState
from rtls.storage.site_maps.map_folder import MapFolder
from tests.ready_database import lay_down_ready_database
from tests.reference.footfall import MemoryHistory
from tests.unit.offers.shop import SITE, SITE_MAP, START_MS, dwell_event, transition
from tests.waiting import wait_until

PURPOSES = ("locate", "personalise", "notify", "analytics")


class Phone:
    """A shopper's app."""

    def __init__(self, api: "RunningApi", *, purposes: tuple[str, ...] = PURPOSES) -> None:
        self.api = api
        consents = [
            {"purpose": purpose, "is_granted": True, "text_version": "v1"} for purpose in purposes
        ]
        answer = api.http.post("/v1/enrolments", json={"consents": consents})
        assert answer.status_code == 201, answer.text
        self.shopper = answer.json()["shopper"]
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    def get(self, path: str) -> httpx2.Response:
        return self.api.http.get(path, headers=self.headers)

    def post(self, path: str, body: object = None) -> httpx2.Response:
        return self.api.http.post(path, headers=self.headers, json=body)

    def put(self, path: str, body: object) -> httpx2.Response:
        return self.api.http.put(path, headers=self.headers, json=body)

    def delete(self, path: str) -> httpx2.Response:
        return self.api.http.delete(path, headers=self.headers)

    def pair(self, tag: str) -> None:
        answer = self.post("/v1/me/pairings", {"tag": tag})
        assert answer.status_code == 201, answer.text

    @contextmanager
    def stream(self, query: str = "") -> Iterator[ClientConnection]:
        """Open the stream and take the hello."""
        address = f"{self.api.ws_url}/v1/me/stream{query}"
        with connect(address, additional_headers=self.headers) as connection:
            assert frame(connection)["type"] == "hello"
            yield connection

    def withdraw(self, purpose: str) -> None:
        wish = {"is_granted": False, "text_version": "v1"}
        assert self.put(f"/v1/me/consents/{purpose}", wish).status_code == 200


def stored_state(api: "RunningApi", phone: Phone) -> list[str]:
    """The states in the database, without the delivery that a listing is."""
    cards = api.reader.run(
        lambda work: work.offers.cards_of(
            phone.shopper, after=0, limit=10, states=tuple(OfferState)
        )
    )
    return [card.offer.state.value for card in cards]


def frame(connection: ClientConnection, *, timeout_s: float = 20.0) -> dict[str, object]:
    read = json.loads(connection.recv(timeout=timeout_s))
    assert isinstance(read, dict)
    return read


def empty_reports() -> FootfallReports:
    """Return the reports of a site whose history holds nothing."""
    settings = ReportSettings(rules=ReleaseRules(key=bytes(32)))
    return FootfallReports(MemoryHistory(), site_map=SITE_MAP, settings=settings)


class TakenScans:
    """Locating, as far as the API sees it."""

    def __init__(self) -> None:
        self.taken: list[tuple[TagId, bytes]] = []
        self.has_room = True

    def put(self, tag: TagId, readings: bytes) -> bool:
        if self.has_room:
            self.taken.append((tag, readings))
        return self.has_room


class RunningApi:
    """Writer, reader, relay, channel, feed and web server on one database."""

    def __init__(
        self,
        folder: Path,
        *,
        database: Place | None = None,
        settings: ApiSettings | None = None,
        relay_settings: RelaySettings | None = None,
        fan_out: FanOut | None = None,
        site_map: SiteMap = SITE_MAP,
    ) -> None:
        self.now_ms = START_MS
        place = database or folder / "offers.sqlite3"
        if isinstance(place, Path) and not place.exists():
            lay_down_ready_database(place)
        prepare_database(place)
        woken = threading.Event()
        self.secrets = SystemSecretSource(bytes(32))
        self.writer = Writer(place, after_commit=woken.set)
        self.reader = Reader(place)
        self.channel = AppChannel()
        self.fan_out = fan_out or InProcessFanOut()
        self.tags: dict[TagId, bool] = {}
        self.scans = TakenScans()
        self.relay = Relay(
            writer=self.writer,
            reader=self.reader,
            woken=woken,
            fan_out=self.fan_out,
            render=offer_frame,
            render_points=points_frame,
            render_answer=answer_frame,
            tell_tag=self.tags.__setitem__,
            now_ms=lambda: self.now_ms,
            settings=relay_settings or RelaySettings(idle_s=0.05),
        )
        self.fan_out.subscribe(
            parcel_listener(
                self.channel, written=self.relay.written, answer_written=self.relay.answer_written
            ),
            hears=self.channel.is_connected,
        )
        self.feed = VisitFeed(writer=self.writer, now_ms=lambda: self.now_ms, secrets=self.secrets)
        self.products = ProductDesk(self.reader, site_map=site_map)
        self.live = InMemoryLiveState()
        self.ways = ShopWays(site_map, live=self.live, now_ms=lambda: self.now_ms)
        self.published_maps: list[MapRevision] = []
        self.app = create_app(
            Services(
                writer=self.writer,
                reader=self.reader,
                secrets=self.secrets,
                now_ms=lambda: self.now_ms,
                site_map=site_map,
                channel=self.channel,
                connected=self.relay.connected,
                settings=settings or ApiSettings(),
                scans=self.scans,
                products=self.products,
                ways=self.ways,
            ),
            open_routers=(
                footfall_router(
                    FootfallParts(reports=empty_reports(), now_ms=lambda: self.now_ms),
                    authorise=authorise_reports(SITE),
                ),
                *self._map_routers(folder / "site-map", site_map),
            ),
            larger_bodies=MAP_BODIES,
        )
        self.server = uvicorn.Server(serving_config(self.app, host="127.0.0.1", port=0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _map_routers(self, folder: Path, site_map: SiteMap) -> tuple[APIRouter, ...]:
        content = render_site_map(site_map)
        self.maps = MapDesk(
            DeskParts(
                folder=MapFolder(folder, report=print),
                in_force=MapInForce(
                    site_map=site_map,
                    published=PublishedMap(about=THE_FILE, content=content),
                    source="the file",
                ),
                now_ms=lambda: self.now_ms,
                objections=map_objections(Settings(), self.reader, in_force=site_map),
                published=self.published_maps.append,
            )
        )
        authorise = authorise_planners(SITE)
        coverage = CoverageParts(site_map=site_map, calibration=None)
        return (
            draft_router(self.maps, authorise=authorise),
            plan_router(self.maps, authorise=authorise),
            import_router(self.maps, read_plan=read_plan_file, authorise=authorise),
            coverage_router(coverage, authorise=authorise),
        )

    def _serve(self) -> None:
        self.server.run()  # with the event loop of the door

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.server.started)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"
        self.http = httpx2.Client(base_url=self.url, timeout=30.0)
        self.relay.start()
        self.products.start()
        self.ways.start()
        wait_until(lambda: self.products.indexed is not None)

    def stop_serving(self) -> None:
        self.server.should_exit = True
        self._thread.join(timeout=15.0)
        assert not self._thread.is_alive()

    def close(self) -> None:
        if self._thread.is_alive():
            self.http.close()
            self.stop_serving()
        self.products.close()
        self.relay.close()
        self.writer.close()
        self.reader.close()

    def start_campaign(self, *revisions: CampaignRevision) -> None:
        for revision in revisions:
            self.writer.run(
                lambda work, new=revision: start_campaign(
                    new, site_map=SITE_MAP, work=work, now_ms=self.now_ms
                )
            )

    def key(self, role: Role, *, till: str | None = None, site: SiteId = SITE) -> dict[str, str]:
        """Issue a key of a till or an operator; return the header that carries it."""
        issued = self.writer.run(
            lambda work: issue_credential(
                role,
                work=work,
                now_ms=self.now_ms,
                secrets=self.secrets,
                till=None if till is None else TillId(till),
                site=site,
            )
        )
        return {"Authorization": f"Bearer {issued.secret}"}

    def till(self, name: str = "till-1", *, site: SiteId = SITE) -> dict[str, str]:
        return self.key(Role.TILL, till=name, site=site)

    def stand(self, tag: str) -> DwellReached:
        """Let the tag's stay at the shelf reach five minutes now."""
        reached = dwell_event(TagId(tag), at_ms=self.now_ms)
        entered = transition(reached, TransitionKind.ENTERED, at_ms=reached.entered_at_ms)
        self.feed.accept([entered, reached])
        return reached

    def leave(self, reached: DwellReached) -> None:
        self.feed.accept([transition(reached, TransitionKind.LEFT, at_ms=self.now_ms)])

    def advance(self, ms: int) -> None:
        self.now_ms = UnixMs(self.now_ms + ms)


@contextmanager
def running_api(
    folder: Path,
    *,
    database: Place | None = None,
    settings: ApiSettings | None = None,
    relay_settings: RelaySettings | None = None,
    fan_out: FanOut | None = None,
    site_map: SiteMap = SITE_MAP,
) -> Iterator[RunningApi]:
    api = RunningApi(
        folder,
        database=database,
        settings=settings,
        relay_settings=relay_settings,
        fan_out=fan_out,
        site_map=site_map,
    )
    try:
        api.start()
        yield api
    finally:
        api.close()
