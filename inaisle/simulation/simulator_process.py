"""Run the simulated shop in a process of its own, so that it costs locating no time.

Layer: doors. Takes: a shop's plan and the demo's clock. Gives: truth once a simulated second, and a
way to let a scripted shopper come. Parent and child speak JSON lines over the child's standard
input and output; the child ends when its input does.

As a program (``python -m inaisle.simulation.simulator_process``) this is the child.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from firmware_sim.scenario import ChannelName
from firmware_sim.trip import ScriptedShopper
from firmware_sim.truth import Stay
from firmware_sim.wire_name import WireName
from inaisle.service.broker import BrokerAddress, deaf_to_interrupts
from inaisle.simulation.simulate import NAMED_FAULTS, ShopPlan, SimulatedShop
from rtls.model.site_map import Radio
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Second, TagId, UnixMs, ZoneId

STOP_S_MAX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopNews:
    """What the child tells once a simulated second."""

    at_ms: UnixMs
    places: Mapping[TagId, tuple[float, float]]
    """where everybody really is, x and y in metres"""
    stays: Mapping[TagId, Stay]
    """what scripted shoppers have done at the first place of their script"""
    readings: int
    unacknowledged: int
    behind_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrder:
    """What the child has to run."""

    site_map_file: Path
    broker: BrokerAddress
    starts_at_ms: UnixMs
    speed: float
    seed: int
    shoppers: int
    channel: ChannelName = "measured"
    ble_wire: WireName = "reference"
    faults: str = "none"


class SimulatorProcess:
    """The parent's side; a context that ends the child.

    Parameters
    ----------
    on_news
        Called in a thread of this object with each second's truth.
    """

    def __init__(self, order: ShopOrder, *, on_news: Callable[[ShopNews], None]) -> None:
        self._on_news = on_news
        self._lock = threading.Lock()
        with deaf_to_interrupts():
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-m",
                    "inaisle.simulation.simulator_process",
                    _render_order(order),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
        self._reader = threading.Thread(target=self._read, name="simulator-news", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(STOP_S_MAX)
        self._reader.join(STOP_S_MAX)
        assert self._child.stdout is not None
        self._child.stdout.close()

    @property
    def is_running(self) -> bool:
        """Return whether the child lives."""
        return self._child.poll() is None

    def let_come(self, shopper: ScriptedShopper) -> None:
        """Let a scripted shopper enter the shop."""
        order = {
            "come": shopper.tag,
            "radio": shopper.radio.value,
            "stands": [[zone, seconds] for zone, seconds in shopper.stands],
        }
        self._send(order)

    def allow(self, until_ms: UnixMs) -> None:
        """Let the shop go on to an instant, and not beyond."""
        self._send({"allow": until_ms})

    def _send(self, order: Mapping[str, object]) -> None:
        assert self._child.stdin is not None
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):  # it has ended
            self._child.stdin.write(json.dumps(order) + "\n")
            self._child.stdin.flush()

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._on_news(_parse_news(line))


def _render_order(order: ShopOrder) -> str:
    return json.dumps({
        "site_map": str(order.site_map_file),
        "host": order.broker.host,
        "port": order.broker.port,
        "starts_at_ms": order.starts_at_ms,
        "speed": order.speed,
        "seed": order.seed,
        "shoppers": order.shoppers,
        "channel": order.channel,
        "ble_wire": order.ble_wire,
        "faults": order.faults,
    })  # fmt: skip


def _parse_news(line: str) -> ShopNews:
    news = json.loads(line)
    tags, xs, ys = news["tags"], news["x_m"], news["y_m"]
    return ShopNews(
        at_ms=UnixMs(news["at_ms"]),
        places={TagId(tag): (x, y) for tag, x, y in zip(tags, xs, ys, strict=True)},
        stays={
            TagId(tag): Stay(zone=ZoneId(zone), **instants)
            for tag, (zone, instants) in news["stays"].items()
        },
        readings=news["readings"],
        unacknowledged=news["unacknowledged"],
        behind_ms=news["behind_ms"],
    )


def _render_news(shop: SimulatedShop, scripted: Sequence[TagId]) -> str:
    truth, counts = shop.scenario.truth(), shop.fleet.counts()
    return json.dumps({
        "at_ms": truth.at_ms,
        "tags": truth.tags,
        "x_m": truth.x_m.round(3).tolist(),
        "y_m": truth.y_m.round(3).tolist(),
        "stays": {tag: _plain(shop.scenario.stays(tag)[0]) for tag in scripted},
        "readings": counts.readings,
        "unacknowledged": counts.unacknowledged,
        "behind_ms": counts.behind_ms,
    })  # fmt: skip


def _plain(stay: Stay) -> tuple[str, dict[str, int | None]]:
    instants = ("entered_at_ms", "stood_from_ms", "stood_until_ms", "left_at_ms")
    return stay.zone, {name: getattr(stay, name) for name in instants}


def _obey(
    shop: SimulatedShop, orders: IO[str], expected: set[TagId], stop: threading.Event
) -> None:
    for line in orders:
        order = json.loads(line)
        if "allow" in order:
            shop.pace.allow(UnixMs(order["allow"]))
            continue
        expected.add(TagId(order["come"]))
        stands = tuple((ZoneId(zone), Second(seconds)) for zone, seconds in order["stands"])
        shop.scenario.add(
            ScriptedShopper(tag=TagId(order["come"]), radio=Radio(order["radio"]), stands=stands)
        )
    stop.set()  # the parent has gone, or wants us to


def main() -> None:
    """Be the child: read the order from the command line, live until the input ends."""
    order = json.loads(sys.argv[1])
    path = Path(order["site_map"])
    plan = ShopPlan(
        site_map=parse_site_map(path.read_bytes(), source=str(path)),
        broker=BrokerAddress(host=order["host"], port=order["port"]),
        seed=order["seed"],
        shoppers=order["shoppers"],
        channel=order["channel"],
        ble_wire=order["ble_wire"],
        faults=NAMED_FAULTS[order["faults"]],
    )
    stop = threading.Event()
    expected: set[TagId] = set()
    scripted: set[TagId] = set()
    starts_at_ms = UnixMs(order["starts_at_ms"])
    with SimulatedShop(plan, starts_at_ms=starts_at_ms, speed=order["speed"]) as shop:
        threading.Thread(target=_obey, args=(shop, sys.stdin, expected, stop), daemon=True).start()

        def tell() -> None:
            scripted.update(tag for tag in shop.scenario.tags() if tag in expected)
            sys.stdout.write(_render_news(shop, sorted(scripted)) + "\n")
            sys.stdout.flush()

        shop.run(each_second=tell, is_stopped=stop.is_set)


if __name__ == "__main__":
    main()
