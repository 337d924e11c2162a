"""Read the positions that a DWM1001 network (PANS) computes in its tags.

Layer: rules. Takes: messages below ``dwm/node/{node}/uplink/`` of a PANS gateway. Gives: `Decoded`
with one ready-made position, or a `Rejection`. Format: DWM1001 Gateway Quick Deployment Guide and
System Overview (Decawave, 2018).

What it says is a position, not ranges, and it bears no time: the superframe number, ten a second,
tells only the order. A tag that is lost says NaN, as a number that JSON does not have or as text.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import NO_ANCHOR, Decoded, Rejection, RejectionReason
from rtls.ingest.formats.faults import PAYLOAD_BYTES_MAX, UNREADABLE, rejection_of
from rtls.ingest.formats.ready_positions import (
    ReadyPosition,
    frame_of,
    is_place,
    position_columns,
)
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = (
    "dwm/node/+/uplink/location",
    "dwm/node/+/uplink/status",
    "dwm/node/+/uplink/config",
)
GATEWAY: Final = GatewayId("dwm")  # no message names one; the site may
SIGMA_BEST_M: Final = 0.1  # the maker's accuracy, reached at quality 100
SIGMA_WORST_M: Final = 1.0
QUALITY_MAX: Final = 100
_NODE: Final = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{4}|[0-9A-Fa-f]{16})")
_BARE_NAN: Final = re.compile(rb"(?<=[:\s])[+-]?NaN(?=[\s,}])", re.IGNORECASE)

Coordinate = float | str | None


class Place(msgspec.Struct, frozen=True, gc=False):
    """Metres in the network's frame."""

    x: Coordinate
    y: Coordinate
    z: Coordinate = None
    quality: Coordinate = None


class Location(msgspec.Struct, frozen=True, gc=False):
    """The body of ``location``."""

    position: Place
    order: Annotated[int, Meta(ge=0, lt=2**32)] | None = msgspec.field(
        name="superFrameNumber", default=None
    )


class Status(msgspec.Struct, frozen=True, gc=False):
    """The body of ``status``: whether the network hears the node."""

    present: bool


class Configuration(msgspec.Struct, frozen=True, gc=False):
    """The part of ``config`` that tells it from other messages."""

    node_type: str = msgspec.field(name="nodeType")


class Config(msgspec.Struct, frozen=True, gc=False):
    """The body of ``config``."""

    configuration: Configuration


_LOCATION: Final = msgspec.json.Decoder(Location)
_OTHER: Final[Mapping[str, msgspec.json.Decoder[Status] | msgspec.json.Decoder[Config]]] = {
    "status": msgspec.json.Decoder(Status),
    "config": msgspec.json.Decoder(Config),
}


class Dwm1001Decoder:
    """Decodes the messages of one network.

    Parameters
    ----------
    gateway
        The network's name in the site map or the alias table.
    frames
        Where its origin lies, under its name.
    """

    def __init__(self, gateway: GatewayId | None, frames: Mapping[str, SiteFrame]) -> None:
        self._gateway = gateway or GATEWAY
        self._frame = frame_of(frames, self._gateway)

    def __call__(self, topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
        """Decode one message. Never raises."""
        gateway = self._gateway
        found = _NODE.fullmatch(topic.split("/")[-3]) if topic.count("/") > 1 else None
        if found is None:
            return Rejection(reason=RejectionReason.BAD_ID, where="topic", gateway=gateway)
        if len(payload) > PAYLOAD_BYTES_MAX:
            return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
        other = _OTHER.get(topic.rpartition("/")[2])
        try:
            if other is None:
                return self._located(found[1].lower(), _parse(payload))
            other.decode(payload)
        except UNREADABLE as error:
            return rejection_of(error, gateway=gateway)
        return Decoded(gateway=gateway, key=None, sent_at_ms=None, columns=())

    def _located(self, tag: str, location: Location) -> Decoded | Rejection:
        place = location.position
        x, y, z, quality = map(_number, (place.x, place.y, place.z, place.quality))
        if not (is_place(x, y) and 0.0 < quality <= QUALITY_MAX):
            return Rejection(
                reason=RejectionReason.LOST_FIX, where="$.position", gateway=self._gateway
            )
        x_m, y_m, z_m = self._frame.to_site(x, y, z if is_place(z) else 0.0)
        position = ReadyPosition(
            tag=tag,
            anchor=self._frame.anchor or NO_ANCHOR,
            x_m=x_m,
            y_m=y_m,
            z_m=z_m if is_place(z) else None,
            sigma_m=sigma_of_quality(quality),
            order=location.order,
        )
        return Decoded(
            gateway=self._gateway,
            key=None,
            sent_at_ms=None,
            columns=position_columns([position]),
        )


def sigma_of_quality(quality: float) -> float:
    """Return the standard deviation of one axis in metres, from a quality of 0 to 100.

    The maker states 0.1 m and no law; a position of which half is doubt is taken for half a metre.

    Examples
    --------
    >>> round(sigma_of_quality(93), 3), sigma_of_quality(100)
    (0.163, 0.1)
    """
    return SIGMA_BEST_M + (SIGMA_WORST_M - SIGMA_BEST_M) * (1.0 - quality / QUALITY_MAX)


def _parse(payload: bytes) -> Location:
    try:
        return _LOCATION.decode(payload)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # PANS prints a lost fix as a bare NaN, which no JSON parser takes.
        return _LOCATION.decode(_BARE_NAN.sub(b"null", payload))


def _number(given: Coordinate) -> float:
    """Return a coordinate; NaN where it is text (``"NaN"``) or missing."""
    return given if isinstance(given, float) else math.nan
