"""Make the calibration of a site from a survey.

Layer: doors. Takes: `Material`. Gives: `Fitted` to the test through the filter and to the file.
The mathematics stand in rtls.positioning; here they are put together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inaisle.calibration.calibration_input import Material, as_anchor
from inaisle.calibration.radio_survey import radio_map_from
from inaisle.calibration.survey_places import MINUTE_MS, Stretch
from rtls.model.errors import InvalidCalibration
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import AnchorId, Dbm, TagId
from rtls.positioning.calibration import AnchorLoss, Calibration
from rtls.positioning.path_loss import SurveyFit, fit_survey
from rtls.positioning.placed_readings import (
    ANCHOR_DEVICE,
    PLACED_DTYPE,
    PlacedReadings,
    refuse_poor_places,
    samples_of,
)
from rtls.positioning.range_calibration import by_anchor, fit_ranges
from rtls.positioning.self_calibration import STEP_MS, WalkRanges, self_calibrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a survey taught.

    Parameters
    ----------
    offset_db
        How much louder each surveying device hears than the mean of them.
    """

    calibration: Calibration
    offset_db: Mapping[str, float]


def fit_material(site_map: SiteMap, material: Material) -> Fitted:
    """Fit ranges and path loss to all that there is.

    Raises
    ------
    InvalidCalibration
        If the places are too few or on one line, or there is nothing to fit.
    """
    placed, links = material.placed, material.links
    if len(placed.rows):
        refuse_poor_places(placed)
    if not (len(placed.rows) or len(links.rows)):
        raise InvalidCalibration(
            "the survey has no reading of a known place and none between anchors; expected either. "
            "Check the times of the points, and that the tag was switched on."
        )
    errors = fit_ranges(site_map, placed, links)
    samples = tuple(samples_of(site_map, placed, links))
    fit = fit_survey(site_map, samples) if samples else SurveyFit(
        calibration=Calibration(), offset_db={}
    )  # fmt: skip
    losses, offset_db = level_of_tags(fit)
    return Fitted(
        calibration=Calibration(
            losses=losses,
            ranges=errors.ranges,
            links=errors.links,
            radio_map=radio_map_from(site_map, placed),
        ),
        offset_db=offset_db,
    )


def level_of_tags(fit: SurveyFit) -> tuple[dict[AnchorId, AnchorLoss], dict[str, float]]:
    """Shift the laws to what tags are heard at, where anchors that hear anchors joined the fit.

    Anchors send louder or softer than phones; their offsets must not set the level.
    """
    tags = {name: o for name, o in fit.offset_db.items() if not name.startswith(ANCHOR_DEVICE)}
    shift = float(np.mean(list(tags.values()))) if tags else 0.0
    losses = {
        anchor: replace(loss, rssi_at_1m=Dbm(loss.rssi_at_1m + shift))
        for anchor, loss in fit.calibration.losses.items()
    }
    return losses, {name: offset - shift for name, offset in tags.items()}


def place_by_ranges(
    site_map: SiteMap, material: Material, *, folder: Path, tag_height_m: float
) -> Material:
    """Find out where the tags of a recording without points walked, from their ranges alone.

    Raises
    ------
    InvalidCalibration
        If no walk is long and wide enough; the first reason is told.
    """
    recording = material.recording
    assert recording is not None
    index = site_map.anchor_index
    to_map = np.array([index[anchor] for anchor in recording.anchors], np.int32)
    pieces, stretches, next_stop = [], [], 0
    reasons: list[str] = []
    for session in range(len(recording.sessions)):
        for tag, name in enumerate(recording.tags):
            rows = recording.rows
            own = (rows["session"] == session) & (rows["tag"] == tag)
            own &= rows["kind"] == ReadingKind.RANGE
            if not own.any() or as_anchor(name) in index:
                continue
            walk = WalkRanges(
                t_ms=rows["t_ms"][own],
                anchor=to_map[rows["anchor"][own]],
                range_m=rows["value"][own],
            )
            try:
                solved = self_calibrate(site_map, walk, tag_height_m=tag_height_m)
            except InvalidCalibration as error:
                reasons.append(f"session {recording.sessions[session].name}, tag {name}: {error}")
                continue
            piece, minutes = placed_walk(
                walk, solved.path_m, site_map=site_map, tag_height_m=tag_height_m,
                next_stop=next_stop,
            )  # fmt: skip
            piece["tag"] = tag
            next_stop = int(piece["stop"].max()) + 1
            pieces.append(piece)
            stretches += [replace(m, session=session, tag=name) for m in minutes]
    if not pieces:
        raise InvalidCalibration(
            f"{folder}: no walk without waypoints can be solved. {reasons[0] if reasons else ''}"
        )
    return replace(
        material,
        placed=PlacedReadings(rows=np.concatenate(pieces), tags=recording.tags),
        stretches=tuple(stretches),
        kind="walk",
    )


def placed_walk(
    walk: WalkRanges,
    path_m: np.ndarray,
    *,
    site_map: SiteMap,
    tag_height_m: float,
    next_stop: int,
) -> tuple[np.ndarray, list[Stretch]]:
    """Return the readings of a solved walk with their places, and its minutes."""
    first_ms = int(walk.t_ms.min())
    step = np.unique((walk.t_ms - first_ms) // STEP_MS, return_inverse=True)[1]
    placed = np.zeros(len(walk.t_ms), PLACED_DTYPE)
    minute = (walk.t_ms - first_ms) // MINUTE_MS
    # Two seconds of a walk are one stop, as with waypoints.
    placed["stop"] = next_stop + np.unique((walk.t_ms - first_ms) // (4 * STEP_MS),
                                           return_inverse=True)[1]  # fmt: skip
    placed["anchor"], placed["kind"] = walk.anchor, ReadingKind.RANGE
    placed["floor"] = site_map.anchors[int(walk.anchor[0])].floor
    placed["x_m"], placed["y_m"] = path_m[step].T
    placed["z_m"], placed["value"] = tag_height_m, walk.range_m
    stretches = []
    for number in np.unique(minute).tolist():
        own = np.flatnonzero(minute == number)
        _, firsts = np.unique(step[own], return_index=True)
        chosen = own[firsts]
        path = np.stack([
            walk.t_ms[chosen], placed["x_m"][chosen], placed["y_m"][chosen],
            placed["floor"][chosen],
        ], axis=1)  # fmt: skip
        stretches.append(
            Stretch(
                name=f"minute {number}",
                session=0,
                tag=None,
                from_ms=int(walk.t_ms[own].min()),
                to_ms=int(walk.t_ms[own].max()),
                stops=tuple(np.unique(placed["stop"][own]).tolist()),
                path=path,
            )
        )
    return placed, stretches


def strangers(calibration: Calibration) -> Iterator[tuple[TagId, Calibration]]:
    """Yield each tag that was ranged, with a calibration that has never seen it.

    What other tags taught of the anchors is all that is known of such a tag, as of a shopper's.
    Where there was one tag only, its own errors stand for those of others.
    """
    tags = sorted({tag for tag, _ in calibration.links})
    for tag in tags:
        others = {link: error for link, error in calibration.links.items() if link[0] != tag}
        learnt = by_anchor(others)
        yield tag, replace(calibration, links=others, ranges={**calibration.ranges, **learnt})
