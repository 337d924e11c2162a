"""Play a recorded data set as if gateways sent it: the same bytes through the same decoder.

Layer: edge. Takes: a folder of CSV files (rtls.ingest.recording). Gives: `RawMessage`s of the
reference protocol to the door, as `rtls.ports.Source`; the recording's own session names and times
to whoever scores the fixes.
"""

import bisect
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from rtls.ingest.recording import Recording, load_recording
from rtls.model.reading import ReadingKind
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import RawMessage

TOPIC: Final = "inaisle/v1/gw/recording/up"
SLICE_MS: Final = 100
READINGS_A_MESSAGE_MAX: Final = 512
_KIND_NAMES: Final = {ReadingKind.RSSI: "rssi", ReadingKind.RANGE: "range"}


class RecordedReading(msgspec.Struct, frozen=True, gc=False):
    """One element of `obs`."""

    a: str
    id: str
    k: str
    v: float
    dt: int


class RecordedMessage(msgspec.Struct, frozen=True, gc=False):
    """One `up` message."""

    v: int
    boot: str
    seq: int
    t: int
    obs: list[RecordedReading]


class RecordedSource:
    """A recording as a source; time goes as fast as it is polled.

    Each poll gives one slice of the time line, whole: all readings heard up to `consumed_ms` have
    then been given and none after it. So whoever advances reception to `consumed_ms` after each
    poll uses no reading of the future.

    Parameters
    ----------
    recording
        A folder, or what `load_recording` made of it.
    slice_ms
        Length of a slice; slices end at its multiples, as epochs do.

    Raises
    ------
    InvalidRecording
        If the folder cannot be replayed; names file, line, value and remedy.
    """

    def __init__(self, recording: Path | Recording, *, slice_ms: int = SLICE_MS) -> None:
        self.recording = load_recording(recording) if isinstance(recording, Path) else recording
        self._heard_at_ms = self.recording.heard_at_ms()
        self._slice_ends = -(-self._heard_at_ms // slice_ms) * slice_ms
        self._starts = [session.starts_at_ms for session in self.recording.sessions]
        site = self.recording.site_map.site
        self._boot = hashlib.blake2b(site.encode(), digest_size=8).hexdigest()
        self._next_row = 0
        self._sequence = 0
        self._is_closed = False
        self.consumed_ms = UnixMs(int(self._slice_ends[0]) - slice_ms)
        """all readings up to this instant have been given"""

    @property
    def site_map(self) -> SiteMap:
        """Return the map that the recording implies: its anchors on one floor."""
        return self.recording.site_map

    @property
    def is_finished(self) -> bool:
        """Say whether nothing more will come."""
        return self._is_closed or self._next_row >= len(self._heard_at_ms)

    def session_at(self, at_ms: UnixMs) -> tuple[str, float] | None:
        """Return (session, seconds from its start) of an instant; None before the first session.

        The silence behind a session still counts to it.
        """
        index = bisect.bisect_right(self._starts, at_ms) - 1
        if index < 0:
            return None
        session = self.recording.sessions[index]
        return session.name, (at_ms - session.starts_at_ms) / 1000.0

    def poll(self, timeout_s: float) -> Sequence[RawMessage]:  # noqa: ARG002 # never has to wait
        """Return the messages of the next slice with readings; empty at the end."""
        if self.is_finished:
            return ()
        first = self._next_row
        end_ms = int(self._slice_ends[first])
        self._next_row = int(np.searchsorted(self._slice_ends, end_ms, side="right"))
        self.consumed_ms = UnixMs(end_ms)
        cuts = range(first, self._next_row, READINGS_A_MESSAGE_MAX)
        return [
            self._message(at, min(at + READINGS_A_MESSAGE_MAX, self._next_row), end_ms)
            for at in cuts
        ]

    def acknowledge(self, receipts: Sequence[int]) -> None:
        """Do nothing: a file forgets nothing."""

    def send(self, topic: str, payload: bytes) -> None:
        """Do nothing: there is no gateway to answer."""

    def close(self) -> None:
        """Give nothing more."""
        self._is_closed = True

    def _message(self, first: int, last: int, end_ms: int) -> RawMessage:
        recording = self.recording
        readings = [
            RecordedReading(
                a=recording.anchors[row["anchor"]],
                id=recording.tags[row["tag"]],
                k=_KIND_NAMES[row["kind"].item()],
                v=row["value"].item(),
                dt=int(heard_at_ms) - end_ms,
            )
            for row, heard_at_ms in zip(
                recording.rows[first:last], self._heard_at_ms[first:last], strict=True
            )
        ]
        message = RecordedMessage(v=1, boot=self._boot, seq=self._sequence, t=end_ms, obs=readings)
        self._sequence += 1
        return RawMessage(
            topic=TOPIC,
            payload=msgspec.json.encode(message),
            received_at_ms=UnixMs(end_ms),
            receipt=self._sequence,
        )
