"""Test a calibration on what it was not made from, through the real filter.

Layer: doors. Takes: `Material`. Gives: `HeldBack` errors to the report. A fifth of the points (or
minutes of a walk) is held back, the rest calibrates, and the readings of the fifth go through
decoder, admission, epochs and engine as those of a shopper do; then the next fifth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.calibration.calibration_fit import fit_material, strangers
from inaisle.calibration.calibration_input import Material
from inaisle.calibration.survey_places import Stretch
from inaisle.recording.replay import Replay, Tally, replay_rows
from rtls.ingest.recording import ORIGIN_MS, RECORDED_DTYPE, Recording, Session
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.positioning.calibration import Calibration
from rtls.positioning.placed_readings import PlacedReadings

Floats = npt.NDArray[np.float64]
FOLDS: Final = 5
SETTLE_MS: Final = 3_000  # a shopper's first seconds are not judged
GRID_MS: Final = 500
STALE_MS: Final = 2_000
TESTED_MS_MAX: Final = 300_000  # five minutes tell enough, and replaying takes time
MEANS_S: Final = 8
GAP_MS: Final = 600_000
CHI_SQUARE_90: Final = 4.605170185988092
ZONE_SIZES_M: Final = (1.25, 2.5, 4.5, 6.0, 10.0)
ZONE_HIT_MIN: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Errors at places that calibration had not seen.

    Parameters
    ----------
    error_m
        (n, 2), NaN where the tag was not located.
    inside_90
        Share of the located instants with the truth inside the filter's 90 % ellipse.
    guess_m
        Median error of always answering the centre of the survey.
    """

    error_m: Floats
    inside_90: float
    guess_m: float

    @property
    def located_share(self) -> float:
        """Return the share of instants with a fresh fix."""
        return float(np.mean(np.isfinite(self.error_m[:, 0])))

    def at(self, share: float) -> float:
        """Return the error that ``share`` of the instants keep; infinite where unlocated."""
        distance = np.linalg.norm(self.error_m, axis=1)
        distance = np.where(np.isfinite(distance), distance, np.inf)
        return float(np.quantile(distance, share, method="higher"))

    def zone_hit(self, size_m: float) -> float:
        """Return how often the right square zone of this size would be named."""
        share = np.clip(1.0 - np.abs(self.error_m) / size_m, 0.0, 1.0).prod(axis=1)
        return float(np.mean(np.nan_to_num(share)))

    @property
    def zone_size_m(self) -> float | None:
        """Return the smallest zone that is named right at least four times of five."""
        return next((s for s in ZONE_SIZES_M if self.zone_hit(s) >= ZONE_HIT_MIN), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What the test found, by kind of reading.

    Parameters
    ----------
    known
        With the surveyor's own tag.
    unknown
        Each ranged tag as if it had never been seen; empty where no tag was ranged.
    """

    known: Mapping[ReadingKind, HeldBack] = field(default_factory=dict)
    unknown: Mapping[ReadingKind, HeldBack] = field(default_factory=dict)


def hold_back(site_map: SiteMap, material: Material) -> Tested:
    """Test by fifths, tags that are ranged apart from those whose strength is heard."""
    material = stood_for_means(site_map, material)
    site = replace(
        site_map, zones=(), anchors=tuple(replace(a, gateway=None) for a in site_map.anchors)
    )
    chosen = thinned(material.stretches)
    centre = np.mean([stretch.path[:, 1:3].mean(axis=0) for stretch in chosen], axis=0)
    known: dict[ReadingKind, list[Judged]] = {}
    unknown: dict[ReadingKind, list[Judged]] = {}
    for fold in range(min(FOLDS, len(chosen))):
        held = chosen[fold::FOLDS]
        stops = {stop for stretch in held for stop in stretch.stops}
        rest = replace(material, placed=material.placed.without(stops))
        learnt = fit_material(site_map, rest).calibration
        for kind, part in errors_of(site, material, held, known=learnt):
            known.setdefault(kind, []).append(part)
        for tag, stranger in strangers(learnt):
            own = tuple(replace(s, tag=tag) for s in held if s.tag in {None, tag})
            for kind, part in errors_of(site, material, own, known=stranger):
                unknown.setdefault(kind, []).append(part)
    return Tested(
        known={kind: summed(own, centre) for kind, own in sorted(known.items())},
        unknown={kind: summed(own, centre) for kind, own in sorted(unknown.items())},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One tag at one held stretch: errors and truths, (n, 2), and in the ellipse or not."""

    error_m: Floats
    truth_m: Floats
    inside: npt.NDArray[np.bool_]


def summed(parts: list[Judged], centre: Floats) -> HeldBack:
    """Return all stretches as one."""
    guess = np.vstack([part.truth_m for part in parts]) - centre
    inside = np.concatenate([part.inside for part in parts])
    return HeldBack(
        error_m=np.vstack([part.error_m for part in parts]),
        inside_90=float(inside.mean()) if inside.size else 0.0,
        guess_m=float(np.median(np.linalg.norm(guess, axis=1))),
    )


def thinned(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Return stretches of at most `TESTED_MS_MAX` in all, evenly chosen."""
    total_ms = sum(stretch.to_ms - stretch.from_ms for stretch in stretches)
    return stretches[:: max(1, -(-total_ms // TESTED_MS_MAX))]


def errors_of(
    site_map: SiteMap, material: Material, held: tuple[Stretch, ...], *, known: Calibration
) -> Iterator[tuple[ReadingKind, Judged]]:
    """Replay held stretches; yield how each tag of each was located, by its kind of reading."""
    assert material.recording is not None
    if not held:
        return
    recording = cut_out(material.recording, held)
    replay = Replay(recording=recording, site_map=site_map, calibration=known)
    fixes: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for session, t_s, _, tag, x, y, _, _, *cov in replay_rows(replay, Tally()):
        row = tuple(float(str(value)) for value in (t_s, x, y, *cov))
        fixes.setdefault((str(session), str(tag)), []).append(row)
    for index, stretch in enumerate(held):
        rows = recording.rows[recording.rows["session"] == index]
        for tag in np.unique(rows["tag"]).tolist():
            kinds = rows["kind"][rows["tag"] == tag]
            kind = ReadingKind.RANGE if ReadingKind.RANGE in kinds else ReadingKind.RSSI
            own = np.array(fixes.get((str(index), recording.tags[tag]), []))
            yield kind, judged(stretch, own.reshape(-1, 6))


def judged(stretch: Stretch, fixes: Floats) -> Judged:
    """Compare the last fix at each half second with the truth."""
    grid = np.arange(SETTLE_MS, max(stretch.to_ms - stretch.from_ms, SETTLE_MS + 1), GRID_MS)
    at_ms = stretch.path[:, 0] - stretch.from_ms
    truth = np.stack([np.interp(grid, at_ms, stretch.path[:, axis]) for axis in (1, 2)], axis=1)
    error = np.full((len(grid), 2), np.nan)
    if not len(fixes):
        return Judged(error_m=error, truth_m=truth, inside=np.zeros(0, np.bool_))
    fixed_ms = fixes[:, 0] * 1000.0
    last = np.searchsorted(fixed_ms, grid, side="right") - 1
    fresh = (last >= 0) & (grid - fixed_ms[np.maximum(last, 0)] <= STALE_MS)
    error[fresh] = fixes[last[fresh], 1:3] - truth[fresh]
    (dx, dy), (xx, xy, yy) = error[fresh].T, fixes[last[fresh], 3:].T
    form = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
    return Judged(error_m=error, truth_m=truth, inside=form <= CHI_SQUARE_90)


def cut_out(recording: Recording, held: tuple[Stretch, ...]) -> Recording:
    """Return a recording with a session for each stretch, in which nothing else is heard."""
    pieces, sessions = [], []
    for index, stretch in enumerate(held):
        rows = recording.rows
        own = (rows["session"] == stretch.session) & (rows["t_ms"] >= stretch.from_ms)
        own &= rows["t_ms"] <= stretch.to_ms
        if stretch.tag is not None:
            own &= np.array([name == stretch.tag for name in recording.tags])[rows["tag"]]
        piece = rows[own].copy()
        piece["session"] = index
        piece["t_ms"] -= stretch.from_ms
        pieces.append(piece)
        starts_at_ms = UnixMs(ORIGIN_MS + index * GAP_MS)
        sessions.append(
            Session(
                name=str(index),
                starts_at_ms=starts_at_ms,
                ends_at_ms=UnixMs(starts_at_ms + stretch.to_ms - stretch.from_ms),
            )
        )
    return replace(recording, rows=np.concatenate(pieces), sessions=tuple(sessions), survey=None)


def stood_for_means(site_map: SiteMap, material: Material) -> Material:
    """Make readings of a survey that kept only means: each mean once a second.

    They have the error of the place but not that of the moment, so the test is a little kind.
    """
    if material.kind != "means":
        return material
    placed = material.placed
    pieces, stretches = [], []
    for session, stop in enumerate(placed.stops.tolist()):
        own = placed.rows[placed.rows["stop"] == stop]
        rows = np.zeros(len(own) * MEANS_S, RECORDED_DTYPE)
        rows["session"] = session
        rows["t_ms"] = np.repeat(np.arange(MEANS_S) * 1000, len(own))
        for column in ("tag", "anchor", "value"):
            rows[column] = np.tile(own[column], MEANS_S)
        rows["kind"] = ReadingKind.RSSI
        pieces.append(rows)
        x, y, floor = own["x_m"][0], own["y_m"][0], own["floor"][0]
        stretches.append(
            Stretch(
                name=f"point {stop}",
                session=session,
                tag=None,
                from_ms=0,
                to_ms=(MEANS_S - 1) * 1000,
                stops=(stop,),
                path=np.array([(0, x, y, floor)]),
            )
        )
    recording = Recording(
        site_map=site_map,
        sessions=(),
        tags=placed.tags,
        anchors=tuple(anchor.anchor for anchor in site_map.anchors),
        rows=np.concatenate(pieces),
        left_out=0,
    )
    held = PlacedReadings(rows=placed.rows, tags=placed.tags)
    return replace(material, recording=recording, stretches=tuple(stretches), placed=held)
