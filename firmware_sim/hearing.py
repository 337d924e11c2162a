"""Decide which anchor meets which tag when, and let the radio say what it measures.

Layer: rules. Takes: the movement of a step from firmware_sim.scenario. Gives: what all anchors
heard in that step, in the order of time.

A UWB tag wakes on its own beat and is ranged by its nearest anchors in one round; a phone sends
adverts on its own beat, and every anchor in reach may hear them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from firmware_sim.errors import check_between
from firmware_sim.radio_channel import AnchorColumns, Column, Index, Links, RadioChannel
from firmware_sim.shopper_walk import Gait, Walkers
from rtls.model.site_map import Radio, SiteMap

HEARD_DTYPE: Final = np.dtype(
    [
        ("at_ms", np.int64),
        ("slot", np.int32),  # of the tag
        ("anchor", np.int32),  # index in the site map
        ("value", np.float64),  # m or dBm
        ("is_range", np.bool_),
        ("channel", np.uint8),  # BLE 37..39, 0 for UWB
        ("pad", np.uint8, (6,)),  # named, so that the bytes of a row are a function of the seed
    ],
    align=True,
)
BLE_CHANNELS: Final = np.array([37, 38, 39], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingSettings:
    """How often and how far."""

    range_rate_hz: float = 2.0
    advert_rate_hz: float = 2.0
    anchors_a_round: int = 8
    range_m_max: float = 30.0
    tag_height_m: float = 1.0

    def __post_init__(self) -> None:
        check_between("range_rate_hz", self.range_rate_hz, 0.1, 10.0)
        check_between("advert_rate_hz", self.advert_rate_hz, 0.1, 10.0)
        check_between("anchors_a_round", self.anchors_a_round, 1, 32)
        check_between("range_m_max", self.range_m_max, 1.0, 300.0)
        check_between("tag_height_m", self.tag_height_m, 0.0, 3.0)


class Hearing:
    """All anchors of one floor."""

    def __init__(
        self,
        site_map: SiteMap,
        *,
        capacity: int,
        channel: RadioChannel,
        settings: HearingSettings,
        rng: np.random.Generator,
    ) -> None:
        self._anchors = AnchorColumns.of(site_map)
        radios = np.array([anchor.radio is Radio.UWB for anchor in site_map.anchors], np.bool_)
        self._is_uwb = radios
        self._settings = settings
        self._channel = channel
        self._rng = rng
        self._range_ms = round(1000.0 / settings.range_rate_hz)
        self._advert_ms = round(1000.0 / settings.advert_rate_hz)
        self._range_phase_ms = rng.integers(0, self._range_ms, capacity)
        self._advert_phase_ms = rng.integers(0, self._advert_ms, capacity)
        self.is_dead = np.zeros(len(site_map.anchors), np.bool_)

    def hear(
        self, walkers: Walkers, *, is_phone: npt.NDArray[np.bool_], now_ms: int, step_ms: int
    ) -> npt.NDArray[np.void]:
        """Return `HEARD_DTYPE` rows of the step that ends at ``now_ms``, in the order of time."""
        present = walkers.gait != Gait.ABSENT
        parts = [
            *self._beats(walkers, present & ~is_phone, now_ms=now_ms, step_ms=step_ms, uwb=True),
            *self._beats(walkers, present & is_phone, now_ms=now_ms, step_ms=step_ms, uwb=False),
        ]
        rows = np.concatenate(parts) if parts else np.zeros(0, HEARD_DTYPE)
        order = np.lexsort((rows["anchor"], rows["slot"], rows["at_ms"]))
        return rows[order]

    def _beats(
        self,
        walkers: Walkers,
        who: npt.NDArray[np.bool_],
        *,
        now_ms: int,
        step_ms: int,
        uwb: bool,
    ) -> list[npt.NDArray[np.void]]:
        period = self._range_ms if uwb else self._advert_ms
        phase = self._range_phase_ms if uwb else self._advert_phase_ms
        slots = np.flatnonzero(who)
        last = (now_ms - phase[slots]) // period * period + phase[slots]
        rounds = []
        for back in range(-(-step_ms // period) - 1, -1, -1):  # the oldest beat first
            at_ms = last - back * period
            due = at_ms > now_ms - step_ms
            if due.any():
                links = self._links(
                    walkers, slots[due], at_ms[due], now_ms=now_ms, step_ms=step_ms, uwb=uwb
                )
                rounds.append(self._measure(links, uwb=uwb))
        return rounds

    def _links(
        self,
        walkers: Walkers,
        slots: Index,
        at_ms: npt.NDArray[np.int64],
        *,
        now_ms: int,
        step_ms: int,
        uwb: bool,
    ) -> Links:
        back = (now_ms - at_ms) / step_ms
        x_m = walkers.x_m[slots] - (walkers.x_m[slots] - walkers.before_x_m[slots]) * back
        y_m = walkers.y_m[slots] - (walkers.y_m[slots] - walkers.before_y_m[slots]) * back
        anchors = np.flatnonzero((self._is_uwb == uwb) & ~self.is_dead)
        distance = self._distances(x_m, y_m, anchors)
        if uwb:
            count = min(self._settings.anchors_a_round, len(anchors))
            nearest = np.argpartition(distance, count - 1, axis=1)[:, :count] if count else None
            chosen = np.zeros_like(distance, np.bool_)
            if nearest is not None:
                np.put_along_axis(chosen, nearest, values=True, axis=1)
            chosen &= distance <= self._settings.range_m_max
        else:
            chosen = np.ones_like(distance, np.bool_)
        tag, column = np.nonzero(chosen)
        return Links(
            slot=slots[tag],
            anchor=anchors[column],
            x_m=x_m[tag],
            y_m=y_m[tag],
            heading_rad=walkers.heading_rad[slots[tag]],
            distance_m=distance[tag, column],
            at_ms=at_ms[tag],
        )

    def _distances(self, x_m: Column, y_m: Column, anchors: Index) -> Column:
        across = x_m[:, None] - self._anchors.x_m[anchors]
        along = y_m[:, None] - self._anchors.y_m[anchors]
        up = self._anchors.z_m[anchors] - self._settings.tag_height_m
        distance: Column = np.sqrt(across**2 + along**2 + up**2)
        return distance

    def _measure(self, links: Links, *, uwb: bool) -> npt.NDArray[np.void]:
        value = self._channel.ranges(links) if uwb else self._channel.strengths(links)
        heard = np.isfinite(value)
        rows = np.zeros(int(heard.sum()), HEARD_DTYPE)
        rows["at_ms"] = links.at_ms[heard]
        rows["slot"] = links.slot[heard]
        rows["anchor"] = links.anchor[heard]
        rows["value"] = value[heard]
        rows["is_range"] = uwb
        rows["channel"] = 0 if uwb else self._rng.choice(BLE_CHANNELS, len(rows))
        return rows
