"""Find the key that the counts of a site are rounded by, where it tells reports of its own as well.

Layer: doors. Takes: `footfall.key` beside the map of a site, as `inaisle key footfall` prints it at
the store. Gives: the rules of release of each site to reports over many. Two keys for one site
would let somebody who reads both reports average two roundings.
"""

import hashlib
from pathlib import Path
from typing import Final

from inaisle.errors import InvalidSettings
from rtls.footfall.release import ReleaseRules
from rtls.model.units import SiteId

NAME: Final = "footfall.key"
KEY_BYTES: Final = 32


def site_rules(key: bytes, site: SiteId, k: int) -> ReleaseRules:
    """Return the rules of a site, with a key of its own that is made of the chain's."""
    made = hashlib.blake2b(site.encode(), key=key[:64], digest_size=32, person=b"chain site")
    return ReleaseRules(key=made.digest(), k=k)


def rules_in(library: Path, key: bytes, k: int, site: SiteId) -> ReleaseRules:
    """Return the rules of a site: with the key beside its map, else with one of the chain's.

    Raises
    ------
    InvalidSettings
        If the file holds no key.
    """
    path = library / site / NAME
    if not path.is_file():
        return site_rules(key, site, k)
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        raise InvalidSettings(
            f"{path} holds no key; expected {2 * KEY_BYTES} hexadecimal digits. Put there what "
            "`inaisle key footfall` prints at the store."
        )
    return ReleaseRules(key=found, k=k)
