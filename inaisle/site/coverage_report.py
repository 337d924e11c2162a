"""Work out how well a site is covered, floor by floor and radio by radio.

Layer: doors. Takes: the settings' site, or a map file. Gives: a `CoverageReport` to
inaisle.site.coverage_view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from inaisle.calibration.calibration_in_force import load_calibration
from inaisle.settings import Settings
from inaisle.site.site_loading import load_site_map
from rtls.model.errors import InvalidGeometry
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.positioning.coverage import (
    KIND_OF_RADIO,
    BestPlace,
    CoverageSettings,
    FloorCoverage,
    best_place,
    coverage_of_floor,
)

KINDS: Final = {
    kind.name.lower(): kind
    for kind in (ReadingKind.RSSI, ReadingKind.RANGE, ReadingKind.AOA, ReadingKind.TDOA)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageOptions:
    """What the command line asks for."""

    kinds: Sequence[str] = ()
    """names of kinds of reading; the radios of the map decide where none is given"""
    floor: int | None = None
    wants_best_place: bool = True
    as_json: bool = False
    has_heat_map: bool = False
    geojson: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """Each floor and kind, and where one more anchor helps it most."""

    site_map: SiteMap
    settings: CoverageSettings
    floors: tuple[FloorCoverage, ...]
    best: tuple[BestPlace, ...]


def report_coverage(
    settings: Settings, options: CoverageOptions, *, coverage: CoverageSettings
) -> CoverageReport:
    """Look at every floor that has anchors.

    Raises
    ------
    InvalidGeometry
        If a kind is unknown, or no floor asked for has an anchor.
    """
    site_map = load_site_map(settings.site)
    calibration = load_calibration(settings.site)
    pairs = [pair for pair in pairs_of(site_map, options) if options.floor in {None, pair[0]}]
    if not pairs:
        raise InvalidGeometry(
            f"floor is {options.floor}; expected of "
            f"{sorted({anchor.floor for anchor in site_map.anchors})}, the floors with anchors on "
            f"the map of {site_map.site}. Add anchors to the map, or ask for another floor."
        )
    floors, best = [], []
    for floor, kind in pairs:
        floors.append(
            coverage_of_floor(site_map, floor, kind, calibration=calibration, settings=coverage)
        )
        if options.wants_best_place:
            best.append(
                best_place(site_map, floor, kind, calibration=calibration, settings=coverage)
            )
    return CoverageReport(
        site_map=site_map, settings=coverage, floors=tuple(floors), best=tuple(best)
    )


def pairs_of(site_map: SiteMap, options: CoverageOptions) -> list[tuple[int, ReadingKind]]:
    """Return the floors with anchors, each with the kinds to look at.

    Raises
    ------
    InvalidGeometry
        If a kind is unknown.
    """
    for name in options.kinds:
        if name not in KINDS:
            raise InvalidGeometry(f"kind is {name!r}; expected of {', '.join(KINDS)}.")
    asked = [KINDS[name] for name in options.kinds]
    present = {
        (anchor.floor, KIND_OF_RADIO[anchor.radio])
        for anchor in site_map.anchors
        if anchor.is_placed
    }
    if asked:
        return sorted({(floor, kind) for floor, _ in present for kind in asked})
    return sorted(present)


def coverage_settings(given: Mapping[str, float | None]) -> CoverageSettings:
    """Return the defaults with what the command line says; `InvalidGeometry` names what is off."""
    usual = CoverageSettings()

    def said(name: str, default: float) -> float:
        value = given.get(name)
        return default if value is None else value

    return replace(
        usual,
        cell_m=said("cell_m", usual.cell_m),
        rssi_dbm_min=said("rssi_dbm_min", usual.rssi_dbm_min),
        reach_m=said("reach_m", usual.reach_m),
        wall_db=said("wall_db", usual.wall_db),
    )
