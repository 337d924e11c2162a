"""Follow the probability that one tag stands in each zone, for the demo's display.

Layer: doors. Takes: fixes of whole seconds from the locating loop, on their way to the live state.
Gives: P(zone) of one tag to inaisle.demo.demo. The same integral over the same covariance as the
engine's, since the engine itself tells of zones only when something happens there.
"""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from rtls.geofence.containment import zone_probabilities
from rtls.geofence.zone_index import ZoneIndex
from rtls.model.fix import FixBatch
from rtls.model.site_map import SiteMap
from rtls.model.units import TagId, ZoneId
from rtls.ports import LiveState

SECOND_MS: Final = 1000
SHOWN_MAX: Final = 5
"""as deep as zones are nested: the finest one is never the most probable"""


class ZoneGauge:
    """Live state that passes fixes on and keeps where one tag probably is.

    Safe between threads: the loop puts fixes, the demo asks.
    """

    def __init__(self, behind: LiveState, *, site_map: SiteMap, tag: TagId) -> None:
        self._behind = behind
        self._zones = ZoneIndex.build(site_map)
        self._names = [zone.zone for zone in site_map.zones]
        self._tag = tag
        self._lock = threading.Lock()
        self._latest: tuple[tuple[ZoneId, float], ...] = ()

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes (port `LiveState`)."""
        self._behind.put(fixes, tags)
        if fixes.at_ms % SECOND_MS == 0 and self._tag in tags:
            row = tags.index(self._tag)
            found = zone_probabilities(self._zones, np.array(fixes.rows[row : row + 1])).of(0)
            ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_MAX]
            with self._lock:
                self._latest = tuple((self._names[zone], p) for zone, p in ordered)

    def latest(self) -> tuple[tuple[ZoneId, float], ...]:
        """Return the most probable zones and their P, the most probable first."""
        with self._lock:
            return self._latest
