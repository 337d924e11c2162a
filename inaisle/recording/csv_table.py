"""Read the tables of a recording row by row, gzipped or not, and say where a row is wrong.

Layer: doors. Takes: files. Gives: rows and finite numbers to inaisle.recording,
inaisle.recording.fix_csv and inaisle.recording.truth_csv.
"""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from rtls.model.errors import InvalidRecording


def find_table(folder: Path, name: str) -> Path | None:
    """Return ``name.csv`` or ``name.csv.gz`` of a recording, or None."""
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
        if path.is_file():
            return path
    return None


def read_table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (line number, row) of a CSV file, gzipped or not.

    Raises
    ------
    InvalidRecording
        If the file cannot be read or lacks one of ``columns``.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InvalidRecording(
                    f"{path}: no column {', '.join(missing)}; expected {','.join(columns)}."
                )
            for row in reader:
                yield reader.line_num, row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRecording(f"{path}: cannot be read as CSV ({error}).") from error


def finite(row: Mapping[str, str | None], name: str, *, where: str) -> float:
    """Return a number of a row.

    Raises
    ------
    InvalidRecording
        If it is none, or not finite.
    """
    try:
        value = float(row[name] or "")
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InvalidRecording(f"{where}: {name} is {row.get(name)!r}; expected a finite number.")
    return value
