"""Render zone events as JSON, and parse them back, for every line between two processes.

Layer: nouns. Takes: `ZoneEvent`s from the engine. Gives: bytes to Redis or a log, and the same
events back on the other side: ``{"v":1,"kind":"visit","event":{…}}``.
"""

from typing import Final

import msgspec

from rtls.model.errors import InvalidVisit
from rtls.model.visit import DwellReached, Transition, Visit, ZoneEvent

VERSION: Final = 1
EVENT_BYTES_MAX: Final = 4096
KINDS: Final[dict[str, type[ZoneEvent]]] = {
    "transition": Transition,
    "dwell_reached": DwellReached,
    "visit": Visit,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    v: int
    kind: str
    event: msgspec.Raw


_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_EVENTS: Final = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_ENCODER: Final = msgspec.json.Encoder()


def render_event(event: ZoneEvent) -> bytes:
    """Return the event as one line of JSON; the same event always gives the same bytes."""
    body = msgspec.Raw(_ENCODER.encode(event))
    return _ENCODER.encode(_Envelope(v=VERSION, kind=_NAMES[type(event)], event=body))


def parse_event(content: bytes) -> ZoneEvent:
    """Read an event that `render_event` wrote.

    Parameters
    ----------
    content
        At most `EVENT_BYTES_MAX` bytes of JSON. Unknown members are passed over, so that an older
        reader understands a newer writer.

    Raises
    ------
    InvalidVisit
        If it is too long, no JSON, of another version or kind, or breaks a promise of the event.
    """
    if len(content) > EVENT_BYTES_MAX:
        raise InvalidVisit(
            f"zone event of {len(content)} bytes; expected at most {EVENT_BYTES_MAX}. "
            "Only rtls.model.visit_json.render_event may write to this line."
        )
    try:
        envelope = _ENVELOPES.decode(content)
        decoder = _EVENTS.get(envelope.kind)
        if envelope.v != VERSION or decoder is None:
            raise InvalidVisit(
                f"zone event has v {envelope.v} and kind {envelope.kind!r}; expected v {VERSION} "
                f"and one of {sorted(KINDS)}. Run both processes from one release."
            )
        return decoder.decode(envelope.event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidVisit(
            f"zone event {content[:80]!r} cannot be read: {error}. "
            "Expected what rtls.model.visit_json.render_event wrote."
        ) from error
