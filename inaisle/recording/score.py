"""Say how far fixes were from the truth, without hindsight.

Layer: doors. Takes: a recording's truth and the table of emitted fixes. Gives: a `ScoreReport` to
the command line and to benchmarks. At each instant (of a 0.5 s grid, or as
inaisle.recording.score_instants says) counts the last fix that had been emitted by then; a fix
older than 2 s counts as none, and none counts as infinitely wrong and on the wrong floor.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.recording.fix_csv import EmittedFixes, SessionTag
from rtls.model.errors import InvalidRecording

GRID_MS: Final = 500
STALE_AFTER_MS: Final = 2_000
CELL_M: Final = 1.5
CELL_PLACEMENTS: Final = 3  # along each axis: 9 grids, so that no lucky grid decides
CHI_SQUARE_90: Final = 4.605170185988092  # two degrees of freedom
STANDING_EXTENT_M_MAX: Final = 0.5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where one tag really was in one session.

    Parameters
    ----------
    t_ms
        (n,) int64, rising.
    xy
        (n, 2) m; straight between two rows.
    floors
        (n,) labels, where the truth has them; between two rows that of the earlier one.
    """

    t_ms: npt.NDArray[np.int64]
    xy: Floats
    floors: npt.NDArray[np.str_] | None = None

    @property
    def is_standing(self) -> bool:
        """Return whether the tag stayed within half a metre."""
        return bool(np.all(np.ptp(self.xy, axis=0) <= STANDING_EXTENT_M_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The errors of one group of grid instants.

    `cell_hit` and `floor_hit` count over all instants, `inside_ellipse_90` over the located ones.
    """

    name: str
    instants: int
    located_share: float
    p50_m: float
    p75_m: float
    p90_m: float
    p95_m: float
    cell_hit: float
    inside_ellipse_90: float
    floor_hit: float | None = None
    """None where the truth has no floors"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """All instants, the moving and the standing ones, and each session."""

    overall: Score
    groups: tuple[Score, ...]
    sessions: tuple[Score, ...]

    @property
    def worst_session(self) -> Score:
        """Return the session with the highest p90."""
        return max(self.sessions, key=lambda score: score.p90_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Instants:
    """Grid instants of one tag in one session; NaN where it was not located."""

    truth: Floats
    estimate: Floats
    cov: Floats
    on_floor: npt.NDArray[np.bool_] | None


def score_fixes(
    truths: Mapping[SessionTag, Truth],
    fixes: Mapping[SessionTag, EmittedFixes],
    *,
    instants_ms: Mapping[SessionTag, npt.NDArray[np.int64]] | None = None,
) -> ScoreReport:
    """Score fixes against the truth.

    Parameters
    ----------
    truths, fixes
        By session and tag.
    instants_ms
        When to compare them, ms of the session's clock; a grid of 0.5 s if not given.

    Raises
    ------
    InvalidRecording
        If there is no truth, or a fix belongs to a session or tag that the truth does not know.
    """
    if not truths:
        raise InvalidRecording("the recording has no truth; there is nothing to score against.")
    strange = sorted(set(fixes) - set(truths))
    if strange:
        session, tag = strange[0]
        raise InvalidRecording(
            f"fixes of session {session!r}, tag {tag!r}, which the truth does not know. "
            "Score the file against the recording it was replayed from."
        )
    by_session: dict[str, list[_Instants]] = {}
    by_motion: dict[str, list[_Instants]] = {}
    for name, truth in truths.items():
        grid_ms = instants_ms[name] if instants_ms else half_second_grid(truth)
        instants = _instants(truth, fixes.get(name), grid_ms)
        by_session.setdefault(name[0], []).append(instants)
        motion = "standing" if truth.is_standing else "moving"
        by_motion.setdefault(motion, []).append(instants)
    everything = [part for parts in by_session.values() for part in parts]
    return ScoreReport(
        overall=_score("all", everything),
        groups=tuple(_score(name, by_motion[name]) for name in sorted(by_motion)),
        sessions=tuple(_score(name, parts) for name, parts in by_session.items()),
    )


def half_second_grid(truth: Truth) -> npt.NDArray[np.int64]:
    """Return the instants of the usual grid, from the first row of the truth to its last."""
    return np.arange(truth.t_ms[0], truth.t_ms[-1] + 1, GRID_MS)


def _instants(
    truth: Truth, fixes: EmittedFixes | None, grid_ms: npt.NDArray[np.int64]
) -> _Instants:
    where = np.column_stack([
        np.interp(grid_ms, truth.t_ms, truth.xy[:, axis]) for axis in (0, 1)
    ])  # fmt: skip
    estimate = np.full((len(grid_ms), 2), math.nan)
    cov = np.full((len(grid_ms), 3), math.nan)
    floors = np.full(len(grid_ms), "", object)
    if fixes is not None:
        last = np.searchsorted(fixes.emitted_ms, grid_ms, side="right") - 1
        is_known = last >= 0
        is_known[is_known] = grid_ms[is_known] - fixes.t_ms[last[is_known]] <= STALE_AFTER_MS
        estimate[is_known] = fixes.xy[last[is_known]]
        cov[is_known] = fixes.cov[last[is_known]]
        floors[is_known] = fixes.floors[last[is_known]]
    return _Instants(
        truth=where, estimate=estimate, cov=cov, on_floor=_on_floor(truth, floors, grid_ms)
    )


def _on_floor(
    truth: Truth, floors: npt.NDArray[np.object_], grid_ms: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_] | None:
    if truth.floors is None:
        return None
    last = np.searchsorted(truth.t_ms, grid_ms, side="right") - 1
    return np.asarray(truth.floors[np.maximum(last, 0)] == floors, np.bool_)


def _score(name: str, parts: Sequence[_Instants]) -> Score:
    truth = np.vstack([part.truth for part in parts])
    estimate = np.vstack([part.estimate for part in parts])
    cov = np.vstack([part.cov for part in parts])
    off = estimate - truth
    is_located = ~np.isnan(off[:, 0])
    errors = np.where(is_located, np.hypot(off[:, 0], off[:, 1]), math.inf)
    located = int(is_located.sum())
    inside = _inside_ellipse(off[is_located], cov[is_located])
    return Score(
        name=name,
        instants=len(errors),
        located_share=located / len(errors),
        p50_m=percentile(errors, 0.50),
        p75_m=percentile(errors, 0.75),
        p90_m=percentile(errors, 0.90),
        p95_m=percentile(errors, 0.95),
        cell_hit=_cell_hit(truth[is_located], estimate[is_located]) * located / len(errors),
        inside_ellipse_90=inside,
        floor_hit=_floor_hit(parts),
    )


def _floor_hit(parts: Sequence[_Instants]) -> float | None:
    """Return the share of instants on the true floor, None where a truth has no floors."""
    hits = [part.on_floor for part in parts if part.on_floor is not None]
    return float(np.mean(np.concatenate(hits))) if len(hits) == len(parts) else None


def percentile(errors: Floats, share: float) -> float:
    """Return the value below which ``share`` of the errors lie, linear between two of them.

    Examples
    --------
    >>> percentile(np.array([1.0, 3.0, math.inf]), 0.25), percentile(np.array([1.0, math.inf]), 0.5)
    (2.0, inf)
    """
    ordered = np.sort(errors)
    place = share * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    if below == above or math.isinf(above):  # inf - inf would be NaN
        return float(above)
    return float(below + (above - below) * (place - math.floor(place)))


def _cell_hit(truth: Floats, estimate: Floats) -> float:
    if not len(truth):
        return 0.0
    shares = []
    for across in range(CELL_PLACEMENTS):
        for along in range(CELL_PLACEMENTS):
            origin = np.array([across, along]) * CELL_M / CELL_PLACEMENTS
            same = np.floor((truth - origin) / CELL_M) == np.floor((estimate - origin) / CELL_M)
            shares.append(float(np.mean(same.all(axis=1))))
    return float(np.mean(shares))


def _inside_ellipse(off: Floats, cov: Floats) -> float:
    if not len(off):
        return 0.0
    xx, xy, yy = cov.T
    dx, dy = off.T
    distance_2 = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
    return float(np.mean(distance_2 <= CHI_SQUARE_90))
