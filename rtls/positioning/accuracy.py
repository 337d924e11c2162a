"""Say how exact a layout of anchors can be, before a single reading.

Layer: rules. Takes: anchors and places. Gives: dilution of precision and the Cramér-Rao bound to
installers (where is an anchor missing?), and to tests and benchmarks as the yardstick of a fix.

No unbiased estimator beats the Cramér-Rao bound (Kay, Fundamentals of Statistical Signal
Processing I, ch. 3); a good one comes within 25 %.
"""

import numpy as np
import numpy.typing as npt

from rtls.model.errors import InvalidGeometry
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.measurement import NEAR_FIELD_M, MeasurementSettings

Floats = npt.NDArray[np.float64]
DB_PER_NEPER = 10.0 / np.log(10.0)


def gdop(place_m: Floats, *, anchors: AnchorTable, tag_height_m: float) -> Floats:
    """Return the horizontal dilution of precision: error of the place per error of a range.

    Parameters
    ----------
    place_m
        (n_places, 2).
    anchors
        All anchors of the table count as heard.
    tag_height_m
        Height of the tag above the floor.

    Returns
    -------
    Floats
        (n_places,), infinite where the anchors leave the place undetermined.
    """
    slopes, _ = geometry_of(place_m, anchors, tag_height_m)
    covariance = inverse_or_infinite(np.einsum("nai,naj->nij", slopes, slopes))
    dilution: Floats = np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1])
    return dilution


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
    own = anchors.records.own
    slopes, squared = geometry_of(place_m, anchors, settings.tag_height_m)
    distance = np.sqrt(np.maximum(squared, NEAR_FIELD_M**2))
    gain = -DB_PER_NEPER * own["exponent"] / distance / own["rssi_sigma_db"]
    full = np.concatenate(
        [
            slopes * gain[..., None],
            np.broadcast_to(1.0 / own["rssi_sigma_db"], gain.shape)[..., None],
        ],
        axis=2,
    )
    information = np.einsum("nai,naj->nij", full, full)
    information[:, 2, 2] += 1.0 / settings.offset_sd_db**2
    covariance = inverse_or_infinite(information)
    bound: Floats = np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1])
    return bound


def geometry_of(
    place_m: Floats, anchors: AnchorTable, tag_height_m: float
) -> tuple[Floats, Floats]:
    """Return the slopes of the distances, (n_places, n_anchors, 2), and the squared distances.

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
    squared = (away**2).sum(axis=2) + (own["z_m"] - tag_height_m) ** 2
    return away / np.sqrt(np.maximum(squared, 1e-12))[..., None], squared


def inverse_or_infinite(information: Floats) -> Floats:
    """Return the inverses of a stack of matrices, infinite where there is none."""
    is_regular = np.linalg.cond(information) < 1e12  # noqa: PLR2004
    inverse = np.full_like(information, np.inf)
    inverse[is_regular] = np.linalg.inv(information[is_regular])
    return inverse
