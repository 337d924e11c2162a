"""Say what of a calibration holds on the map in force.

Layer: doors. Takes: the site section of the settings, the map in force, those before it. Gives: the
`Calibration` to locating, and why part of it was left out to health.

A calibration belongs to the map that was surveyed. Where a later map was published, what was learnt
of anchors that hang where they hung still holds; of one that was moved it would be silently wrong,
and a radio map is of the whole shop as it stood.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inaisle.calibration.calibration_csv import read_links
from inaisle.calibration.calibration_file import load_calibration_file
from inaisle.settings_sections import SiteSection
from inaisle.site.map_in_force import (
    MapInForce,
    checked_map,
    map_folder,
    map_of_file,
    maps_to_run_on,
)
from rtls.model.errors import InvalidCalibration, InvalidSiteMap
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId
from rtls.positioning.calibration import Calibration

CALIBRATION_NAME: Final = "calibration.json"
"""in the folder of site.data"""
NAMED_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationInForce:
    """What of a calibration is used."""

    calibration: Calibration | None
    trouble: str | None = None
    """what was left out, and the remedy"""


def calibration_file(section: SiteSection) -> Path | None:
    """Return the file of the calibration: where none is set, what `inaisle calibrate` wrote."""
    if section.calibration is not None:
        return section.calibration
    written = section.data / CALIBRATION_NAME
    return written if written.is_file() else None


def load_calibration(section: SiteSection) -> Calibration | None:
    """Read what of the calibration holds on the newest map, where there is one.

    `InvalidCalibration` says what does not fit, above all a file that has changed since.
    """
    return calibration_on(next(maps_to_run_on(section)), section).calibration


def calibration_on(in_force: MapInForce, section: SiteSection) -> CalibrationInForce:
    """Read calibration.json, or a table of links (.csv), and keep what holds on a map.

    Raises
    ------
    InvalidCalibration
        If it cannot be read, or is of none of the maps that this site has had.
    """
    path = calibration_file(section)
    if path is None:
        return CalibrationInForce(calibration=None)
    if path.suffix == ".csv":
        # A table names no map; it stands beside the file of the settings.
        surveyed = map_of_file(section).site_map
        return _kept(read_links(path), surveyed, in_force.site_map, has_radio_map=False)
    try:
        return CalibrationInForce(calibration=load_calibration_file(path, in_force.site_map))
    except InvalidCalibration:
        if not in_force.revision:
            raise
        for surveyed in _maps_before(in_force, section):
            try:
                found = load_calibration_file(path, surveyed)
            except InvalidCalibration:
                continue
            has_radio_map = found.radio_map is not None
            return _kept(found, surveyed, in_force.site_map, has_radio_map=has_radio_map)
        raise


def _maps_before(in_force: MapInForce, section: SiteSection) -> Iterator[SiteMap]:
    """Yield the maps that the site has had, the youngest first, that of the file last."""
    for published in map_folder(section).newest_first():
        if published.about.revision < in_force.revision:
            try:
                yield checked_map(published.content, source=f"revision {published.about.revision}")
            except InvalidSiteMap:
                continue  # it could not have been surveyed
    yield map_of_file(section).site_map


def _kept(
    found: Calibration, surveyed: SiteMap, now: SiteMap, *, has_radio_map: bool
) -> CalibrationInForce:
    """Return what holds of anchors that hang where they hung, and say what was left out."""
    places = {a.anchor: (a.radio, a.floor, a.x_m, a.y_m, a.z_m) for a in surveyed.anchors}
    same = {
        a.anchor
        for a in now.anchors
        if places.get(a.anchor) == (a.radio, a.floor, a.x_m, a.y_m, a.z_m)
    }
    left_out = [anchor for anchor in found.anchors if anchor not in same]
    if not left_out and not has_radio_map:
        return CalibrationInForce(calibration=found)
    return CalibrationInForce(
        calibration=found.of_anchors(same), trouble=_trouble(left_out, has_radio_map=has_radio_map)
    )


def _trouble(left_out: list[AnchorId], *, has_radio_map: bool) -> str:
    shown = ", ".join(left_out[:NAMED_MAX]) + (" …" if len(left_out) > NAMED_MAX else "")
    anchors = f"what it says of {len(left_out)} anchors ({shown})" if left_out else ""
    parts = [part for part in (anchors, "the radio map" if has_radio_map else "") if part]
    return (
        f"the map has changed since the survey: {' and '.join(parts)} of the calibration is not "
        "used. Run inaisle calibrate again."
    )
