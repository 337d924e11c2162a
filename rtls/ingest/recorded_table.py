"""Read one table of a recording line by line, packed by gzip or not, and say where it is wrong.

Layer: edge. Takes: a CSV file and the columns that it must have.
Gives: fields with the file and line they stand in, to rtls.ingest.recording and its survey.
"""

import csv
import gzip
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from rtls.model.errors import InvalidRecording
from rtls.model.site_map import ID_PATTERN
from rtls.model.units import AnchorId

ROWS_MAX: Final = 20_000_000


def table_of(folder: Path, name: str) -> Path | None:
    """Return ``name.csv.gz`` or ``name.csv`` of a recording, or None."""
    for path in (folder / f"{name}.csv.gz", folder / f"{name}.csv"):
        if path.is_file():
            return path
    return None


def lines_of(path: Path, *headers: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Give (file and line, fields) for each line under the header, which is one of ``headers``.

    Raises
    ------
    InvalidRecording
        If the file cannot be read as CSV, or its columns are others.
    """
    try:
        with _opened(path) as text:
            yield from _checked_lines(text, headers, path)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRecording(
            f"{path}: cannot be read ({error}); expected CSV in UTF-8, packed by gzip if the name "
            "ends in .gz. Fetch the file again."
        ) from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _checked_lines(
    text: TextIO, headers: Sequence[Sequence[str]], path: Path
) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(text)
    header = next(reader, [])
    if header not in [list(known) for known in headers]:
        raise InvalidRecording(
            f"{path}, line 1: the columns are {','.join(header)[:200]!r}; expected "
            f"{' or '.join(repr(','.join(known)) for known in headers)}."
        )
    for fields in reader:
        where = f"{path}, line {reader.line_num}"
        if len(fields) != len(header):
            raise InvalidRecording(
                f"{where}: {len(fields)} fields; expected {len(header)}: {','.join(header)}."
            )
        if reader.line_num > ROWS_MAX:
            raise InvalidRecording(f"{where}: expected at most {ROWS_MAX} lines. Split it.")
        yield where, fields


def number_of(text: str, name: str, where: str) -> float:
    """Return a finite number.

    Raises
    ------
    InvalidRecording
        If it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidRecording(f"{where}: {name} is {text!r}; expected a finite number.")
    return number


def anchor_id(name: str, where: str) -> AnchorId:
    """Return a recorded anchor's name as an anchor id: in lower case, ``_`` as ``-``.

    Raises
    ------
    InvalidRecording
        If the name is no id even then.
    """
    anchor = name.lower().replace("_", "-")
    if not ID_PATTERN.match(anchor):
        raise InvalidRecording(
            f"{where}: anchor is {name!r}; expected 1 to 63 letters, digits, '-' or '_'. "
            "Rename the anchor here and in anchors.csv."
        )
    return AnchorId(anchor)


class Names:
    """Numbers for names, in order of first appearance."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._index: dict[str, int] = {}

    def index_of(self, name: str) -> int:
        """Return the number of a name."""
        index = self._index.setdefault(name, len(self.names))
        if index == len(self.names):
            self.names.append(name)
        return index


class AnchorNames(Names):
    """Numbers for anchors, by their ids; a spelling is checked once, not in each of its lines."""

    def __init__(self) -> None:
        super().__init__()
        self._by_spelling: dict[str, int] = {}

    def index_of_spelling(self, name: str, where: str) -> int:
        """Return the number of an anchor as a recording spells it; `where` is for the error."""
        index = self._by_spelling.get(name)
        if index is None:
            index = self._by_spelling[name] = self.index_of(anchor_id(name, where))
        return index
