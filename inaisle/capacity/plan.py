"""Compute what a chain needs: readings, frames, workers, storage, and what bounds it first.

Layer: doors. Takes: `ChainNeeds` and `MeasuredFigures`. Gives: `CapacityPlan` to the command and to
the simulated day. Arithmetic alone: each line says how it was made, and a line that stands on a
figure that nobody measured has no value.
"""

import math
from dataclasses import dataclass
from typing import Final

from inaisle.capacity.arrivals import busiest_hour_share, simultaneous_share
from inaisle.capacity.measured import FrameCost, Measured, MeasuredFigures
from inaisle.capacity.needs import ChainNeeds, next_power_of_two

PARTITIONS_A_WORKER: Final = 8
"""so many make the share of a worker even, and leave room to grow without moving keys"""
HOUR_S: Final = 3_600
EPOCH_MS_MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One figure of a plan.

    Parameters
    ----------
    value
        None where a figure that it stands on was not measured.
    how
        The formula, in words.
    """

    part: str
    name: str
    value: float | None
    unit: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBound:
    """Something that cannot be made more by adding machines, and how near it is.

    Parameters
    ----------
    share
        Of the measured limit that is used; None where that was not measured.
    remedy
        What would change it.
    """

    what: str
    share: float | None
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """What a chain needs."""

    needs: ChainNeeds
    lines: tuple[PlanLine, ...]
    drivers: tuple[PlanLine, ...]
    """what costs most, each unit by itself, the most first"""
    bounds: tuple[PlanBound, ...]
    """the nearest first"""
    changes: tuple[str, ...]
    unmeasured: tuple[Measured, ...]
    workers: int
    partitions: int
    frame_cost: FrameCost

    def value(self, name: str) -> float | None:
        """Return a line by its name."""
        return next(line.value for line in self.lines if line.name == name)


def plan_of(needs: ChainNeeds, figures: MeasuredFigures) -> CapacityPlan:
    """Return what a chain needs."""
    cost = _whole_cost(figures)
    cores = worker_cores(needs, cost)
    workers = workers_of(cores, needs)
    partitions = min(next_power_of_two(PARTITIONS_A_WORKER * workers), 4_096) if workers else 0
    lines = (
        *_arrivals(needs, figures),
        *_workers(needs, cores, workers, partitions),
        *_broker(needs, figures),
        *_offers(needs, figures),
        *_live(needs, figures),
        *_kept(needs, figures),
    )
    return CapacityPlan(
        needs=needs,
        lines=lines,
        drivers=_drivers(lines),
        bounds=_bounds(needs, figures, cost),
        changes=_changes(needs, cost, cores),
        unmeasured=figures.unmeasured(),
        workers=workers,
        partitions=partitions,
        frame_cost=cost,
    )


def worker_cores(needs: ChainNeeds, cost: FrameCost) -> float:
    """Return the cores that locating takes at the busiest hour of the chain."""
    readings = needs.readings_a_frame * simultaneous_share(needs.time_zones)
    return needs.thin_stores * needs.frames_a_store * cost.of(readings)


def workers_of(cores: float, needs: ChainNeeds) -> int:
    """Return worker processes of one core each, one of them for the one that fails."""
    return math.ceil(cores / needs.utilisation) + 1 if cores > 0.0 else 0


def catch_up_s(cores: float, workers: int, gap_s: float) -> float:
    """Return how long the others take to work off what waits after a failure; inf if never.

    The dead worker's share waits for ``gap_s``; the others have so much free as they are not busy.

    Examples
    --------
    >>> round(catch_up_s(6.0, 11, 8.0), 2)
    1.09
    """
    free = workers - 1 - cores
    return gap_s * cores / workers / free if free > 0.0 else math.inf


def _whole_cost(figures: MeasuredFigures) -> FrameCost:
    more = 1.0 + (figures.value("worker_share") or 0.0)
    engine = figures.frame_cost
    return FrameCost(frame_s=engine.frame_s * more, reading_s=engine.reading_s * more)


def _times(*factors: float | None) -> float | None:
    product = 1.0
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


def _plus(*terms: float | None) -> float | None:
    total = 0.0
    for term in terms:
        if term is None:
            return None
        total += term
    return total


def _a_second(needs: ChainNeeds, a_shopper: float | None) -> float | None:
    """Return how often a second something happens in the busiest hour."""
    a_day = needs.stores * needs.shoppers_a_day
    return _times(a_shopper, a_day, busiest_hour_share(needs.time_zones), 1.0 / HOUR_S)


def _arrivals(needs: ChainNeeds, figures: MeasuredFigures) -> tuple[PlanLine, ...]:
    peak = simultaneous_share(needs.time_zones)
    return (
        PlanLine(
            part="arrivals", name="readings", unit="1/s",
            value=needs.thin_stores * needs.readings_a_store * peak,
            how="thin stores × shoppers × rate × anchors, at the hour in which most are there",
        ),
        PlanLine(
            part="arrivals", name="frames", unit="1/s",
            value=needs.thin_stores * needs.frames_a_store,
            how="thin stores × shards, one each epoch",
        ),
        PlanLine(
            part="arrivals", name="readings a frame", unit="", value=needs.readings_a_frame * peak,
            how="readings / frames",
        ),
        PlanLine(
            part="arrivals", name="events", unit="1/s",
            value=_a_second(needs, figures.value("events_a_shopper")),
            how="shoppers of the busiest hour × events a shopper, of all stores",
        ),
    )  # fmt: skip


def _workers(
    needs: ChainNeeds, cores: float, workers: int, partitions: int
) -> tuple[PlanLine, ...]:
    return (
        PlanLine(
            part="workers", name="cores used", unit="cores", value=cores,
            how="frames × (cost of a frame + readings × cost of a reading)",
        ),
        PlanLine(
            part="workers", name="worker processes", unit="", value=float(workers),
            how=f"cores used / {needs.utilisation:g}, rounded up, and one that may fail",
        ),
        PlanLine(
            part="workers", name="partitions", unit="", value=float(partitions),
            how=f"the power of two from {PARTITIONS_A_WORKER} a worker on; fixed afterwards",
        ),
        PlanLine(
            part="workers", name="catching up after a failure", unit="s",
            value=catch_up_s(cores, workers, needs.gap_s) if workers else None,
            how=f"what waits after {needs.gap_s:g} s / what the others have free",
        ),
    )  # fmt: skip


def _broker(needs: ChainNeeds, figures: MeasuredFigures) -> tuple[PlanLine, ...]:
    peak = simultaneous_share(needs.time_zones)
    readings = _plus(
        _times(needs.thin_stores * needs.readings_a_store * peak, figures.value("reading_bytes")),
        _times(needs.thin_stores * needs.frames_a_store, figures.value("frame_bytes")),
    )
    fixes = _plus(
        _times(needs.tags * peak, figures.value("fix_bytes")),
        _times(needs.stores * needs.shards, figures.value("fix_frame_bytes")),
    )
    events = _times(
        _a_second(needs, figures.value("events_a_shopper")), figures.value("event_bytes")
    )
    written = _plus(readings, fixes, events)
    # Stores are full for some hours only; the busiest one over its share is a day's worth of hours.
    busy_hours = 1.0 / busiest_hour_share(needs.time_zones)
    kept_s = needs.retention_hours / 24.0 * busy_hours * HOUR_S
    return (
        PlanLine(
            part="broker", name="readings written", unit="B/s", value=readings,
            how="readings × bytes of one, and frames × bytes of their header",
        ),
        PlanLine(
            part="broker", name="fixes written", unit="B/s", value=fixes,
            how="tags, once a second × bytes of a fix, and a frame's header a shard",
        ),
        PlanLine(
            part="broker", name="events written", unit="B/s", value=events,
            how="events × bytes of one",
        ),
        PlanLine(
            part="broker", name="kept by brokers", unit="B",
            value=_times(written, kept_s, needs.replicas),
            how=f"written × {needs.retention_hours:g} h, as full as stores are × "
            f"{needs.replicas} replicas; not compressed",
        ),
        PlanLine(
            part="broker", name="between brokers and out", unit="B/s",
            value=_times(
                _plus(_times(readings, needs.replicas), _times(fixes, needs.replicas + 1),
                      _times(events, needs.replicas + 1)), 1.0,
            ),
            how="each message to its replicas, and to each who reads it",
        ),
    )  # fmt: skip


def _offers(needs: ChainNeeds, figures: MeasuredFigures) -> tuple[PlanLine, ...]:
    decisions = _a_second(needs, figures.value("decisions_a_shopper"))
    purchases = _a_second(needs, figures.value("purchases_a_shopper"))
    transactions = _plus(decisions, purchases)
    return (
        PlanLine(
            part="offers", name="decisions", unit="1/s", value=decisions,
            how="shoppers of the busiest hour × decisions a shopper",
        ),
        PlanLine(
            part="offers", name="purchases with the card", unit="1/s", value=purchases,
            how="shoppers of the busiest hour × purchases a shopper",
        ),
        PlanLine(
            part="offers", name="database transactions", unit="1/s",
            value=transactions,
            how="one for each decision and each purchase",
        ),
        PlanLine(
            part="offers", name="cores of offers and tills", unit="cores",
            value=_times(_plus(
                _times(decisions, figures.value("decision_core_s")),
                _times(purchases, figures.value("redemption_core_s")),
            ), 1.0 / needs.utilisation),
            how=f"decisions and purchases × their cost / {needs.utilisation:g}",
        ),
        PlanLine(
            part="offers", name="cores of PostgreSQL", unit="cores",
            value=_times(
                transactions, figures.value("database_core_s"), 1.0 / needs.utilisation
            ),
            how=f"database transactions × the cost of one / {needs.utilisation:g}",
        ),
        PlanLine(
            part="offers", name="database growth", unit="B/day",
            value=_times(
                needs.stores * needs.shoppers_a_day, figures.value("database_bytes_a_shopper")
            ),
            how="shoppers of a day × bytes that one leaves",
        ),
    )  # fmt: skip


def _live(needs: ChainNeeds, figures: MeasuredFigures) -> tuple[PlanLine, ...]:
    return (
        PlanLine(
            part="offers", name="live state in Redis", unit="B",
            value=_times(
                needs.tags * simultaneous_share(needs.time_zones),
                figures.value("redis_bytes_a_tag"),
            ),
            how="tags × bytes of one",
        ),
        PlanLine(
            part="offers", name="a live map watched in each store", unit="B/s",
            value=_times(
                needs.tags * simultaneous_share(needs.time_zones), figures.value("live_bytes_a_tag")
            ),
            how="tags × bytes a second of one, one watcher a store",
        ),
    )  # fmt: skip


def _kept(needs: ChainNeeds, figures: MeasuredFigures) -> tuple[PlanLine, ...]:
    a_shopper = _plus(figures.value("fixes_a_shopper"), figures.value("visits_a_shopper"))
    rows = _times(needs.stores * needs.shoppers_a_day, a_shopper)
    a_day = _times(rows, figures.value("history_row_bytes"))
    rate = figures.value("archive_rows_a_second")
    busiest = _a_second(needs, a_shopper)
    return (
        PlanLine(
            part="history", name="rows", unit="1/day", value=rows,
            how="shoppers of a day × (fixes + visits) of one, if all agreed to be counted",
        ),
        PlanLine(
            part="history", name="Parquet a day", unit="B/day", value=a_day,
            how="rows × bytes of one",
        ),
        PlanLine(
            part="history", name="Parquet kept", unit="B", value=_times(a_day, needs.history_days),
            how=f"a day × {needs.history_days} days",
        ),
        PlanLine(
            part="history", name="cores of the archive", unit="cores",
            value=None if not rate else _times(busiest, 1.0 / rate, 1.0 / needs.utilisation),
            how=f"rows of the busiest hour / rows a second of a core / {needs.utilisation:g}",
        ),
    )  # fmt: skip


def _drivers(lines: tuple[PlanLine, ...]) -> tuple[PlanLine, ...]:
    """Return what is paid for, the units apart: cores, what is kept, what is moved."""
    paid = [line for line in lines if line.unit in {"cores", "B", "B/s", "B/day"} and line.value]
    order = ("cores", "B", "B/day", "B/s")
    return tuple(sorted(paid, key=lambda line: (order.index(line.unit), -(line.value or 0.0))))


def _bounds(needs: ChainNeeds, figures: MeasuredFigures, cost: FrameCost) -> tuple[PlanBound, ...]:
    shard_share = needs.frames_a_store / needs.shards * cost.of(needs.readings_a_frame)
    purchases = _a_second(needs, figures.value("purchases_a_shopper"))
    transactions = _plus(purchases, _a_second(needs, figures.value("decisions_a_shopper")))
    most = figures.value("transactions_a_second")
    found = [
        PlanBound(
            what="transactions a second of one tenant",
            share=None if not most else _times(transactions, 1.0 / most),
            remedy="campaigns at fewer shelves; regions as tenants of their own, whose shoppers "
            "have a card in each; offers on the stores' own servers",
        ),
    ]
    if needs.thin_stores:
        found.append(
            PlanBound(
                what="one shard of a thin store on one core",
                share=shard_share / needs.utilisation,
                remedy="more --shards (before the store opens), a longer epoch, or a store server",
            )
        )
    return tuple(sorted(found, key=lambda bound: -(bound.share or 0.0)))


def _changes(needs: ChainNeeds, cost: FrameCost, cores: float) -> tuple[str, ...]:
    if not needs.thin_stores:
        return ("stores locate by themselves: the chain's workers have nothing to do",)
    found = []
    frames = needs.thin_stores * needs.frames_a_store
    alone = frames * cost.frame_s / cores
    if needs.epoch_ms < EPOCH_MS_MOST:
        longer = frames * needs.epoch_ms / 1_000.0
        saved = (frames - longer) * cost.frame_s
        found.append(
            f"epochs of 1,000 ms instead of {needs.epoch_ms}: {saved:,.1f} of {cores:,.1f} cores "
            "less; an offer comes up to a second later"
        )
    found.append(
        f"{100.0 * alone:.0f} % of the cores go into frames as such, whatever is in them: fewer "
        "shards and longer epochs save that, not fewer readings"
    )
    found.append(
        "a server in each store: no readings travel, and the chain needs no workers; the stores "
        f"need {cores / needs.thin_stores:.3f} of a core each"
    )
    return tuple(found)
