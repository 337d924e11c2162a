"""anchor_device: batches, spools, sends, sends again."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_sim.anchor_device import DeviceSettings, GatewayDevice, HeldReading
from firmware_sim.disk_spool import DiskSpool
from firmware_sim.link import LineMessage, MemoryLink
from firmware_sim.wire import ReadingFields
from rtls.model.units import AnchorId, GatewayId

GATEWAY = GatewayId("gw-01")
UP = "inaisle/v1/gw/gw-01/up"
DOWN = "inaisle/v1/gw/gw-01/down"
STATUS = "inaisle/v1/gw/gw-01/status"
NOW = 1_795_255_200_000

Build = Callable[..., tuple[GatewayDevice, MemoryLink]]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Make a gateway on the same disk each time, as a restart would."""
    built: list[GatewayDevice] = []

    def make(*, seed: int = 1, skew_ms: int = 0) -> tuple[GatewayDevice, MemoryLink]:
        link = MemoryLink()
        device = GatewayDevice(
            GATEWAY,
            anchors=[AnchorId("u01"), AnchorId("b01")],
            link=link,
            spool=DiskSpool(tmp_path / "gw-01.sqlite"),
            seed=seed,
            skew_ms=skew_ms,
            settings=DeviceSettings(),
        )
        built.append(device)
        return device, link

    yield make
    for device in built:
        device.spool.close()


def heard(count: int, *, at_ms: int = NOW) -> list[HeldReading]:
    return [
        HeldReading(at_ms, ReadingFields("u01", "tag:1", "range", 4.31, 0.1, "uwb_twr"))
        for _ in range(count)
    ]


def sent(link: MemoryLink) -> list[dict[str, object]]:
    """The readings messages sent since the last look."""
    return [json.loads(m.payload) for m in link.take_sent() if m.topic == UP]


def acknowledge(link: MemoryLink, boot: str, upto: int, *missing: int) -> None:
    down = {"boot": boot, "upto": upto, "missing": list(missing)}
    link.deliver(LineMessage(DOWN, json.dumps(down).encode()))


def test_forty_readings_go_at_once_and_a_rest_waits_a_quarter_of_a_second(build: Build) -> None:
    """One message for each reading would cost more than everything else together."""
    device, link = build()
    device.hear(heard(100))
    device.turn(NOW, line_ms=0)
    assert [len(message["obs"]) for message in sent(link)] == [40, 40]
    device.turn(NOW + 249, line_ms=249)
    assert sent(link) == []
    device.turn(NOW + 250, line_ms=250)
    assert [len(message["obs"]) for message in sent(link)] == [20]


def test_a_message_is_what_the_protocol_says(build: Build) -> None:
    """Field by field, as docs/wire_protocol.md has it; the age counts back from the sending."""
    device, link = build()
    device.hear(heard(1, at_ms=NOW - 80))
    device.turn(NOW + 200, line_ms=0)
    assert sent(link) == [
        {
            "v": 1,
            "boot": device.boot,
            "seq": 0,
            "low": 0,
            "t": NOW + 200,
            "clk": {"src": "ntp", "err_ms": 4},
            "obs": [
                {
                    "a": "u01",
                    "id": "tag:1",
                    "k": "range",
                    "v": 4.31,
                    "sd": 0.1,
                    "m": "uwb_twr",
                    "dt": -280,
                }
            ],
        }
    ]


def test_the_birth_is_retained_and_the_will_speaks_for_the_dead(build: Build) -> None:
    """The operator sees which gateway is there without asking it."""
    device, link = build()
    device.turn(NOW, line_ms=0)
    birth = link.take_sent()[0]
    assert (birth.topic, birth.is_retained) == (STATUS, True)
    assert json.loads(birth.payload) == {
        "v": 1,
        "boot": device.boot,
        "online": True,
        "t": NOW,
        "anchors": ["u01", "b01"],
    }
    assert link.will is not None
    assert (link.will.topic, link.will.is_retained) == (STATUS, True)
    assert json.loads(link.will.payload) == {"v": 1, "boot": device.boot, "online": False}
    assert link.subscription == DOWN


def test_a_message_is_sent_again_after_two_seconds_doubling_until_it_is_acknowledged(
    build: Build,
) -> None:
    """2, 4, 8 … seconds, each up to a quarter longer; a broker's receipt ends nothing."""
    device, link = build()
    device.hear(heard(40))
    times = []
    for line_ms in range(0, 200_000, 50):
        device.turn(NOW, line_ms=line_ms)
        if sent(link):
            times.append(line_ms)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) >= 6
    for number, pause in enumerate(pauses):
        shortest = min(2_000 << number, 60_000)
        assert shortest <= pause <= shortest * 1.25 + 50
    acknowledge(link, device.boot, 0)
    device.turn(NOW, line_ms=200_000)
    assert device.unacknowledged == 0
    device.turn(NOW, line_ms=400_000)
    assert sent(link) == []


def test_what_is_missing_is_sent_again_at_once(build: Build) -> None:
    """The other end names the hole; waiting for the timer would only cost time."""
    device, link = build()
    device.hear(heard(120))
    device.turn(NOW, line_ms=0)
    assert [m["seq"] for m in sent(link)] == [0, 1, 2]
    acknowledge(link, device.boot, 2, 1)
    device.turn(NOW, line_ms=10)
    assert [m["seq"] for m in sent(link)] == [1]
    assert device.unacknowledged == 1


def test_while_the_line_is_down_everything_is_kept_and_then_sent_in_order(build: Build) -> None:
    """A broker restart must lose nothing and must not shuffle."""
    device, link = build()
    device.turn(NOW, line_ms=0)
    link.is_up = False
    device.hear(heard(200))
    device.turn(NOW, line_ms=100)
    assert sent(link) == []
    link.is_up = True
    device.turn(NOW, line_ms=200)
    assert [m["seq"] for m in sent(link)] == [0, 1, 2, 3, 4]


def test_after_a_new_connection_all_that_is_not_acknowledged_is_offered_at_once(
    build: Build,
) -> None:
    """What the broker had receipted may have died with it."""
    device, link = build()
    device.hear(heard(120))
    device.turn(NOW, line_ms=0)
    sent(link)
    acknowledge(link, device.boot, 0)
    device.turn(NOW, line_ms=10)
    link.is_up = False
    device.turn(NOW, line_ms=20)
    link.is_up = True
    device.turn(NOW, line_ms=30)
    assert [m["seq"] for m in sent(link)] == [1, 2]


def test_a_restarted_gateway_has_a_new_boot_and_sends_what_the_old_one_left(build: Build) -> None:
    """Same seed, same disk: numbers begin anew, so the boot must be another one."""
    old, old_link = build()
    old.hear(heard(80))
    old.turn(NOW, line_ms=0)
    first = sent(old_link)
    new, link = build()
    new.hear(heard(40))
    new.turn(NOW, line_ms=0)
    again = sent(link)
    assert new.boot != old.boot
    assert again[:2] == first
    assert (again[2]["boot"], again[2]["seq"]) == (new.boot, 0)
    acknowledge(link, old.boot, 1)
    new.turn(NOW, line_ms=10)
    assert new.unacknowledged == 1


def test_low_names_the_oldest_message_that_can_still_come(build: Build) -> None:
    """Without it the other end would ask for ever for what gave way in a full spool."""
    device, link = build()
    device.hear(heard(120))
    device.turn(NOW, line_ms=0)
    acknowledge(link, device.boot, 2, 1)
    device.turn(NOW, line_ms=10)
    sent(link)
    device.hear(heard(40))
    device.turn(NOW, line_ms=20)
    assert [(m["seq"], m["low"]) for m in sent(link)] == [(3, 1)]


def test_a_skewed_clock_shifts_the_message_and_keeps_the_ages(build: Build) -> None:
    """An unset clock is wrong by years, but it still counts milliseconds."""
    device, link = build(skew_ms=-5_000)
    device.hear(heard(40, at_ms=NOW - 100))
    device.turn(NOW, line_ms=0)
    message = sent(link)[0]
    assert message["t"] == NOW - 5_000
    assert {reading["dt"] for reading in message["obs"]} == {-100}


@pytest.mark.parametrize("payload", [b"", b"\xff\x00", b"[" * 10_000, b'{"boot":1,"upto":"x"}'])
def test_nonsense_from_the_other_end_changes_nothing(build: Build, payload: bytes) -> None:
    """A gateway must outlive whatever is sent to it."""
    device, link = build()
    device.hear(heard(40))
    link.deliver(LineMessage(DOWN, payload))
    link.deliver(LineMessage("inaisle/v1/gw/gw-02/down", b'{"boot":"x","upto":9}'))
    device.turn(NOW, line_ms=0)
    assert device.unacknowledged == 1


def test_closing_sends_the_rest_and_says_goodbye(build: Build) -> None:
    """A gateway that is switched off in good order leaves nothing behind in its memory."""
    device, link = build()
    device.turn(NOW, line_ms=0)
    device.hear(heard(3))
    device.close(NOW, line_ms=10)
    *_, goodbye = link.take_sent()
    assert json.loads(goodbye.payload)["online"] is False
    assert device.messages == 1
    assert not link.is_up
