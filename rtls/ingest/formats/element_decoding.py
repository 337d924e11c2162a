"""Decode an array whose elements come from different devices: one bad element spoils only itself.

Layer: rules. Takes: bytes of a JSON array. Gives: the elements that have the wanted shape, and how
many have not, to the decoders of batches.
"""

from typing import Annotated, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from rtls.ingest.formats.faults import UNREADABLE
from rtls.ingest.formats.rssi_readings import BATCH_READINGS_MAX

Element = TypeVar("Element")
_EACH: Final = msgspec.json.Decoder(
    Annotated[list[msgspec.Raw], Meta(max_length=BATCH_READINGS_MAX)]
)


class ElementDecoder(Generic[Element]):
    """Decoder of arrays of one shape.

    Examples
    --------
    >>> decoder = ElementDecoder(int)
    >>> decoder.decode(b'[1,2]'), decoder.decode(b'[1,"two",3]')
    (([1, 2], 0), ([1, 3], 1))
    """

    def __init__(self, shape: type[Element]) -> None:
        self._one = msgspec.json.Decoder(shape)
        self._all = msgspec.json.Decoder(
            Annotated[list[shape], Meta(max_length=BATCH_READINGS_MAX)]  # type: ignore[valid-type]
        )

    def decode(self, payload: bytes | msgspec.Raw) -> tuple[list[Element], int]:
        """Return the good elements in their order, and the number of bad ones.

        What is no JSON raises `msgspec.DecodeError`; what is no array, or too long a one, its
        child `msgspec.ValidationError`.
        """
        try:
            return self._all.decode(payload), 0
        except msgspec.ValidationError:
            pass
        # Twice the work, which only a payload with a fault costs.
        elements = _EACH.decode(payload)
        good = []
        for element in elements:
            try:
                good.append(self._one.decode(element))
            except UNREADABLE:
                continue
        return good, len(elements) - len(good)
