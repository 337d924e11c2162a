"""Give every simulated radio its 48-bit address.

Layer: rules. Takes: ids of tags and anchors. Gives: 12 hex digits to the encoders of formats that
know a tag by its address alone. The same id has the same address in every run.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

ADDRESS_BYTES: Final = 6
IDS_REMEMBERED_MAX: Final = 65_536
_DIGITS: Final = re.compile(r"(?:app:)?([0-9a-f]{2}(?::?[0-9a-f]{2}){5})")


@lru_cache(maxsize=IDS_REMEMBERED_MAX)
def radio_address(name: str) -> str:
    """Return the address of a tag or anchor: the one that its id spells, else one made from it.

    Examples
    --------
    >>> radio_address("app:58b1294494d3"), radio_address("58:b1:29:44:94:d3")
    ('58b1294494d3', '58b1294494d3')
    >>> len(radio_address("tag:0d13"))
    12
    """
    spelt = _DIGITS.fullmatch(name)
    if spelt is not None:
        return spelt[1].replace(":", "")
    return blake2b(name.encode(), digest_size=ADDRESS_BYTES).hexdigest()
