"""The command that says what a chain needs.

Layer: doors. Takes: the size of a chain. Gives: `inaisle plan` to inaisle.cli.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inaisle.commands.cli_context import load_for
from inaisle.errors import InvalidSettings

if TYPE_CHECKING:
    from inaisle.capacity.day_run import DayRun
    from inaisle.capacity.plan import CapacityPlan

AtOnce = Annotated[int, typer.Option(help="Tags at once, at the busiest hour.")]
Rate = Annotated[float, typer.Option(help="How often a second each anchor hears a tag.")]
Heard = Annotated[int, typer.Option(help="Anchors that hear a tag at once.")]
ADay = Annotated[
    int | None, typer.Option(help="Of one store on a busy day; else 12 for each at once.")
]
Epoch = Annotated[int, typer.Option(help="A frame of each shard so often.")]
Shards = Annotated[int, typer.Option(help="Of a site, fixed for its life.")]
Thin = Annotated[float, typer.Option(help="Stores without a server of their own.")]
Zones = Annotated[int, typer.Option(help="Hours over which openings are spread.")]
Replicas = Annotated[int, typer.Option(help="Brokers that hold each message.")]
Retention = Annotated[float, typer.Option(help="How long brokers keep them.")]
History = Annotated[int, typer.Option(help="How long history is kept.")]
Busy = Annotated[float, typer.Option(help="Of a core at the peak.")]
Gap = Annotated[float, typer.Option(help="Until another worker takes over.")]
Simulate = Annotated[
    bool, typer.Option("--simulate", help="Play a day, and a worker's death at its peak.")
]
Workers = Annotated[int | None, typer.Option(help="In the played day; else as planned.")]
Partitions = Annotated[int | None, typer.Option(help="Likewise.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same day.")]
Figures = Annotated[
    Path | None, typer.Option(help="Measured figures of one's own, as shipped ones are.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


def plan(
    context: typer.Context,
    *,
    stores: Annotated[int, typer.Option(help="Stores of the chain.")],
    shoppers_per_store: AtOnce,
    rate_hz: Rate,
    anchors_heard: Heard,
    shoppers_a_day: ADay = None,
    epoch_ms: Epoch = 1_000,
    shards: Shards = 1,
    thin_share: Thin = 1.0,
    time_zones: Zones = 1,
    replicas: Replicas = 3,
    retention_hours: Retention = 72.0,
    history_days: History = 30,
    utilisation: Busy = 0.6,
    gap_s: Gap = 8.0,
    simulate: Simulate = False,
    workers: Workers = None,
    partitions: Partitions = None,
    seed: Seed = 1,
    figures: Figures = None,
    json: JsonFlag = False,
) -> None:
    """Say what a chain of so many stores needs, from measured figures."""
    from inaisle.capacity.measured import figures_file, load_figures
    from inaisle.capacity.needs import ChainNeeds, a_day_of
    from inaisle.capacity.plan import plan_of
    from inaisle.capacity.plan_view import print_plan

    load_for(context, {})
    needs = ChainNeeds(
        stores=stores,
        shoppers_per_store=shoppers_per_store,
        shoppers_a_day=a_day_of(shoppers_per_store, shoppers_a_day),
        rate_hz=rate_hz,
        anchors_heard=anchors_heard,
        epoch_ms=epoch_ms,
        shards=shards,
        thin_share=thin_share,
        time_zones=time_zones,
        replicas=replicas,
        retention_hours=retention_hours,
        history_days=history_days,
        utilisation=utilisation,
        gap_s=gap_s,
    )
    found = plan_of(needs, load_figures(figures or figures_file()))
    day = _day(found, workers, partitions, seed if simulate else None)
    print_plan(found, day, as_json=json)


def _day(
    plan: "CapacityPlan", workers: int | None, partitions: int | None, seed: int | None
) -> "DayRun | None":
    """Play a day, if there is a seed for it.

    Raises
    ------
    InvalidSettings
        If something is said of a day that is not played.
    """
    if seed is not None:
        from inaisle.capacity.day_run import play_day

        return play_day(
            plan.needs,
            plan.frame_cost,
            workers=plan.workers if workers is None else workers,
            partitions=plan.partitions if partitions is None else partitions,
            seed=seed,
        )
    if workers is not None or partitions is not None:
        raise InvalidSettings(
            f"--workers is {workers} and --partitions {partitions}; expected neither: they are of "
            "the played day. Add --simulate."
        )
    return None
