"""A process that relays until it is killed; what it sends is on the output.

Run as ``python -m tests.scenario.relaying_child DATABASE TURNS``. With ``yes`` it waits for its
turn as the door has it; with ``no`` it sends whenever there is something, which is the bug that the
harness must be able to see. Each offer that goes out is a line, and the phone that reads it has
taken it a moment later.
"""

import json
import os
import signal
import sys
import threading

import sqlalchemy as sa

from offers.api.offering.stream_frames import answer_frame, offer_frame, points_frame
from offers.delivery.fan_out import InProcessFanOut
from offers.delivery.relay import Relay, RelaySettings
from offers.delivery.repeated_turn import always
from offers.model.ids import OfferId, ShopperId
from offers.storage.reader import Reader
from offers.storage.sending_turn import sending_turn
from offers.storage.writer import Writer
from rtls.model.units import UnixMs
from tests.unit.offers.shop import MINUTE_MS, START_MS


def main() -> None:
    place = sa.make_url(sys.argv[1])
    woken = threading.Event()
    writer, reader = Writer(place, after_commit=woken.set), Reader(place)
    fan_out = InProcessFanOut()
    turn = sending_turn(place)
    relay = Relay(
        writer=writer,
        reader=reader,
        woken=woken,
        fan_out=fan_out,
        render=offer_frame,
        render_points=points_frame,
        render_answer=answer_frame,
        tell_tag=lambda _tag, _is_admitted: None,
        now_ms=lambda: UnixMs(START_MS + 10 * MINUTE_MS),
        settings=RelaySettings(idle_s=0.02),
        is_our_turn=turn.is_ours if sys.argv[2] == "yes" else always,
    )

    def take(_shopper: ShopperId, payload: bytes) -> None:
        offer = json.loads(payload)["offer"]
        if offer:
            # One write below the pipe's atomic size: a kill cannot cut a line in two.
            os.write(1, f"{offer}\n".encode())
            relay.written(OfferId(offer))

    fan_out.subscribe(take, hears=lambda _: True)
    relay.start()
    os.write(1, b"started\n")
    signal.pause()


if __name__ == "__main__":
    main()
