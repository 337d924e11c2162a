"""A store that tells its chain numbered events, as a process that a test may kill at any instant.

Stands for the locating loop, whose law it keeps: events durable, then the state saved, then on.
What was told after the last state is told again after a kill, under the same ids.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from inaisle.chain.store_line import StoreLine
from inaisle.settings import Settings, load_settings
from rtls.publish.forwarder import ChainLine, Forwarder
from tests.unit.publish.fix_samples import fixes_at
from tests.unit.publish.zone_event_samples import SITE, START_MS, dwell_event

EVENTS_A_TICK = 10
TICK_S = 0.02
STATE_FILE = "state.json"
STOP_FILE = "stop"


def settings_of(folder: Path, *, brokers: str, prefix: str) -> Settings:
    flags = {
        ("site", "data"): folder,
        ("chain", "brokers"): brokers,
        ("chain", "topic_prefix"): prefix,
        ("chain", "partitions"): 3,
    }
    return load_settings(environment={}, flags=flags).settings


def told_until(folder: Path) -> int:
    """How many events are durable in the store."""
    path = folder / STATE_FILE
    return int(json.loads(path.read_text())) if path.exists() else 0


def save(folder: Path, told: int) -> None:
    """Replace the state; it is whole after a kill at any instant."""
    written = folder / f"{STATE_FILE}.writing"
    with written.open("w") as file:
        json.dump(told, file)
        file.flush()
        os.fsync(file.fileno())
    written.replace(folder / STATE_FILE)


def confirm_too_early(forwarder: Forwarder, line: ChainLine) -> None:
    """The planted bug: the position is written before the brokers have anything."""
    for lane in forwarder._lanes:
        if lane.under_way:
            lane.sent, lane.under_way = lane.handed, 0
            lane.position.save(lane.sent)
    line.flush(2.0)


def main(arguments: Sequence[str]) -> None:
    folder, brokers, prefix, *bugs = arguments
    data = Path(folder)
    if bugs == ["position-first"]:
        Forwarder._confirm = confirm_too_early
    line = StoreLine(settings_of(data, brokers=brokers, prefix=prefix), site=SITE)
    line.start()
    told = told_until(data)
    while not (data / STOP_FILE).exists():
        line.publish([dwell_event(told + number) for number in range(EVENTS_A_TICK)])
        told += EVENTS_A_TICK
        line.put(*fixes_at(START_MS + 100 * told, ["tag-1", "tag-2"]))
        save(data, told)
        time.sleep(TICK_S)
    while any(waiting for waiting, _ in line.gauges().values()):
        time.sleep(TICK_S)
    line.close()


if __name__ == "__main__":
    main(sys.argv[1:])
