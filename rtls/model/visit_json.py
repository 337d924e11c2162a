"""Render zone events as JSON, and parse them back, for every line between two processes.

Layer: nouns. Takes: `ZoneEvent`s from the engine, `VisitRecord`s from the analysis of visits.
Gives: bytes to Redis or a journal, and the same back on the other side:
``{"v":1,"kind":"visit","event":{…}}``.

Events and records are two lines: who decides about offers reads events, and refuses a record.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from rtls.model.errors import InvalidVisit
from rtls.model.visit import (
    AnalysedVisit,
    DwellReached,
    Passed,
    Transition,
    Visit,
    VisitRecord,
    ZoneEvent,
)

VERSION: Final = 1
EVENT_BYTES_MAX: Final = 4096
KINDS: Final[dict[str, type[ZoneEvent]]] = {
    "transition": Transition,
    "dwell_reached": DwellReached,
    "visit": Visit,
}
RECORD_KINDS: Final[dict[str, type[VisitRecord]]] = {
    "analysed_visit": AnalysedVisit,
    "passed": Passed,
}
_NAMES: Final = {kind: name for name, kind in (KINDS | RECORD_KINDS).items()}
Told = TypeVar("Told", ZoneEvent, VisitRecord)


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    v: int
    kind: str
    event: msgspec.Raw


_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_EVENTS: Final = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_RECORDS: Final = {name: msgspec.json.Decoder(kind) for name, kind in RECORD_KINDS.items()}
_ENCODER: Final = msgspec.json.Encoder()


def render_event(event: ZoneEvent) -> bytes:
    """Return the event as one line of JSON; the same event always gives the same bytes."""
    return _render(event)


def render_record(record: VisitRecord) -> bytes:
    """Return the record as one line of JSON; the same record always gives the same bytes."""
    return _render(record)


def parse_event(content: bytes) -> ZoneEvent:
    """Read an event that `render_event` wrote.

    Parameters
    ----------
    content
        At most `EVENT_BYTES_MAX` bytes of JSON. Unknown members are passed over, so that an older
        reader understands a newer writer. What is too long, no JSON, of another version or kind, or
        breaks a promise of the event, is refused with `InvalidVisit`.
    """
    return _parse(content, _EVENTS, what="zone event", writer="render_event")


def parse_record(content: bytes) -> VisitRecord:
    """Read a record that `render_record` wrote; otherwise as `parse_event`."""
    return _parse(content, _RECORDS, what="visit record", writer="render_record")


def _render(told: ZoneEvent | VisitRecord) -> bytes:
    body = msgspec.Raw(_ENCODER.encode(told))
    return _ENCODER.encode(_Envelope(v=VERSION, kind=_NAMES[type(told)], event=body))


def _parse(
    content: bytes, decoders: Mapping[str, msgspec.json.Decoder[Told]], *, what: str, writer: str
) -> Told:
    """Read what ``writer`` wrote.

    Raises
    ------
    InvalidVisit
        If none of ``decoders`` can.
    """
    if len(content) > EVENT_BYTES_MAX:
        raise InvalidVisit(
            f"{what} of {len(content)} bytes; expected at most {EVENT_BYTES_MAX}. "
            f"Only rtls.model.visit_json.{writer} may write to this line."
        )
    try:
        envelope = _ENVELOPES.decode(content)
        decoder = decoders.get(envelope.kind)
        if envelope.v != VERSION or decoder is None:
            raise InvalidVisit(
                f"{what} has v {envelope.v} and kind {envelope.kind!r}; expected v {VERSION} "
                f"and one of {sorted(decoders)}. Run both processes from one release."
            )
        return decoder.decode(envelope.event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidVisit(
            f"{what} {content[:80]!r} cannot be read: {error}. "
            f"Expected what rtls.model.visit_json.{writer} wrote."
        ) from error
