"""Open a shop that runs in simulated time, step by step: radio, locating, offers, API.

Layer: doors. Takes: settings, the plan, the instant at which it begins. Gives: `DayStore` to
inaisle.simulation.simulate_day. All parts are those of the service; only the broker is left out,
and whoever plays the day sets the clock. Nothing waits for time to pass.
"""

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from typing_extensions import override

from firmware_sim.link import LineMessage
from inaisle.calibration.calibration_in_force import load_calibration
from inaisle.errors import PartBroke
from inaisle.reports.history_side import open_recorder
from inaisle.service.anchor_tally import AnchorTally
from inaisle.service.api_server import ApiServer
from inaisle.service.locating_loop import LocatingLoop, LoopSettings, Parts
from inaisle.service.locating_side import Around, open_visit_journal
from inaisle.service.metrics import LocatingMetrics
from inaisle.service.offers_side import OffersSide
from inaisle.service.visit_recorder import VisitRecorder
from inaisle.settings import Settings
from inaisle.simulation.app_client import ApiAddress
from inaisle.simulation.day_radio import STEP_MS, PlayedRadio, RadioStep
from inaisle.simulation.stepped_clock import SteppedClock
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
from rtls.model.units import SiteId, TagId, UnixMs
from rtls.model.visit import ZoneEvent
from rtls.ports import LiveState, RawMessage, Source, StateStore
from rtls.publish.in_process import InProcessBus
from rtls.revision import Reviser, RevisionSettings
from rtls.storage.history.counted_tags import CountedTags
from rtls.visit_analysis import VisitAnalysis

if TYPE_CHECKING:
    from inaisle.chain.store_line import StoreLine

HISTORY_TURN_MS: Final = 10_000
SETTLE_S: Final = 30.0
STOP_S: Final = 10.0


class RadioSource(Source):
    """What the gateways of a simulated shop send, without a broker between.

    Attributes
    ----------
    answers
        What is for the gateways; whoever takes it leaves an empty list.
    """

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self._sent: Sequence[LineMessage] = ()
        self.answers: list[LineMessage] = []

    def put(self, sent: Sequence[LineMessage]) -> None:
        """Take what was sent in one step."""
        self._sent = sent

    @override
    def poll(self, timeout_s: float) -> Sequence[RawMessage]:
        """Return what was sent since the last time; never waits."""
        del timeout_s
        sent, self._sent = self._sent, ()
        return [
            RawMessage(topic=one.topic, payload=one.payload, received_at_ms=self._clock.at_ms)
            for one in sent
        ]

    @override
    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Do nothing: what is in a list is not lost on the way."""

    @override
    def send(self, topic: str, payload: bytes) -> None:
        """Keep the acknowledgement until the next step."""
        self.answers.append(LineMessage(topic, payload))

    @override
    def close(self) -> None:
        """Do nothing: the lines are the radio's."""


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

    Parameters
    ----------
    settings, site_map, clock, radio
        Which shop, and what it hears when.
    line
        Spools what the shop would tell its chain; None where it has none. Nobody forwards while
        the day is played: its hours pass too fast for that.

    Attributes
    ----------
    clock
        The time of all parts.
    seen
        What the last step brought; None before the first one.
    offers
        The offers half, which serves the API at `address`.
    admitted
        Which tags are located.
    history
        The writer of the position history.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        site_map: SiteMap,
        clock: SteppedClock,
        radio: PlayedRadio,
        line: "StoreLine | None" = None,
    ) -> None:
        self.clock = clock
        self._line = line
        self.seen: RadioStep | None = None
        self._radio = radio
        self.admitted = AdmittedTags()
        self._counted = CountedTags()
        self._around = around = Around(
            clock=clock, health=Health(now_ms=clock.now_ms), registry=CollectorRegistry()
        )
        self._source = RadioSource(clock)
        self.offers = OffersSide(
            settings,
            around,
            site_map=site_map,
            fan_out=InProcessFanOut(),
            tell_tag=self._tell_tag,
        )
        self._bus = InProcessBus()
        self._bus.subscribe("offers", self.offers.feed.accept)
        if line is not None:
            self._bus.subscribe("chain", line.publish)
        self._api = ApiServer(
            serving_config(self.offers.app(open_routers=()), host="127.0.0.1", port=0)
        )
        self.history = open_recorder(
            settings, site_map=site_map, counted=self._counted, clock=clock
        )
        self._loop = self._locating(settings, site_map)

    def _locating(self, settings: Settings, site_map: SiteMap) -> LocatingLoop:
        engine = Engine(
            site_map, calibration=load_calibration(settings.site), shard=settings.engine.shard
        )
        visits = VisitRecorder(VisitAnalysis(site_map), open_visit_journal(settings))
        parts = Parts(
            source=self._source,
            reception=Reception(
                site_map,
                admitted=self.admitted,
                settings=ReceptionSettings.for_recordings(epoch_ms=STEP_MS),
                shard=settings.engine.shard,
            ),
            engine=engine,
            reviser=Reviser(engine, RevisionSettings(epoch_ms=STEP_MS, late_ms_max=1)),
            visits=visits,
            sink=self._bus,
            live=self._line or NobodyWatches(),
            store=NothingKept(),
            site_map=site_map,
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
            self._api.stop(STOP_S)
            self.offers.stop()
            self.history.finish()
            gc.unfreeze()  # the loop had its parts live for ever, and they end here

    def step(self) -> None:
        """Let `STEP_MS` pass: walk, hear, locate, decide, write."""
        answers, self._source.answers = self._source.answers, []
        self.seen = self._radio.step(answers)
        self.clock.at_ms = UnixMs(self.clock.at_ms + STEP_MS)
        assert self.seen.truth.at_ms == self.clock.at_ms
        self._source.put(self.seen.messages)
        self._loop.tick()
        if self.clock.at_ms % HISTORY_TURN_MS == 0:
            self.write_history()

    def write_history(self) -> None:
        """Write what waits for history and chain, and do the history's chores.

        Raises
        ------
        PartBroke
            If the disk refuses: a day without its history is no day.
        """
        if self._line is not None:
            self._line.write_fixes()
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
