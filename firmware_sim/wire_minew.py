"""Write what a Minew G1 gateway publishes.

Layer: rules. Takes: adverts from firmware_sim.minew_gateway. Gives: topic and payload of a batch.

Written from captures of the gateway (JSON-LONG), not from the decoder of `rtls.ingest`: a fault in
one must not be mirrored by the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec


class GatewayFields(msgspec.Struct, gc=False):
    """The gateway about itself; the first element of a batch."""

    timestamp: str
    mac: str
    type: str = "Gateway"
    gateway_free: int = msgspec.field(name="gatewayFree", default=89)
    gateway_load: float = msgspec.field(name="gatewayLoad", default=0.03)


class AdvertFields(msgspec.Struct, gc=False):
    """One advert that it has heard."""

    timestamp: str
    mac: str
    rssi: int
    raw_data: str = msgspec.field(name="rawData")
    type: str = "Unknown"
    ble_name: str = msgspec.field(name="bleName", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardAdvert:
    """One advert: when by the gateway's clock, from which address (12 hex digits), how strong."""

    at_ms: int
    mac: str
    rssi_dbm: float


FLAGS: Final = "020106"  # of an advert: general discoverable, no classic Bluetooth
_ENCODER: Final = msgspec.json.Encoder()


def batch_topic(gateway: str) -> str:
    """Return where a gateway publishes."""
    return f"/gw/{gateway}/status"


def action_topic(gateway: str) -> str:
    """Return where a gateway listens for orders."""
    return f"/gw/{gateway}/action"


def render_batch(adverts: Sequence[HeardAdvert], *, mac: str, sent_at_ms: int) -> bytes:
    """Return the payload of all that was heard since the last one.

    The elements stand by address, as the gateway keeps them, so that their times go back and forth.

    Parameters
    ----------
    adverts
        May be empty: a gateway that hears nobody says so.
    mac
        The gateway's own address, 12 hex digits.
    sent_at_ms
        By the gateway's clock.

    Examples
    --------
    >>> render_batch([], mac="ac233fc03641", sent_at_ms=1_770_596_033_668)[:64]
    b'[{"timestamp":"2026-02-09T00:13:53.668Z","mac":"AC233FC03641","t'
    """
    elements: list[GatewayFields | AdvertFields] = [
        GatewayFields(timestamp=iso_time(sent_at_ms), mac=mac.upper())
    ]
    elements += [
        AdvertFields(
            timestamp=iso_time(one.at_ms),
            mac=one.mac.upper(),
            rssi=round(one.rssi_dbm),
            raw_data=FLAGS,
        )
        for one in sorted(adverts, key=lambda one: (one.mac, one.at_ms))
    ]
    return _ENCODER.encode(elements)


def iso_time(at_ms: int) -> str:
    """Return a time as the gateway writes it.

    Examples
    --------
    >>> iso_time(1_770_596_033_008)
    '2026-02-09T00:13:53.008Z'
    """
    second, ms = divmod(at_ms, 1_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
