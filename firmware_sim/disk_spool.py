"""Keep a gateway's messages on disk until the other end has stored them for good.

Layer: edges. Takes: payloads from firmware_sim.anchor_device. Gives: the same payloads again, as
often as they must be sent, also after a restart of the gateway.

One SQLite file a gateway: it survives kill -9 at any instant. The spool is bounded; when it is
full, the oldest message gives way and is counted, since the newest tells more.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_sim.errors import check_between

MESSAGES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Which message: (boot, seq) is its key of idempotence."""

    boot: str
    seq: int


class DiskSpool:
    """The unacknowledged messages of one gateway, oldest first.

    Parameters
    ----------
    path
        The file; made if it is not there.
    messages_max
        Bound of the spool.

    Attributes
    ----------
    dropped
        How many messages gave way since the start.
    """

    def __init__(self, path: Path, *, messages_max: int = MESSAGES_MAX) -> None:
        check_between("messages_max", messages_max, 1, 10_000_000)
        self._messages_max = messages_max
        self.dropped = 0
        # One thread at a time uses a gateway, but not always the one that built it.
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A crash of the gateway's program loses nothing; after a power cut the file may lack the
        # last instants, which a real gateway with a small battery does not.
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute("PRAGMA synchronous=OFF")
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS message (place INTEGER PRIMARY KEY, boot TEXT NOT NULL, "
            "seq INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (boot, seq))"
        )
        self._store.execute("CREATE TABLE IF NOT EXISTS start (boot TEXT PRIMARY KEY)")
        self._count: int = self._store.execute("SELECT count(*) FROM message").fetchone()[0]

    def __len__(self) -> int:
        """Return how many messages wait for their acknowledgement."""
        return self._count

    def claim_boot(self, boot: str) -> bool:
        """Return whether no earlier start had this boot id; it is taken from now on."""
        taken = self._store.execute("INSERT OR IGNORE INTO start (boot) VALUES (?)", (boot,))
        return taken.rowcount == 1

    def put(self, messages: Sequence[tuple[MessageKey, bytes]]) -> list[MessageKey]:
        """Store messages and return those that gave way for them."""
        self._store.execute("BEGIN")
        self._store.executemany(
            "INSERT INTO message (boot, seq, payload) VALUES (?, ?, ?)",
            [(key.boot, key.seq, payload) for key, payload in messages],
        )
        self._count += len(messages)
        given_way = self._make_room(self._count - self._messages_max)
        self._store.execute("COMMIT")
        return given_way

    def take(self, key: MessageKey) -> bytes | None:
        """Return the payload of a message, None where it has been acknowledged or gave way."""
        row = self._store.execute(
            "SELECT payload FROM message WHERE boot = ? AND seq = ?", (key.boot, key.seq)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def acknowledge(self, boot: str, *, upto: int, missing: Sequence[int]) -> None:
        """Forget all messages of a boot up to ``upto`` but the missing ones."""
        holes = set(missing)
        stored = self._store.execute(
            "SELECT place, seq FROM message WHERE boot = ? AND seq <= ?", (boot, upto)
        ).fetchall()
        done = [(place,) for place, seq in stored if seq not in holes]
        if done:
            self._store.execute("BEGIN")
            self._store.executemany("DELETE FROM message WHERE place = ?", done)
            self._store.execute("COMMIT")
            self._count -= len(done)

    def waiting(self) -> list[MessageKey]:
        """Return the keys of all messages, oldest first."""
        rows = self._store.execute("SELECT boot, seq FROM message ORDER BY place")
        return [MessageKey(boot, seq) for boot, seq in rows]

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        self._store.close()

    def _make_room(self, excess: int) -> list[MessageKey]:
        if excess <= 0:
            return []
        rows = self._store.execute(
            "SELECT place, boot, seq FROM message ORDER BY place LIMIT ?", (excess,)
        ).fetchall()
        self._store.executemany("DELETE FROM message WHERE place = ?", [(r[0],) for r in rows])
        self._count -= len(rows)
        self.dropped += len(rows)
        return [MessageKey(boot, seq) for _, boot, seq in rows]
