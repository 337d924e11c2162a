"""Read the words online and offline, as most gateways send them at birth and as last will.

Layer: rules. Takes: bytes of a status topic. Gives: `GatewayStatus` or `Rejection` to the decoders.
"""

from collections.abc import Mapping
from typing import Final

from rtls.ingest.formats.decoded import GatewayStatus, Rejection, RejectionReason
from rtls.model.units import GatewayId

_WORDS: Final[Mapping[bytes, bool]] = {b"online": True, b"offline": False}


def plain_status(gateway: GatewayId, payload: bytes) -> GatewayStatus | Rejection:
    """Return whether the gateway is there.

    Examples
    --------
    >>> plain_status("door-2", b"offline").is_online, plain_status("door-2", b"1").reason.value
    (False, 'wrong_shape')
    """
    is_online = _WORDS.get(payload[:16].strip(b' \r\n"').lower())
    if is_online is None or len(payload) > len(b'"offline"\r\n'):
        return Rejection(reason=RejectionReason.WRONG_SHAPE, where="$", gateway=gateway)
    return GatewayStatus(gateway=gateway, is_online=is_online)
