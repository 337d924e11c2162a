"""State what walls and furniture add to the path-loss law of placed anchors, and how surely.

Layer: rules. Takes: a levelled survey, the laws of its anchors, the nodes of a grid.
Gives: strength and spread at the nodes to rtls.positioning.radio_map_fit.

A Gaussian process for each anchor over what its law leaves over (Rasmussen and Williams, Gaussian
Processes for Machine Learning, 2006, ch. 2 and 5): near a surveyed point the map says what was
heard there, far from all it says the law, and its spread grows on the way. One length and one size
for all anchors of the site, by marginal likelihood with what is known of buildings as the prior.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.site_map import Anchor, SiteMap
from rtls.model.units import AnchorId
from rtls.positioning.calibration import AnchorLoss
from rtls.positioning.measurement import NEAR_FIELD_M
from rtls.positioning.survey_bins import Bins, bins_of
from rtls.positioning.survey_fields import SPREAD, STRENGTH, Fields, LevelSurvey
from rtls.positioning.walk_grid import WalkGrid

LENGTHS_M: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
SIZES_DB: Final = (2.0, 3.0, 4.5, 6.0, 8.0)
NUGGETS_DB: Final = (1.0, 2.0, 3.0)
"""What differs between two steps of a surveyor: multipath shorter than any survey is dense."""
# Frozen maps measured indoors have a length of 2 to 5 m and a size of 4.5 dB.
USUAL_LENGTH_M: Final = 3.2
USUAL_SIZE_DB: Final = 4.5
PRIOR_SD_LN: Final = 0.4
TEMPORAL_SD_DB: Final = 3.0
"""of single readings at one point, where a survey has only one"""
POINTS_MAX: Final = 250
ANCHORS_ASKED_MAX: Final = 12
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Size, length and nugget of the process."""

    length_m: float
    size_db: float
    nugget_db: float

    def covariance(self, one: Floats, other: Floats) -> Floats:
        """Return the covariance, dB², between (n, 2) and (m, 2) places (Matérn 3/2)."""
        away = np.sqrt(((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2))
        scaled = np.sqrt(3.0) * away / self.length_m
        return np.asarray(self.size_db**2 * (1.0 + scaled) * np.exp(-scaled))

    @property
    def log_prior(self) -> float:
        """Return what buildings say of such a field."""
        off = np.log([self.length_m / USUAL_LENGTH_M, self.size_db / USUAL_SIZE_DB])
        return float(-0.5 * (off**2).sum() / PRIOR_SD_LN**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What the law of one anchor leaves over at the places of one floor.

    Parameters
    ----------
    xy, value_db
        (n, 2) m, (n,).
    noise_db2
        (n,) variance of the value as a mean over the stay.
    temporal_db2
        Variance of single readings about the mean of their stay.
    """

    xy: Floats
    value_db: Floats
    noise_db2: Floats
    temporal_db2: float

    def log_likelihood(self, field: Field) -> float:
        """Return the log density of the values under the field."""
        lower, white = self._solved(field)
        return float(-0.5 * white @ white - np.log(np.diag(lower)).sum())

    def at(self, places: Floats, field: Field) -> tuple[Floats, Floats]:
        """Return mean, dB, and variance, dB², of single readings at (m, 2) places."""
        lower, white = self._solved(field)
        across = np.linalg.solve(lower, field.covariance(self.xy, places))
        mean = across.T @ white
        known = (across**2).sum(axis=0)
        variance = np.maximum(field.size_db**2 - known, 0.0) + field.nugget_db**2
        return mean, variance + self.temporal_db2

    def _solved(self, field: Field) -> tuple[Floats, Floats]:
        within = field.covariance(self.xy, self.xy)
        within[np.diag_indices_from(within)] += self.noise_db2 + field.nugget_db**2
        lower = np.asarray(np.linalg.cholesky(within), np.float64)
        return lower, np.asarray(np.linalg.solve(lower, self.value_db))


def placed_fields(
    site_map: SiteMap,
    level: LevelSurvey,
    *,
    losses: Mapping[AnchorId, AnchorLoss],
    grid: WalkGrid,
    out: Fields,
) -> None:
    """Replace strength and spread of the anchors with a law, in place, floor by floor.

    Parameters
    ----------
    site_map
        Places of the anchors.
    level
        The survey.
    losses
        Laws by anchor.
    grid
        Nodes.
    out
        (n_anchors, n_nodes, 3).
    """
    index = site_map.anchor_index
    for floor in np.unique(level.survey.stops["floor"]) if losses else ():
        bins = _bins_on(level, int(floor))
        height_m = float(np.mean(level.survey.stops["z_m"][level.survey.stops["floor"] == floor]))
        residuals = {
            anchor: _residual(bins, site_map.anchors[index[anchor]], index[anchor], loss, height_m)
            for anchor, loss in losses.items()
            if (bins.anchor == index[anchor]).any()
        }
        nodes = np.flatnonzero(grid.node_floor == floor)
        if not residuals or not len(nodes):
            continue
        field = likeliest_field(list(residuals.values()))
        for anchor, residual in residuals.items():
            number, loss = index[anchor], losses[anchor]
            mean, variance = residual.at(grid.node_xy[nodes], field)
            law = law_at(site_map.anchors[number], loss, grid.node_xy[nodes], height_m)
            out[number, nodes, STRENGTH] = law + mean
            out[number, nodes, SPREAD] = np.sqrt(variance)


def likeliest_field(residuals: list[Residual]) -> Field:
    """Return the field under which what is left over is most probable, of a lattice of fields."""
    asked = sorted(residuals, key=lambda residual: -len(residual.xy))[:ANCHORS_ASKED_MAX]
    fields = [
        Field(length_m=length, size_db=size, nugget_db=nugget)
        for length, size, nugget in itertools.product(LENGTHS_M, SIZES_DB, NUGGETS_DB)
    ]
    return max(
        fields,
        key=lambda field: field.log_prior + sum(each.log_likelihood(field) for each in asked),
    )


def law_at(anchor: Anchor, loss: AnchorLoss, xy: Floats, height_m: float) -> Floats:
    """Return the law's strength, dBm, at (n, 2) places."""
    flat = (xy[:, 0] - anchor.x_m) ** 2 + (xy[:, 1] - anchor.y_m) ** 2
    distance = np.maximum(np.sqrt(flat + (height_m - anchor.z_m) ** 2), NEAR_FIELD_M)
    return np.asarray(loss.rssi_at_1m - 10.0 * loss.exponent * np.log10(distance))


def _bins_on(level: LevelSurvey, floor: int) -> Bins:
    """Return the survey's places on a floor, so coarse that a matrix of them can be solved."""
    stops = level.survey.stops
    chosen = stops["floor"] == floor
    places = np.stack([stops["x_m"], stops["y_m"]], axis=1)
    bin_m = 0.5
    while True:
        bins = bins_of(
            level.survey,
            places,
            anchor_of=level.anchor_of,
            level_db=level.level_db,
            chosen=chosen,
            bin_m=bin_m,
        )
        if len(bins.xy) <= POINTS_MAX:
            return bins
        bin_m *= 1.25


def _residual(
    bins: Bins, anchor: Anchor, number: int, loss: AnchorLoss, height_m: float
) -> Residual:
    rows = np.flatnonzero(bins.anchor == number)
    place = np.searchsorted(bins.starts, rows, side="right") - 1
    count, total, squares = bins.sums[rows].T
    mean = total / count
    within = np.maximum(squares / count - mean**2, 0.0)
    temporal = (float((within * count).sum()) + 5.0 * TEMPORAL_SD_DB**2) / (count.sum() + 5.0)
    xy = bins.xy[place]
    return Residual(
        xy=xy,
        value_db=mean - law_at(anchor, loss, xy, height_m),
        noise_db2=temporal / count,
        temporal_db2=temporal,
    )
