"""Open a shop that runs in simulated time, step by step: radio, locating, offers, API.

Layer: doors. Takes: settings, the plan, the instant at which it begins. Gives: `DayStore` to
inaisle.simulate_day. All parts are those of the service; only the broker is left out, and whoever
plays the day sets the clock. Nothing waits for time to pass.
"""

import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from typing_extensions import override

from firmware_sim.anchor_device import DeviceSettings
from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.hearing import HearingSettings
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.scenario import Scenario, ScenarioSettings
from inaisle.anchor_tally import AnchorTally
from inaisle.app_client import ApiAddress
from inaisle.errors import PartBroke
from inaisle.history_side import open_recorder
from inaisle.locating_loop import LocatingLoop, LoopSettings, Parts
from inaisle.locating_side import Around, open_visit_journal
from inaisle.metrics import LocatingMetrics
from inaisle.offers_side import OffersSide
from inaisle.serve import ApiServer
from inaisle.settings import Settings
from inaisle.site_loading import load_calibration
from inaisle.stepped_clock import SteppedClock
from inaisle.visit_recorder import VisitRecorder
from offers.api.serving import serving_config
from offers.delivery.fan_out import InProcessFanOut
from offers.model.catalogue.product import Product
from rtls.api.health import Health
from rtls.engine import Engine
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.fix import FixBatch
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId, SiteId, TagId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.ports import LiveState, RawMessage, Source, StateStore
from rtls.publish.in_process import InProcessBus
from rtls.revision import Reviser, RevisionSettings
from rtls.storage.history.counted_tags import CountedTags
from rtls.visit_analysis import VisitAnalysis

STEP_MS: Final = 1_000
HEARING: Final = HearingSettings(range_rate_hz=1.0, advert_rate_hz=1.0)
"""as trolley tags with a battery for years are set"""
HISTORY_TURN_MS: Final = 10_000
SETTLE_S: Final = 30.0
STOP_S: Final = 10.0


class FleetSource(Source):
    """What the gateways of a simulated shop send, without a broker between."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self._links: dict[GatewayId, MemoryLink] = {}

    def link_of(self, gateway: GatewayId) -> MemoryLink:
        """Return the line of a gateway."""
        return self._links.setdefault(gateway, MemoryLink())

    @override
    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what was sent since the last time; never waits."""
        del timeout_s
        return [
            RawMessage(topic=sent.topic, payload=sent.payload, received_at_ms=self._clock.at_ms)
            for link in self._links.values()
            for sent in link.take_sent()
        ]

    @override
    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Do nothing: what is in a list is not lost on the way."""

    @override
    def send(self, topic: str, payload: bytes) -> None:
        """Bring the gateway of the topic its acknowledgement."""
        self._links[GatewayId(topic.split("/")[3])].deliver(LineMessage(topic, payload))

    @override
    def close(self) -> None:
        """Do nothing: the lines are the fleet's."""


class NobodyWatches(LiveState):
    """Live state of a shop that nobody looks at."""

    @override
    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Forget it."""


class NothingKept(StateStore):
    """The state of a locating loop that no other one goes on from.

    At night nobody is in the shop; and a service has epochs of another length.
    """

    @override
    def save(self, key: str, snapshot: bytes) -> None:
        """Forget it."""

    @override
    def load(self, key: str) -> bytes | None:
        """Return None: the day begins anew."""
        return None


class DayStore:
    """A shop whose time goes on when `step` is called.

    Attributes
    ----------
    clock
        The time of all parts.
    scenario
        Who is in the shop.
    offers
        The offers half, which serves the API at `address`.
    admitted
        Which tags are located.
    history
        The writer of the position history.
    """

    def __init__(
        self, settings: Settings, *, site_map: SiteMap, clock: SteppedClock, seed: int, spool: Path
    ) -> None:
        self.clock = clock
        self.admitted = AdmittedTags()
        self._counted = CountedTags()
        self._around = around = Around(
            clock=clock, health=Health(now_ms=clock.now_ms), registry=CollectorRegistry()
        )
        self.scenario = Scenario(
            site_map,
            seed=seed,
            settings=ScenarioSettings(shoppers=0, step_ms=STEP_MS, hearing=HEARING),
            starts_at_ms=clock.at_ms,
        )
        source = FleetSource(clock)
        self._fleet = DeviceFleet(
            self.scenario,
            link_of=source.link_of,
            spool_folder=spool,
            seed=seed,
            line_clock=lambda: time.monotonic_ns() // 1_000_000,
            settings=DeviceSettings(hold_ms=0),
        )
        self.offers = OffersSide(
            settings,
            around,
            site_map=site_map,
            fan_out=InProcessFanOut(),
            tell_tag=self._tell_tag,
        )
        self._bus = InProcessBus()
        self._bus.subscribe("offers", self.offers.feed.accept)
        self._api = ApiServer(
            serving_config(self.offers.app(open_routers=()), host="127.0.0.1", port=0)
        )
        self.history = open_recorder(
            settings, site_map=site_map, counted=self._counted, clock=clock
        )
        self._loop = self._locating(settings, site_map, source)

    def _locating(self, settings: Settings, site_map: SiteMap, source: Source) -> LocatingLoop:
        engine = Engine(
            site_map, calibration=load_calibration(settings.site), shard=settings.engine.shard
        )
        visits = VisitRecorder(VisitAnalysis(site_map), open_visit_journal(settings))
        parts = Parts(
            source=source,
            reception=Reception(
                site_map,
                admitted=self.admitted,
                settings=ReceptionSettings.for_recordings(epoch_ms=STEP_MS),
                shard=settings.engine.shard,
            ),
            engine=engine,
            reviser=Reviser(engine, RevisionSettings(epoch_ms=STEP_MS)),
            visits=visits,
            sink=self._bus,
            live=NobodyWatches(),
            store=NothingKept(),
            history=self.history,
        )
        return LocatingLoop(
            parts,
            clock=self.clock,
            settings=LoopSettings(key=f"{site_map.site}-{settings.engine.shard}", epoch_ms=STEP_MS),
            metrics=LocatingMetrics(self._around.registry),
            tally=AnchorTally(site_map),
        )

    @contextlib.contextmanager
    def open(self) -> Iterator[ApiAddress]:
        """Open the shop; give the address of its API, and close in the order of the service."""
        self.offers.start()
        try:
            address = ApiAddress(host="127.0.0.1", port=self._api.start())
            self._loop.prepare()
            yield address
            self._loop.finish()
        finally:
            self._fleet.close()
            self._api.stop(STOP_S)
            self.offers.stop()
            self.history.finish()
            gc.unfreeze()  # the loop had its parts live for ever, and they end here

    def step(self) -> None:
        """Let `STEP_MS` pass: walk, hear, locate, decide, write."""
        self.clock.at_ms = UnixMs(self.clock.at_ms + STEP_MS)
        self._fleet.advance(self.clock.at_ms)
        self._loop.tick()
        if self.clock.at_ms % HISTORY_TURN_MS == 0:
            self.write_history()

    def write_history(self) -> None:
        """Write what waits for the history, and do its chores.

        Raises
        ------
        PartBroke
            If the disk refuses: a day without its history is no day.
        """
        self.history.turn()
        trouble = self.history.trouble()
        if trouble is not None:
            raise PartBroke(trouble)

    def watch(self, name: str, accept: Callable[[Sequence[ZoneEvent]], None]) -> None:
        """Have somebody told of zone events, after the offers half."""
        self._bus.subscribe(name, accept)

    def await_admission(self, tag: TagId) -> None:
        """Wait until locating knows of a tag that has just been paired.

        Raises
        ------
        PartBroke
            If it does not get to know: then the offers half has ended.
        """
        until_s = time.monotonic() + SETTLE_S
        while tag not in self.admitted:
            if time.monotonic() > until_s:
                raise PartBroke(f"locating was not told of {tag} within {SETTLE_S:.0f} s.")
            time.sleep(0.0005)

    def products(self, site: SiteId) -> tuple[Product, ...]:
        """Return what the shop sells."""
        stored = self.offers.reader.run(lambda work: work.catalogues.of_site(site))
        return () if stored is None else stored[1].unpacked()

    def _tell_tag(self, tag: TagId, is_admitted: bool) -> None:  # noqa: FBT001 - the relay's signature
        if is_admitted:
            self._counted.put_or_withdraw(tag, self.offers.counted_tags(tag))
            self.admitted.grant(tag)
        else:
            self._counted.withdraw(tag)
            self.admitted.withdraw(tag)


@contextlib.contextmanager
def day_store(
    settings: Settings, *, site_map: SiteMap, clock: SteppedClock, seed: int
) -> Iterator[DayStore]:
    """Give a shop; what its gateways hold is thrown away with it."""
    with tempfile.TemporaryDirectory(prefix="inaisle-spools-") as spool:
        yield DayStore(settings, site_map=site_map, clock=clock, seed=seed, spool=Path(spool))
