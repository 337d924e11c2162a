"""Move the write-ahead log into the database file and empty it, so that what was erased is gone.

Layer: edges. Takes: where the database is. Gives: whether nothing erased is left in a log. SQLite
overwrites erased rows in its file (secure_delete), but older pages stand in the log until that is
emptied, which SQLite never does by itself: it only writes over it from the beginning. On PostgreSQL
autovacuum and the recycling of its log do the same in their own time.
"""

from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from offers.storage.database import Place, open_engine
from offers.storage.faults import fault_of


def empty_log(place: Place) -> bool:
    """Checkpoint and truncate; False where a reader still needs the log: try again later.

    Raises
    ------
    fault_of
        The `StorageError` that the database's own error means.
    """
    if not isinstance(place, Path):
        return True
    engine = open_engine(place, is_reader=False)
    try:
        # Outside a transaction: a checkpoint within one is refused.
        raw = engine.raw_connection()
        try:
            busy, _, _ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.close()
    except SQLAlchemyError as error:
        raise fault_of(error) from error
    finally:
        engine.dispose()
    return bool(busy == 0)
