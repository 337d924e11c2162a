"""Keep the list of who was erased outside the database, and erase again after a restore.

Layer: doors. Takes: settings, a file of fingerprints. Gives: lines on standard output, and an exit
status to inaisle.commands.cli_db. A backup knows shoppers who have been erased since: the list
tells which. Fingerprints are keyed, so that the list alone says nothing of anybody.
"""

import json
import sys
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import typer

from inaisle.clock import SystemClock
from inaisle.database.database_place import database_place, key_file
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable
from inaisle.settings import Settings
from offers.handlers.people.erase_shopper import replay_erasures
from offers.model.people.personal_data import Erasure
from offers.ports import SecretSource, UnitOfWork
from offers.storage.checkpoint import empty_log
from offers.storage.database import Place, check_tenant
from offers.storage.reader import Reader
from offers.storage.secret_source import SystemSecretSource, load_key
from offers.storage.writer import Writer
from rtls.model.units import UnixMs

PAGE: Final = 1_000
FINGERPRINT_CHARACTERS: Final = 64


def print_erasures(settings: Settings) -> int:
    """Print one JSON object a line for each shopper who was erased."""
    reader = Reader(existing_database(settings))
    try:
        for erasure in _all_erasures(reader):
            line = {"fingerprint": erasure.fingerprint, "at_ms": erasure.at_ms}
            sys.stdout.write(json.dumps(line) + "\n")
    finally:
        reader.close()
    return ExitStatus.DONE


def run_replay_erasures(settings: Settings, listed: Path) -> int:
    """Erase everybody again who stands in the file and in the database."""
    place = existing_database(settings)
    erased = read_erasures(listed)
    secrets = SystemSecretSource(load_key(key_file(settings)))
    now_ms = SystemClock().now_ms()
    writer = Writer(place)
    count = 0
    page: str | None = ""
    try:
        while page is not None:
            replay = partial(_replay, erased, page, now_ms=now_ms, secrets=secrets)
            done, page = writer.run(replay)
            count += done
    finally:
        writer.close()
    empty_log(place)
    typer.echo(f"{count} shoppers were erased again; {len(erased)} stand in the list.")
    return ExitStatus.DONE


def read_erasures(path: Path) -> frozenset[str]:
    """Read what `print_erasures` wrote; `InvalidSettings` names a line that is not of the list.

    Raises
    ------
    Unavailable
        If the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"{path}: cannot be read ({error}).") from error
    return frozenset(_fingerprint(path, number, line) for number, line in enumerate(lines, 1))


def existing_database(settings: Settings) -> Place:
    """Return where the database is.

    Raises
    ------
    Unavailable
        If it is to be a file and there is none: opening it would make an empty one. On a server a
        tenant that nobody has added is `InvalidTenant`.
    """
    place = database_place(settings)
    if isinstance(place, Path) and not place.exists():
        raise Unavailable(f"{place}: there is no database; expected one that `inaisle serve` made.")
    if not isinstance(place, Path):
        check_tenant(place)
    return place


def _replay(
    erased: Collection[str],
    after: str,
    work: UnitOfWork,
    *,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> tuple[int, str | None]:
    return replay_erasures(erased, after=after, work=work, now_ms=now_ms, secrets=secrets)


def _fingerprint(path: Path, number: int, line: str) -> str:
    try:
        found = json.loads(line)["fingerprint"]
        if len(found) == FINGERPRINT_CHARACTERS and int(found, 16) >= 0:
            return str(found)
    except (ValueError, KeyError, TypeError):
        pass
    raise InvalidSettings(
        f"{path}:{number}: {line[:80]!r}; expected a line that inaisle db erasures prints."
    )


def _all_erasures(reader: Reader) -> Iterator[Erasure]:
    after = ""
    while page := reader.run(partial(_erasures, after)):
        yield from page
        after = page[-1].fingerprint


def _erasures(after: str, work: UnitOfWork) -> tuple[Erasure, ...]:
    return work.personal_data.erasures(after=after, limit=PAGE)
