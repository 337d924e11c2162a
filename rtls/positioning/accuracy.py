"""Say how exact a layout of anchors can be, before a single reading.

Layer: rules. Takes: anchors and places. Gives: dilution of precision and the Cramér-Rao bound to
rtls.positioning.coverage (where is an anchor missing?), to tests and benchmarks as the yardstick.

No unbiased estimator beats the Cramér-Rao bound (Kay, Fundamentals of Statistical Signal
Processing I, ch. 3); a good one comes within 25 %.

All kinds of reading become rows of one information matrix: by how many sigmas a reading changes
when the tag moves by a metre. RSSI shares the tag's offset and TDoA the instant of the blink, a
third unknown that takes its share. TDoA against a reference anchor is the same as ranges with an
unknown common error: differencing removes that error and nothing else.
"""

import math
from dataclasses import dataclass
from typing import Final, assert_never

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.measurement import NEAR_FIELD_M, MeasurementSettings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DB_PER_NEPER = 10.0 / np.log(10.0)
CONDITION_MAX: Final = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioModel:
    """What one reading of each anchor is worth.

    Parameters
    ----------
    kind
        RSSI (dB), RANGE (m), TDOA (m), AOA (rad across the line of sight) or POSITION (m).
    sigma
        (n_anchors,), unit of the kind.
    common_sd
        Spread of the unknown that all readings of a tag share, unit of the kind: the offset of a
        phone, the blink's instant (infinite). 0 where there is none.
    nearest_max
        Only so many nearest anchors take part.
    """

    kind: ReadingKind
    sigma: Floats
    common_sd: float = 0.0
    nearest_max: int = 16

    def __post_init__(self) -> None:
        if not (np.isfinite(self.sigma).all() and (self.sigma > 0.0).all()):
            raise InvalidGeometry(
                f"sigma is {self.sigma}; expected finite numbers above 0, one for each anchor."
            )
        if not self.common_sd >= 0.0:
            raise InvalidGeometry(f"common_sd is {self.common_sd}; expected 0 or more.")
        if not self.nearest_max >= 1:
            raise InvalidGeometry(f"nearest_max is {self.nearest_max}; expected 1 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Places seen from the anchors.

    Parameters
    ----------
    away
        (n_places, n_anchors, 2), m, from the anchor to the place.
    rise
        (n_anchors,), m, from the tag up to the anchor.
    squared
        (n_places, n_anchors), m², slant distances.
    """

    away: Floats
    rise: Floats
    squared: Floats


def bound_covariance(
    place_m: Floats,
    *,
    anchors: AnchorTable,
    radio: RadioModel,
    tag_height_m: float,
    is_heard: Bools | None = None,
) -> Floats:
    """Return the Cramér-Rao bound of one reading from each anchor as covariances.

    Parameters
    ----------
    place_m
        (n_places, 2).
    anchors
        Places and exponents.
    radio
        Noise; sigma in the order of the table.
    tag_height_m
        Height of the tag above the floor.
    is_heard
        (n_places, n_anchors); everywhere if None.

    Returns
    -------
    Floats
        (n_places, 2, 2), m², infinite where the anchors leave the place undetermined.
    """
    geometry = geometry_of(place_m, anchors, tag_height_m)
    heard = nearest_heard(geometry, radio.nearest_max, is_heard)
    rows, weight = information_rows(geometry, anchors, radio)
    rows = rows * np.concatenate([heard] * (rows.shape[1] // heard.shape[1]), axis=1)[..., None]
    if radio.common_sd == 0.0:
        return inverse_or_infinite(np.einsum("nai,naj->nij", rows, rows))
    common = np.broadcast_to(weight, rows.shape[:2]) * heard
    full = np.concatenate([rows, common[..., None]], axis=2)
    information = np.einsum("nai,naj->nij", full, full)
    information[:, 2, 2] += 0.0 if math.isinf(radio.common_sd) else 1.0 / radio.common_sd**2
    return inverse_or_infinite(information)[:, :2, :2]


def information_rows(
    geometry: Geometry, anchors: AnchorTable, radio: RadioModel
) -> tuple[Floats, Floats]:
    """Return change per metre in sigmas, (n_places, n_rows, 2), and per unit of the common error.

    Raises
    ------
    InvalidGeometry
        If there is not one sigma for each anchor.
    """
    if radio.sigma.shape != geometry.rise.shape:
        raise InvalidGeometry(
            f"sigma has the shape {radio.sigma.shape}; expected {geometry.rise.shape}, one number "
            "for each anchor of the table."
        )
    weight: Floats = 1.0 / radio.sigma
    distance = np.sqrt(np.maximum(geometry.squared, NEAR_FIELD_M**2))
    match radio.kind:
        case ReadingKind.RANGE | ReadingKind.TDOA:
            return (geometry.away / distance[..., None]) * weight[:, None], weight
        case ReadingKind.RSSI:
            gain = -DB_PER_NEPER * anchors.records.own["exponent"] / distance**2 * weight
            return geometry.away * gain[..., None], weight
        case ReadingKind.AOA:
            return angle_rows(geometry, distance) * np.tile(weight, 2)[:, None], weight
        case ReadingKind.POSITION:
            whole = np.broadcast_to(np.eye(2), (len(geometry.away), 2, 2))
            rows: Floats = np.repeat(whole, geometry.rise.size, axis=1)
            return rows * np.tile(weight, 2)[:, None], weight
        case _:
            assert_never(radio.kind)


def angle_rows(geometry: Geometry, distance: Floats) -> Floats:
    """Return radians per metre across the line of sight: first sideways, then up and down."""
    flat = np.sqrt(np.maximum((geometry.away**2).sum(axis=2), 1e-12))
    outward = geometry.away / flat[..., None]
    sideways = np.stack([-outward[..., 1], outward[..., 0]], axis=-1)
    return np.concatenate(
        [
            sideways / distance[..., None],
            outward * (np.abs(geometry.rise) / distance**2)[..., None],
        ],
        axis=1,
    )


def nearest_heard(geometry: Geometry, nearest_max: int, is_heard: Bools | None) -> Bools:
    """Return (n_places, n_anchors): heard, and among the nearest of those heard."""
    heard = np.ones(geometry.squared.shape, np.bool_) if is_heard is None else is_heard
    if nearest_max >= heard.shape[1]:
        return heard
    reach = np.where(heard, geometry.squared, np.inf)
    farthest = np.partition(reach, nearest_max - 1, axis=1)[:, nearest_max - 1]
    return heard & (reach <= farthest[:, None] * (1.0 + 1e-12))


def gdop(
    place_m: Floats, *, anchors: AnchorTable, tag_height_m: float, is_heard: Bools | None = None
) -> Floats:
    """Return the horizontal dilution of precision: error of the place per error of a range.

    Parameters
    ----------
    place_m
        (n_places, 2).
    anchors
        All anchors of the table count as heard, unless ``is_heard`` says otherwise.
    tag_height_m
        Height of the tag above the floor.
    is_heard
        (n_places, n_anchors).

    Returns
    -------
    Floats
        (n_places,), infinite where the anchors leave the place undetermined.
    """
    unit = RadioModel(
        kind=ReadingKind.RANGE, sigma=np.ones(len(anchors)), nearest_max=max(len(anchors), 1)
    )
    covariance = bound_covariance(
        place_m, anchors=anchors, radio=unit, tag_height_m=tag_height_m, is_heard=is_heard
    )
    return root_mean_square(covariance)


def range_bound(
    place_m: Floats, *, anchors: AnchorTable, sigma_m: float, tag_height_m: float
) -> Floats:
    """Return the Cramér-Rao bound of one range to each anchor, as a root mean square error in m.

    Shapes as in `gdop`; the noise is Gaussian with ``sigma_m``.
    """
    return sigma_m * gdop(place_m, anchors=anchors, tag_height_m=tag_height_m)


def rssi_bound(place_m: Floats, *, anchors: AnchorTable, settings: MeasurementSettings) -> Floats:
    """Return the Cramér-Rao bound of one RSSI reading from each anchor, in m.

    The tag's offset is unknown up to `offset_sd_db` and takes its share of the information; the
    noise is Gaussian with each anchor's sigma. Shapes as in `gdop`.
    """
    radio = RadioModel(
        kind=ReadingKind.RSSI,
        sigma=np.ascontiguousarray(anchors.records.own["rssi_sigma_db"]),
        common_sd=settings.offset_sd_db,
        nearest_max=max(len(anchors), 1),
    )
    covariance = bound_covariance(
        place_m, anchors=anchors, radio=radio, tag_height_m=settings.tag_height_m
    )
    return root_mean_square(covariance)


def root_mean_square(covariance: Floats) -> Floats:
    """Return the error in the plane, (n,) m, that covariances (n, 2, 2) stand for."""
    error: Floats = np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1])
    return error


def geometry_of(place_m: Floats, anchors: AnchorTable, tag_height_m: float) -> Geometry:
    """Return the places as the anchors see them.

    Raises
    ------
    InvalidGeometry
        If ``place_m`` is not (n_places, 2) or not finite.
    """
    if place_m.ndim != 2 or place_m.shape[1] != 2 or not np.isfinite(place_m).all():  # noqa: PLR2004
        raise InvalidGeometry(
            f"place_m has the shape {place_m.shape}; expected finite numbers, (n_places, 2)."
        )
    own = anchors.records.own
    away = place_m[:, None, :] - np.stack([own["x_m"], own["y_m"]], axis=1)[None, :, :]
    rise: Floats = own["z_m"] - tag_height_m
    return Geometry(away=away, rise=rise, squared=(away**2).sum(axis=2) + rise**2)


def inverse_or_infinite(information: Floats) -> Floats:
    """Return the inverses of a stack of matrices, infinite where there is none."""
    is_regular = np.linalg.cond(information) < CONDITION_MAX
    inverse = np.full_like(information, np.inf)
    inverse[is_regular] = np.linalg.inv(information[is_regular])
    return inverse
