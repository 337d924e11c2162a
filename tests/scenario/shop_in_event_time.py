"""A whole shop, radio to app, driven step by step in event time: no broker, nothing else left out.

Simulated anchors write the reference protocol; reception, engine, bus, database, relay, API and a
real WebSocket are those of the product. The test is the clock, so that "after five minutes" is an
instant and not a wait.
"""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry
from typing_extensions import override
from websockets.sync.client import ClientConnection, connect

from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.hearing import HearingSettings
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.scenario import STARTS_AT_MS, ChannelName, Scenario, ScenarioSettings
from firmware_sim.trip import ScriptedShopper
from firmware_sim.truth import Stay
from inaisle.service.api_server import ApiServer
from inaisle.service.locating_side import Around
from inaisle.service.offers_side import OffersSide
from inaisle.settings import load_settings
from inaisle.simulation.app_client import ApiAddress, ApiClient
from inaisle.simulation.stepped_clock import SteppedClock
from inaisle.site.site_loading import load_site_map
from offers.api.serving import serving_config
from offers.delivery.fan_out import InProcessFanOut
from rtls.api.health import Health
from rtls.engine import Engine
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.site_map import Radio
from rtls.model.units import GatewayId, Second, TagId, UnixMs, ZoneId
from rtls.model.visit import DwellReached, ZoneEvent
from rtls.ports import RawMessage
from rtls.publish.in_process import InProcessBus
from rtls.revision import Reviser, RevisionSettings
from tests.waiting import wait_until

TICK_MS = 100
SETTLE_S = 30.0  # of waits that end as soon as they may
ALL_PURPOSES = ("locate", "personalise", "notify")


class EventTimeClock(SteppedClock):
    """Shows what the test says, and lets nobody wait by it."""

    @override
    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing may wait {seconds} s in event time")


class App:
    """The shopper's app: a token, and a stream that notes at which instant each offer came."""

    def __init__(self, address: ApiAddress, clock: EventTimeClock) -> None:
        self._address, self._clock = address, clock
        self.client = ApiClient(address)
        self.offers: list[tuple[UnixMs, dict[str, object]]] = []
        self._stream: ClientConnection | None = None
        self._listener: threading.Thread | None = None
        self._is_open = threading.Event()

    def enrol(self, purposes: tuple[str, ...]) -> None:
        self.client.token = str(self.client.post("/v1/enrolments", {"locale": "de"})["token"])
        for purpose in purposes:
            self.consent(purpose, is_granted=True)

    def consent(self, purpose: str, *, is_granted: bool) -> None:
        wish = {"is_granted": is_granted, "text_version": "2026-11", "locale": "de"}
        self.client.put(f"/v1/me/consents/{purpose}", wish)

    def pair(self, tag: TagId) -> None:
        self.client.post("/v1/me/pairings", {"tag": tag})

    @property
    def is_connected(self) -> bool:
        return self._stream is not None

    def connect(self) -> None:
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        assert self._is_open.wait(SETTLE_S)

    def close(self) -> None:
        if self._stream is not None and self._listener is not None:
            self._stream.close()
            self._listener.join(SETTLE_S)

    def _listen(self) -> None:
        header = {"Authorization": f"Bearer {self.client.token}"}
        with connect(self._address.stream_url, additional_headers=header) as self._stream:
            for text in self._stream:
                frame = json.loads(text)
                if frame["type"] == "offer":
                    self.offers.append((self._clock.at_ms, frame["offer"]))
                self._is_open.set()


class Shop:
    """The demo shop with one scripted shopper in it."""

    def __init__(
        self,
        folder: Path,
        script: ScriptedShopper,
        *,
        channel: ChannelName,
        seed: int = 1,
        rate_hz: float = 10.0,
        reception: ReceptionSettings | None = None,
    ) -> None:
        settings = load_settings(
            environment={}, flags={("site", "data"): folder, ("api", "port"): 0}
        ).settings
        self.script = script
        self.clock = EventTimeClock(STARTS_AT_MS)
        self.site_map = load_site_map(settings.site)
        self.admitted = AdmittedTags()
        self.events: list[ZoneEvent] = []
        self.is_begun = False
        around = Around(
            clock=self.clock,
            health=Health(now_ms=self.clock.now_ms),
            registry=CollectorRegistry(),
        )
        self.offers = OffersSide(
            settings,
            around,
            site_map=self.site_map,
            fan_out=InProcessFanOut(),
            tell_tag=self._tell_tag,
        )
        self.api = ApiServer(
            serving_config(self.offers.app(open_routers=()), host="127.0.0.1", port=0)
        )
        self.reception = Reception(
            self.site_map,
            admitted=self.admitted,
            settings=reception or ReceptionSettings(epoch_ms=TICK_MS),
        )
        self.engine = Engine(self.site_map)
        self.reviser = Reviser(self.engine, RevisionSettings(epoch_ms=TICK_MS))
        self.is_line_down = False
        self._held_back: list[LineMessage] = []
        self.bus = InProcessBus()
        self.bus.subscribe("offers", self.offers.feed.accept)
        self.links: dict[GatewayId, MemoryLink] = {}
        hearing = HearingSettings(range_rate_hz=rate_hz)
        self.scenario = Scenario(
            self.site_map,
            seed=seed,
            settings=ScenarioSettings(shoppers=0, channel=channel, hearing=hearing),
            scripted=[script],
        )
        self.fleet = DeviceFleet(
            self.scenario,
            link_of=self._link_of,
            spool_folder=folder / "spools",
            seed=seed,
            line_clock=self.clock.now_ms,
        )

    def __enter__(self) -> Self:
        self.offers.start()
        port = self.api.start()
        self.address = ApiAddress(host="127.0.0.1", port=port)
        self.app = App(self.address, self.clock)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.app.close()
        self.app.client.__exit__(None, None, None)
        self.fleet.close()
        self.api.stop(SETTLE_S)
        self.offers.stop()

    def stay(self, zone: str) -> Stay:
        """What the shopper really did there."""
        if not self.is_begun:
            return Stay(zone=ZoneId(zone))
        return next(s for s in self.scenario.stays(self.script.tag) if s.zone == zone)

    def run_until(self, is_over: Callable[[], bool], *, seconds_max: float = 900.0) -> None:
        """Go on tick by tick until it is so."""
        last_ms = self.clock.at_ms + seconds_max * 1000
        while not is_over():
            assert self.clock.at_ms < last_ms, f"not so within {seconds_max} s of simulated time"
            self.step()

    def run_for(self, seconds: float) -> None:
        last_ms = self.clock.at_ms + seconds * 1000
        self.run_until(lambda: self.clock.at_ms >= last_ms, seconds_max=seconds + 1)

    def step(self) -> None:
        """One tick: walk, hear, send, locate, decide, deliver."""
        self.clock.at_ms = UnixMs(self.clock.at_ms + TICK_MS)
        self.fleet.advance(self.clock.at_ms)
        self.is_begun = True
        for link in self.links.values():
            self._held_back += [m for m in link.take_sent() if m.topic.endswith("/up")]
        if not self.is_line_down:
            sent, self._held_back = self._held_back, []
            self.reception.receive(
                [
                    RawMessage(topic=m.topic, payload=m.payload, received_at_ms=self.clock.at_ms)
                    for m in sent
                ]
            )
        for batch in self.reception.advance(self.clock.at_ms):
            self._publish(self.reviser.note(batch, self.engine.process(batch).events))
        self.reviser.take(self.reception.take_late())
        self._publish(self.reviser.revise())
        for topic, payload in self.reception.acknowledgements():
            self.links[GatewayId(topic.split("/")[3])].deliver(LineMessage(topic, payload))

    def _publish(self, events: Sequence[ZoneEvent]) -> None:
        if not events:
            return
        self.events.extend(events)
        self.bus.publish(events)
        if self.app.is_connected:  # else what waits for the app stays in the outbox
            self.settle()

    def settle(self) -> None:
        """Wait until the relay has told what the last commit wrote."""
        wait_until(
            lambda: not self.offers.reader.run(lambda work: work.outbox.waiting(limit=1)),
            "the relay did not empty the outbox",
        )

    def wait_for_admission(self, *, is_admitted: bool = True) -> None:
        """Wait until locating knows whether it may follow the tag."""
        tag = self.script.tag
        wait_until(lambda: (tag in self.admitted) is is_admitted, f"admission of {tag}")

    def dwells(self, threshold_s: float, *, zone: str = "dowels") -> list[DwellReached]:
        return [
            event
            for event in self.events
            if isinstance(event, DwellReached)
            and (event.zone, event.threshold_s) == (zone, threshold_s)
        ]

    def _link_of(self, gateway: GatewayId) -> MemoryLink:
        return self.links.setdefault(gateway, MemoryLink())

    def _tell_tag(self, tag: TagId, is_admitted: bool) -> None:  # noqa: FBT001
        if is_admitted:
            self.admitted.grant(tag)
        else:
            self.admitted.withdraw(tag)


def dowel_shopper(*, seconds: float, tag: str = "tag:0d13") -> ScriptedShopper:
    """A shopper with a UWB tag on his trolley who stands at the dowels."""
    return ScriptedShopper(
        tag=TagId(tag), radio=Radio.UWB, stands=((ZoneId("dowels"), Second(seconds)),)
    )
