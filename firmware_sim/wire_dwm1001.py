"""Write what the gateway of a DWM1001 network (PANS) publishes.

Layer: rules. Takes: positions from firmware_sim.dwm1001_network. Gives: topics and payloads below
``dwm/node/``.

Written from the maker's description (DWM1001 System Overview, section 4.4) and captures, not from
the decoder of `rtls.ingest`: a fault in one must not be mirrored by the other.
"""

import hashlib
import math
from typing import Final

TOPIC_ROOT: Final = "dwm/node"
SUPER_FRAMES: Final = 2**16
LOST: Final = '{"position":{"x":"NaN","y":"NaN","z":"NaN","quality":0},"superFrameNumber":%d}'


def node_of(tag: str) -> str:
    """Return the 16-bit address that a tag has in the network, in four hex digits.

    Examples
    --------
    >>> len(node_of("tag:0d13")), node_of("tag:0d13") == node_of("tag:0d13")
    (4, True)
    """
    return hashlib.blake2b(tag.encode(), digest_size=2).hexdigest()


def location_topic(node: str) -> str:
    """Return where a tag's position is published."""
    return f"{TOPIC_ROOT}/{node}/uplink/location"


def status_topic(node: str) -> str:
    """Return where it is said whether the network hears the tag."""
    return f"{TOPIC_ROOT}/{node}/uplink/status"


def render_location(place: tuple[float, float, float] | None, *, quality: int, frame: int) -> bytes:
    """Return the payload of one position.

    Parameters
    ----------
    place
        Metres in the network's frame; None where the tag is lost, which PANS writes as NaN.
    quality
        0 to 100.
    frame
        Number of the superframe, ten a second; it begins anew after 65,535.

    Examples
    --------
    >>> render_location((18.734064, 61.619366, 0.35824484), quality=93, frame=79)[:64]
    b'{"position":{"x":18.734064,"y":61.619366,"z":0.358245,"quality":'
    """
    number = frame % SUPER_FRAMES
    if place is None:
        return (LOST % number).encode()
    assert all(map(math.isfinite, place))
    x, y, z = (round(one, 6) for one in place)
    return (
        f'{{"position":{{"x":{x},"y":{y},"z":{z},"quality":{quality}}},"superFrameNumber":{number}}}'
    ).encode()


def render_status(*, is_present: bool) -> bytes:
    """Return the payload that says whether the network hears a tag."""
    return b'{"present":true}' if is_present else b'{"present":false}'
