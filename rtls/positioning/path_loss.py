"""Learn each anchor's path loss from a survey: someone stood at known points and listened.

Layer: rules. Takes: survey samples from an installer's walk or a recorded survey file.
Gives: `Calibration` with strength at one metre, exponent and spread to the anchor table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import Anchor, SiteMap
from rtls.model.units import AnchorId, Dbm, Metre
from rtls.positioning.calibration import SIGMA_DB_MAX, AnchorLoss, Calibration
from rtls.positioning.measurement import NEAR_FIELD_M

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# What is believed of any anchor before a survey, (rssi_at_1m, exponent), and how firmly; and how
# far one anchor of a site strays from the site's mean. Wide enough that ten points overrule them.
USUAL_LOSS: Final = np.array([-60.0, 2.0])
USUAL_SPREAD: Final = np.array([10.0, 0.7])
SITE_SPREAD: Final = np.array([4.0, 0.4])
USUAL_SIGMA_DB: Final = 5.0
USUAL_SIGMA_COUNT: Final = 5.0  # an anchor heard at few points keeps about the usual spread
HUBER_SIGMAS: Final = 1.5
SCALE_DB_MAX: Final = 8.0
ROUNDS: Final = 10
SAMPLES_MAX: Final = 1_000_000
CEILING_ROUNDS: Final = 60  # expectation-maximisation creeps where most is only bounded


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
    is_ceiling
        The anchor was not heard, or at less than half of the beats: its strength there is below
        ``rssi``. Left out, the few strong beats from far away would make the law look flat.
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
    is_ceiling: bool = False

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
    devices = sorted({sample.device for sample in samples})
    heard = {
        anchor: AnchorRows.of(site_map.anchors[index[anchor]], rows, devices)
        for anchor, rows in by_anchor.items()
        if not all(sample.is_ceiling for sample in rows)
    }
    if not heard:
        raise InvalidCalibration("no anchor was heard at any point; expected one or more.")
    offsets = np.zeros(len(devices))
    for _ in range(ROUNDS if len(devices) > 1 else 0):
        offsets = offsets_of(heard, offsets)
    levelled = {anchor: rows.levelled(offsets) for anchor, rows in heard.items()}
    site_law = law_of_site(levelled)
    losses = {anchor: loss_of(rows, site_law) for anchor, rows in levelled.items()}
    return SurveyFit(
        calibration=Calibration(losses=losses),
        offset_db=dict(zip(devices, offsets.tolist(), strict=True)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRows:
    """One anchor's samples as columns, (n,).

    Parameters
    ----------
    design
        (n, 2): 1 and -10 log10 distance.
    """

    design: Floats
    rssi: Floats
    within_db: Floats
    is_ceiling: Bools
    device: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, anchor: Anchor, samples: Sequence[SurveySample], devices: Sequence[str]
    ) -> "AnchorRows":
        """Lay the samples of one anchor out."""
        place = np.array([(sample.x_m, sample.y_m, sample.z_m) for sample in samples])
        away = place - np.array([anchor.x_m, anchor.y_m, anchor.z_m])
        distance = np.maximum(np.sqrt((away**2).sum(axis=1)), NEAR_FIELD_M)
        return cls(
            design=np.stack([np.ones(len(samples)), -10.0 * np.log10(distance)], axis=1),
            rssi=np.array([sample.rssi for sample in samples], dtype=np.float64),
            within_db=np.array([sample.spread_db for sample in samples], dtype=np.float64),
            is_ceiling=np.array([sample.is_ceiling for sample in samples]),
            device=np.array([devices.index(sample.device) for sample in samples]),
        )

    def levelled(self, offsets: Floats) -> "AnchorRows":
        """Return the samples as the mean of the devices would have heard them."""
        return replace(self, rssi=self.rssi - offsets[self.device])

    def fit(self, *, expected: Floats, spread: Floats) -> Floats:
        """Return the law, (2,), drawn to what is expected."""
        return robust_ridge(
            self.design,
            self.rssi,
            expected=expected,
            spread=spread,
            is_ceiling=self.is_ceiling if self.is_ceiling.any() else None,
        )

    def residual(self, law: Floats) -> Floats:
        """Return what a law leaves over of the strengths that were heard."""
        return np.asarray((self.rssi - self.design @ law)[~self.is_ceiling])


def law_of_site(heard: Mapping[AnchorId, AnchorRows]) -> Floats:
    """Return the one law, (2,), that fits all anchors best."""
    rows = list(heard.values())
    everyone = AnchorRows(
        design=np.vstack([own.design for own in rows]),
        rssi=np.concatenate([own.rssi for own in rows]),
        within_db=np.concatenate([own.within_db for own in rows]),
        is_ceiling=np.concatenate([own.is_ceiling for own in rows]),
        device=np.concatenate([own.device for own in rows]),
    )
    return everyone.fit(expected=USUAL_LOSS, spread=USUAL_SPREAD)


def offsets_of(heard: Mapping[AnchorId, AnchorRows], offsets: Floats) -> Floats:
    """Return better offsets: the median of what the laws of the last ones leave over."""
    levelled = {anchor: rows.levelled(offsets) for anchor, rows in heard.items()}
    site_law = law_of_site(levelled)
    left = [
        rows.residual(rows.fit(expected=site_law, spread=SITE_SPREAD)) for rows in levelled.values()
    ]
    device = np.concatenate([rows.device[~rows.is_ceiling] for rows in levelled.values()])
    residual = np.concatenate(left)
    better = offsets.copy()
    for number in range(len(offsets)):
        if (device == number).any():
            better[number] += float(np.median(residual[device == number]))
    return np.asarray(better - better.mean())


def loss_of(rows: AnchorRows, site_law: Floats) -> AnchorLoss:
    """Return one anchor's law and how far single readings and whole places stray from it."""
    law = rows.fit(expected=site_law, spread=SITE_SPREAD)
    place_variance = shrunk_variance(rows.residual(law) ** 2, USUAL_SIGMA_DB**2)
    within = rows.within_db[~rows.is_ceiling]
    return AnchorLoss(
        rssi_at_1m=Dbm(float(law[0])),
        exponent=float(np.clip(law[1], 0.1, 8.0)),
        # A spread beyond the bound says nothing at all of a place; the bound says the same.
        sigma_db=min(math.sqrt(place_variance + float(np.mean(within**2))), SIGMA_DB_MAX),
        bias_sd_db=min(math.sqrt(place_variance), SIGMA_DB_MAX),
    )


def shrunk_variance(squares: Floats, usual: float) -> float:
    """Return the mean square, drawn to the usual where there are few."""
    total = float(squares.sum()) + USUAL_SIGMA_COUNT * usual
    return total / (squares.size + USUAL_SIGMA_COUNT)


def robust_ridge(
    design: Floats,
    target: Floats,
    *,
    expected: Floats,
    spread: Floats,
    is_ceiling: Bools | None = None,
) -> Floats:
    """Minimise Huber's loss of ``target - design @ law`` plus the law's distance from expected.

    Parameters
    ----------
    design
        (n, k).
    target
        (n,), dB.
    expected, spread
        (k,), mean and standard deviation of the law before the data.
    is_ceiling
        (n,), where the target is an upper bound only. Each round puts the mean of what is below
        it in its place (Tobit by expectation-maximisation: Amemiya, Advanced Econometrics, ch. 10).

    Returns
    -------
    Floats
        (k,) the law, by iteratively re-weighted least squares.
    """
    law = expected.copy()
    prior = np.diag(1.0 / spread**2)
    scale, value = USUAL_SIGMA_DB, target
    for _ in range(ROUNDS if is_ceiling is None else CEILING_ROUNDS):
        if is_ceiling is not None:
            value = below_ceiling(design @ law, target, is_ceiling=is_ceiling, scale=scale)
        residual = value - design @ law
        known = residual if is_ceiling is None else residual[~is_ceiling]
        # Median absolute deviation, made consistent for a Gaussian; never finer than a receiver.
        # Nor so wide that a few readings far from what is expected could no longer be heard.
        scale = float(np.clip(1.4826 * np.median(np.abs(known)), 1.0, SCALE_DB_MAX))
        weight = np.minimum(1.0, HUBER_SIGMAS * scale / np.maximum(np.abs(residual), 1e-9))
        weighted = design * (weight / scale**2)[:, None]
        right = weighted.T @ value + prior @ expected
        law = np.asarray(np.linalg.solve(weighted.T @ design + prior, right), dtype=np.float64)
    return law


def below_ceiling(mean: Floats, target: Floats, *, is_ceiling: Bools, scale: float) -> Floats:
    """Return the targets, bounded ones as the mean of a Gaussian about ``mean`` cut off above."""
    value = target.copy()
    z = (target[is_ceiling] - mean[is_ceiling]) / scale
    share = np.array([0.5 * math.erfc(-at / math.sqrt(2.0)) for at in z])
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    # Far below its mean a Gaussian falls off like an exponential: density / share is then -z.
    ratio = np.where(share > 1e-12, density / np.maximum(share, 1e-12), -z)  # noqa: PLR2004
    value[is_ceiling] = mean[is_ceiling] - scale * ratio
    return value
