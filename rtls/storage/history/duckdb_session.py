"""Open DuckDB within bounds: so much memory, so many threads, no network, nothing kept.

Layer: edges. Takes: bounds. Gives: a connection to the reader and to compaction.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def open_session(*, memory_mib: int, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection of one question's life.

    Parameters
    ----------
    memory_mib
        What does not fit goes to a folder of the system's for files that do not last.
    threads
        At most so many work.
    """
    spill = tempfile.mkdtemp(prefix="inaisle-history-")  # ours alone: mode 700
    try:
        with duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_mib}MiB",
                "threads": threads,
                "temp_directory": spill,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        ) as session:
            yield session
    finally:
        shutil.rmtree(spill, ignore_errors=True)
