"""Say why a message could not be read, without repeating what it says.

Layer: rules. Takes: the error that a decoder met. Gives: the `Rejection` that it returns instead.
"""

from typing import Final

import msgspec

from rtls.ingest.formats.decoded import MessageKey, Rejection, RejectionReason
from rtls.model.units import GatewayId

PAYLOAD_BYTES_MAX: Final = 262_144
"""of other vendors' formats: gateways that batch send a second of hundreds of adverts at once"""
WHERE_CHARACTERS_MAX: Final = 64
UNREADABLE: Final = (ValueError, RecursionError, MemoryError)
"""what a parser may raise, whatever it is given"""


def rejection_of(
    error: Exception, *, gateway: GatewayId | None = None, key: MessageKey | None = None
) -> Rejection:
    """Return the rejection of a message whose parser met ``error``, one of `UNREADABLE`."""
    return Rejection(reason=reason_of(error), where=where_of(error), gateway=gateway, key=key)


def reason_of(error: Exception) -> RejectionReason:
    """Return the reason that stands for an error of a parser."""
    if isinstance(error, UnicodeDecodeError):
        return RejectionReason.NOT_UTF8
    if isinstance(error, msgspec.ValidationError):
        return RejectionReason.WRONG_SHAPE
    if isinstance(error, RecursionError | MemoryError):
        return RejectionReason.TOO_DEEP
    return RejectionReason.MALFORMED


def where_of(error: Exception) -> str:
    """Return the path that msgspec names, as in ``$.obs[3].v``; the rest may quote content.

    Examples
    --------
    >>> where_of(msgspec.ValidationError("Expected `int` - at `$.obs[3].v`"))
    '$.obs[3].v'
    """
    _, mark, path = str(error).rpartition(" - at `")
    return path.rstrip("`")[:WHERE_CHARACTERS_MAX] if mark else ""
