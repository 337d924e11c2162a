"""Play a day of a chain against the measured cost of its frames, and a worker's death at its peak.

Layer: doors. Takes: a plan, workers, partitions, a seed. Gives: `DayRun` to the command: how long
work waits, what a failure costs, and whether the day is worked off at all.

The day is played second by second for each worker, the busiest minutes frame by frame. All shards
send their frames at the same instants, as epochs end everywhere at once: that is the worst case.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from inaisle.capacity.arrivals import DAY_S, Bools, Floats, Ints, StoreKeys, draw_keys, presence
from inaisle.capacity.measured import FrameCost
from inaisle.capacity.needs import ChainNeeds
from inaisle.capacity.queueing import done_at
from inaisle.errors import InvalidSettings

BEFORE_S: Final = 30
AFTER_S: Final = 300
JITTER_S: Final = 0.05
"""frames of one instant arrive within this time"""
REPEATED_S: Final = 1.0
"""what a worker did since its last checkpoint is done again by the next"""
REBALANCE_S: Final = 2.0
"""at the end of the gap everybody stands still so long, in the worst case"""
LATE_S: Final = 1.0
SURVIVORS_MAX: Final = 16
WORKERS_MAX: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """How long it took from a frame's arrival until it was done, in seconds."""

    p50_s: float
    p99_s: float
    max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRun:
    """A worker dies in the busiest minute.

    Parameters
    ----------
    before, after
        Of all frames of the minutes before and after, of the dead worker's shards.
    others
        Of the shards that those who took over had before, afterwards.
    frames_waiting
        When the others take over.
    caught_up_s
        After the death, until no frame waits over a second; None if not within five minutes.
    """

    before: Lags
    after: Lags
    others: Lags
    frames_waiting: int
    frames_repeated: int
    caught_up_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRun:
    """A simulated day.

    Parameters
    ----------
    busy_mean, busy_most
        Of the average and of the fullest worker, in the busiest minute.
    waiting_s
        Work that waits beyond the second in which it came, over all open seconds and workers.
    left_s
        Of the worst worker when the day ends: more than 0 says that it is not worked off.
    """

    workers: int
    partitions: int
    seed: int
    busy_mean: float
    busy_most: float
    waiting_s: Lags
    frames_waiting_max: int
    left_s: float
    failure: FailureRun | None

    @property
    def is_worked_off(self) -> bool:
        """Return whether nothing waits when the day is over."""
        return self.left_s <= 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    needs: ChainNeeds
    cost: FrameCost
    keys: StoreKeys
    partition: Ints
    """(keys,) in which each is"""
    owner: Ints
    """(partitions,) which worker has each"""

    def keys_of(self, worker: int) -> Ints:
        return np.flatnonzero(self.owner[self.partition] == worker)


def play_day(
    needs: ChainNeeds, cost: FrameCost, *, workers: int, partitions: int, seed: int
) -> DayRun:
    """Play a day.

    Raises
    ------
    InvalidSettings
        If there is nothing to play, or workers and partitions do not fit each other.
    """
    if not 1 <= workers <= WORKERS_MAX or partitions < workers:
        raise InvalidSettings(
            f"--workers is {workers} and --partitions {partitions}; expected 1 to {WORKERS_MAX:,} "
            "workers and as many partitions at least: a worker without a partition does nothing."
        )
    if not needs.keys:
        raise InvalidSettings(
            "--thin-share is 0: stores locate by themselves, and no worker of the chain has "
            "anything to do. Leave --simulate out."
        )
    rng = np.random.default_rng(seed)
    keys = draw_keys(needs, rng)
    chain = _Chain(
        needs=needs,
        cost=cost,
        keys=keys,
        partition=rng.integers(0, partitions, needs.keys),
        owner=np.arange(partitions) % workers,
    )
    return _play(chain, workers, rng, seed)


def _play(chain: _Chain, workers: int, rng: np.random.Generator, seed: int) -> DayRun:
    peak_s = _peak_s(chain)
    busy = np.array([_busy(chain, worker, peak_s) for worker in range(workers)])
    step = 1 + workers // 64  # enough for a percentile, within bounds for memory
    waits, left, waiting = [], 0.0, 0
    for worker in range(workers):
        work = _work(chain, worker, rng)
        wait = _waiting(work)
        waits.append(wait[_open(chain)][::step])
        left = max(left, float(wait[-1]))
        mean_s = float(work.sum()) / max(_frames_a_second(chain, worker) * DAY_S, 1.0)
        waiting = max(waiting, int(wait.max() / mean_s) if mean_s else 0)
    dead = int(busy.argmax())
    return DayRun(
        workers=workers,
        partitions=len(chain.owner),
        seed=seed,
        busy_mean=float(busy.mean()),
        busy_most=float(busy.max()),
        waiting_s=_lags(np.concatenate(waits)),
        frames_waiting_max=waiting,
        left_s=left,
        failure=_fail(chain, busy, dead, peak_s, rng) if workers > 1 and busy[dead] else None,
    )


def _frames_a_second(chain: _Chain, worker: int) -> float:
    return len(chain.keys_of(worker)) * 1_000.0 / chain.needs.epoch_ms


def _fullness(chain: _Chain, keys: Ints, at_s: float) -> Floats:
    return presence(at_s - chain.keys.opens_later_s[keys])


def _peak_s(chain: _Chain) -> float:
    minutes = np.arange(0.0, DAY_S, 60.0)
    by_zone = np.bincount(
        (chain.keys.opens_later_s / 3600.0).astype(np.int64), chain.keys.readings_a_second
    )
    total = sum(
        size * presence(minutes - 3600.0 * zone) for zone, size in enumerate(by_zone.tolist())
    )
    return float(minutes[int(np.argmax(total))])


def _busy(chain: _Chain, worker: int, at_s: float) -> float:
    keys = chain.keys_of(worker)
    readings = chain.keys.readings_a_second[keys] * _fullness(chain, keys, at_s)
    frames = _frames_a_second(chain, worker)
    return frames * chain.cost.frame_s + float(readings.sum()) * chain.cost.reading_s


def _work(chain: _Chain, worker: int, rng: np.random.Generator) -> Floats:
    """Return the seconds of work that come in each second of the day."""
    keys, day = chain.keys_of(worker), np.arange(float(DAY_S))
    zones = (chain.keys.opens_later_s[keys] / 3600.0).astype(np.int64)
    by_zone = np.bincount(zones, chain.keys.readings_a_second[keys])
    readings = np.zeros(DAY_S)
    for zone, size in enumerate(by_zone.tolist()):
        readings += size * presence(day - 3600.0 * zone)
    frames = _frames_a_second(chain, worker) * chain.cost.frame_s
    work: Floats = frames + rng.poisson(readings).astype(np.float64) * chain.cost.reading_s
    return work


def _waiting(work: Floats) -> Floats:
    """Return what is left of the work when each second ends."""
    seconds = np.arange(float(len(work)))
    return np.maximum(done_at(seconds, work) - (seconds + 1.0), 0.0)


def _open(chain: _Chain) -> Bools:
    day = np.arange(float(DAY_S))
    zones = np.unique(chain.keys.opens_later_s)
    is_open: Bools = np.any([presence(day - later) > 0.0 for later in zones], axis=0)
    return is_open


def _fail(
    chain: _Chain, busy: Floats, dead: int, peak_s: float, rng: np.random.Generator
) -> FailureRun:
    lost = np.flatnonzero(chain.owner == dead)
    alive = np.flatnonzero(np.arange(len(busy)) != dead)
    takes_over = alive[np.arange(len(lost)) % len(alive)]
    # Where it is fullest afterwards it lasts longest; and one who got nothing shows nothing.
    fullest = sorted(set(takes_over.tolist()), key=lambda worker: -busy[worker])[:SURVIVORS_MAX]
    own, moved, waiting, repeated = [], [], 0, 0
    for worker in fullest:
        got = np.flatnonzero(np.isin(chain.partition, lost[takes_over == worker]))
        mine, theirs = _taken_over(chain, chain.keys_of(worker), got, peak_s, rng)
        own.append(mine)
        moved.append(theirs)
        waiting += int(np.count_nonzero((theirs[0] >= 0.0) & (theirs[0] < chain.needs.gap_s)))
        repeated += int(np.count_nonzero((theirs[0] >= -REPEATED_S) & (theirs[0] < 0.0)))
    arrived, lag = np.concatenate(moved, axis=1)
    late = arrived[lag > LATE_S] + lag[lag > LATE_S]
    ends_s = float(late.max()) if late.size else 0.0
    alone = _lags_of(*_frames(chain, chain.keys_of(dead), peak_s, (-BEFORE_S, 0), rng))
    return FailureRun(
        before=_lags(alone),
        after=_lags(lag),
        others=_lags(np.concatenate(own, axis=1)[1]),
        frames_waiting=waiting,
        frames_repeated=repeated,
        caught_up_s=ends_s if ends_s < AFTER_S else None,
    )


def _frames(
    chain: _Chain, keys: Ints, at_s: float, span: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return when the frames of some shards arrive, and what each takes; in order of arrival."""
    epoch_s = chain.needs.epoch_ms / 1_000.0
    instants = np.arange(span[0], span[1], epoch_s)
    arrived = (instants[:, None] + JITTER_S * rng.random((len(instants), len(keys)))).ravel()
    a_frame = chain.keys.readings_a_second[keys] * _fullness(chain, keys, at_s) * epoch_s
    readings = rng.poisson(np.broadcast_to(a_frame, (len(instants), len(keys)))).ravel()
    service: Floats = chain.cost.frame_s + chain.cost.reading_s * readings.astype(np.float64)
    order = np.argsort(arrived)
    return arrived[order], service[order]


def _lags_of(arrived: Floats, service: Floats) -> Floats:
    lags: Floats = done_at(arrived, service) - arrived
    return lags


def _taken_over(
    chain: _Chain, own: Ints, got: Ints, at_s: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return arrival and lag of a survivor's own frames after the death, and of those it got."""
    gap_s = chain.needs.gap_s
    mine = _frames(chain, own, at_s, (-BEFORE_S, AFTER_S), rng)
    theirs = _frames(chain, got, at_s, (-REPEATED_S, AFTER_S), rng)
    # It stands still while shards are given out anew: a piece of work that belongs to no frame.
    pause = (np.array([gap_s - REBALANCE_S]), np.array([REBALANCE_S]))
    arrived = np.concatenate([mine[0], theirs[0], pause[0]])
    service = np.concatenate([mine[1], theirs[1], pause[1]])
    ready = arrived.copy()
    is_theirs = slice(len(mine[0]), -1)
    ready[is_theirs] = np.maximum(ready[is_theirs], gap_s)
    order = np.argsort(ready, kind="stable")
    lag = np.empty(len(ready))
    lag[order] = done_at(ready[order], service[order])
    lag -= arrived
    both = np.stack([arrived, lag])
    first = both[:, : len(mine[0])]
    return first[:, first[0] >= 0.0], both[:, is_theirs]


def _lags(seconds: Floats) -> Lags:
    if not seconds.size:
        return Lags(p50_s=0.0, p99_s=0.0, max_s=0.0)
    p50, p99 = np.quantile(seconds, [0.5, 0.99])
    return Lags(p50_s=float(p50), p99_s=float(p99), max_s=float(seconds.max()))
