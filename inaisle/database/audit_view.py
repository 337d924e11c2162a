"""Verify the audit chain of a database, and say what was found.

Layer: doors. Takes: settings, and a head that was noted earlier. Gives: a report on standard
output, and an exit status to inaisle.commands.cli_db. The service may run meanwhile.
"""

import json

import typer

from inaisle.database.erasure_list import existing_database
from inaisle.errors import ExitStatus, InvalidSettings
from inaisle.settings import Settings
from offers.handlers.note_audit import AuditReport, verify_audit
from offers.storage.database import Place
from offers.storage.reader import Reader


def run_verify(settings: Settings, *, noted: str | None, as_json: bool) -> int:
    """Print the report; `REFUSED` where an entry does not fit.

    Parameters
    ----------
    settings
        Say where the database is.
    noted
        ``sequence:hash`` of an entry as it was printed earlier; None where none was kept.
    as_json
        For a machine.
    """
    expected = None if noted is None else parse_head(noted)
    report = verify_place(existing_database(settings), noted=expected)
    found = None if report.head is None else f"{report.head.sequence}:{report.head.hash}"
    if as_json:
        fault = report.fault
        typer.echo(
            json.dumps(
                {
                    "entries": report.entries,
                    "head": found,
                    "first_bad_entry": None if fault is None else fault.sequence,
                    "reason": None if fault is None else fault.reason,
                }
            )
        )
    elif report.fault is not None:
        typer.echo(
            f"entry {report.fault.sequence} of the audit does not fit: {report.fault.reason}. "
            f"{report.entries} entries before it are sound."
        )
    else:
        typer.echo(f"{report.entries} entries are sound. Head, to note elsewhere: {found}")
    return ExitStatus.DONE if report.fault is None else ExitStatus.REFUSED


def verify_place(place: Place, *, noted: tuple[int, str] | None = None) -> AuditReport:
    """Return what the chain there holds, and whether it leads to the entry noted earlier."""
    reader = Reader(place)
    try:
        return reader.run(lambda work: verify_audit(work=work, noted=noted))
    finally:
        reader.close()


def parse_head(noted: str) -> tuple[int, str]:
    """Read ``sequence:hash``.

    Raises
    ------
    InvalidSettings
        If it is not what `inaisle db verify` prints.

    Examples
    --------
    >>> parse_head("7:" + "0" * 64)[0]
    7
    """
    sequence, _, told = noted.partition(":")
    if not sequence.isascii() or not sequence.isdigit() or len(told) != 64:  # noqa: PLR2004
        raise InvalidSettings(
            f"--head is {noted[:90]!r}; expected sequence:hash, as inaisle db verify prints it."
        )
    return int(sequence), told
