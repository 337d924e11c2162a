"""The commands of a chain: many sites over one log.

Layer: doors. Takes: arguments. Gives: `inaisle bridge`, `worker` and what stands beside them to
inaisle.cli.
"""

from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_context import FlagValues, broker_flags, end_with, load_for

chain_app = typer.Typer()
BrokersFlag = Annotated[
    str | None, typer.Option("--brokers", help="host:port,host:port of Kafka; else chain.brokers.")
]
SitesFlag = Annotated[
    Path | None, typer.Option("--sites", help="Folder with a sub-folder for each site.")
]
PortFlag = Annotated[int | None, typer.Option(help="Port of health and metrics; 0 takes any.")]


@chain_app.command()
def bridge(
    context: typer.Context,
    *,
    brokers: BrokersFlag = None,
    sites: SitesFlag = None,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", help="host:port of the MQTT broker of the gateways.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option("--site", help="A site to bridge; may repeat; else all.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that survives restarts.")] = None,
    port: PortFlag = None,
) -> None:
    """Carry the readings of stores without a server from their gateways to the chain's log."""
    from rtls.publish.kafka.connection import kafka_needed_for

    with kafka_needed_for("inaisle bridge"):
        from inaisle.chain.bridge import run_bridge

    flags: FlagValues = {
        **chain_flags(brokers, sites, port),
        ("site", "data"): data,
        **broker_flags(mqtt),
    }
    end_with(run_bridge(load_for(context, flags).settings, sites=tuple(site or ())))


@chain_app.command()
def worker(
    context: typer.Context,
    *,
    brokers: BrokersFlag = None,
    sites: SitesFlag = None,
    instance: Annotated[
        str | None, typer.Option(help="Name under which it comes back and finds its shards.")
    ] = None,
    port: PortFlag = None,
) -> None:
    """Locate for many sites: reading batches from Kafka in, zone events and fixes out."""
    from rtls.publish.kafka.connection import kafka_needed_for

    with kafka_needed_for("inaisle worker"):
        from inaisle.chain.worker import run_worker

    settings = load_for(context, chain_flags(brokers, sites, port)).settings
    end_with(run_worker(settings, instance=instance))


@chain_app.command()
def archive(
    context: typer.Context,
    *,
    brokers: BrokersFlag = None,
    sites: SitesFlag = None,
    to: Annotated[
        str | None, typer.Option("--to", help="s3://bucket/path, file:///path or a folder.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that survives restarts.")] = None,
    port: PortFlag = None,
    once: Annotated[bool, typer.Option("--once", help="End when all is read.")] = False,
    count_all: Annotated[
        bool, typer.Option("--count-all", help="Of simulated chains: whoever is located counts.")
    ] = False,
) -> None:
    """Keep the history of a chain, for reports over many sites: its log into Parquet."""
    from rtls.publish.kafka.connection import kafka_needed_for

    with kafka_needed_for("inaisle archive"):
        from inaisle.chain.archive import run_archive

    flags: FlagValues = {
        **chain_flags(brokers, sites, port),
        ("site", "data"): data,
        ("archive", "to"): to,
    }
    settings = load_for(context, flags).settings
    end_with(run_archive(settings, until_read=once, counts_all=count_all))


def chain_flags(brokers: str | None, sites: Path | None, port: int | None) -> FlagValues:
    """Return what the flags of every process of the chain say as settings."""
    return {("chain", "brokers"): brokers, ("chain", "sites"): sites, ("api", "port"): port}
