"""Decode Theengs Gateway: OpenMQTTGateway's decoder of adverts in a Python process.

Layer: rules. Takes: ``home/TheengsGateway/BTtoMQTT/{tag}``, ``…/presence`` and ``…/LWT``.
Gives: `Decoded`, `GatewayStatus` or `Rejection`.

Neither topic nor payload says which of several such processes heard the tag: each has to be given
a topic of its own, and the site's configuration names the gateway of each. Where it names none the
level before ``BTtoMQTT`` counts, which is right for one process. A message holds one
reading and is refused whole; a departure (`"presence":"absent"`) has no `rssi` and is passed over,
as that a tag is not heard follows from hearing nothing. No sender's time. The presence topic
repeats the other, so a site takes `TOPICS` or `PRESENCE_TOPIC`, not both.
"""

from collections.abc import Callable
from typing import Final

from rtls.ingest.formats import openmqttgateway
from rtls.ingest.formats.decoded import Decoded, GatewayStatus, Rejection, RejectionReason
from rtls.ingest.formats.plain_status import plain_status
from rtls.ingest.formats.rssi_readings import MESSAGE_BYTES_MAX
from rtls.model.units import GatewayId, UnixMs

TOPICS: Final = ("home/TheengsGateway/BTtoMQTT/+", "home/TheengsGateway/LWT")
PRESENCE_TOPIC: Final = "home/TheengsGateway/presence"
TheengsDecoder = Callable[[str, bytes, UnixMs], Decoded | GatewayStatus | Rejection]


def decoder(*, gateway: GatewayId | None = None) -> TheengsDecoder:
    """Return the decoder of one process, which stands where ``gateway`` does."""
    if gateway is None:
        return openmqttgateway.decode

    def decode(
        topic: str, payload: bytes, _received_at_ms: UnixMs
    ) -> Decoded | GatewayStatus | Rejection:
        """Decode one message. Never raises."""
        if len(payload) > MESSAGE_BYTES_MAX:
            return Rejection(reason=RejectionReason.TOO_LARGE, gateway=gateway)
        if topic.endswith("/LWT"):
            return plain_status(gateway, payload)
        return openmqttgateway.decode_advert(gateway, payload)

    return decode
