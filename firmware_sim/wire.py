"""Write the reference protocol as a gateway does, and read what it is answered.

Layer: rules. Takes: readings from firmware_sim.anchor_device. Gives: payloads of the topics ``up``
and ``status``, and the acknowledgement of ``down``.

Written from the description of the protocol (docs/wire_protocol.md), not from the decoder of
`rtls.ingest`: a fault in one must not be mirrored by the other.
"""

from typing import Final, Literal

import msgspec

from firmware_sim.errors import InvalidScenario

WIRE_VERSION: Final = 1
READINGS_A_MESSAGE_MAX: Final = 512
MESSAGE_BYTES_MAX: Final = 65_536
TOPIC_ROOT: Final = "inaisle/v1/gw"


class ReadingFields(msgspec.Struct, gc=False, omit_defaults=True):
    """One reading as it stands in ``obs``; absent fields have their default."""

    a: str
    id: str
    k: Literal["rssi", "range"]
    v: float
    sd: float | None = None
    m: Literal["uwb_twr", "ble_cs"] | None = None
    ch: int = 0
    dt: int = 0


class ClockFields(msgspec.Struct, gc=False):
    """How the gateway got its time, and how far it may be off."""

    src: Literal["ntp", "none"] = "ntp"
    err_ms: int = 4


class UpFields(msgspec.Struct, gc=False):
    """One message of readings; ``low`` is the oldest message of this boot still in the spool."""

    v: int
    boot: str
    seq: int
    low: int
    t: int
    clk: ClockFields
    obs: list[ReadingFields]


class StatusFields(msgspec.Struct, gc=False, omit_defaults=True):
    """Birth and last will of a gateway; retained."""

    v: int
    boot: str
    online: bool
    t: int | None = None
    anchors: list[str] | None = None


class DownFields(msgspec.Struct, gc=False):
    """What the other end has stored for good: all up to ``upto`` but ``missing``."""

    boot: str
    upto: int
    missing: list[int] = []


_ENCODER: Final = msgspec.json.Encoder()
_DOWN_DECODER: Final = msgspec.json.Decoder(DownFields)
_CLOCK: Final = ClockFields()


def up_topic(gateway: str) -> str:
    """Return where a gateway publishes its readings."""
    return f"{TOPIC_ROOT}/{gateway}/up"


def down_topic(gateway: str) -> str:
    """Return where a gateway hears what was stored."""
    return f"{TOPIC_ROOT}/{gateway}/down"


def status_topic(gateway: str) -> str:
    """Return where a gateway's birth and last will stand."""
    return f"{TOPIC_ROOT}/{gateway}/status"


def render_up(
    *, boot: str, seq: int, low: int, sent_at_ms: int, readings: list[ReadingFields]
) -> bytes:
    """Return the payload of one message of readings.

    Parameters
    ----------
    boot, seq
        The key of idempotence; ``seq`` begins at 0 and grows by 1 a message.
    low
        The oldest message of this boot that the spool still holds: what is older and has not
        come will never come.
    sent_at_ms
        The gateway's time.
    readings
        1 to 512, each with its age against ``sent_at_ms``.

    Raises
    ------
    InvalidScenario
        If the message would be empty or too large for the protocol.
    """
    if not 1 <= len(readings) <= READINGS_A_MESSAGE_MAX:
        raise InvalidScenario(
            f"a message has {len(readings)} readings; expected 1 to {READINGS_A_MESSAGE_MAX}."
        )
    fields = UpFields(
        v=WIRE_VERSION, boot=boot, seq=seq, low=low, t=sent_at_ms, clk=_CLOCK, obs=readings
    )
    payload = _ENCODER.encode(fields)
    if len(payload) > MESSAGE_BYTES_MAX:
        raise InvalidScenario(
            f"a message has {len(payload)} bytes; expected at most {MESSAGE_BYTES_MAX}. Put fewer "
            "readings into one message."
        )
    return payload


def render_birth(*, boot: str, at_ms: int, anchors: list[str]) -> bytes:
    """Return the payload that says that a gateway is there."""
    return _ENCODER.encode(
        StatusFields(v=WIRE_VERSION, boot=boot, online=True, t=at_ms, anchors=anchors)
    )


def render_will(*, boot: str) -> bytes:
    """Return the payload that the broker publishes when a gateway is gone."""
    return _ENCODER.encode(StatusFields(v=WIRE_VERSION, boot=boot, online=False))


def parse_down(payload: bytes) -> DownFields | None:
    """Return the acknowledgement, or None where the payload is none.

    Examples
    --------
    >>> parse_down(b'{"boot":"6f2c9a10b7e4d853","upto":7,"missing":[5]}').missing
    [5]
    >>> parse_down(b"[[[") is None
    True
    """
    try:
        return _DOWN_DECODER.decode(payload)
    except (ValueError, RecursionError):
        return None
