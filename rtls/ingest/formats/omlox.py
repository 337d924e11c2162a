"""Read locations as omlox hubs and their providers send them.

Layer: rules. Takes: the body of ``PUT /providers/{id}/location`` (one location), of
``PUT /providers/locations`` (a list), or a WebSocket message of topic ``location_updates``.
Gives: `Decoded` with ready-made positions, or a `Rejection`. Format: omlox hub specification 2.0,
objects Location and WebsocketMessage.

A location is metres of a zone (crs absent or ``local``) or degrees (``EPSG:4326``); where either
lies in our floor is told by the site's configuration, under the location's ``source``, or under
source and floor. Floors may be fractions, of somebody on stairs. Headings are not used.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rtls.ingest.formats.decoded import NO_AGE, NO_SIGMA, Decoded, Rejection, RejectionReason
from rtls.ingest.formats.faults import PAYLOAD_BYTES_MAX, UNREADABLE, rejection_of
from rtls.ingest.formats.identifiers import normalised_name, tag_name
from rtls.ingest.formats.ready_positions import (
    ReadyPosition,
    frame_of,
    is_place,
    position_columns,
)
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("omlox/providers/+/location", "omlox/location_updates")
TOPIC_OF_API: Final = "$omlox/location"  # bodies that came over HTTP; no broker brings it
GATEWAY: Final = GatewayId("omlox")  # the hub; no location names it
LOCATIONS_MAX: Final = 1_024
AGE_MS_MAX: Final = 600_000
SIGMA_M_MIN: Final = 0.01
SIGMA_M_MAX: Final = 100.0
ACCURACY_SIGMAS: Final = math.sqrt(-2.0 * math.log(1.0 - 0.68))
"""accuracy is a radius; the standard does not say of which share, phones mean 68 %"""
UPDATES: Final = "location_updates"

Instant = Annotated[datetime, Meta(tz=True)]


class Point(msgspec.Struct, frozen=True, gc=False):
    """GeoJSON, in metres or degrees."""

    coordinates: Annotated[list[float], Meta(min_length=2, max_length=3)]


class Location(msgspec.Struct, frozen=True, gc=False):
    """One location; what is not listed is passed over."""

    position: Point
    source: str
    provider_id: str
    crs: str | None = None
    accuracy: float | None = None
    floor: Annotated[float, Meta(ge=-1000.0, le=1000.0)] | None = None
    elevation_ref: str | None = None
    generated_at: Instant | None = msgspec.field(name="timestamp_generated", default=None)
    sent_at: Instant | None = msgspec.field(name="timestamp_sent", default=None)


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What tells a message of the WebSocket from a location."""

    event: str | None = None
    topic: str | None = None
    payload: Annotated[list[msgspec.Raw], Meta(max_length=LOCATIONS_MAX)] | None = None


_LIST: Final = msgspec.json.Decoder(Annotated[list[msgspec.Raw], Meta(max_length=LOCATIONS_MAX)])
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_LOCATION: Final = msgspec.json.Decoder(Location)


class OmloxDecoder:
    """Decodes the locations of one hub.

    Parameters
    ----------
    gateway
        The hub's name in the site map or the alias table.
    frames
        How the coordinates of each source lie in our floors.
    """

    def __init__(self, gateway: GatewayId | None, frames: Mapping[str, SiteFrame]) -> None:
        self._gateway = gateway or GATEWAY
        self._frames = frames

    def __call__(self, _topic: str, payload: bytes, _received_at_ms: UnixMs) -> Decoded | Rejection:
        """Decode one message. Never raises."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            return Rejection(reason=RejectionReason.TOO_LARGE, gateway=self._gateway)
        try:
            given = _split(payload)
        except UNREADABLE as error:
            return rejection_of(error, gateway=self._gateway)
        locations: list[Location] = []
        fault: Rejection | None = None
        for one in given:
            try:
                locations.append(_LOCATION.decode(one))
            except UNREADABLE as error:
                fault = fault or rejection_of(error, gateway=self._gateway)
        return self._decoded(locations, fault, count=len(given))

    def _decoded(
        self, locations: Sequence[Location], fault: Rejection | None, *, count: int
    ) -> Decoded | Rejection:
        sent_at_ms = _sent_at_ms(locations)
        positions = []
        for location in locations:
            placed = self._placed(location, sent_at_ms)
            if isinstance(placed, ReadyPosition):
                positions.append(placed)
            else:
                fault = fault or Rejection(reason=placed, gateway=self._gateway)
        if fault is not None and not positions:
            return fault
        return Decoded(
            gateway=self._gateway,
            key=None,
            sent_at_ms=sent_at_ms,
            columns=position_columns(positions),
            left_out=count - len(positions),
        )

    def _placed(
        self, location: Location, sent_at_ms: UnixMs | None
    ) -> ReadyPosition | RejectionReason:
        """Return the position in the frame of our floor, or why there is none."""
        tag, source = tag_name(location.provider_id), normalised_name(location.source)
        if tag is None or source is None:
            return RejectionReason.BAD_ID
        age_ms = _age_ms(location, sent_at_ms)
        if age_ms < -AGE_MS_MAX:
            return RejectionReason.CLOCK
        frame = frame_of(self._frames, source, floor=_whole_floor(location.floor))
        x, y, *more = location.position.coordinates
        has_height = bool(more) and location.elevation_ref in {None, "floor"}
        z = more[0] if has_height else 0.0
        if location.crs in {None, "local"}:
            x, y, z = frame.to_site(x, y, z)
        elif location.crs == "EPSG:4326" and frame.has_degrees:
            x, y, z = frame.degrees_to_site(x, y, z)
        else:
            return RejectionReason.NO_FRAME
        if not is_place(x, y):
            return RejectionReason.LOST_FIX
        return ReadyPosition(
            tag=tag,
            anchor=frame.anchor or source,
            x_m=x,
            y_m=y,
            z_m=z if has_height and is_place(z) else None,
            sigma_m=sigma_of_accuracy(location.accuracy),
            age_ms=age_ms,
        )


def sigma_of_accuracy(accuracy: float | None) -> float:
    """Return the standard deviation of one axis, `NO_SIGMA` where the accuracy says nothing.

    Examples
    --------
    >>> round(sigma_of_accuracy(1.5), 2), sigma_of_accuracy(-1.0)
    (0.99, -1.0)
    """
    if accuracy is None or not accuracy > 0.0:
        return NO_SIGMA
    return min(max(accuracy / ACCURACY_SIGMAS, SIGMA_M_MIN), SIGMA_M_MAX)


def _split(payload: bytes) -> Sequence[msgspec.Raw | bytes]:
    """Return the locations of a message, each still as JSON."""
    if payload.lstrip()[:1] == b"[":
        return list(_LIST.decode(payload))
    envelope = _ENVELOPE.decode(payload)
    if envelope.event is None:
        return [payload]
    is_news = envelope.event == "message" and envelope.topic == UPDATES
    return (envelope.payload or []) if is_news else []


def _sent_at_ms(locations: Sequence[Location]) -> UnixMs | None:
    """Return the youngest instant that the locations name, or None."""
    instants = [at for one in locations for at in (one.generated_at, one.sent_at) if at is not None]
    return UnixMs(_unix_ms(max(instants))) if instants else None


def _age_ms(location: Location, sent_at_ms: UnixMs | None) -> int:
    if location.generated_at is None or sent_at_ms is None:
        return NO_AGE
    return _unix_ms(location.generated_at) - sent_at_ms


def _unix_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000.0)


def _whole_floor(floor: float | None) -> int | None:
    """Return the floor that a fraction is nearest to; half way up counts as up."""
    return None if floor is None else math.floor(floor + 0.5)
