"""Say by which list of anchors the numbers in a message are to be read.

Layer: nouns. Takes: a site map. Gives: a digest of its anchors in their order, to who writes
readings for a log and to who reads them. Both have the map of the site, each since its own start:
with another order of anchors a number would mean another place, and nobody would see it.
"""

import hashlib
from typing import Final

from rtls.model.site_map import SiteMap

ANCHORS_HEADER: Final = "anchors"
"""of a message with readings"""
DIGEST_BYTES: Final = 8


def anchor_order(site_map: SiteMap) -> str:
    """Return the same text for maps with the same anchors in the same order, and no others.

    Where the anchors hang does not matter: who reads a message knows that best.
    """
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for anchor in site_map.anchors:
        digest.update(anchor.anchor.encode() + b"\x00")
    return digest.hexdigest()
