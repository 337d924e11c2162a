"""Lay down a SQLite database with the newest schema in a moment: made once, then copied.

Migrating an empty file takes a third of a second, and some hundred tests want one. PostgreSQL
copies its template in the server (tests/postgres.py).
"""

import tempfile
from functools import cache
from pathlib import Path

from offers.storage.database import prepare_database


@cache
def ready_bytes() -> bytes:
    """What `prepare_database` makes of nothing; made once in each process."""
    with tempfile.TemporaryDirectory(prefix="inaisle-ready-") as folder:
        path = Path(folder) / "offers.sqlite"
        prepare_database(path)
        assert not path.with_name(f"{path.name}-wal").exists(), "the file alone is not all of it"
        return path.read_bytes()


def lay_down_ready_database(path: Path) -> None:
    """Write an empty database of the newest schema where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(ready_bytes())
