"""Behave like the radios that were measured.

Layer: rules. Takes: links from firmware_sim.hearing. Gives: ranges and strengths with frozen
biases, noise that is correlated in time, blocking and loss.

Figures of UWB (two-way ranging, one recording with ground truth): a bias a link of 0.18 ± 0.06 m;
within a link 0.073 m with an autocorrelation of .74, .61, .55, .27 at 0.1, 0.5, 1 and 5 s. Those
recordings had line of sight; blocking by bodies and goods is one-sided, 0.3 to 3 m, and added.
Figures of BLE: frozen field of 4.5 dB, in time 2.9 dB at a point (p90 5.9), 14 % of adverts lost,
phones 22 dB apart in strength and 0.5 in exponent.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from firmware_sim.radio_channel import (
    SENSITIVITY_DBM,
    AnchorColumns,
    Column,
    Links,
    path_loss_dbm,
)
from firmware_sim.shadow_map import draw_fields, draw_rack_shadow
from rtls.model.site_map import SiteMap

RANGE_BIAS_M: Final = 0.18
RANGE_BIAS_SD_M: Final = 0.06
RANGE_SD_M: Final = 0.073
# Two AR(1) processes and white noise whose shares and times give the measured autocorrelation:
# .657 e^(-t/5.62) + .171 e^(-t/0.17) is .74, .61, .55, .27 at 0.1, 0.5, 1 and 5 s.
SLOW_SHARE: Final = 0.657
SLOW_S: Final = 5.62
QUICK_SHARE: Final = 0.171
QUICK_S: Final = 0.17
RANGE_LOST: Final = 0.02

BLOCKED_M_MIN: Final = 0.3
BLOCKED_M_MAX: Final = 3.0
BLOCKED_M_MEAN: Final = 0.8
BODY_HALF_ANGLE_RAD: Final = np.deg2rad(30.0)  # the shopper behind his trolley hides a sixth
RACK_BLOCKED_SHARE: Final = 0.1

FIELD_SD_DB: Final = 4.5
FIELD_LENGTH_M: Final = (2.0, 5.0)
# sd of each link in time: log-normal with a median of 2.9 dB and a p90 of 5.9 dB
TIME_SD_DB_MEDIAN: Final = 2.9
TIME_SD_SPREAD: Final = np.log(5.9 / 2.9) / 1.2816
TIME_S: Final = 3.0
ADVERT_LOST: Final = 0.14
PHONE_OFFSET_DB: Final = 11.0  # ±: intercepts from -66 to -44 dBm
PHONE_EXPONENT: Final = 0.25  # ±: exponents from 2.7 to 3.2
ANCHOR_EXPONENT_SD: Final = 0.1  # what calibration leaves

# A link not used for so long begins anew: correlation has died away, and ages stay small numbers.
STALE_MS: Final = 60_000


class Drift:
    """AR(1) noise of unit variance a link, at whatever instants the link is used."""

    def __init__(self, shape: tuple[int, int], *, time_s: float, rng: np.random.Generator) -> None:
        self._time_ms = time_s * 1000.0
        self._rng = rng
        self._state = rng.standard_normal(shape)

    def at(self, links: Links, age_ms: Column) -> Column:
        """Return the noise of each link, ``age_ms`` after its last use."""
        kept = np.exp(-age_ms / self._time_ms)
        fresh = self._rng.standard_normal(len(links.slot))
        state: Column = self._state[links.slot, links.anchor] * kept
        state += fresh * np.sqrt(1.0 - kept**2)
        self._state[links.slot, links.anchor] = state
        return state


class MeasuredChannel:
    """A radio as in recordings. Its maps are frozen by the seed, and each tag has its own links."""

    def __init__(self, site_map: SiteMap, *, capacity: int, rng: np.random.Generator) -> None:
        self._anchors = AnchorColumns.of(site_map)
        self._rng = rng
        shape = (capacity, len(site_map.anchors))
        self._field = draw_fields(
            site_map,
            sd=FIELD_SD_DB,
            length_m_min=FIELD_LENGTH_M[0],
            length_m_max=FIELD_LENGTH_M[1],
            rng=rng,
        )
        self._racks = draw_rack_shadow(
            site_map,
            blocked_share=RACK_BLOCKED_SHARE,
            tag_height_m=1.0,
            rng=rng,
            excess_m=draw_excess(rng, 1_000),
        )
        self._slow = Drift(shape, time_s=SLOW_S, rng=rng)
        self._quick = Drift(shape, time_s=QUICK_S, rng=rng)
        self._fade = Drift(shape, time_s=TIME_S, rng=rng)
        self._used_ms = np.full(shape, -STALE_MS, np.int64)
        self._bias_m = rng.normal(RANGE_BIAS_M, RANGE_BIAS_SD_M, shape)
        self._behind_m = np.zeros(shape)  # excess while the body is in between, else 0
        self._time_sd_db = TIME_SD_DB_MEDIAN * rng.lognormal(0.0, TIME_SD_SPREAD, shape)
        self._anchor_exponent = self._anchors.exponent + rng.normal(
            0.0, ANCHOR_EXPONENT_SD, shape[1]
        )
        self._offset_db = rng.uniform(-PHONE_OFFSET_DB, PHONE_OFFSET_DB, capacity)
        self._exponent = rng.uniform(-PHONE_EXPONENT, PHONE_EXPONENT, capacity)

    def ranges(self, links: Links) -> Column:
        """Return ranges in metres; 2 % of the exchanges fail (NaN)."""
        age_ms = self._age_ms(links)
        count = len(links.slot)
        noise = np.sqrt(SLOW_SHARE) * self._slow.at(links, age_ms)
        noise += np.sqrt(QUICK_SHARE) * self._quick.at(links, age_ms)
        noise += np.sqrt(1.0 - SLOW_SHARE - QUICK_SHARE) * self._rng.standard_normal(count)
        measured = links.distance_m * (1.0 + self._anchors.range_slope[links.anchor])
        measured += self._bias_m[links.slot, links.anchor] + RANGE_SD_M * noise
        measured += np.maximum(
            self._behind_body_m(links), self._racks.at(links.anchor, x_m=links.x_m, y_m=links.y_m)
        )
        lost = self._rng.random(count) < RANGE_LOST
        return np.where(lost, np.nan, np.maximum(measured, 0.0))

    def strengths(self, links: Links) -> Column:
        """Return RSSI in whole dBm; 14 % of the adverts and all too weak ones are lost (NaN)."""
        age_ms = self._age_ms(links)
        expected = path_loss_dbm(
            links.distance_m,
            rssi_at_1m=self._anchors.rssi_at_1m[links.anchor] + self._offset_db[links.slot],
            exponent=self._anchor_exponent[links.anchor] + self._exponent[links.slot],
        )
        expected += self._field.at(links.anchor, x_m=links.x_m, y_m=links.y_m)
        sd_db = self._time_sd_db[links.slot, links.anchor]
        strength = np.round(expected + sd_db * self._fade.at(links, age_ms))
        lost = self._rng.random(len(links.slot)) < ADVERT_LOST
        return np.where(lost | (strength < SENSITIVITY_DBM), np.nan, np.minimum(strength, -20.0))

    def replace_tag(self, slot: int) -> None:
        """Draw new links for the next tag of this slot."""
        anchors = self._bias_m.shape[1]
        self._bias_m[slot] = self._rng.normal(RANGE_BIAS_M, RANGE_BIAS_SD_M, anchors)
        self._time_sd_db[slot] = TIME_SD_DB_MEDIAN * self._rng.lognormal(
            0.0, TIME_SD_SPREAD, anchors
        )
        self._offset_db[slot] = self._rng.uniform(-PHONE_OFFSET_DB, PHONE_OFFSET_DB)
        self._exponent[slot] = self._rng.uniform(-PHONE_EXPONENT, PHONE_EXPONENT)
        self._used_ms[slot] = -STALE_MS
        self._behind_m[slot] = 0.0

    def _age_ms(self, links: Links) -> Column:
        age = links.at_ms - self._used_ms[links.slot, links.anchor]
        self._used_ms[links.slot, links.anchor] = links.at_ms
        ages: Column = np.clip(age, 0, STALE_MS).astype(np.float64)
        return ages

    def _behind_body_m(self, links: Links) -> Column:
        """Return the excess by the shopper's own body: drawn when it comes between, then kept."""
        bearing = np.arctan2(
            self._anchors.y_m[links.anchor] - links.y_m,
            self._anchors.x_m[links.anchor] - links.x_m,
        )
        behind = np.cos(bearing - links.heading_rad) < -np.cos(BODY_HALF_ANGLE_RAD)
        before = self._behind_m[links.slot, links.anchor]
        drawn = draw_excess(self._rng, len(links.slot))
        excess = np.where(behind, np.where(before > 0.0, before, drawn), 0.0)
        self._behind_m[links.slot, links.anchor] = excess
        return excess


def draw_excess(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Draw how much longer a blocked path is: 0.3 to 3 m, mostly short."""
    drawn = BLOCKED_M_MIN + rng.exponential(BLOCKED_M_MEAN - BLOCKED_M_MIN, count)
    excess: npt.NDArray[np.float64] = np.minimum(drawn, BLOCKED_M_MAX)
    return excess
