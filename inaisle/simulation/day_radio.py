"""Simulate the people and the radio of a day, step by step; in a process of its own, if wanted.

Layer: doors. Takes: the plan, who comes, a seed. Gives: `RadioStep`s to
inaisle.simulation.day_store: what the gateways sent in each step, and apart from it the truth. What
people do hangs on nothing that the shop does, so that the process runs ahead as far as its pipe has
room: two cores for one day.
"""

import contextlib
import multiprocessing
import signal
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Protocol

from typing_extensions import override

from firmware_sim.anchor_device import DeviceSettings
from firmware_sim.day_plan import DayShopper
from firmware_sim.device_fleet import DeviceFleet
from firmware_sim.hearing import HearingSettings
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.scenario import Scenario, ScenarioSettings
from firmware_sim.truth import Truth
from inaisle.errors import PartBroke
from rtls.model.site_map import SiteMap
from rtls.model.units import GatewayId, TagId, UnixMs

STEP_MS: Final = 1_000
HEARING: Final = HearingSettings(range_rate_hz=1.0, advert_rate_hz=1.0)
"""as trolley tags with a battery for years are set"""
STEP_S_MAX: Final = 120.0
STOP_S_MAX: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioOrder:
    """Which day is simulated."""

    site_map: SiteMap
    shoppers: Sequence[DayShopper]
    seed: int
    starts_at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioStep:
    """What `STEP_MS` brought.

    Parameters
    ----------
    truth
        Where everybody is at its end.
    at_till
        The tags of who has come to the checkout, now or before.
    """

    messages: Sequence[LineMessage]
    truth: Truth
    at_till: frozenset[TagId]


class PlayedRadio(Protocol):
    """Whatever plays the radio of a day."""

    def step(self, answers: Sequence[LineMessage]) -> RadioStep:
        """Go on by `STEP_MS`; ``answers`` are for the gateways."""
        ...


class DayRadio(PlayedRadio):
    """The radio of a day, in this process."""

    def __init__(self, order: RadioOrder, *, spool: Path) -> None:
        self._coming = deque(order.shoppers)
        self._links: dict[GatewayId, MemoryLink] = {}
        self._scenario = Scenario(
            order.site_map,
            seed=order.seed,
            settings=ScenarioSettings(shoppers=0, step_ms=STEP_MS, hearing=HEARING),
            starts_at_ms=order.starts_at_ms,
        )
        self._fleet = DeviceFleet(
            self._scenario,
            link_of=lambda gateway: self._links.setdefault(gateway, MemoryLink()),
            spool_folder=spool,
            seed=order.seed,
            line_clock=lambda: 0,  # nothing is lost on this line, and so nothing sent again
            settings=DeviceSettings(hold_ms=0),
        )

    @override
    def step(self, answers: Sequence[LineMessage]) -> RadioStep:
        """Let who is due come in, and everybody walk and be heard."""
        for answer in answers:
            self._links[GatewayId(answer.topic.split("/")[3])].deliver(answer)
        while self._coming and self._coming[0].arrives_at_ms <= self._scenario.now_ms:
            self._scenario.add(self._coming.popleft().script)
        self._fleet.advance(UnixMs(self._scenario.now_ms + STEP_MS))
        truth = self._scenario.truth()
        return RadioStep(
            messages=[sent for link in self._links.values() for sent in link.take_sent()],
            truth=truth,
            at_till=frozenset(tag for tag in truth.tags if self._is_at_till(tag)),
        )

    def close(self) -> None:
        """End the lines."""
        self._fleet.close()

    def _is_at_till(self, tag: TagId) -> bool:
        # The checkout is the stop before the exit, which is the last one.
        return self._scenario.stays(tag)[-2].stood_from_ms is not None


class RadioProcess(PlayedRadio):
    """The radio of a day in another process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    @override
    def step(self, answers: Sequence[LineMessage]) -> RadioStep:
        """Return the next step.

        Raises
        ------
        PartBroke
            If the process has ended, or gives no step in time.
        """
        try:
            if answers:
                self._pipe.send(list(answers))
            if not self._pipe.poll(STEP_S_MAX):
                raise PartBroke(f"the simulated radio gave no step within {STEP_S_MAX:.0f} s.")
            step = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise PartBroke(f"the simulated radio has ended ({error!r}).") from error
        assert isinstance(step, RadioStep)
        return step


@contextlib.contextmanager
def radio_here(order: RadioOrder) -> Iterator[PlayedRadio]:
    """Give the radio of a day in this process."""
    with tempfile.TemporaryDirectory(prefix="inaisle-spools-") as spool:
        radio = DayRadio(order, spool=Path(spool))
        try:
            yield radio
        finally:
            radio.close()


@contextlib.contextmanager
def radio_apart(order: RadioOrder) -> Iterator[PlayedRadio]:
    """Give the radio of a day in a process of its own, which ends with the context."""
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that others hold
    ours, theirs = context.Pipe()
    process = context.Process(target=_play, args=(theirs, order), daemon=True)
    process.start()
    theirs.close()
    try:
        yield RadioProcess(ours)
    finally:
        ours.close()  # at its next word the process finds nobody there, and ends
        process.join(STOP_S_MAX)
        if process.is_alive():
            process.kill()
            process.join(STOP_S_MAX)


def _play(pipe: Connection, order: RadioOrder) -> None:
    """Be the process: step after step, as fast as somebody takes them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal asks the parent
    with (
        radio_here(order) as radio,
        contextlib.suppress(BrokenPipeError, ConnectionError, EOFError),
    ):
        while True:
            answers: list[LineMessage] = []
            while pipe.poll():
                answers += pipe.recv()
            pipe.send(radio.step(answers))
