"""Say how well the anchors of a site cover its floors, and where one more would help most.

Layer: rules. Takes: site map, calibration, the radio's noise. Gives: `FloorCoverage` and
`BestPlace` to the door, which prints them.

The bound is that of one reading from each anchor heard: what a tag that walks gets at an instant.
It contains the frozen part of the errors, so that standing still does not make it smaller.
"""

import math
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np

from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import AnchorId, Metre
from rtls.positioning.accuracy import (
    Bools,
    Floats,
    RadioModel,
    bound_covariance,
    covariance_of,
    gdop,
    geometry_of,
    root_mean_square,
    sight_of,
)
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.calibration import Calibration
from rtls.positioning.floor_lattice import floor_of, floor_places, walls_between
from rtls.positioning.measurement import MeasurementSettings, expected_rssi

FREE_SPACE_EXPONENT: Final = 2.0
ANCHORS_FOR_A_FIX: Final = 3
ZONE_SIZES_M: Final = (1.25, 2.5, 5.0, 10.0)
ZONE_P_MIN: Final = 0.8
CANDIDATES_MAX: Final = 300
SEARCH_PLACES_MAX: Final = 600
NEW_ANCHOR: Final = "one-more"
# A ranging tag asks its nearest anchors one by one; an advert is heard by all; an array sees little
# of a tag far off to its side.
NEAREST_OF_KIND: Final = {
    ReadingKind.RSSI: 16,
    ReadingKind.RANGE: 8,
    ReadingKind.TDOA: 8,
    ReadingKind.AOA: 4,
    ReadingKind.POSITION: 1,
}
KIND_OF_RADIO: Final = {Radio.UWB: ReadingKind.RANGE, Radio.BLE: ReadingKind.RSSI}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSettings:
    """How far anchors hear, and what a reading of a kind that the map does not calibrate is worth.

    Parameters
    ----------
    cell_m
        Distance of the places looked at.
    rssi_dbm_min
        Weaker than this nothing is heard.
    reach_m
        Longest distance of a range, an angle or a time difference, without walls.
    wall_db
        Attenuation of one wall. For ranges it shortens the reach as in free space: 6 dB halve it.
    angle_sigma_rad, tdoa_sigma_m
        Noise of angles and time differences, which no calibration of ours learns.
    nearest_max
        Only so many anchors take part in a fix; `NEAREST_OF_KIND` if None.
    """

    cell_m: float = 1.0
    rssi_dbm_min: float = -90.0
    reach_m: float = 30.0
    wall_db: float = 6.0
    angle_sigma_rad: float = math.radians(5.0)
    tdoa_sigma_m: float = 0.3
    nearest_max: int | None = None
    measurement: MeasurementSettings = field(default_factory=MeasurementSettings)

    def __post_init__(self) -> None:
        above_zero = ("cell_m", "reach_m", "angle_sigma_rad", "tdoa_sigma_m", "nearest_max")
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in above_zero and value is not None and not value > 0:
                raise InvalidGeometry(f"{item.name} is {value}; expected more than 0.")
        if not (math.isfinite(self.rssi_dbm_min) and self.wall_db >= 0.0):
            raise InvalidGeometry(
                f"rssi_dbm_min is {self.rssi_dbm_min}, wall_db {self.wall_db}; expected a finite "
                "strength and 0 or more dB."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorCoverage:
    """What one kind of reading can do on one floor.

    Parameters
    ----------
    place_m
        (n_places, 2), centres of cells.
    gdop, bound_m, heard
        (n_places,); the bound is a root mean square error in the plane, infinite where unknown.
    p_zone
        (n_sizes, n_places), probability of naming the right square zone of `ZONE_SIZES_M`.
    """

    floor: int
    kind: ReadingKind
    anchors: int
    cell_m: float
    place_m: Floats
    gdop: Floats
    bound_m: Floats
    heard: Floats
    p_zone: Floats

    @property
    def share_under_three(self) -> float:
        """Return the share of the floor that fewer than three anchors hear."""
        return float(np.mean(self.heard < ANCHORS_FOR_A_FIX))

    @property
    def shares_nameable(self) -> tuple[float, ...]:
        """Return the share of the floor where each zone size is named right with P ≥ 0.8."""
        return tuple(float(share) for share in np.mean(self.p_zone >= ZONE_P_MIN, axis=1))

    def gdop_at(self, share: float) -> float:
        """Return the dilution of precision that ``share`` of the floor keeps."""
        return float(np.quantile(self.gdop, share, method="higher"))

    def bound_at(self, share: float) -> float:
        """Return the bound that ``share`` of the floor keeps."""
        return float(np.quantile(self.bound_m, share, method="higher"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPlace:
    """Where one more anchor helps most; bounds over the floor in metres, before and after."""

    floor: int
    kind: ReadingKind
    x_m: float
    y_m: float
    z_m: float
    mean_before_m: float
    mean_after_m: float
    p95_before_m: float
    p95_after_m: float


def coverage_of_floor(
    site_map: SiteMap,
    floor: int,
    kind: ReadingKind,
    *,
    calibration: Calibration | None = None,
    settings: CoverageSettings | None = None,
) -> FloorCoverage:
    """Return what the anchors of a floor can do for one kind of reading.

    Raises
    ------
    InvalidGeometry
        If the floor has no place to stand or no anchor for the kind.
    """
    chosen = settings or CoverageSettings()
    place = floor_places(site_map, floor, chosen.cell_m)
    site = with_anchors_for(site_map, floor, kind)
    if not len(place) or not site.anchors:
        raise InvalidGeometry(
            f"floor {floor} has {len(place)} free cells of {chosen.cell_m} m and "
            f"{len(site.anchors)} anchors for {kind.name.lower()}; expected both. Add anchors to "
            "the map, or ask for another kind."
        )
    table = AnchorTable.build(site, known_of(calibration, site), measurement=chosen.measurement)
    heard = heard_mask(place, site, table, kind=kind, settings=chosen)
    covariance = bound_covariance(
        place,
        anchors=table,
        radio=radio_model(table, kind, chosen),
        tag_height_m=chosen.measurement.tag_height_m,
        is_heard=heard,
    )
    return FloorCoverage(
        floor=floor,
        kind=kind,
        anchors=len(site.anchors),
        cell_m=chosen.cell_m,
        place_m=place,
        gdop=gdop(
            place,
            anchors=table,
            tag_height_m=chosen.measurement.tag_height_m,
            is_heard=heard,
        ),
        bound_m=root_mean_square(covariance),
        heard=heard.sum(axis=1).astype(np.float64),
        p_zone=np.stack([p_square_zone(covariance, size) for size in ZONE_SIZES_M]),
    )


def best_place(
    site_map: SiteMap,
    floor: int,
    kind: ReadingKind,
    *,
    calibration: Calibration | None = None,
    settings: CoverageSettings | None = None,
) -> BestPlace:
    """Return where one more anchor lowers the mean bound of a floor most.

    A lattice of candidates is tried, at the height that the floor's anchors usually have. Where a
    bound is infinite it counts as the floor's diagonal, so that closing a gap counts as well.
    """
    chosen = settings or CoverageSettings()
    site = with_anchors_for(site_map, floor, kind)
    plan = floor_of(site_map, floor)
    area = plan.width_m * plan.height_m
    place = floor_places(site_map, floor, max(chosen.cell_m, math.sqrt(area / SEARCH_PLACES_MAX)))
    # An anchor may well hang above a shelf, so furniture does not count.
    spots = floor_places(replace(site_map, fixtures=()), floor, math.sqrt(area / CANDIDATES_MAX))
    bounds = bounds_with_one_more(place, site, spots, kind=kind, settings=chosen, known=calibration)
    np.minimum(bounds, math.hypot(plan.width_m, plan.height_m), out=bounds)
    best = int(np.argmin(bounds[1:].mean(axis=1)))
    before, after = bounds[0], bounds[1 + best]
    return BestPlace(
        floor=floor,
        kind=kind,
        x_m=float(spots[best, 0]),
        y_m=float(spots[best, 1]),
        z_m=usual_height(site),
        mean_before_m=float(before.mean()),
        mean_after_m=float(after.mean()),
        p95_before_m=float(np.quantile(before, 0.95)),
        p95_after_m=float(np.quantile(after, 0.95)),
    )


def bounds_with_one_more(
    place_m: Floats,
    site: SiteMap,
    spots: Floats,
    *,
    kind: ReadingKind,
    settings: CoverageSettings,
    known: Calibration | None,
) -> Floats:
    """Return the bounds at places without and with an anchor at each spot.

    Parameters
    ----------
    place_m, spots
        (n_places, 2), (n_spots, 2).
    site
        Has the anchors of one floor.

    Returns
    -------
    Floats
        (1 + n_spots, n_places), m; first without.
    """
    everyone = with_anchors_at(site, spots)
    table = AnchorTable.build(everyone, known_of(known, site), measurement=settings.measurement)
    radio = radio_model(table, kind, settings)
    heard = heard_mask(place_m, everyone, table, kind=kind, settings=settings)
    seen = sight_of(
        place_m, anchors=table, radio=radio, tag_height_m=settings.measurement.tag_height_m
    )
    own = np.arange(len(site.anchors))
    columns = [own, *(np.append(own, len(own) + spot) for spot in range(len(spots)))]
    return np.stack([
        root_mean_square(covariance_of(seen.of_anchors(index), heard[:, index], radio))
        for index in columns
    ])  # fmt: skip


def with_anchors_for(site_map: SiteMap, floor: int, kind: ReadingKind) -> SiteMap:
    """Return the map with the anchors of one floor that give this kind of reading."""
    radios = {radio for radio, own in KIND_OF_RADIO.items() if own is kind} or set(Radio)
    anchors = tuple(
        anchor
        for anchor in site_map.anchors
        if anchor.is_placed and anchor.floor == floor and anchor.radio in radios
    )
    return replace(site_map, anchors=anchors, zones=())


def with_anchors_at(site: SiteMap, spots: Floats) -> SiteMap:
    """Return the map with an anchor more at each spot, of the kind of the first."""
    height = Metre(usual_height(site))
    more = tuple(
        replace(
            site.anchors[0],
            anchor=AnchorId(f"{NEW_ANCHOR}-{index}"),
            x_m=Metre(float(x)),
            y_m=Metre(float(y)),
            z_m=height,
        )
        for index, (x, y) in enumerate(spots)
    )
    return replace(site, anchors=(*site.anchors, *more))


def usual_height(site: SiteMap) -> float:
    """Return the median height of the anchors."""
    return float(np.median([anchor.z_m for anchor in site.anchors]))


def known_of(calibration: Calibration | None, site: SiteMap) -> Calibration:
    """Return the part of a calibration that is about the anchors of a smaller map."""
    return Calibration() if calibration is None else calibration.of_anchors(site.anchor_index)


def radio_model(table: AnchorTable, kind: ReadingKind, settings: CoverageSettings) -> RadioModel:
    """Return the noise of each anchor, frozen part included."""
    noise, count = settings.measurement, len(table)
    sigma, common = np.full(count, settings.tdoa_sigma_m), math.inf
    if kind is ReadingKind.RSSI:
        sigma, common = table.records.own["rssi_sigma_db"].copy(), noise.offset_sd_db
    elif kind is ReadingKind.RANGE:
        sigma, common = np.hypot(noise.range_sigma_m, table.records.links[0]["bias_sd_m"]), 0.0
    elif kind is ReadingKind.AOA:
        sigma, common = np.full(count, settings.angle_sigma_rad), 0.0
    return RadioModel(
        kind=kind,
        sigma=sigma,
        common_sd=common,
        nearest_max=settings.nearest_max or NEAREST_OF_KIND[kind],
    )


def heard_mask(
    place_m: Floats,
    site: SiteMap,
    table: AnchorTable,
    *,
    kind: ReadingKind,
    settings: CoverageSettings,
) -> Bools:
    """Return (n_places, n_anchors) whether an anchor hears a tag there, walls counted."""
    own = table.records.own
    geometry = geometry_of(place_m, table, settings.measurement.tag_height_m)
    distance = np.sqrt(geometry.squared)
    anchor_m = np.stack([own["x_m"], own["y_m"]], axis=1)
    floors = {anchor.floor for anchor in site.anchors}
    walls = [wall.line for wall in site.walls if wall.floor in floors]
    lost_db = settings.wall_db * walls_between(place_m, anchor_m, walls)
    if kind is ReadingKind.RSSI:
        strength = expected_rssi(distance, rssi_at_1m=0.0, exponent=1.0)
        strength = own["rssi_at_1m"] + own["exponent"] * strength - lost_db
        return np.asarray(strength >= settings.rssi_dbm_min)
    reach = settings.reach_m * 10.0 ** (-lost_db / (10.0 * FREE_SPACE_EXPONENT))
    return np.asarray(distance <= reach)


def p_square_zone(covariance: Floats, size_m: float) -> Floats:
    """Return the probability of naming the right square zone, (n,).

    The tag is anywhere in a zone of this size, the zones tile the floor, the error is Gaussian.
    Along one axis with spread σ that is erf(r) - (1 - exp(-r²)) / (r √π), r = size / (σ √2).
    """
    p = np.ones(len(covariance))
    for axis in (0, 1):
        variance = covariance[:, axis, axis]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = size_m / np.sqrt(2.0 * variance)
            inside = np.array([math.erf(r) for r in ratio])
            inside -= (1.0 - np.exp(-(ratio**2))) / (ratio * math.sqrt(math.pi))
        p *= np.where(np.isfinite(variance) & (ratio > 0.0), inside, 0.0)
    return p
