"""Write the packed form of the reference protocol as a gateway with little memory does.

Layer: rules. Takes: readings from firmware_sim.anchor_device. Gives: payloads of the topic
``up.bin``.

Written from the description of the protocol (docs/wire_protocol.md), not from the decoder of
`rtls.ingest`: a fault in one must not be mirrored by the other.
"""

import struct
from typing import Final

from firmware_sim.errors import InvalidScenario
from firmware_sim.wire import MESSAGE_BYTES_MAX, READINGS_A_MESSAGE_MAX, TOPIC_ROOT, ReadingFields

MAGIC: Final = b"IA"
VERSION: Final = 1
KIND_CODES: Final = {"rssi": 0, "range": 1}
AGE_MS_MAX: Final = 0xFFFF
_HEAD: Final = struct.Struct("<2sBBQQQQHHH")
_RECORD: Final = struct.Struct("<HHBBHfhe")


def packed_topic(gateway: str) -> str:
    """Return where a gateway publishes packed readings."""
    return f"{TOPIC_ROOT}/{gateway}/up.bin"


def is_packed(payload: bytes) -> bool:
    """Say whether a message of the spool is packed: an update of the firmware leaves both."""
    return payload.startswith(MAGIC)


def render_packed(
    *, boot: str, seq: int, low: int, sent_at_ms: int, readings: list[ReadingFields]
) -> bytes:
    """Return the payload of one message; the arguments are those of `firmware_sim.wire.render_up`.

    A reading older than its age can say is given the greatest age there is.

    Raises
    ------
    InvalidScenario
        If the message would be empty or too large for the protocol.
    """
    if not 1 <= len(readings) <= READINGS_A_MESSAGE_MAX:
        raise InvalidScenario(
            f"a message has {len(readings)} readings; expected 1 to {READINGS_A_MESSAGE_MAX}."
        )
    tags = list(dict.fromkeys(one.id for one in readings))
    anchors = list(dict.fromkeys(one.a for one in readings))
    tag_block, anchor_block = "\n".join(tags).encode(), "\n".join(anchors).encode()
    tag_at = {tag: at for at, tag in enumerate(tags)}
    anchor_at = {anchor: at for at, anchor in enumerate(anchors)}
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        0,
        int(boot, 16),
        seq,
        low,
        sent_at_ms,
        len(tag_block),
        len(anchor_block),
        len(readings),
    )
    records = b"".join(
        _RECORD.pack(
            tag_at[one.id],
            anchor_at[one.a],
            KIND_CODES[one.k],
            one.ch,
            min(-one.dt, AGE_MS_MAX),
            one.v,
            0,
            one.sd or 0.0,
        )
        for one in readings
    )
    payload = head + tag_block + anchor_block + records
    if len(payload) > MESSAGE_BYTES_MAX:
        raise InvalidScenario(
            f"a message has {len(payload)} bytes; expected at most {MESSAGE_BYTES_MAX}. Put fewer "
            "readings into one message."
        )
    return payload
