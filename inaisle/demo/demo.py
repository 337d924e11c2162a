"""Show the whole product on one machine: real MQTT in, an offer at the shelf, a coupon redeemed.

Layer: doors. Takes: settings and options. Gives: a running shop to watch, or with `--once` a
summary and status 0 after the scripted redemption. Nothing else has to be installed or started:
broker, database and shoppers are brought along. All parts share one clock that runs faster than
life.
"""

import contextlib
import queue
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from inaisle.clock import SystemClock
from inaisle.database.database_place import database_place
from inaisle.demo.demo_counts import DemoCounts
from inaisle.demo.demo_crowd import Crowd
from inaisle.demo.demo_error import ErrorMeter
from inaisle.demo.demo_settings import day_in_shop, demo_settings, hear_ble_wire, opening_ms
from inaisle.demo.demo_story import TAG, Stage, Story, play
from inaisle.demo.demo_summary import print_summary
from inaisle.demo.demo_users import provide_demo_users
from inaisle.demo.demo_view import DemoFigures, DemoView
from inaisle.demo.demo_visitor import TROLLEY, VisitorTrolley
from inaisle.demo.demo_zone import ZoneGauge
from inaisle.errors import ExitStatus, PartBroke
from inaisle.service.broker import (
    BrokerAddress,
    embedded_broker,
    parse_broker,
    refuse_silent_broker,
)
from inaisle.service.locating_side import LocatingSide
from inaisle.service.running import Running
from inaisle.service.serve import running_service
from inaisle.settings import Settings
from inaisle.simulation.app_client import ApiAddress
from inaisle.simulation.news_board import NewsBoard
from inaisle.simulation.paced_clock import FollowingClock
from inaisle.simulation.simulator_process import ShopNews, ShopOrder, SimulatorProcess
from inaisle.site.map_in_force import site_map_file
from inaisle.site.site_loading import load_site_map
from rtls.model.units import UnixMs
from rtls.ports import LiveState

READY_S_MAX: Final = 240.0  # with an empty cache the kernels have to be compiled first
SHOW_EVERY_S: Final = 0.25
SHOP_AHEAD_MS_MAX: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line says."""

    once: bool = False
    as_json: bool = False
    broker: str | None = None
    data: Path | None = None


def run_demo(settings: Settings, options: DemoOptions) -> ExitStatus:
    """Run the demo until its story is told (`--once`) or until Ctrl-C."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_data_folder(options.data))
        settings = demo_settings(settings, folder)
        broker = stack.enter_context(_broker(options.broker))
        watched: list[tuple[ErrorMeter, ZoneGauge]] = []
        site_map = load_site_map(settings.site)
        now_ms = SystemClock().now_ms()
        # A folder that is used again remembers the time: there the clock must not go back.
        origin_ms = now_ms if options.data is not None else opening_ms(now_ms, site_map.time_zone)
        clock = FollowingClock(origin_ms=origin_ms, speed=settings.simulator.speed)
        settings = hear_ble_wire(settings, site_map)

        def watch(live: LiveState) -> LiveState:
            meter = ErrorMeter(live)
            gauge = ZoneGauge(meter, site_map=site_map, tag=TAG)
            watched.append((meter, gauge))
            return gauge

        view = stack.enter_context(DemoView("inaisle demo"))
        running = stack.enter_context(
            running_service(settings, role="all", broker=broker, clock=clock, watch=watch)
        )
        demo = Demo(settings, running, view=view, clock=clock, watched=watched)
        if not demo.await_ready(stop):
            return ExitStatus.INTERRUPTED
        if not options.once:
            demo.open_doors()
        with demo.shop_open(broker, stop):
            story = demo.show(stop, once=options.once)
        if story is None:
            return ExitStatus.DONE if not options.once else ExitStatus.INTERRUPTED
        print_summary(story, demo.figures, as_json=options.as_json)
        return ExitStatus.DONE


class Demo:
    """What one demo holds while it runs."""

    def __init__(
        self,
        settings: Settings,
        running: Running,
        *,
        view: DemoView,
        clock: FollowingClock,
        watched: Sequence[tuple[ErrorMeter, ZoneGauge]],
    ) -> None:
        self.figures = DemoFigures(speed=clock.speed)
        self._settings = settings
        self._running = running
        self._view = view
        self._clock = clock
        self._watched = watched  # one pair for each map that the service has run on
        self._address = ApiAddress(host=settings.api.host, port=running.port)
        self._crowd = Crowd(self._address)
        self._board = NewsBoard((self._pass_on,))
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._simulator: SimulatorProcess | None = None
        self._visitor: VisitorTrolley | None = None
        self._has_visitors = False
        self._story: Future[Story] | None = None
        self._counted_at_s = time.monotonic()
        self._counted = (0.0, 0.0)

    def await_ready(self, stop: threading.Event) -> bool:
        """Wait until locating is ready; False when stopped before.

        Raises
        ------
        PartBroke
            If it does not become ready.
        """
        health = self._running.service.around.health
        self._say("loading the kernels (the first time they are compiled, which takes a while)")
        until_s = time.monotonic() + READY_S_MAX
        while not health.report().is_ready:
            self._refuse_broken()
            if time.monotonic() > until_s:
                raise PartBroke(f"locating was not ready within {READY_S_MAX:.0f} s.")
            if stop.wait(0.05):
                return False
        self._say(f"API at {self._address.url}/v1/openapi.json")
        return True

    def open_doors(self) -> None:
        """Tell where the pages are, and whom to sign in as: somebody wants to look around."""
        offers = self._running.service.offers
        assert offers is not None
        users = provide_demo_users(
            offers.writer,
            secrets=offers.secrets,
            site=load_site_map(self._settings.site).site,
            now_ms=self._clock.now_ms(),
        )
        self._has_visitors = True
        self._view.show_doors(
            self.figures,
            (
                ("console", f"{self._address.url}/console/"),
                *((f"  as {name}", password) for name, password in users.items()),
                ("card", f"{self._address.url}/card/"),
                ("  trolley to pair", f"{TROLLEY}, which keeps going to the dowels"),
            ),
        )

    @contextlib.contextmanager
    def shop_open(self, broker: BrokerAddress, stop: threading.Event) -> Iterator[None]:
        """Have shoppers in the shop, and the scripted one among them."""
        section = self._settings.simulator
        order = ShopOrder(
            site_map_file=site_map_file(self._settings.site),
            broker=broker,
            starts_at_ms=self._clock.now_ms(),
            speed=self._clock.speed,
            seed=section.seed,
            shoppers=section.shoppers,
            ble_wire=section.ble_wire,
        )
        offers = self._running.service.offers
        assert offers is not None
        self._crowd.start()
        try:
            with (
                SimulatorProcess(order, on_news=self._board.put) as simulator,
                ThreadPoolExecutor(1, thread_name_prefix="story") as pool,
            ):
                self._simulator = simulator
                if self._has_visitors:
                    self._visitor = VisitorTrolley(simulator.let_come)
                stage = Stage(
                    address=self._address,
                    till_key=offers.keys.till,
                    clock=self._clock,
                    let_come=simulator.let_come,
                    stay_until=self._board.stay_until,
                    tell=self._told.put,
                    today=self._today,
                    is_stopped=stop.is_set,
                )
                self._story = pool.submit(play, stage)
                try:
                    yield
                finally:
                    stop.set()  # the story ends too, or the pool would wait for its end
        finally:
            self._crowd.stop()

    def _today(self) -> date:
        return day_in_shop(self._clock.now_ms(), load_site_map(self._settings.site).time_zone)

    def show(self, stop: threading.Event, *, once: bool) -> Story | None:
        """Refresh the view until the story is told or the viewer has seen enough."""
        assert self._story is not None
        with DemoCounts(database_place(self._settings)) as counts:
            while not stop.wait(SHOW_EVERY_S):
                self._refuse_broken()
                self._refresh(counts)
                if once and self._story.done():
                    return self._story.result()
                if self._story.done() and self._story.exception() is not None:
                    self._story.result()
        return None

    def _refresh(self, counts: DemoCounts) -> None:
        figures, metrics = self.figures, self._locating().metrics
        news = self._board.latest
        found = counts.read()
        figures.simulated_clock = _clock_text(self._clock)
        figures.shoppers = 0 if news is None else len(news.places)
        figures.offers, figures.redemptions = found.offers, found.redemptions
        figures.visits = metrics.visits
        meter, gauge = self._watched[-1]
        figures.uwb_error_m = meter.errors("tag")
        figures.ble_error_m = meter.errors("app")
        figures.uwb_inside = meter.inside_ellipse("tag")
        figures.ble_inside = meter.inside_ellipse("app")
        figures.zones = gauge.latest()
        figures.tick_p99_ms = metrics.tick_p99_ms()
        figures.behind_ms = 0 if news is None else news.behind_ms
        now_s = time.monotonic()
        passed_s = now_s - self._counted_at_s
        if passed_s >= 1.0:
            counted = (float(metrics.readings_seen), float(metrics.fixes_seen))
            figures.readings_a_s = (counted[0] - self._counted[0]) / passed_s
            figures.fixes_a_s = (counted[1] - self._counted[1]) / passed_s
            self._counted, self._counted_at_s = counted, now_s
        while not self._told.empty():
            self._say(self._told.get())
        self._view.show(figures, at_s=now_s)
        self._allow()

    def _allow(self) -> None:
        # The shop waits for a locating loop that is behind: else its readings would come too late.
        if self._simulator is not None:
            self._simulator.allow(UnixMs(self._locating().loop.caught_up_ms + SHOP_AHEAD_MS_MAX))

    def _pass_on(self, news: ShopNews) -> None:
        self._clock.follow(news.at_ms)
        self._allow()
        meter, _ = self._watched[-1]
        meter.tell_truth(news.at_ms, news.places)
        self._crowd.see(news.places.keys() - news.stays.keys())
        if self._visitor is not None:
            self._visitor.see(news.places)

    def _say(self, line: str) -> None:
        self.figures.simulated_clock = _clock_text(self._clock)
        self._view.tell(self.figures, line)

    def _locating(self) -> LocatingSide:
        locating = self._running.service.locating
        assert locating is not None
        return locating

    def _refuse_broken(self) -> None:
        reason = self._running.fatal()
        if self._simulator is not None and not self._simulator.is_running:
            reason = "the simulator has ended"
        if reason is not None:
            raise PartBroke(f"{reason}.")


@contextlib.contextmanager
def _data_folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="inaisle-demo-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def _broker(chosen: str | None) -> Iterator[BrokerAddress]:
    if chosen is None:
        with embedded_broker() as address:
            yield address
        return
    address = parse_broker(chosen)
    refuse_silent_broker(address)
    yield address


def _clock_text(clock: FollowingClock) -> str:
    return datetime.fromtimestamp(clock.now_ms() / 1000.0, tz=UTC).strftime("%H:%M:%S")
