"""Count what each anchor has given, for operators and Prometheus.

Layer: doors. Takes: reading batches from the locating loop. Gives: `AnchorHeard` to rtls.api, from
any thread.
"""

import threading

import numpy as np

from rtls.model.reading import ReadingArray
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import AnchorHeard


class AnchorTally:
    """Readings and last instant of each anchor of a site."""

    def __init__(self, site_map: SiteMap) -> None:
        self._anchors = site_map.anchors
        self._lock = threading.Lock()
        self._readings = np.zeros(len(site_map.anchors), np.int64)
        self._heard_at_ms = np.zeros(len(site_map.anchors), np.int64)

    def note(self, readings: ReadingArray) -> None:
        """Count the readings of one batch."""
        if not len(readings):
            return
        counts = np.bincount(readings["anchor"], minlength=len(self._readings))
        youngest_ms = readings["heard_at_ms"].max()
        with self._lock:
            self._readings += counts
            # To the epoch, not to the reading: nobody looks closer, and it is ten times cheaper.
            self._heard_at_ms[counts > 0] = youngest_ms

    def heard(self) -> tuple[AnchorHeard, ...]:
        """Return every anchor of the map, heard or not."""
        with self._lock:
            counts, instants = self._readings.tolist(), self._heard_at_ms.tolist()
        return tuple(
            AnchorHeard(
                anchor=anchor.anchor,
                readings=count,
                last_heard_at_ms=UnixMs(at_ms) if count else None,
            )
            for anchor, count, at_ms in zip(self._anchors, counts, instants, strict=True)
        )
