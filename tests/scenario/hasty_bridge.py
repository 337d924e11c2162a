"""`inaisle bridge` that is killed in the middle of a save, so that it is not a matter of luck.

As ``hasty`` it has a bug planted besides: it sends, and acknowledges, before the state is saved.
"""

import itertools
import os
import signal
import sys
import time
from collections.abc import Mapping

from inaisle.chain.bridge_loop import BridgeLoop
from inaisle.cli import main

SLOW_DISK_S = 0.4
KILLED_IN_SAVE = 5
save, seal = BridgeLoop._save, BridgeLoop._seal
numbers = itertools.count(1)


def save_slowly(loop: BridgeLoop, contents: Mapping[str, bytes]) -> None:
    time.sleep(SLOW_DISK_S)
    if next(numbers) == KILLED_IN_SAVE:
        os.kill(os.getpid(), signal.SIGKILL)
    save(loop, contents)


def seal_and_tell_all(loop: BridgeLoop) -> None:
    seal(loop)
    parts, parcel = loop._parts, loop._parcel
    for site in parts.sites.values():
        for frame in site.frames:
            parts.producer.send(loop._settings.topic, key=frame.key, value=frame.value)
    parts.source.acknowledge(parcel.receipts)
    for topic, payload in parcel.answers:
        parts.source.send(topic, payload)


if __name__ == "__main__":
    BridgeLoop._save = save_slowly
    if sys.argv.pop(1) == "hasty":
        BridgeLoop._seal = seal_and_tell_all
    main()
