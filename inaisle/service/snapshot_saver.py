"""Save the state beside the loop, so that a slow disk delays an acknowledgement and not an offer.

Layer: doors. Takes: snapshot bytes and what may be acknowledged once they are safe. Gives: that
promise back to the loop when the store says it is kept. One save at a time, in order.
"""

import struct
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from rtls.api.site_map_json import render_site_map
from rtls.model.errors import InvalidSiteMap, InvalidSnapshot
from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map
from rtls.ports import StateStore

HEADER: Final = struct.Struct("<4sIQQQQ")  # magic, version, lengths of all parts but the last
MAGIC: Final = b"LOOP"
VERSION: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What may be told to the senders once the snapshot is safe."""

    receipts: Sequence[int] = ()
    answers: Sequence[tuple[str, bytes]] = ()


class SnapshotSaver:
    """One thread that saves; the caller's thread begins a save and asks whether it is done."""

    def __init__(self, store: StateStore, *, key: str) -> None:
        self._store = store
        self._key = key
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot")
        self._saving: Future[None] | None = None
        self._promise = Promise()

    @property
    def is_idle(self) -> bool:
        """Return whether a save may begin."""
        return self._saving is None

    def begin(self, snapshot: bytes, promise: Promise) -> None:
        """Start to save; ``promise`` comes back from `kept` or `wait` when it is safe."""
        assert self._saving is None
        self._promise = promise
        self._saving = self._pool.submit(self._store.save, self._key, snapshot)

    def kept(self) -> Promise | None:
        """Return the promise of a save that has ended, or None; a failed save raises its error."""
        if self._saving is None or not self._saving.done():
            return None
        return self.wait()

    def wait(self) -> Promise:
        """Wait for the save that runs, if one does, and return its promise."""
        if self._saving is None:
            return Promise()
        saving, self._saving = self._saving, None
        saving.result()
        return self._promise

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """The states of the parts of one loop, which are only right together."""

    engine: bytes
    reviser: bytes
    visits: bytes
    site_map: bytes
    """as `pack_map` gives it: what the numbers in the state of the engine mean"""
    reception: bytes


def pack_snapshot(state: LoopState) -> bytes:
    """Join the states into one value."""
    parts = (state.engine, state.reviser, state.visits, state.site_map)
    return HEADER.pack(MAGIC, VERSION, *map(len, parts)) + b"".join((*parts, state.reception))


def unpack_snapshot(content: bytes) -> LoopState:
    """Return the states.

    Raises
    ------
    InvalidSnapshot
        If the bytes are of another version or cut short.

    Examples
    --------
    >>> state = LoopState(engine=b"ab", reviser=b"", visits=b"v", site_map=b"m", reception=b"c")
    >>> unpack_snapshot(pack_snapshot(state)) == state
    True
    """
    if len(content) < HEADER.size:
        raise InvalidSnapshot(f"the snapshot has {len(content)} bytes; expected a header and more.")
    magic, version, *lengths = HEADER.unpack_from(content)
    body = content[HEADER.size :]
    if magic != MAGIC or version != VERSION or sum(lengths) > len(body):
        raise InvalidSnapshot(
            f"the snapshot says {magic!r} version {version}, parts of {lengths} of {len(body)} "
            f"bytes; expected {MAGIC!r} version {VERSION}. Move it away to start without it."
        )
    engine_end, reviser_end, visits_end, map_end = accumulate(lengths)
    return LoopState(
        engine=body[:engine_end],
        reviser=body[engine_end:reviser_end],
        visits=body[reviser_end:visits_end],
        site_map=body[visits_end:map_end],
        reception=body[map_end:],
    )


def pack_map(site_map: SiteMap) -> bytes:
    """Return a map as the snapshot holds it: so a state can go on when the map is another."""
    return zlib.compress(render_site_map(site_map))


def unpack_map(content: bytes) -> SiteMap:
    """Return the map that `pack_map` was given.

    Raises
    ------
    InvalidSnapshot
        If it cannot be read.
    """
    try:
        return parse_site_map(zlib.decompress(content), source="the snapshot's map")
    except (zlib.error, InvalidSiteMap) as error:
        raise InvalidSnapshot(
            f"the map of the snapshot cannot be read ({error}). Move it away to start without it."
        ) from error
