"""Count what each anchor has given and what is wrong with it, for operators and Prometheus.

Layer: doors. Takes: reading batches and alarms from the locating loop. Gives: `AnchorHeard` to
rtls.api, from any thread, and what has changed to the log.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.reading import ReadingArray
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import AnchorHeard

NAMED_MAX: Final = 5
TOLD_AFTER_MS: Final = {AlarmKind.BIASED: 180_000}
"""Frozen multipath makes a sound anchor look biased for a minute. The engine trusts it less at
once, but nobody has to climb a ladder for it. One that was moved or covered stays so."""
Key = tuple[str, AlarmKind]


class AnchorTally:
    """Readings and last instant of each anchor of a site."""

    def __init__(self, site_map: SiteMap) -> None:
        self._anchors = site_map.anchors
        self._lock = threading.Lock()
        self._readings = np.zeros(len(site_map.anchors), np.int64)
        self._heard_at_ms = np.zeros(len(site_map.anchors), np.int64)
        self._alarms: dict[Key, AnchorAlarm] = {}

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

    def note_alarms(
        self,
        standing: Iterable[AnchorAlarm],
        *,
        clocks_ms: Mapping[str, int | None],
        now_ms: UnixMs,
    ) -> list[AnchorAlarm]:
        """Take all alarms that stand; return those that somebody must hear of, or that are over.

        Parameters
        ----------
        standing
            From the engine.
        clocks_ms
            From reception: gateways whose clock is off, and by how much; None: it is no clock.
        now_ms
            When a clock is found off or right; what has not stood for long is not told yet.
        """
        before = self._alarms
        alarms: dict[Key, AnchorAlarm] = {
            (one.anchor, one.kind): one
            for one in standing
            if now_ms - one.since_ms >= TOLD_AFTER_MS.get(one.kind, 0)
        }
        for anchor in self._anchors if clocks_ms else ():
            gateway: str = anchor.gateway or anchor.anchor
            if gateway not in clocks_ms:
                continue
            key, off_ms = (anchor.anchor, AlarmKind.CLOCK), clocks_ms[gateway]
            alarms[key] = AnchorAlarm(
                anchor=anchor.anchor,
                kind=AlarmKind.CLOCK,
                since_ms=before[key].since_ms if key in before else now_ms,
                figure=float("nan") if off_ms is None else off_ms / 1000.0,
            )
        with self._lock:
            self._alarms = alarms
        began = [alarm for key, alarm in alarms.items() if key not in before]
        over = [replace(old, is_over=True) for key, old in before.items() if key not in alarms]
        return began + over

    def trouble(self) -> str | None:
        """Return which anchors need somebody, or None; for `Health.watch`."""
        with self._lock:
            names = [f"{anchor} {kind.value}" for anchor, kind in self._alarms]
        more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
        return ", ".join(names[:NAMED_MAX]) + more if names else None

    def heard(self) -> tuple[AnchorHeard, ...]:
        """Return every anchor of the map, heard or not."""
        with self._lock:
            counts, instants = self._readings.tolist(), self._heard_at_ms.tolist()
            alarms = self._alarms
        return tuple(
            AnchorHeard(
                anchor=anchor.anchor,
                readings=count,
                last_heard_at_ms=UnixMs(at_ms) if count else None,
                alarms=tuple(
                    alarms[anchor.anchor, kind]
                    for kind in AlarmKind
                    if (anchor.anchor, kind) in alarms
                ),
            )
            for anchor, count, at_ms in zip(self._anchors, counts, instants, strict=True)
        )
