"""Play the founding scene over a whole chain on this machine, and say what a chain costs.

Layer: benchmarks. Takes: nothing. Gives: lines while it happens, and ratios at the end.

Gateways of a simulated shop speak MQTT; a bridge brings their readings to a log on the Kafka API;
two workers locate; offers on PostgreSQL decide, and tell the shopper's app; the till redeems. While
he stands at the dowels the worker that locates him is killed, and the other one takes over. All in
real time and over the public ways: an app and a till of anybody could do the same.

Run as ``python -m benchmarks.chain`` (or ``make chain``): about seven minutes, for he stands five.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Final, Self

from benchmarks.chain_processes import ZONE, Chain, Process, running_chain
from inaisle.clock import SystemClock
from inaisle.demo.demo_crowd import Crowd
from inaisle.demo.demo_settings import day_in_shop
from inaisle.demo.demo_story import Stage, Story, play
from inaisle.simulation.news_board import NewsBoard
from inaisle.simulation.simulator_process import ShopNews, ShopOrder, SimulatorProcess
from rtls.model.units import UnixMs

STAND_S: Final = 300.0
SHOPPERS: Final = 30
TELL_EVERY_S: Final = 20.0
KILL_AFTER: Final = 0.5
"""of the stand"""
READINGS: Final = "inaisle_worker_readings_total"


class Teller:
    """Say how the chain does while the story is told, and kill the worker in the middle of it."""

    def __init__(self, chain: Chain, *, kill_after_s: float) -> None:
        self._chain = chain
        self._kill_at = time.monotonic() + kill_after_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.killed: Process | None = None
        self.gap_s: float | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        told_at = time.monotonic()
        while not self._stop.wait(0.2):
            if self.killed is None and time.monotonic() >= self._kill_at:
                self._kill()
            if time.monotonic() - told_at >= TELL_EVERY_S:
                told_at = time.monotonic()
                counts = [one.figure(READINGS) for one in self._chain.workers]
                say(f"readings located: {counts[0]:,.0f} and {counts[1]:,.0f}")

    def _kill(self) -> None:
        busy, other = sorted(self._chain.workers, key=lambda one: -one.figure(READINGS))
        before = other.figure(READINGS)
        say(f"{busy.name}, which locates him, is killed")
        busy.kill()
        self.killed = busy
        began = time.monotonic()
        while not self._stop.wait(0.05) and other.figure(READINGS) == before:
            pass
        self.gap_s = time.monotonic() - began
        say(f"{other.name} goes on after {self.gap_s:.1f} s")
        busy.start()


def say(line: str) -> None:
    """Print a line with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}\n")
    sys.stdout.flush()


def play_scene(chain: Chain, *, stand_s: float) -> tuple[Story, Teller]:
    """Let the shopper come, stand, be offered and redeem."""
    clock = SystemClock()
    crowd = Crowd(chain.api)
    stop = threading.Event()

    def see(news: ShopNews) -> None:
        crowd.see(news.places.keys() - news.stays.keys())

    def today() -> date:
        return day_in_shop(clock.now_ms(), chain.site_map.time_zone)

    board = NewsBoard((see,))
    order = ShopOrder(
        site_map_file=chain.site_map_file,
        broker=chain.mqtt,
        starts_at_ms=clock.now_ms(),
        speed=1.0,
        seed=1,
        shoppers=SHOPPERS,
    )
    crowd.start()
    try:
        with (
            SimulatorProcess(order, on_news=board.put) as simulator,
            Teller(chain, kill_after_s=30.0 + KILL_AFTER * stand_s) as teller,
        ):
            simulator.allow(UnixMs(order.starts_at_ms + 24 * 3_600_000))
            stage = Stage(
                address=chain.api,
                till_key=chain.till_key,
                clock=clock,
                let_come=simulator.let_come,
                stay_until=board.stay_until,
                tell=say,
                today=today,
                is_stopped=stop.is_set,
            )
            return play(stage), teller
    finally:
        crowd.stop()


def main() -> int:
    """Run the scene; status 0 if he was still there, and the till took the coupon once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stand-s", type=float, default=STAND_S, help="how long he has to stand")
    parser.add_argument("--no-ratios", action="store_true", help="leave out what a worker costs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inaisle-chain-") as name:
        say("starting mosquitto, redis, PostgreSQL, a broker of the Kafka API, and our processes")
        with running_chain(Path(name), stand_s=options.stand_s) as chain:
            say(f"offers at {chain.api.url}, two workers, a bridge: all are ready")
            story, teller = play_scene(chain, stand_s=options.stand_s)
    receipt, redeemed = story.receipt, story.redeemed
    say(
        f"stood {receipt.stood_s:.1f} s at {receipt.zone}, {receipt.delivery_ms:.0f} ms from the "
        f"decision to the app; redeemed {redeemed.amount_minor} {redeemed.currency} minor"
    )
    if not options.no_ratios:
        say("what a worker costs, beside the engine alone and a plain loop over the same log")
        # A target that is missed on a busy machine does not undo the scene.
        subprocess.run([sys.executable, "-m", "inaisle", "bench", "chain_worker"], check=False)
    is_told = receipt.zone == ZONE and receipt.is_still_there and redeemed.is_refused_twice
    has_survived = teller.killed is not None and teller.gap_s is not None
    return 0 if is_told and has_survived else 1


if __name__ == "__main__":
    sys.exit(main())
