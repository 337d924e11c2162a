"""Judge the anchors once a second: who is silent, who contradicts the others, who repeats himself.

Layer: rules. Takes: the sums that the filters keep by anchor, the fixes of the second.
Gives: weights back to the filters, and alarms to the engine's output.

Silent: an anchor is not heard while others hear tags that are nearer to it than to any other anchor
of their kind, for more than 10 s and five times its own interval. An anchor in an empty corner is
not silent, it has nothing to say.

Biased: the mean of its normalised innovations is off the median of all anchors by more than 1.25
standard deviations, and by more than four of the spread over anchors (a z-test whose spread is the
robust one of the anchors themselves, since frozen multipath makes each of them a little biased); or
its innovations are three times as large as theirs. That must hold over new places in a row, the
fewer the farther it is off: a crowd along one wall looks the same for some seconds. Its weight
falls to 0.05 and rises again when it has fitted for a while. No more than a third of the anchors
are put aside: if all seem wrong, it is the map.

Frozen multipath makes an anchor wrong by two deviations and more at one place for as long as
somebody stands there, so one place convicts nobody: what counts as evidence are new places, 3 m
from the last one of the same tag, and the innovations of who walks. No second counts more than one
place, so that a crowd needs as many seconds as a single shopper needs places.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtls.model.anchor_alarm import AlarmKind, AnchorAlarm
from rtls.model.site_map import Anchor
from rtls.model.units import AnchorId, UnixMs
from rtls.positioning.kernels.anchor_evidence import note_places

Rows = npt.NDArray[np.void]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

WATCH_DTYPE: Final = np.dtype(
    [
        ("bias", np.float64),  # running mean innovation, in standard deviations
        ("misfit", np.float64),  # running mean square of innovations
        ("stale_share", np.float64),
        ("evidence", np.float64),  # new places with innovations so far
        # Over new places in a row: how many a biased anchor has fitted at, and how much those at
        # which another has not speak against it.
        ("run", np.float64),
        ("missed_ms", np.int64),  # how long it has missed tags beside it
        ("since_ms", np.int64, (3,)),  # of the alarms in the order of `KINDS`; 0: none
        ("taken", np.int64),  # readings since the last review
        ("stale", np.int64),  # of them, repeated ones
        ("kinds", np.int64),  # bit 1 << ReadingKind of what it was ever heard by
    ],
    align=True,
)
KINDS: Final = (AlarmKind.SILENT, AlarmKind.BIASED, AlarmKind.STALE)
SILENT, BIASED, STALE = range(3)
SECOND_MS: Final = 1_000
MEMORY: Final = 10.0
JUDGED_AFTER: Final = 8.0
PLACE_M: Final = 3.0
JUDGED_MIN: Final = 4
"""with fewer anchors nobody can say which of them is wrong"""
SILENT_MS_MIN: Final = 10_000
SILENT_INTERVALS: Final = 5.0
INTERVAL_MS_MAX: Final = 60_000.0
BIAS_MAX: Final = 1.25
Z_MAX: Final = 4.0
SPREAD_MIN: Final = 0.25
MISFIT_MAX: Final = 3.0
HEALTHY_BELOW: Final = 0.6
"""of what makes an alarm"""
WELL: Final = 10.0
CONVICTED_AT: Final = 8.0
"""squared shares of the limit summed over places in a row: 8 at it, 2 at its double"""
WEIGHT_BIASED: Final = 0.05
STALE_ABOVE: Final = 0.5
STALE_BELOW: Final = 0.2
FIXES_LOOKED_AT: Final = 256
REACH_M: Final = 15.0
"""a tag farther away may be out of reach even of its nearest anchor"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPlaces:
    """Where the anchors are, in the order of the site map."""

    names: tuple[AnchorId, ...]
    x_m: Floats
    y_m: Floats
    floor: npt.NDArray[np.int64]

    @classmethod
    def of(cls, anchors: tuple[Anchor, ...]) -> "AnchorPlaces":
        """Return the places of ``anchors``; one without a place is near to nothing."""
        return cls(
            names=tuple(anchor.anchor for anchor in anchors),
            x_m=np.array([a.x_m if a.is_placed else np.inf for a in anchors], np.float64),
            y_m=np.array([a.y_m if a.is_placed else np.inf for a in anchors], np.float64),
            floor=np.array([a.floor for a in anchors], np.int64),
        )


def new_places(fixes: Rows, tags: Rows, *, at_ms: UnixMs) -> int:
    """Return how many tags heard in the last second have come to a new place, and note it.

    Parameters
    ----------
    fixes
        `FIX_DTYPE` of the second, each tag at most once.
    tags
        `REPEATS_DTYPE`, (capacity,): the last place of each tag is updated in place.
    at_ms
        The end of the second.
    """
    return int(note_places(fixes, tags, int(at_ms) - SECOND_MS, PLACE_M))


def review_anchors(
    health: Rows, watch: Rows, *, fixes: Rows, places: AnchorPlaces, new: int, at_ms: UnixMs
) -> tuple[AnchorAlarm, ...]:
    """Judge every anchor by the last second; set weights, reset sums, return what has changed.

    Parameters
    ----------
    health
        `HEALTH_DTYPE`, (n_anchors,): sums are set to 0 once they have been used, weights are set.
    watch
        `WATCH_DTYPE`, (n_anchors,): what is remembered from second to second.
    fixes
        `FIX_DTYPE` of the second; those without evidence in it are passed over.
    places
        Of the anchors.
    new
        From `new_places`.
    at_ms
        A whole second. One without any reading changes nothing.
    """
    if not health.size:
        return ()
    before = watch["since_ms"].copy()
    _judge_silence(health, watch, fixes, places, at_ms)
    _judge_bias(health, watch, min(new, 1), at_ms)
    _judge_repeats(watch, at_ms)
    health["weight"] = np.where(watch["since_ms"][:, BIASED] > 0, WEIGHT_BIASED, 1.0)
    return _changes(watch, before, places)


def standing_alarms(watch: Rows, places: AnchorPlaces) -> tuple[AnchorAlarm, ...]:
    """Return the alarms that stand, in the order of the anchors."""
    return _changes(watch, np.zeros_like(watch["since_ms"]), places)


def _judge_silence(
    health: Rows, watch: Rows, fixes: Rows, places: AnchorPlaces, at_ms: int
) -> None:
    # One that repeats itself is not silent, though the filters hear nothing of it.
    was_heard = (health["heard_at_ms"] > at_ms - SECOND_MS) | (watch["taken"] > 0)
    missed = _beside_tags(watch, fixes, places, at_ms) & ~was_heard & (health["heard_at_ms"] > 0)
    watch["missed_ms"][was_heard] = 0
    watch["missed_ms"][missed] += SECOND_MS
    usual_ms = np.minimum(health["interval_ms"], INTERVAL_MS_MAX)
    limit_ms = np.maximum(SILENT_MS_MIN, SILENT_INTERVALS * usual_ms)
    _set(watch, SILENT, watch["missed_ms"] > limit_ms, at_ms, is_over=was_heard)


def _beside_tags(watch: Rows, fixes: Rows, places: AnchorPlaces, at_ms: int) -> Flags:
    """Return which anchors have a tag beside them that was heard in the last second."""
    beside = np.zeros(watch.size, np.bool_)
    which = np.flatnonzero(fixes["evidence_at_ms"] > at_ms - SECOND_MS)
    heard = fixes[which[:: which.size // FIXES_LOOKED_AT + 1]]
    if not heard.size:
        return beside
    away_m = np.hypot(
        heard["x_m"][:, None] - places.x_m[None, :], heard["y_m"][:, None] - places.y_m[None, :]
    )
    is_other = heard["floor"][:, None] != places.floor[None, :]
    is_deaf = (heard["kinds"].astype(np.int64)[:, None] & watch["kinds"][None, :]) == 0
    away_m[is_other | is_deaf] = np.inf
    nearest = away_m.argmin(axis=1)
    beside[nearest[away_m[np.arange(heard.size), nearest] <= REACH_M]] = True
    return beside


def _judge_bias(health: Rows, watch: Rows, new: int, at_ms: int) -> None:
    count = health["count"]
    has_news = (count > 0) & (new > 0)
    watch["evidence"][has_news] += new
    gain = new / np.minimum(np.maximum(watch["evidence"], 1.0), MEMORY)[has_news]
    for name, total in (("bias", "residual_sum"), ("misfit", "residual_sq_sum")):
        now = health[total][has_news] / count[has_news]
        watch[name][has_news] += gain * (now - watch[name][has_news])
        health[total][has_news] = 0.0
    count[has_news] = 0
    severity = _severity(watch)
    is_biased = watch["since_ms"][:, BIASED] > 0
    in_favour = np.where(severity < HEALTHY_BELOW, watch["run"] + new, 0.0)
    against = np.where(severity >= 1.0, watch["run"] + new * severity**2, 0.0)
    watch["run"][has_news] = np.where(is_biased, in_favour, against)[has_news]
    is_cleared = is_biased & (watch["run"] >= WELL)
    # The worst first, and no more than a third of all.
    judged = int(np.count_nonzero(watch["evidence"] >= JUDGED_AFTER))
    room = max(1, judged // 3) - int(np.count_nonzero(is_biased))
    suspects = np.flatnonzero((watch["run"] >= CONVICTED_AT) & ~is_biased & has_news)
    worst = suspects[np.argsort(-severity[suspects], kind="stable")][: max(room, 0)]
    is_found = np.zeros(watch.size, np.bool_)
    is_found[worst] = True
    watch["run"][is_found | is_cleared] = 0.0
    _set(watch, BIASED, is_found, at_ms, is_over=is_cleared)


def _severity(watch: Rows) -> Floats:
    """Return how far each anchor is on the way to an alarm, 1 and more being one."""
    severity = np.zeros(watch.size)
    judged = np.flatnonzero(watch["evidence"] >= JUDGED_AFTER)
    if judged.size < JUDGED_MIN:
        return severity
    bias, misfit = watch["bias"][judged], watch["misfit"][judged]
    off = np.abs(bias - np.median(bias))
    spread = max(1.4826 * float(np.median(off)), SPREAD_MIN)
    by_bias = np.minimum(off / BIAS_MAX, off / spread / Z_MAX)
    usual = max(float(np.median(misfit)), 1.0)
    severity[judged] = np.maximum(by_bias, np.sqrt(misfit / usual) / MISFIT_MAX)
    return severity


def _judge_repeats(watch: Rows, at_ms: int) -> None:
    has_news = watch["taken"] > 0
    share = watch["stale"][has_news] / watch["taken"][has_news]
    watch["stale_share"][has_news] += (share - watch["stale_share"][has_news]) / MEMORY
    watch["taken"] = watch["stale"] = 0
    _set(
        watch,
        STALE,
        watch["stale_share"] > STALE_ABOVE,
        at_ms,
        is_over=watch["stale_share"] < STALE_BELOW,
    )


def _set(watch: Rows, kind: int, is_found: Flags, at_ms: int, *, is_over: Flags) -> None:
    since_ms = watch["since_ms"][:, kind]
    kept = np.where(is_over, 0, since_ms)
    watch["since_ms"][:, kind] = np.where(is_found & (since_ms == 0), at_ms, kept)


def _changes(
    watch: Rows, before: npt.NDArray[np.int64], places: AnchorPlaces
) -> tuple[AnchorAlarm, ...]:
    now = watch["since_ms"]
    figures = np.stack(
        (watch["missed_ms"] / SECOND_MS, _signed_figure(watch), watch["stale_share"]), axis=1
    )
    return tuple(
        AnchorAlarm(
            anchor=places.names[anchor],
            kind=KINDS[kind],
            since_ms=UnixMs(int(max(now[anchor, kind], before[anchor, kind]))),
            figure=float(figures[anchor, kind]),
            is_over=bool(now[anchor, kind] == 0),
        )
        for anchor, kind in np.argwhere((now > 0) != (before > 0)).tolist()
    )


def _signed_figure(watch: Rows) -> Floats:
    """Return the mean innovation, or where that is small the size of the innovations."""
    size = np.sqrt(watch["misfit"])
    return np.where(2.0 * np.abs(watch["bias"]) < size, size, watch["bias"])
