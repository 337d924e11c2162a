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
DETERMINANT_SHARE_MIN: Final = 1e-10


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
    seen = sight_of(place_m, anchors=anchors, radio=radio, tag_height_m=tag_height_m)
    everywhere = np.ones(seen.squared.shape, np.bool_)
    return covariance_of(seen, everywhere if is_heard is None else is_heard, radio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a reading of each anchor tells of each place.

    Parameters
    ----------
    squared
        (n_places, n_anchors), m².
    rows
        (n_places, n_anchors, n_values, 2), change in sigmas for a metre in x and y.
    common
        (n_anchors,), change in sigmas for a unit of the common error.
    """

    squared: Floats
    rows: Floats
    common: Floats

    def of_anchors(self, index: npt.NDArray[np.intp]) -> "Sight":
        """Return the same for some anchors."""
        return Sight(
            squared=self.squared[:, index], rows=self.rows[:, index], common=self.common[index]
        )


def covariance_of(seen: Sight, is_heard: Bools, radio: RadioModel) -> Floats:
    """Return the bound, (n_places, 2, 2), of what is heard, (n_places, n_anchors)."""
    heard = nearest_heard(seen.squared, radio.nearest_max, is_heard)
    rows = seen.rows * heard[..., None, None]
    if radio.common_sd == 0.0:
        return inverse_or_infinite(np.einsum("navi,navj->nij", rows, rows, optimize=True))
    common = np.broadcast_to((seen.common * heard)[..., None], rows.shape[:3])
    full = np.concatenate([rows, common[..., None]], axis=3)
    information = np.einsum("navi,navj->nij", full, full, optimize=True)
    information[:, 2, 2] += 0.0 if math.isinf(radio.common_sd) else 1.0 / radio.common_sd**2
    return inverse_or_infinite(information)[:, :2, :2]


def sight_of(
    place_m: Floats, *, anchors: AnchorTable, radio: RadioModel, tag_height_m: float
) -> Sight:
    """Return what readings tell at places, (n_places, 2).

    Raises
    ------
    InvalidGeometry
        If there is not one sigma for each anchor.
    """
    geometry = geometry_of(place_m, anchors, tag_height_m)
    if radio.sigma.shape != geometry.rise.shape:
        raise InvalidGeometry(
            f"sigma has the shape {radio.sigma.shape}; expected {geometry.rise.shape}, one number "
            "for each anchor of the table."
        )
    weight: Floats = 1.0 / radio.sigma
    slopes = slopes_of(geometry, anchors, radio.kind)
    return Sight(squared=geometry.squared, rows=slopes * weight[:, None, None], common=weight)


def slopes_of(geometry: Geometry, anchors: AnchorTable, kind: ReadingKind) -> Floats:
    """Return the change of readings for a metre, (n_places, n_anchors, n_values, 2)."""
    distance = np.sqrt(np.maximum(geometry.squared, NEAR_FIELD_M**2))
    match kind:
        case ReadingKind.RANGE | ReadingKind.TDOA:
            return np.asarray(geometry.away / distance[..., None])[:, :, None, :]
        case ReadingKind.RSSI:
            gain = -DB_PER_NEPER * anchors.records.own["exponent"] / distance**2
            return np.asarray(geometry.away * gain[..., None])[:, :, None, :]
        case ReadingKind.AOA:
            return angle_slopes(geometry, distance)
        case ReadingKind.POSITION:
            return np.broadcast_to(np.eye(2), (*distance.shape, 2, 2))
        case _:
            assert_never(kind)


def angle_slopes(geometry: Geometry, distance: Floats) -> Floats:
    """Return radians per metre across the line of sight: sideways, and up and down."""
    flat = np.sqrt(np.maximum((geometry.away**2).sum(axis=2), 1e-12))
    outward = geometry.away / flat[..., None]
    sideways = np.stack([-outward[..., 1], outward[..., 0]], axis=-1)
    upward = outward * (np.abs(geometry.rise) / distance**2)[..., None]
    return np.stack([sideways / distance[..., None], upward], axis=2)


def nearest_heard(squared: Floats, nearest_max: int, is_heard: Bools) -> Bools:
    """Return (n_places, n_anchors): heard, and among the nearest of those heard."""
    if nearest_max >= is_heard.shape[1]:
        return is_heard
    reach = np.where(is_heard, squared, np.inf)
    farthest = np.partition(reach, nearest_max - 1, axis=1)[:, nearest_max - 1]
    return is_heard & (reach <= farthest[:, None])


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
    """Return the inverses of a stack of information matrices, infinite where there is none.

    Hadamard: a determinant is at most the product of the diagonal; one that is next to nothing
    beside it belongs to a matrix that knows nothing of some direction, whatever the units.
    """
    whole = np.einsum("nii->ni", information).prod(axis=1)
    is_regular = np.linalg.det(information) > DETERMINANT_SHARE_MIN * whole
    inverse = np.full_like(information, np.inf)
    inverse[is_regular] = np.linalg.inv(information[is_regular])
    return inverse
