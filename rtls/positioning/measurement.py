"""Say how likely a reading is at a place: the physics and its numbers, in one noun.

Layer: rules. Takes: what an installer knows of the radio. Gives: `MeasurementSettings` to
multilateration and tracking, and the densities whose scores the kernels use as weights.

RSSI stays in dB. The strength falls with the logarithm of the distance, and shelves and bodies
multiply it; so its error is additive and symmetric in dB, while the same error turned into metres
would be skewed and would grow with the distance. Its tails are Student's.

Ranges are too long when the direct path is blocked (NLOS): the signal takes a detour. They are
too short only by a fault. Hence a mixture: Gaussian for the direct path, an exponential tail that
is heavy on the long side and light on the short one.

Errors of one link repeat: within a few seconds they are correlated, and a part of them is frozen
as long as the tag stands. So a repeated link earns little credit (`*_correlation_s`), and a bias
that no averaging removes (`*_bias_sd_*`) is added to every emitted covariance.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidCalibration
from rtls.model.units import Metre

NEAR_FIELD_M = Metre(0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementSettings:
    """Noise of the radios. The defaults are fitted to recordings; docs/accuracy says which.

    Parameters
    ----------
    range_sigma_m
        Spread of a range on a direct path, where the sender states none.
    long_share, long_scale_m
        Share and mean excess of ranges over a blocked path.
    short_share, short_scale_m
        The same for ranges that are too short.
    student_dof
        Degrees of freedom of RSSI in dB.
    rssi_sigma_db
        Spread of RSSI about the path-loss law, where no survey tells it.
    offset_sd_db
        Spread of receivers and tags among each other; phones differ by about 20 dB.
    offset_drift_db2_s
        How fast the offset of one tag may wander, in dB² a second.
    range_correlation_s, rssi_correlation_s
        Memory of the error of one link.
    aoa_correlation_s, position_correlation_s, smoothed_s
        The same for angles and ready-made positions; and what it is longer where the sender has
        averaged: a mean over 15 s is correlated as over half of that.
    blocked_stay_s, blocked_share_min
        How long a path stays blocked on average; never less than this share is.
    range_bias_common_m, range_bias_common_sd_m
        By how much the ranges of an uncalibrated tag are too long, and how tags differ.
    range_bias_link_sd_m, range_bias_sd_m
        How one link differs from that, uncalibrated and calibrated; learnt on line.
    range_bias_place_sd_m
        How the error of a range differs from place to place: nobody learns that.
    range_slope_sd
        Spread of the scale of a tag's ranges.
    bias_step_m, bias_noise_factor
        How far a tag moves between two steps of learning, and how many readings of a link there
        are worth one independent reading.
    tdoa_sigma_m, tdoa_bias_sd_m, aoa_sigma_rad, aoa_bias_sd_rad
        Noise and frozen error of a difference of distances, and of an angle.
    position_sigma_m, position_bias_sd_m
        The same for a ready-made position, per axis, where its sender states none.
    rssi_bias_sd_db
        Frozen part of the error of one link.
    bias_cap_m
        Bound of the frozen part in the emitted covariance, where few links are heard.
    huber_long_sigmas, huber_short_sigmas
        Where the loss of a single fix turns from square to linear.
    tag_height_m
        Assumed height of tags above the floor: the handle of a trolley, a pocket.
    """

    range_sigma_m: float = 0.05
    long_share: float = 0.25
    long_scale_m: float = 0.8
    short_share: float = 0.01
    short_scale_m: float = 1.0
    student_dof: float = 4.0
    rssi_sigma_db: float = 6.0
    offset_sd_db: float = 8.0
    offset_drift_db2_s: float = 0.02
    range_correlation_s: float = 0.03
    rssi_correlation_s: float = 0.8
    aoa_correlation_s: float = 0.3
    position_correlation_s: float = 1.0
    smoothed_s: float = 7.5
    blocked_stay_s: float = 4.0
    blocked_share_min: float = 0.15
    range_bias_common_m: float = 0.15
    range_bias_common_sd_m: float = 0.12
    range_bias_link_sd_m: float = 0.08
    range_bias_sd_m: float = 0.02
    range_bias_place_sd_m: float = 0.065
    range_slope_sd: float = 0.01
    bias_step_m: float = 0.25
    bias_noise_factor: float = 2.0
    tdoa_sigma_m: float = 0.15
    tdoa_bias_sd_m: float = 0.10
    aoa_sigma_rad: float = 0.09
    aoa_bias_sd_rad: float = 0.05
    position_sigma_m: float = 0.3
    position_bias_sd_m: float = 0.1
    rssi_bias_sd_db: float = 4.0
    bias_cap_m: float = 5.0
    huber_long_sigmas: float = 1.0
    huber_short_sigmas: float = 2.5
    tag_height_m: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0.0):
                raise InvalidCalibration(
                    f"{field.name} is {value}; expected a finite number of 0 or more."
                )
        zero_allowed = (
            *("offset_drift_db2_s", "range_correlation_s", "rssi_correlation_s", "smoothed_s"),
            *("aoa_correlation_s", "position_correlation_s", "range_bias_common_m"),
        )
        for field in fields(self):
            if field.name not in (*zero_allowed, "tag_height_m") and not getattr(self, field.name):
                raise InvalidCalibration(f"{field.name} is 0; expected more than 0.")
        if self.long_share + self.short_share >= 1.0:
            raise InvalidCalibration(
                f"long_share {self.long_share} and short_share {self.short_share} leave nothing "
                "for the direct path; expected a sum below 1."
            )


def expected_rssi(
    distance_m: npt.NDArray[np.float64], *, rssi_at_1m: float, exponent: float
) -> npt.NDArray[np.float64]:
    """Apply the log-distance path-loss law (Rappaport, Wireless Communications, ch. 4), in dBm.

    Below `NEAR_FIELD_M` an antenna pattern decides, not the law: nearer counts as that near.

    Examples
    --------
    >>> import numpy as np
    >>> expected_rssi(np.array([1.0, 10.0]), rssi_at_1m=-59.0, exponent=2.0).tolist()
    [-59.0, -79.0]
    """
    return rssi_at_1m - 10.0 * exponent * np.log10(np.maximum(distance_m, NEAR_FIELD_M))


def log_density_of_range(
    residual_m: npt.NDArray[np.float64], *, sigma_m: float, settings: MeasurementSettings
) -> npt.NDArray[np.float64]:
    """Return the log density of a range that is ``residual_m`` longer than the distance."""
    away = np.abs(residual_m)
    is_long = residual_m > 0.0
    share = np.where(is_long, settings.long_share, settings.short_share)
    scale = np.where(is_long, settings.long_scale_m, settings.short_scale_m)
    direct_share = 1.0 - settings.long_share - settings.short_share
    direct = direct_share * np.exp(-0.5 * (away / sigma_m) ** 2)
    direct /= math.sqrt(2.0 * math.pi) * sigma_m
    density: npt.NDArray[np.float64] = np.log(direct + share / scale * np.exp(-away / scale))
    return density


def log_density_of_rssi(
    residual_db: npt.NDArray[np.float64], *, sigma_db: float, settings: MeasurementSettings
) -> npt.NDArray[np.float64]:
    """Return the log density of an RSSI ``residual_db`` above the expected, 0 at its top."""
    dof = settings.student_dof
    density: npt.NDArray[np.float64] = (
        -0.5 * (dof + 1.0) * np.log1p((residual_db / sigma_db) ** 2 / dof)
    )
    return density
