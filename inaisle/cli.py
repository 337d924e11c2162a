"""The command line: one command for each thing a retailer or developer starts.

Layer: doors. Takes: arguments, environment, settings files. Gives: the parts wired and started, a
result on standard output, and an exit status (listed in inaisle.errors). Heavy parts are imported
inside the commands, so that `inaisle --help` answers at once.
"""

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from inaisle.commands.cli_backup import backup, restore
from inaisle.commands.cli_catalogue import catalogue_app
from inaisle.commands.cli_chain import chain_app
from inaisle.commands.cli_context import Common, FlagValues, broker_flags, end_with, load_for
from inaisle.commands.cli_db import db_app
from inaisle.commands.cli_gateway import gateway_app
from inaisle.commands.cli_key import key_app
from inaisle.commands.cli_plan import plan
from inaisle.commands.cli_rank import rank, train
from inaisle.commands.cli_report import report
from inaisle.commands.cli_site import site_app
from inaisle.commands.cli_tenant import tenant_app
from inaisle.commands.cli_user import user_app
from inaisle.errors import ExitStatus, exit_status_of
from inaisle.kernel_cache import point_numba_at_its_cache
from inaisle.recording.instants import Instants
from rtls.model.errors import InaisleError

app = typer.Typer(
    name="inaisle",
    help="Indoor location marketing: from a radio reading to a redeemed coupon.",
    epilog="Exit status: 0 done, 1 a part broke, 2 wrong settings, 3 input refused, 4 something "
    "outside is not there, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="Show the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(site_app)
app.add_typer(chain_app)
app.add_typer(db_app, name="db")
app.add_typer(gateway_app, name="gateway")
app.add_typer(key_app, name="key")
app.add_typer(user_app, name="user")
app.add_typer(tenant_app, name="tenant")
app.add_typer(catalogue_app, name="catalogue")
app.command()(rank)
app.command()(train)
app.command()(report)
app.command()(plan)
app.command()(backup)
app.command()(restore)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
BrokerFlag = Annotated[
    str | None, typer.Option("--broker", help="host:port of a running MQTT broker.")
]
SpeedFlag = Annotated[float | None, typer.Option(help="Simulated seconds a second.")]
ShoppersFlag = Annotated[int | None, typer.Option(help="How many shoppers walk the shop.")]
BleWireFlag = Annotated[
    str | None, typer.Option(help="How BLE anchors speak: reference, espresense or minew.")
]
UwbWireFlag = Annotated[
    str | None, typer.Option(help="How UWB anchors speak: reference, packed or dwm1001.")
]
SeedFlag = Annotated[int | None, typer.Option(help="The same seed gives the same shop.")]
DataFlag = Annotated[Path | None, typer.Option(help="Folder of database, snapshots, keys.")]
PortFlag = Annotated[int | None, typer.Option(help="Port of the HTTP API; 0 takes a free one.")]


class Role(StrEnum):
    """Which half of the program a process is."""

    ALL = "all"
    LOCATE = "locate"
    OFFERS = "offers"


@app.callback()
def _common(
    context: typer.Context,
    *,
    config: Annotated[
        list[Path] | None, typer.Option("--config", help="TOML file of settings; may repeat.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, json or console.")] = None,
) -> None:
    flags: FlagValues = {("log", "level"): log_level, ("log", "format"): log_format}
    context.obj = Common(files=tuple(config or ()), flags=flags)


@app.command()
def demo(
    context: typer.Context,
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the redemption.")] = False,
    json: JsonFlag = False,
    broker: BrokerFlag = None,
    speed: SpeedFlag = None,
    shoppers: ShoppersFlag = None,
    seed: SeedFlag = None,
    ble_wire: BleWireFlag = None,
    data: DataFlag = None,
    port: PortFlag = None,
) -> None:
    """Run the whole path on this machine: simulated shop, offer at the shelf, coupon redeemed."""
    from inaisle.early_warm_up import begin_warm_up

    begin_warm_up()
    from inaisle.demo.demo import DemoOptions, run_demo

    loaded = load_for(context, {
        **_quiet(context),
        ("simulator", "speed"): speed,
        ("simulator", "shoppers"): shoppers,
        ("simulator", "seed"): seed,
        ("simulator", "ble_wire"): ble_wire,
        ("api", "port"): port,
    })  # fmt: skip
    options = DemoOptions(once=once, as_json=json, broker=broker, data=data)
    end_with(run_demo(loaded.settings, options))


@app.command()
def serve(
    context: typer.Context,
    *,
    role: Annotated[Role, typer.Option(help="Both halves, or one with redis.url.")] = Role.ALL,
    broker: BrokerFlag = None,
    data: DataFlag = None,
    port: PortFlag = None,
) -> None:
    """Run the service for a real shop: gateways in, API out."""
    from inaisle.early_warm_up import begin_warm_up

    begin_warm_up()
    from inaisle.service.serve import run_serve

    flags: FlagValues = {("site", "data"): data, ("api", "port"): port} | broker_flags(broker)
    end_with(run_serve(load_for(context, flags).settings, role=role.value))


@app.command()
def simulate(
    context: typer.Context,
    *,
    broker: BrokerFlag = None,
    speed: SpeedFlag = None,
    shoppers: ShoppersFlag = None,
    seed: SeedFlag = None,
    ble_wire: BleWireFlag = None,
    uwb_wire: UwbWireFlag = None,
    faults: Annotated[str, typer.Option(help="none, or a named set of faults.")] = "none",
    seconds: Annotated[float | None, typer.Option(help="Simulated seconds; else for ever.")] = None,
    day: Annotated[
        str | None,
        typer.Option(help="Play this whole day (2026-03-02, yesterday) into --data instead."),
    ] = None,
    data: DataFlag = None,
    json: JsonFlag = False,
) -> None:
    """Send the readings of a simulated shop to a broker, or play a day of it without one."""
    if day is not None:
        _refuse_beside_day({
            "--broker": broker,
            "--speed": speed,
            "--seconds": seconds,
            "--ble-wire": ble_wire,
            "--uwb-wire": uwb_wire,
            "--faults": None if faults == "none" else faults,
        })  # fmt: skip
        from inaisle.simulation.simulate_day import run_day

        # Anchors that a simulated rack stands before are no news.
        level = _log_level(context) or "error"
        found = load_for(
            context,
            {("site", "data"): data, ("simulator", "seed"): seed, ("log", "level"): level},
        )
        end_with(run_day(found.settings, day=day, shoppers=shoppers, as_json=json))
        return
    from inaisle.simulation.simulate import run_simulate

    flags: FlagValues = {
        ("simulator", "speed"): speed,
        ("simulator", "shoppers"): shoppers,
        ("simulator", "seed"): seed,
        ("simulator", "ble_wire"): ble_wire,
        ("simulator", "uwb_wire"): uwb_wire,
    }
    settings = load_for(context, flags | broker_flags(broker)).settings
    end_with(run_simulate(settings, faults=faults, seconds=seconds, as_json=json))


@app.command()
def replay(
    context: typer.Context,
    recording: Annotated[Path, typer.Argument(help="Folder with readings.csv[.gz].")],
    *,
    emit: Annotated[Path, typer.Option(help="Write one row for each fix to this file.")],
    emit_zones: Annotated[
        Path | None,
        typer.Option(help="Write P(zone) to this file, for recordings with shelves or shops."),
    ] = None,
    emit_visits: Annotated[
        Path | None,
        typer.Option(help="Write visits, in hindsight too, and passes to this file; likewise."),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="Write positions and visits to this folder, as reports read them."),
    ] = None,
    until: Annotated[float | None, typer.Option(help="Stop at this second of sessions.")] = None,
    no_calibration: Annotated[
        bool, typer.Option("--no-calibration", help="Leave calib.csv and survey.csv aside.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Feed a recording through the public ingest path and write the fixes."""
    from inaisle.recording.replay import print_replay, replay_recording

    load_for(context, {})
    summary = replay_recording(
        recording,
        emit=emit,
        emit_zones=emit_zones,
        emit_visits=emit_visits,
        history=history,
        until_s=until,
        is_calibrated=not no_calibration,
    )
    print_replay(summary, as_json=json)


@app.command()
def score(
    context: typer.Context,
    recording: Annotated[Path, typer.Argument(help="Folder with truth.csv.")],
    fixes: Annotated[Path, typer.Argument(help="File that `inaisle replay --emit` wrote.")],
    *,
    instants: Annotated[
        Instants,
        typer.Option(
            help="When to compare: every 0.5s, every 2s, or at each row of the truth. auto: 0.5s; "
            "for a truth with floors its rows where each is an instant of a scan, else 2s."
        ),
    ] = Instants.AUTO,
    zones: Annotated[
        Path | None,
        typer.Option(help="File that `inaisle replay --emit-zones` wrote: score it as well."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Say how far the fixes of a replay were from the truth, and whether its zones were honest."""
    from inaisle.recording.score_view import print_score, score_files, score_zone_file

    load_for(context, {})
    report = score_files(recording, fixes, instants=instants)
    zone_score = None if zones is None else score_zone_file(recording, zones, instants=instants)
    print_score(report, zone_score, as_json=json)


@app.command()
def bench(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Benchmarks; all if none.")] = None,
    *,
    json: JsonFlag = False,
) -> None:
    """Measure what the README promises, beside its peers."""
    from inaisle.bench import run_bench

    load_for(context, {})
    end_with(run_bench(tuple(names or ()), as_json=json))


@app.command()
def doctor(
    context: typer.Context,
    *,
    broker: BrokerFlag = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave compiling the kernels out.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Check what the service needs, and say what to do about what is missing."""
    from inaisle.service.doctor import run_doctor

    settings = load_for(context, broker_flags(broker)).settings
    end_with(run_doctor(settings, as_json=json, is_quick=quick))


@app.command()
def openapi(
    context: typer.Context,
    *,
    out: Annotated[Path | None, typer.Option(help="File to write instead.")] = None,
) -> None:
    """Print the OpenAPI document of the service."""
    from inaisle.service.api_document import run_openapi

    end_with(run_openapi(load_for(context, _quiet(context)).settings, out))


@config_app.command("show")
def config_show(context: typer.Context, *, json: JsonFlag = False) -> None:
    """Print every setting with where it comes from; secrets are masked."""
    from inaisle.config_view import print_settings

    print_settings(load_for(context, {}), as_json=json)


def _quiet(context: typer.Context) -> FlagValues:
    """Keep the log out of the demo's view, unless the viewer asks for it."""
    return {("log", "level"): _log_level(context) or "warning"}


def _refuse_beside_day(given: Mapping[str, object]) -> None:
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise typer.BadParameter(
            f"--day stands beside {', '.join(named)}; expected it without: the day is played "
            "without a broker and faults, as fast as it goes, in the reference protocol."
        )


def _log_level(context: typer.Context) -> object:
    common = context.obj
    assert isinstance(common, Common)
    return common.flags["log", "level"]


def main() -> None:
    """Run the command line; an error of ours is one line on standard error, not a trace."""
    point_numba_at_its_cache()
    sys.exit(run_guarded(app))


def run_guarded(command: Callable[[], object]) -> int:
    """Run a command and return the status to end with.

    Parameters
    ----------
    command
        May raise `InaisleError`, `KeyboardInterrupt` or `SystemExit`.
    """
    try:
        command()
    except InaisleError as error:
        typer.echo(f"error: {error}", err=True)
        return exit_status_of(error)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitStatus.BROKEN
    return ExitStatus.DONE
