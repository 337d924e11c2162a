"""Level a survey: find how much louder one surveying device hears than another.

Layer: rules. Takes: `SiteMap`, `Survey`. Gives: `LevelSurvey` and the laws of placed anchors to
rtls.positioning.radio_map_fit.

Two phones differ by up to 20 dB. Left in, the map would show where which phone was carried. With
anchors of known place laws and offsets are fitted together (rtls.positioning.path_loss); without,
the devices are compared where they heard the same anchor within a metre.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.site_map import SiteMap
from rtls.model.survey import Survey
from rtls.model.units import AnchorId, Dbm, Metre
from rtls.positioning.calibration import AnchorLoss
from rtls.positioning.path_loss import SurveySample, fit_survey
from rtls.positioning.survey_bins import BIN_M
from rtls.positioning.survey_fields import LevelSurvey, anchor_numbers

ROUNDS: Final = 10
Floats = npt.NDArray[np.float64]


def level_survey(
    site_map: SiteMap, survey: Survey
) -> tuple[LevelSurvey, Mapping[AnchorId, AnchorLoss]]:
    """Return the survey with the level of each stop, and the laws of the placed anchors heard."""
    numbers = anchor_numbers(site_map, survey)
    is_placed = np.array([site_map.anchors[number].is_placed for number in numbers])
    losses: Mapping[AnchorId, AnchorLoss] = {}
    if is_placed[survey.heard["anchor"]].any():
        fit = fit_survey(site_map, _samples(survey, is_placed))
        losses = fit.calibration.losses
        offsets = np.array([fit.offset_db.get(device, 0.0) for device in survey.devices])
    else:
        offsets = compared_offsets(survey)
    level = LevelSurvey(
        survey=survey,
        n_anchors=len(site_map.anchors),
        anchor_of=numbers,
        offsets_db=offsets,
    )
    return level, losses


def _samples(survey: Survey, is_placed: npt.NDArray[np.bool_]) -> list[SurveySample]:
    stops = survey.stops[survey.heard["stop"]]
    return [
        SurveySample(
            anchor=survey.anchors[row["anchor"]],
            x_m=Metre(float(stop["x_m"])),
            y_m=Metre(float(stop["y_m"])),
            z_m=Metre(float(stop["z_m"])),
            rssi=Dbm(float(row["rssi"])),
            spread_db=float(np.nan_to_num(row["spread_db"])),
            device=survey.devices[stop["device"]],
        )
        for row, stop in zip(survey.heard, stops, strict=True)
        if is_placed[row["anchor"]]
    ]


def compared_offsets(survey: Survey) -> Floats:
    """Return (n_devices,) how much louder each hears than the mean of them, dB.

    Devices are compared where they heard the same anchor within a metre; one that met no other
    counts as the mean.
    """
    n_devices = len(survey.devices)
    offsets = np.zeros(n_devices)
    if n_devices == 1:
        return offsets
    stops = survey.stops[survey.heard["stop"]]
    keys = np.column_stack([
        stops["floor"],
        np.floor(stops["x_m"] / BIN_M),
        np.floor(stops["y_m"] / BIN_M),
        survey.heard["anchor"],
    ])  # fmt: skip
    _, cell = np.unique(keys, axis=0, return_inverse=True)
    cell = cell.ravel()
    rssi = survey.heard["rssi"].astype(np.float64)
    device = stops["device"]
    count = np.bincount(cell)
    for _ in range(ROUNDS):
        mean = np.bincount(cell, rssi - offsets[device]) / count
        residual = rssi - mean[cell]
        offsets = np.array([
            float(np.median(residual[device == number])) if (device == number).any() else 0.0
            for number in range(n_devices)
        ])  # fmt: skip
        offsets -= offsets.mean()
    return offsets
