"""Take a backup of a site beside its running service.

Layer: doors. Takes: settings, a folder. Gives: a folder with database, keys, maps, calibration and
reviews as they are at one instant, and with history if asked for; lines on standard output.

What makes itself anew is left out: snapshots of the shop floor, events on their way, logs. Salts
are left out on purpose: with yesterday's salt in a backup, yesterday's visitors could be told
apart again. And who was erased is not in here: `inaisle db erasures` prints the list, which must
lie apart from the backups and be younger than them.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer

from inaisle.calibration.calibration_in_force import CALIBRATION_NAME
from inaisle.clock import SystemClock
from inaisle.database.backup_manifest import (
    DUMP_NAME,
    FILES_NAME,
    FORMAT,
    SQLITE_NAME,
    Manifest,
    digests_below,
    write_manifest,
)
from inaisle.database.db_status import copy_file, status_of
from inaisle.database.erasure_list import existing_database
from inaisle.database.postgres_tools import dump
from inaisle.errors import ExitStatus, Unavailable
from inaisle.reports.history_side import history_folder
from inaisle.reports.review_side import review_folder
from inaisle.settings import Settings
from inaisle.site.map_in_force import FOLDER_NAME as MAPS_NAME
from inaisle.site.map_in_force import maps_to_run_on
from offers.storage.database import Place

KEY_NAME: Final = "secret.key"
HISTORY_NAME: Final = "history"
REVIEWS_NAME: Final = "reviews"
PREFIX: Final = "inaisle-"
WRITING: Final = ".writing"


def run_backup(
    settings: Settings, target: Path, *, with_history: bool, keep: int | None
) -> ExitStatus:
    """Take a backup below ``target``, and delete all but the newest ``keep`` of this site.

    Raises
    ------
    Unavailable
        If there is no database, or the folder cannot be written.
    """
    site = next(maps_to_run_on(settings.site)).site_map.site
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000.0, UTC)
    folder = target / f"{PREFIX}{site}-{now:%Y%m%dT%H%M%SZ}"
    try:
        _write(settings, folder, site=site, now=now, with_history=with_history)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written ({error}). Free some space.") from error
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    typer.echo(f"{folder}: {size / 1e6:.1f} MB. It holds keys and persons: keep it as the data.")
    for old in _older(target, f"{PREFIX}{site}-", keep):
        shutil.rmtree(old)
        typer.echo(f"{old}: deleted, {keep} newer ones are kept.")
    return ExitStatus.DONE


def _write(
    settings: Settings, folder: Path, *, site: str, now: datetime, with_history: bool
) -> None:
    place = existing_database(settings)
    status = status_of(place)
    writing = folder.with_name(folder.name + WRITING)
    files = writing / FILES_NAME
    files.mkdir(mode=0o700, parents=True)
    try:
        database = _copy_database(place, writing)
        _copy_files(settings, files)
        if with_history:
            _copy_tree(history_folder(settings), files / HISTORY_NAME)
        manifest = Manifest(
            format=FORMAT,
            site=site,
            taken_at=now.isoformat(timespec="seconds"),
            schema=status.revision or "",
            database=database,
            with_history=with_history,
            files=digests_below(writing),
        )
        write_manifest(writing, manifest)
        writing.rename(folder)
    except BaseException:
        shutil.rmtree(writing, ignore_errors=True)
        raise


def _copy_database(place: Place, folder: Path) -> str:
    if isinstance(place, Path):
        copy_file(place, folder / SQLITE_NAME)
        return SQLITE_NAME
    dump(place, folder / DUMP_NAME)
    return DUMP_NAME


def _copy_files(settings: Settings, files: Path) -> None:
    data = settings.site.data
    for name in (KEY_NAME, CALIBRATION_NAME):
        if (data / name).is_file():
            shutil.copy2(data / name, files / name)
    for folder, name in ((data / MAPS_NAME, MAPS_NAME), (review_folder(settings), REVIEWS_NAME)):
        _copy_tree(folder, files / name)


def _copy_tree(folder: Path, target: Path) -> None:
    """Copy the files of a folder; one that is tidied away meanwhile is not missed."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(path, copy)
        except FileNotFoundError:
            copy.unlink(missing_ok=True)


def _older(target: Path, prefix: str, keep: int | None) -> list[Path]:
    if keep is None:
        return []
    found = sorted(
        path for path in target.glob(f"{prefix}*") if path.is_dir() and path.suffix != WRITING
    )
    return found[:-keep]
