"""Pack a frame for the way through the fan-out, and hand it over where it arrives.

Layer: edges. Takes: frames from the relay. Gives: bytes to the fan-out, and frames to the app
channel of each replica, which report back when a socket has taken them.
"""

import logging
from collections.abc import Callable
from functools import partial

import msgspec

from offers.delivery.app_channel import AppChannel, Frame
from offers.model.ids import CaseAnswerId, OfferId, ShopperId

log = logging.getLogger(__name__)


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A frame, and the offer or answer to report as delivered once it is written, if any."""

    text: str
    offer: str | None = None
    answer: str | None = None


def render_parcel(parcel: Parcel) -> bytes:
    """Return the bytes for the way."""
    return msgspec.json.encode(parcel)


def parcel_listener(
    channel: AppChannel,
    *,
    written: Callable[[OfferId], None],
    answer_written: Callable[[CaseAnswerId], None],
) -> Callable[[ShopperId, bytes], None]:
    """Return what a replica subscribes to the fan-out: every parcel to the shopper's open apps.

    Parameters
    ----------
    channel
        The open apps of this replica.
    written
        Takes the report that a socket has taken an offer: `Relay.written`.
    answer_written
        The same of an answer of the staff: `Relay.answer_written`.
    """

    def listener(shopper: ShopperId, payload: bytes) -> None:
        try:
            parcel = msgspec.json.decode(payload, type=Parcel)
        except (ValueError, RecursionError) as error:
            # Another release may run beside this one while a shop is updated.
            log.warning("a parcel for an app cannot be read: %s", error)
            return
        report = None if parcel.offer is None else partial(written, OfferId(parcel.offer))
        if parcel.answer is not None:
            report = partial(answer_written, CaseAnswerId(parcel.answer))
        channel.hand_over(shopper, Frame(text=parcel.text, written=report))

    return listener
