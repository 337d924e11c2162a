"""Write and read the radio map of a site, beside its calibration.json.

Layer: doors. Takes: a `RadioMap`. Gives: a packed file of arrays, and from it the `RadioMap` to
inaisle.calibration.calibration_file. The nodes are not stored: they follow from the site map, whose
digest calibration.json holds.
"""

import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from inaisle.errors import Unavailable
from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import SiteMap
from rtls.positioning.radio_map import RadioMap
from rtls.positioning.walk_grid import WalkGrid

VERSION: Final = 1


def save_radio_map(path: Path, radio_map: RadioMap, site_map: SiteMap) -> None:
    """Write the arrays, whole or not at all.

    Raises
    ------
    Unavailable
        If the file cannot be written.
    """
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez_compressed(
                file,
                version=np.array(VERSION),
                anchors=np.array([str(anchor.anchor) for anchor in site_map.anchors]),
                cell_m=np.array(float(radio_map.grid.cell_m)),
                strength_cdb=radio_map.strength_cdb,
                spread_ddb=radio_map.spread_ddb,
                rarity=radio_map.rarity,
                lag_s=np.array(radio_map.lag_s),
                bias_sd_m=np.array(radio_map.bias_sd_m),
                device_offsets_db=np.array(radio_map.device_offsets_db),
            )
        beside.replace(path)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be written ({error.strerror}). Give --out a writable path."
        ) from error


def load_radio_map(path: Path, site_map: SiteMap) -> RadioMap:
    """Read the arrays for the map that they were made on.

    Raises
    ------
    InvalidCalibration
        If the file is not there, is damaged, or is of other anchors.
    """
    try:
        return _read(path, site_map)
    except InvalidCalibration:
        raise
    except (OSError, LookupError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidCalibration(
            f"{path}: cannot be read as the radio map of {site_map.site} ({error!r}). Calibrate "
            "again, or remove it together with calibration.json."
        ) from error


def _read(path: Path, site_map: SiteMap) -> RadioMap:
    # Opened here: the library leaves a damaged file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    names = [str(name) for name in arrays["anchors"]]
    order = [names.index(anchor.anchor) for anchor in site_map.anchors]
    if int(arrays["version"]) != VERSION:
        raise InvalidCalibration(
            f"{path}: version {int(arrays['version'])}; expected {VERSION}. Calibrate again."
        )
    return RadioMap(
        grid=WalkGrid.of_plan(site_map),
        strength_cdb=np.ascontiguousarray(arrays["strength_cdb"][order]),
        spread_ddb=np.ascontiguousarray(arrays["spread_ddb"][order]),
        rarity=np.ascontiguousarray(arrays["rarity"][order]),
        lag_s=float(arrays["lag_s"]),
        bias_sd_m=float(arrays["bias_sd_m"]),
        device_offsets_db=tuple(arrays["device_offsets_db"].tolist()),
    )
