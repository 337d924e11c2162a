"""What every command does first and last: layer the settings, and end with a status.

Layer: doors. Takes: what stands before the command. Gives: loaded settings and an exit to
inaisle.cli and inaisle.commands.cli_site.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from inaisle.errors import ExitStatus

if TYPE_CHECKING:
    from inaisle.settings import LoadedSettings

FlagValues = dict[tuple[str, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What stands before the command."""

    files: tuple[Path, ...] = ()
    flags: FlagValues = field(default_factory=dict)


def load_for(context: typer.Context, flags: FlagValues) -> "LoadedSettings":
    """Layer the settings and set up the log; heavy parts are imported only now."""
    from inaisle.config_files import shipped_settings_files
    from inaisle.logging_setup import set_up_logging
    from inaisle.settings import load_settings

    common = context.obj
    assert isinstance(common, Common)
    loaded = load_settings(
        files=(*shipped_settings_files(), *common.files), flags=common.flags | flags
    )
    set_up_logging(loaded.settings.log)
    return loaded


def broker_flags(broker: str | None) -> FlagValues:
    """Return what ``--broker`` says as settings."""
    if broker is None:
        return {}
    from inaisle.service.broker import parse_broker

    address = parse_broker(broker)
    return {("mqtt", "host"): address.host, ("mqtt", "port"): address.port}


def end_with(status: int) -> None:
    """End the command.

    Raises
    ------
    typer.Exit
        If there is anything but success to tell.
    """
    if status != ExitStatus.DONE:
        raise typer.Exit(status)
