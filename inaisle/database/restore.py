"""Put a backup into an empty place, and erase again whom it has brought back.

Layer: doors. Takes: settings, a folder that `inaisle backup` made, the list of who was erased
since. Gives: a data folder and a database that a service can be started on; lines on standard
output. Nothing that is there is ever overwritten.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import typer

from inaisle.database.backup import HISTORY_NAME, REVIEWS_NAME
from inaisle.database.backup_manifest import DUMP_NAME, FILES_NAME, Manifest, read_whole
from inaisle.database.database_place import database_place, name_of
from inaisle.database.db_status import status_of
from inaisle.database.erasure_list import read_erasures, run_replay_erasures
from inaisle.database.postgres_tools import fill
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable
from inaisle.reports.history_side import history_folder
from inaisle.reports.review_side import review_folder
from inaisle.settings import Settings
from offers.storage.database import Place, newest_revision


def refuse_without_erasures(erased: Path | None, *, nobody_was_erased: bool) -> None:
    """Have it said who was erased since: a backup brings back whom the law wants gone.

    Raises
    ------
    InvalidSettings
        If neither or both are said.
    """
    if (erased is None) != nobody_was_erased:
        raise InvalidSettings(
            "expected one of --erased FILE and --nobody-was-erased, and only one. Give the newest "
            "list that inaisle db erasures printed; without one, whoever was erased is back."
        )


def run_restore(settings: Settings, folder: Path, *, erased: Path | None) -> ExitStatus:
    """Restore a backup; with ``erased`` None nobody has been erased since it was taken.

    `InvalidBackup` says that it is no whole backup.

    Raises
    ------
    Unavailable
        If a place cannot be written.
    """
    manifest = read_whole(folder)
    if erased is not None:
        read_erasures(erased)  # a list that cannot be read is told of before anything is put back
    place = database_place(settings)
    _refuse_what_cannot_be(manifest, place, settings)
    try:
        _put_files(folder / FILES_NAME, settings)
        _put_database(folder / manifest.database, place)
    except OSError as error:
        raise Unavailable(
            f"the backup cannot be put back ({error}). Free some space, empty the folder, and "
            "begin anew."
        ) from error
    typer.echo(f"{name_of(place)}: restored as of {manifest.taken_at}, schema {manifest.schema}.")
    if erased is not None:
        run_replay_erasures(settings, erased)
    if manifest.schema != newest_revision():
        typer.echo(f"The next start brings the schema to {newest_revision()}.")
    return ExitStatus.DONE


def _refuse_what_cannot_be(manifest: Manifest, place: Place, settings: Settings) -> None:
    """Refuse before the first byte is written.

    Raises
    ------
    InvalidSettings
        If the backup is of the other kind of database, or of a newer release.
    Unavailable
        If a place is not empty.
    """
    is_dump = manifest.database == DUMP_NAME
    if is_dump == isinstance(place, Path):
        kind = "a PostgreSQL server" if is_dump else "an SQLite file"
        raise InvalidSettings(
            f"the database is {name_of(place)}, and the backup is of {kind}; expected one kind. "
            "Set offers.database_url, or remove it."
        )
    if manifest.schema > newest_revision():
        raise InvalidSettings(
            f"the backup has schema {manifest.schema}; expected at most {newest_revision()}. "
            "Install the release that made it, or a newer one."
        )
    found = status_of(place).revision
    if found is not None:
        raise Unavailable(
            f"{name_of(place)} holds a database with schema {found}; expected none. Move it away: "
            "nothing is overwritten."
        )
    for path in _places(settings):
        if path.is_dir() and any(path.iterdir()):
            raise Unavailable(f"{path} is not empty. Move it away: nothing is overwritten.")


def _places(settings: Settings) -> Iterator[Path]:
    yield settings.site.data
    yield history_folder(settings)
    yield review_folder(settings)


def _put_files(files: Path, settings: Settings) -> None:
    data = settings.site.data
    data.mkdir(parents=True, exist_ok=True)
    elsewhere = {HISTORY_NAME: history_folder(settings), REVIEWS_NAME: review_folder(settings)}
    for path in sorted(files.iterdir()):
        target = elsewhere.get(path.name, data / path.name)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)


def _put_database(copy: Path, place: Place) -> None:
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, place)
        place.chmod(0o600)
    else:
        fill(place, copy)
