"""Find positions from the readings of one instant alone, for many tags at once.

Layer: rules. Takes: ranges or RSSI, (n_tags, n_anchors), or readings of any kinds.
Gives: `Multilateration` to diagnostics, benchmarks and reports; the filter uses the same kernels
for its first fix.

A closed-form start, then robust Gauss-Newton: Huber's loss for ranges and their differences,
Student's for angles, ready-made positions and RSSI in dB, with the tag's offset as a third unknown.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingArray
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.kernels.range_fix import fix_ranges
from rtls.positioning.kernels.reading_fix import fix_readings
from rtls.positioning.kernels.robust_fix import ITERATIONS, SOLUTION_WIDTH
from rtls.positioning.kernels.rssi_fix import fix_rssi
from rtls.positioning.measurement import MeasurementSettings
from rtls.positioning.tracking import TrackingSettings, parameters_of, tags_in

Floats = npt.NDArray[np.float64]
ITERATIONS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Multilateration:
    """Positions of one instant; rows that the anchors leave undetermined are NaN.

    Parameters
    ----------
    place_m
        (n_tags, 2).
    covariance_m2
        (n_tags, 2, 2).
    offset_db
        (n_tags,), how much louder the tag is than the anchors' law; 0 for ranges.
    iterations
        (n_tags,), at most `ITERATIONS_MAX`; reaching it means a fit that did not settle.
    is_located
        (n_tags,).
    """

    place_m: Floats
    covariance_m2: Floats
    offset_db: Floats
    iterations: npt.NDArray[np.int32]
    is_located: npt.NDArray[np.bool_]


def multilaterate_ranges(
    range_m: Floats, *, anchors: AnchorTable, settings: MeasurementSettings
) -> Multilateration:
    """Locate tags by their ranges.

    Parameters
    ----------
    range_m
        (n_tags, n_anchors), calibrated, NaN where unheard.
    anchors
        Where the anchors are.
    settings
        Sigma, Huber's thresholds and the height of the tags.
    """
    heard = checked(range_m, anchors)
    n_tags = heard.shape[0]
    place = np.empty((n_tags, 2))
    covariance = np.empty((n_tags, 3))
    iterations = np.empty(n_tags, np.int32)
    is_located = np.empty(n_tags, np.uint8)
    own = anchors.records.own
    fix_ranges(
        own["x_m"].copy(),
        own["y_m"].copy(),
        (own["z_m"] - settings.tag_height_m) ** 2,
        heard,
        math.hypot(
            settings.range_sigma_m, settings.range_bias_sd_m, settings.range_bias_place_sd_m
        ),
        settings.huber_long_sigmas,
        settings.huber_short_sigmas,
        ITERATIONS_MAX,
        place,
        covariance,
        iterations,
        is_located,
    )
    return Multilateration(
        place_m=place,
        covariance_m2=square(covariance),
        offset_db=np.zeros(n_tags),
        iterations=iterations,
        is_located=is_located.astype(np.bool_),
    )


def multilaterate_rssi(
    rssi_dbm: Floats, *, anchors: AnchorTable, settings: TrackingSettings
) -> Multilateration:
    """Locate tags by how strongly the anchors hear them, each tag with an offset of its own.

    Parameters
    ----------
    rssi_dbm
        (n_tags, n_anchors), NaN where unheard.
    anchors
        Places and path loss.
    settings
        Noise, offset spread and the height of the tags.
    """
    heard = checked(rssi_dbm, anchors)
    n_tags = heard.shape[0]
    solutions = np.full((n_tags, SOLUTION_WIDTH), np.nan)
    is_located = np.empty(n_tags, np.uint8)
    fix_rssi(heard, anchors.records, parameters_of(settings), solutions, is_located)
    return of_solutions(solutions, is_located)


def locate_readings(
    readings: ReadingArray, *, anchors: AnchorTable, settings: TrackingSettings
) -> Multilateration:
    """Locate each tag by all its readings, of any kinds, as if they were of one instant.

    Parameters
    ----------
    readings
        `READING_DTYPE`, sorted by tag. What says nothing usable is passed over.
    anchors
        Places, yaws, path loss and range errors.
    settings
        Noise of each kind, offset spread and the height of the tags.

    Returns
    -------
    Multilateration
        One row for each tag that has readings, in the order of the tags.
    """
    n_tags = tags_in(readings)
    solutions = np.full((n_tags, SOLUTION_WIDTH), np.nan)
    is_located = np.zeros(n_tags, np.uint8)
    writable = readings if readings.flags.writeable else readings.copy()
    fix_readings(writable, anchors.records, parameters_of(settings), solutions, is_located)
    return of_solutions(solutions, is_located)


def of_solutions(solutions: Floats, is_located: npt.NDArray[np.uint8]) -> Multilateration:
    """Return what the general solver wrote as a noun."""
    return Multilateration(
        place_m=solutions[:, :2].copy(),
        covariance_m2=square(solutions[:, 3:6]),
        offset_db=solutions[:, 2].copy(),
        iterations=np.nan_to_num(solutions[:, ITERATIONS]).astype(np.int32),
        is_located=is_located.astype(np.bool_),
    )


def checked(values: Floats, anchors: AnchorTable) -> Floats:
    """Return the array as the kernels take it.

    Raises
    ------
    InvalidGeometry
        If it does not have one column for each anchor.
    """
    if values.ndim != 2 or values.shape[1] != len(anchors):  # noqa: PLR2004
        raise InvalidGeometry(
            f"readings have the shape {values.shape}; expected (n_tags, {len(anchors)}), one "
            "column for each anchor of the table."
        )
    return np.array(values, dtype=np.float64, order="C")


def square(packed: Floats) -> Floats:
    """Return (n, 2, 2) from the packed lower triangles (n, 3)."""
    return np.stack([packed[:, (0, 1)], packed[:, (1, 2)]], axis=1)
