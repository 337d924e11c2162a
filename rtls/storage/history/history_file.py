"""Write one file of the history, so that it is either whole or not there.

Layer: edges. Takes: columns from the history's writer or from compaction. Gives: a finished Parquet
file. While it grows it has a name that no reader looks at; a kill leaves only that.
"""

import contextlib
import os
from pathlib import Path

import pyarrow as pa

from rtls.model.errors import NotDurable
from rtls.storage.history.history_folder import WRITING, Table
from rtls.storage.history.parquet_tables import SCHEMAS, open_parquet

DISK_ERRORS = (OSError, pa.ArrowException)


class HistoryFile:
    """A file under construction. Used by one thread.

    Parameters
    ----------
    path
        The name that it gets when it is whole; its folder is made if it is not there.
    """

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self.rows = 0
        self._growing = path.with_name(path.name + WRITING)
        self._schema = SCHEMAS[table]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_parquet(self._growing, table)
        except DISK_ERRORS as error:
            raise self._refused(error) from error

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Add a row group.

        Where the disk refuses it raises `NotDurable`, and the file is gone with all its rows.
        """
        try:
            whole = pa.table(rows) if isinstance(rows, pa.RecordBatch) else rows
            self._file.write_table(whole.cast(self._schema), row_group_size=max(rows.num_rows, 1))
        except DISK_ERRORS as error:
            self.abandon()
            raise self._refused(error) from error
        self.rows += rows.num_rows

    def finish(self) -> None:
        """Close the file, wait until the disk has it, and give it its name.

        Where the disk refuses it raises `NotDurable`, and the file is gone.
        """
        try:
            self._file.close()
            _sync(self._growing, os.O_RDONLY)
            self._growing.rename(self.path)
            _sync(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except DISK_ERRORS as error:
            self.abandon()
            raise self._refused(error) from error

    def abandon(self) -> None:
        """Leave nothing of the file."""
        with contextlib.suppress(*DISK_ERRORS):
            self._file.close()
        with contextlib.suppress(OSError):
            self._growing.unlink(missing_ok=True)

    def _refused(self, error: BaseException) -> NotDurable:
        return NotDurable(
            f"{self.path} could not be written ({error}); expected a writable folder with free "
            "space. Free some space; the history goes on by itself."
        )


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
