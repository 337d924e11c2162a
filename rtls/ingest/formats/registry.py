"""Choose the decoder of a message by its topic.

Layer: rules. Takes: topic and bytes from a source. Gives: what the format's decoder gives, to
rtls.ingest.reception. A new wire format is one file beside this one and one line in `FORMATS`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from rtls.ingest.formats import reference
from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection, RejectionReason
from rtls.model.units import UnixMs

Outcome = Decoded | GatewayStatus | Rejection
Decoder = Callable[[str, bytes, UnixMs], Outcome]
TOPICS_REMEMBERED_MAX: Final = 4096

FORMATS: Final[Mapping[str, Decoder]] = {
    reference.TOPIC_UP: reference.decode_up,
    reference.TOPIC_STATUS: reference.decode_status,
}


def decode(topic: str, payload: bytes, received_at_ms: UnixMs) -> Outcome:
    """Decode a message of any known format. Never raises: bad content is a `Rejection`."""
    decoder = decoder_of(topic)
    if decoder is None:
        return Rejection(reason=RejectionReason.UNKNOWN_TOPIC)
    return decoder(topic, payload, received_at_ms)


@lru_cache(maxsize=TOPICS_REMEMBERED_MAX)
def decoder_of(topic: str) -> Decoder | None:
    """Return the decoder of the first filter that matches, or None."""
    for topic_filter, decoder in FORMATS.items():
        if matches(topic_filter, topic):
            return decoder
    return None


def matches(topic_filter: str, topic: str) -> bool:
    """Say whether an MQTT topic filter matches a topic (MQTT 5, section 4.7).

    Examples
    --------
    >>> matches("inaisle/v1/gw/+/up", "inaisle/v1/gw/g1/up")
    True
    >>> matches("home/#", "home"), matches("home/+", "home/a/b"), matches("#", "$SYS/uptime")
    (True, False, False)
    """
    wanted, given = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    if wanted[-1] == "#":
        wanted.pop()
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(
        want in {"+", level} for want, level in zip(wanted, given, strict=True)
    )
