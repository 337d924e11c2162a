"""day_radio: what the gateways of a played day send, step by step."""

import multiprocessing

import pytest

from firmware_sim.day_plan import DayShopper
from firmware_sim.trip import ScriptedShopper
from inaisle.errors import PartBroke
from inaisle.simulation.day_radio import STEP_MS, RadioOrder, RadioProcess, radio_here
from rtls.model.site_map import Radio
from rtls.model.units import Second, TagId, UnixMs, ZoneId
from tests.unit.firmware_sim.demo_shop import demo_shop

STARTS_MS = UnixMs(1_772_445_600_000)
TAG = TagId("tag:1")
ANNA = DayShopper(
    number=0,
    script=ScriptedShopper(
        tag=TAG,
        radio=Radio.UWB,
        stands=((ZoneId("dowels"), Second(3.0)),),
        arrives_at_ms=UnixMs(STARTS_MS + 2 * STEP_MS),
        pays_s=Second(2.0),
    ),
    buys=(),
    is_counted=True,
    shows_card=True,
    opens_offers=True,
)
ORDER = RadioOrder(site_map=demo_shop(), shoppers=(ANNA,), seed=1, starts_at_ms=STARTS_MS)


def test_a_shopper_comes_when_he_is_due_reaches_the_till_and_goes() -> None:
    """The shop pairs his tag just before, and lets him pay when he is told to stand there."""
    present: list[bool] = []
    paying: list[bool] = []
    with radio_here(ORDER) as radio:
        for second in range(240):
            step = radio.step(())
            assert step.truth.at_ms == STARTS_MS + (second + 1) * STEP_MS
            present.append(TAG in step.truth.tags)
            paying.append(TAG in step.at_till)
    assert present[:4] == [False, False, True, True]
    assert present[-1] is False
    came, went = present.index(True), len(present) - present[::-1].index(True)
    assert all(present[came:went])
    assert came < paying.index(True) < went


def test_what_is_sent_hangs_on_the_seed_alone() -> None:
    """A figure of the documents must come out again."""
    sent: list[list[object]] = []
    for _ in range(2):
        with radio_here(ORDER) as radio:
            sent.append([message for _ in range(20) for message in radio.step(()).messages])
    assert sent[0] == sent[1]
    assert any(message.topic.endswith("/up") for message in sent[0])


def test_a_radio_that_has_ended_breaks_the_day_by_name() -> None:
    """Else the shop would go on, empty, and the reports tell of a quiet afternoon."""
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(PartBroke, match="the simulated radio has ended"):
        RadioProcess(ours).step(())
    ours.close()
