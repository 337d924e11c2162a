"""Learn each anchor's path loss from a survey: someone stood at known points and listened.

Layer: rules. Takes: survey samples from an installer's walk or a recorded survey file.
Gives: `Calibration` with strength at one metre, exponent and spread to the anchor table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import Anchor, SiteMap
from rtls.model.units import AnchorId, Dbm, Metre
from rtls.positioning.calibration import AnchorLoss, Calibration
from rtls.positioning.measurement import NEAR_FIELD_M

Floats = npt.NDArray[np.float64]

# What is believed of any anchor before a survey, (rssi_at_1m, exponent), and how firmly; and how
# far one anchor of a site strays from the site's mean. Wide enough that ten points overrule them.
USUAL_LOSS: Final = np.array([-60.0, 2.0])
USUAL_SPREAD: Final = np.array([10.0, 0.7])
SITE_SPREAD: Final = np.array([4.0, 0.4])
USUAL_SIGMA_DB: Final = 5.0
USUAL_SIGMA_COUNT: Final = 5.0  # an anchor heard at few points keeps about the usual spread
HUBER_SIGMAS: Final = 1.5
ROUNDS: Final = 10
SAMPLES_MAX: Final = 1_000_000
Heard = dict[AnchorId, tuple[Floats, Floats]]
DeviceOf = dict[AnchorId, npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySample:
    """One anchor as heard at one known point.

    Parameters
    ----------
    x_m, y_m, z_m
        Where the listening tag was.
    rssi
        Mean over the stay.
    spread_db
        Standard deviation over the stay; 0 for a single reading.
    device
        What listened. Receivers differ by up to 20 dB, so each device has an offset of its own.
    """

    anchor: AnchorId
    x_m: Metre
    y_m: Metre
    z_m: Metre
    rssi: Dbm
    spread_db: float = 0.0
    device: str = ""

    def __post_init__(self) -> None:
        numbers = (self.x_m, self.y_m, self.z_m, self.rssi, self.spread_db)
        if not all(math.isfinite(number) for number in numbers) or self.spread_db < 0.0:
            raise InvalidCalibration(
                f"survey sample of {self.anchor} is {numbers}; expected finite x, y, z, rssi and "
                "a spread of 0 or more."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFit:
    """What a survey taught.

    Parameters
    ----------
    calibration
        With the losses of the anchors heard.
    offset_db
        How much louder each device hears than the mean of the devices.
    """

    calibration: Calibration
    offset_db: Mapping[str, float]


def fit_path_loss(site_map: SiteMap, samples: Sequence[SurveySample]) -> Calibration:
    """Fit strength at one metre, exponent and spread of every surveyed anchor: see `fit_survey`."""
    return fit_survey(site_map, samples).calibration


def fit_survey(site_map: SiteMap, samples: Sequence[SurveySample]) -> SurveyFit:
    """Fit the law of every surveyed anchor, and the offset of every device.

    Two levels: first one law for the site, then each anchor's own, drawn to the site's by as much
    as anchors usually agree. So an anchor heard at two points gets the site's law, not a line
    through two points. Huber's loss: one point behind a pillar does not tilt the law. With several
    devices laws and offsets are fitted in turn, the offsets' mean being zero.

    Raises
    ------
    InvalidCalibration
        If there is no sample, too many, or one of an anchor that is not on the map.
    """
    if not 0 < len(samples) <= SAMPLES_MAX:
        raise InvalidCalibration(f"{len(samples)} samples; expected 1 to {SAMPLES_MAX}.")
    by_anchor: dict[AnchorId, list[SurveySample]] = {}
    for sample in samples:
        by_anchor.setdefault(sample.anchor, []).append(sample)
    index = site_map.anchor_index
    for anchor in by_anchor:
        if anchor not in index:
            raise InvalidCalibration(
                f"survey names anchor {anchor}, which is not on the map of {site_map.site}."
            )
    heard = {
        anchor: design_of(site_map.anchors[index[anchor]], rows)
        for anchor, rows in by_anchor.items()
    }
    devices = sorted({sample.device for sample in samples})
    device_of = {
        anchor: np.array([devices.index(sample.device) for sample in rows])
        for anchor, rows in by_anchor.items()
    }
    offsets = np.zeros(len(devices))
    for _ in range(ROUNDS if len(devices) > 1 else 0):
        offsets = offsets_of(heard, device_of, offsets)
    levelled = levelled_by(heard, device_of, offsets)
    site_law = law_of_site(levelled)
    losses = {
        anchor: loss_of(design, rssi, by_anchor[anchor], site_law)
        for anchor, (design, rssi) in levelled.items()
    }
    return SurveyFit(
        calibration=Calibration(losses=losses),
        offset_db=dict(zip(devices, offsets.tolist(), strict=True)),
    )


def levelled_by(heard: Heard, device_of: DeviceOf, offsets: Floats) -> Heard:
    """Return the samples as the mean of the devices would have heard them."""
    return {
        anchor: (design, rssi - offsets[device_of[anchor]])
        for anchor, (design, rssi) in heard.items()
    }


def law_of_site(heard: Heard) -> Floats:
    """Return the one law, (2,), that fits all anchors best."""
    return robust_ridge(
        np.vstack([design for design, _ in heard.values()]),
        np.concatenate([rssi for _, rssi in heard.values()]),
        expected=USUAL_LOSS,
        spread=USUAL_SPREAD,
    )


def offsets_of(heard: Heard, device_of: DeviceOf, offsets: Floats) -> Floats:
    """Return better offsets: the median of what the laws of the last ones leave over."""
    levelled = levelled_by(heard, device_of, offsets)
    site_law = law_of_site(levelled)
    left = {
        anchor: rssi - design @ robust_ridge(design, rssi, expected=site_law, spread=SITE_SPREAD)
        for anchor, (design, rssi) in levelled.items()
    }
    residual = np.concatenate([left[anchor] for anchor in heard])
    device = np.concatenate([device_of[anchor] for anchor in heard])
    better = offsets + np.array(
        [float(np.median(residual[device == number])) for number in range(len(offsets))]
    )
    return np.asarray(better - better.mean())


def design_of(anchor: Anchor, samples: Sequence[SurveySample]) -> tuple[Floats, Floats]:
    """Return the rows (1, -10 log10 distance) and the strengths of one anchor's samples."""
    place = np.array([(sample.x_m, sample.y_m, sample.z_m) for sample in samples])
    away = place - np.array([anchor.x_m, anchor.y_m, anchor.z_m])
    distance = np.maximum(np.sqrt((away**2).sum(axis=1)), NEAR_FIELD_M)
    design = np.stack([np.ones(len(samples)), -10.0 * np.log10(distance)], axis=1)
    return design, np.array([sample.rssi for sample in samples], dtype=np.float64)


def loss_of(
    design: Floats, rssi: Floats, samples: Sequence[SurveySample], site_law: Floats
) -> AnchorLoss:
    """Return one anchor's law and how far single readings and whole places stray from it."""
    law = robust_ridge(design, rssi, expected=site_law, spread=SITE_SPREAD)
    residual = rssi - design @ law
    place_variance = shrunk_variance(residual**2, USUAL_SIGMA_DB**2)
    within = np.array([sample.spread_db for sample in samples])
    return AnchorLoss(
        rssi_at_1m=Dbm(float(law[0])),
        exponent=float(np.clip(law[1], 0.1, 8.0)),
        sigma_db=math.sqrt(place_variance + float(np.mean(within**2))),
        bias_sd_db=math.sqrt(place_variance),
    )


def shrunk_variance(squares: Floats, usual: float) -> float:
    """Return the mean square, drawn to the usual where there are few."""
    total = float(squares.sum()) + USUAL_SIGMA_COUNT * usual
    return total / (squares.size + USUAL_SIGMA_COUNT)


def robust_ridge(design: Floats, target: Floats, *, expected: Floats, spread: Floats) -> Floats:
    """Minimise Huber's loss of ``target - design @ law`` plus the law's distance from expected.

    Parameters
    ----------
    design
        (n, k).
    target
        (n,), dB.
    expected, spread
        (k,), mean and standard deviation of the law before the data.

    Returns
    -------
    Floats
        (k,) the law, by iteratively re-weighted least squares.
    """
    law = expected.copy()
    prior = np.diag(1.0 / spread**2)
    scale = USUAL_SIGMA_DB
    for _ in range(ROUNDS):
        residual = target - design @ law
        # Median absolute deviation, made consistent for a Gaussian; never finer than a receiver.
        scale = max(1.4826 * float(np.median(np.abs(residual))), 1.0)
        weight = np.minimum(1.0, HUBER_SIGMAS * scale / np.maximum(np.abs(residual), 1e-9))
        weighted = design * (weight / scale**2)[:, None]
        right = weighted.T @ target + prior @ expected
        law = np.asarray(np.linalg.solve(weighted.T @ design + prior, right), dtype=np.float64)
    return law
