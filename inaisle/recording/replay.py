"""Feed a recording through the public ingest path and write the fixes it gives.

Layer: doors. Takes: a recording's folder. Gives: a table of fixes (inaisle.recording.fix_csv), one
of P(zone) (inaisle.recording.zone_csv) and one of visits (inaisle.recording.visit_csv) if asked
for, and a summary.

The readings travel as reference-protocol bytes through decoder, admission, epochs and engine, as
those of a shop do. Each session begins with an empty engine, so that none knows another.

Nothing looks ahead: reception is advanced to the end of each slice before the next one is given, so
a row's `emitted_t_s` is the instant up to which input had been consumed when the fix was made.
"""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from inaisle.calibration.calibration_csv import read_calibration
from inaisle.recording.fix_csv import write_fixes
from inaisle.recording.recording_site import site_map_of
from inaisle.recording.recording_zones import has_zones
from inaisle.recording.replay_history import ReplayHistory, replay_history
from inaisle.recording.visit_csv import VisitTable, visit_table, with_zones
from inaisle.recording.zone_csv import ZoneTable, zone_table
from rtls.engine import Engine, EngineOutput
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.ingest.recorded_source import SLICE_MS, RecordedSource
from rtls.ingest.recording import Recording, Session, load_recording
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import RawMessage
from rtls.positioning.calibration import Calibration

SCAN_SLICE_MS: Final = 10
"""scans are seconds apart: a fix is out at the hundredth of its scan, not at the next tenth"""
SILENCE_AFTER_MS: Final = 60_000
"""longer than the grace of any radio, and hindsight"""
PLACE_DIGITS: Final = 4
COV_DIGITS: Final = 8
COLUMNS: Final = ("floor", "x_m", "y_m", "z_m", "cov_xx", "cov_xy", "cov_yy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySummary:
    """What a replay did."""

    recording: str
    sessions: int
    readings: int
    fixes: int
    quarantined: int
    is_calibrated: bool
    seconds: float
    """that the replay took"""
    zone_rows: int | None = None
    """None where no zones were asked for"""
    visit_rows: int | None = None
    """None where no visits were asked for"""
    history_rows: int | None = None
    """None where no history was asked for"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A recording with its map and what is known of its links."""

    recording: Recording
    site_map: SiteMap
    calibration: Calibration | None
    until_s: float | None = None
    zones: ZoneTable | None = None
    """where P(zone) is written, if anywhere"""
    visits: VisitTable | None = None
    """where visits are written, if anywhere"""
    history: ReplayHistory | None = None
    """where the history is written, if anywhere"""

    @property
    def is_told_of_visits(self) -> bool:
        """Return whether anybody asked for visits."""
        return self.visits is not None or self.history is not None

    def tell(self, output: EngineOutput, session: Session) -> None:
        """Hand what one batch gave to the tables that look at more than fixes."""
        if self.visits is not None:
            self.visits.take(output, session)
        if self.history is not None:
            self.history.take(output)


def replay_recording(
    folder: Path,
    *,
    emit: Path,
    emit_zones: Path | None = None,
    emit_visits: Path | None = None,
    history: Path | None = None,
    until_s: float | None = None,
    is_calibrated: bool = True,
) -> ReplaySummary:
    """Replay a recording and write its fixes.

    Parameters
    ----------
    folder
        With readings.csv[.gz], and anchors.csv or survey walks.
    emit
        The table to write.
    emit_zones
        A second table, of P(zone) at the fixes; for recordings with shelves or shops.
    emit_visits
        A third one, of visits and passes; for the same recordings.
    history
        A folder for positions and, where the recording has zones, visits, as reports read them.
    until_s
        Stop at this second of each session's clock.
    is_calibrated
        Use calib.csv and survey.csv where they are.

    Raises
    ------
    InvalidRecording
        If the folder cannot be replayed; names file, line, value and remedy.
    """
    if until_s is not None and not until_s >= 0.0:
        raise InvalidRecording(f"until is {until_s}; expected 0 or more seconds.")
    started = time.perf_counter()
    recording = load_recording(folder)
    site_map = site_map_of(recording, folder)
    if emit_visits is not None or (history is not None and has_zones(folder)):
        site_map = with_zones(site_map, folder)
    replay = Replay(
        recording=recording,
        site_map=site_map,
        calibration=_calibration(recording, folder, site_map) if is_calibrated else None,
        until_s=until_s,
    )
    tally = Tally()
    with (
        _zones_of(replay, emit_zones, folder) as with_table,
        _visits_of(with_table, emit_visits) as with_visits,
        _history_of(with_visits, history) as watched,
    ):
        fixes = write_fixes(emit, replay_rows(watched, tally))
    return ReplaySummary(
        recording=folder.name,
        sessions=len(recording.sessions),
        readings=tally.readings,
        fixes=fixes,
        quarantined=tally.quarantined,
        is_calibrated=replay.calibration is not None,
        seconds=round(time.perf_counter() - started, 3),
        zone_rows=None if watched.zones is None else watched.zones.rows,
        visit_rows=None if watched.visits is None else watched.visits.rows,
        history_rows=None if watched.history is None else watched.history.rows,
    )


@contextmanager
def _zones_of(replay: Replay, emit_zones: Path | None, folder: Path) -> Iterator[Replay]:
    """Give the replay a table of zones for as long as it lasts, if one is asked for."""
    if emit_zones is None:
        yield replay
        return
    with zone_table(emit_zones, folder=folder, site_map=replay.site_map) as table:
        yield replace(replay, zones=table)


@contextmanager
def _visits_of(replay: Replay, emit_visits: Path | None) -> Iterator[Replay]:
    """Give the replay a table of visits for as long as it lasts, if one is asked for."""
    if emit_visits is None:
        yield replay
        return
    with visit_table(emit_visits, site_map=replay.site_map) as table:
        yield replace(replay, visits=table)


@contextmanager
def _history_of(replay: Replay, folder: Path | None) -> Iterator[Replay]:
    """Give the replay a history for as long as it lasts, if one is asked for."""
    if folder is None:
        yield replay
        return
    with replay_history(folder, site_map=replay.site_map) as history:
        yield replace(replay, history=history)


def _calibration(recording: Recording, folder: Path, site_map: SiteMap) -> Calibration | None:
    return read_calibration(folder, site_map, survey=recording.survey)


@dataclass(slots=True)
class Tally:
    """Counts that grow while rows are made."""

    readings: int = 0
    quarantined: int = 0


def replay_rows(replay: Replay, tally: Tally) -> Iterator[tuple[object, ...]]:
    """Yield the rows of all sessions, in the order of emission."""
    engine = Engine(replay.site_map, calibration=replay.calibration)
    blank = engine.snapshot()
    for index, session in enumerate(replay.recording.sessions):
        engine.restore(blank)  # nothing of the session before is left but the site's own tables
        yield from _session_rows(replay, index, session, engine=engine, tally=tally)


def _session_rows(
    replay: Replay, index: int, session: Session, *, engine: Engine, tally: Tally
) -> Iterator[tuple[object, ...]]:
    site_map = replay.site_map
    names = {floor.floor: floor.name for floor in site_map.floors}
    slice_ms = SLICE_MS if replay.recording.survey is None else SCAN_SLICE_MS
    reception = Reception(
        site_map,
        admitted=AdmittedTags.all(),
        settings=ReceptionSettings.for_recordings(epoch_ms=slice_ms),
    )
    source = RecordedSource(_only(replay.recording, index), slice_ms=slice_ms)
    until_ms = (
        None
        if replay.until_s is None
        else UnixMs(session.starts_at_ms + math.floor(replay.until_s * 1000.0))
    )
    if replay.visits is not None:
        replay.visits.begin()
    if replay.history is not None:
        replay.history.begin()
    for consumed_ms, messages in _instants(source, until_ms, slice_ms):
        reception.receive(messages)
        for batch in reception.advance(consumed_ms):
            tally.readings += len(batch.readings)
            output = engine.process(batch)
            if replay.zones is not None:
                replay.zones.take(output, session, engine=engine)
            replay.tell(output, session)
            yield from _fix_rows(output, session, names)
    if replay.is_told_of_visits and source.is_finished:
        # The tags fall silent: visits end as those of who leaves the shop do.
        end_ms = UnixMs(source.consumed_ms + SILENCE_AFTER_MS)
        for batch in reception.advance(end_ms if until_ms is None else min(end_ms, until_ms)):
            replay.tell(engine.process(batch), session)
    counters = reception.counters
    tally.quarantined += counters["messages_quarantined"]


def _instants(
    source: RecordedSource, until_ms: UnixMs | None, slice_ms: int
) -> Iterator[tuple[UnixMs, Sequence[RawMessage]]]:
    """Yield (instant, messages up to it): first the silence before a slice, then the slice.

    Live, the epochs of a silence are closed while it lasts; so they are here, also when the replay
    stops in the middle of one.
    """
    while not source.is_finished:
        messages = source.poll(0.0)
        silent_until_ms = UnixMs(source.consumed_ms - slice_ms)
        if until_ms is not None and source.consumed_ms > until_ms:
            yield min(silent_until_ms, until_ms), ()
            return
        yield silent_until_ms, ()
        yield source.consumed_ms, messages


def _only(recording: Recording, index: int) -> Recording:
    rows = recording.rows[recording.rows["session"] == index].copy()
    rows["session"] = 0
    return replace(recording, rows=rows, sessions=(recording.sessions[index],))


def _fix_rows(
    output: EngineOutput, session: Session, names: Mapping[int, str]
) -> Iterator[tuple[object, ...]]:
    # The epoch's end is both the instant of the fix and the last instant of input consumed.
    t_s = f"{(output.fixes.at_ms - session.starts_at_ms) / 1000.0:.3f}"
    values = output.fixes.rows[list(COLUMNS)].tolist()
    for tag, (floor, x, y, z, *cov) in zip(output.tags, values, strict=True):
        places = (round(place, PLACE_DIGITS) for place in (x, y, z))
        yield (
            session.name,
            t_s,
            t_s,
            tag,
            *places,
            names[floor],
            *(round(c, COV_DIGITS) for c in cov),
        )


def print_replay(summary: ReplaySummary, *, as_json: bool) -> None:
    """Print what was done to standard output."""
    if as_json:
        json.dump(asdict(summary), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    calibrated = "calibrated" if summary.is_calibrated else "without calibration"
    zones = "" if summary.zone_rows is None else f" and {summary.zone_rows:,} rows of zones"
    visits = "" if summary.visit_rows is None else f", {summary.visit_rows:,} rows of visits"
    history = "" if summary.history_rows is None else f", {summary.history_rows:,} rows of history"
    Console().print(
        f"{summary.recording}: {summary.readings:,} readings of {summary.sessions} sessions gave "
        f"{summary.fixes:,} fixes{zones}{visits}{history} in {summary.seconds:.1f} s "
        f"({calibrated})",
        highlight=False,
    )
