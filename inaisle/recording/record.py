"""Record what the anchors hear of consenting tags, from the live broker, beside the service.

Layer: doors. Takes: settings, the tags that may be recorded, where the surveyor stands. Gives: a
folder in the format of a recording: readings, anchors, the map, and points.csv or waypoints.csv.

Only the tags that are named and the anchors themselves are written; all others are not even
counted by name. The line is one of its own, with QoS 0 and no session: the service loses nothing.
"""

import csv
import json
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from inaisle.calibration.calibration_report import SITE_MAP_NAME
from inaisle.calibration.survey_places import place_of
from inaisle.errors import ExitStatus, InvalidSettings, Unavailable
from inaisle.recording.csv_table import find_table, finite, read_table
from inaisle.service.broker import BrokerAddress, refuse_silent_broker
from inaisle.service.format_tables import format_settings
from inaisle.service.locating_side import mqtt_settings
from inaisle.service.serve import service_clock
from inaisle.settings import Settings
from inaisle.site.map_in_force import MapInForce, maps_to_run_on
from rtls.ingest.admission import Admission
from rtls.ingest.formats.decoded import NO_AGE, Decoded, MessageKey
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.mqtt_source import MqttSource
from rtls.ingest.recording import ANCHORS_HEADER, KINDS, READINGS_HEADER
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import SiteMap
from rtls.ports import RawMessage

ACCOUNT: Final = "inaisle-record"
POLL_S: Final = 0.2
MESSAGES_REMEMBERED: Final = 1_000  # a gateway sends again after 2 s what was not acknowledged
SECONDS_MAX: Final = 7_200.0
HELD_BACK_MS: Final = 1_000  # so much slower than its gateway's quickest: a spool being emptied
KIND_NAMES: Final = {kind: name for name, kind in KINDS.items()}
POINTS_HEADER: Final = ["point", "session", "x", "y", "floor", "from", "to"]
WAYPOINTS_HEADER: Final = ["session", "x", "y", "floor", "at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """What the command line asks for.

    Parameters
    ----------
    tags
        Tags whose owners agreed.
    at
        Where the surveyor stands, x and y; None while walking.
    waypoints
        Table x,y,floor of the places that are tapped, one for each press of Enter.
    """

    folder: Path
    seconds: float
    tags: tuple[str, ...] = ()
    at: tuple[float, float] | None = None
    floor: int = 0
    waypoints: Path | None = None
    as_json: bool = False


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Turns messages into rows of readings.csv; knows only what it may write."""

    site_map: SiteMap
    formats: FormatSettings
    tags: frozenset[str]
    session: str
    started_ms: int
    heard: Counter[str] = field(default_factory=Counter)
    held_back: int = 0
    """messages that came long after they were made: sent again by a gateway"""
    _registry: Registry = field(init=False)
    _admission: Admission = field(init=False)
    _allowed: frozenset[str] = field(init=False)
    _seen: deque[tuple[str, MessageKey]] = field(init=False)
    _quickest_ms: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._registry = Registry(self.formats)
        self._admission = Admission(self.site_map, aliases=self.formats.aliases)
        self._seen = deque(maxlen=MESSAGES_REMEMBERED)
        self._quickest_ms = {}
        self._allowed = self.tags | {str(anchor.anchor) for anchor in self.site_map.anchors}

    def rows_of(self, messages: Sequence[RawMessage]) -> Iterator[list[object]]:
        """Yield the rows that messages give."""
        for raw in messages:
            if raw.is_retained:
                continue
            decoded = self._registry.decode(raw.topic, raw.payload, raw.received_at_ms)
            if isinstance(decoded, Decoded) and self._is_new(decoded):
                yield from self._rows(decoded, raw.received_at_ms)

    def _is_new(self, decoded: Decoded) -> bool:
        """Say whether a message comes the first time: nobody acknowledges to us, but to ingest."""
        if decoded.key is None:
            return True
        name = (decoded.gateway, decoded.key)
        is_new = name not in self._seen
        self._seen.append(name)
        return is_new

    def _rows(self, decoded: Decoded, received_at_ms: int) -> Iterator[list[object]]:
        anchors = self._admission.anchors_of(decoded.gateway)
        sent_at_ms = received_at_ms if decoded.sent_at_ms is None else decoded.sent_at_ms
        # What its clock is behind, and the line takes, is the same for all messages of a gateway;
        # what took much longer than its quickest one was sent again.
        delay_ms = received_at_ms - sent_at_ms
        quickest_ms = min(delay_ms, self._quickest_ms.get(decoded.gateway, delay_ms))
        self._quickest_ms[decoded.gateway] = quickest_ms
        if delay_ms - quickest_ms > HELD_BACK_MS:
            self.held_back += 1
            return
        if anchors is None:
            return
        heard_by_ms = sent_at_ms + quickest_ms
        for columns in decoded.columns:
            kind = KIND_NAMES.get(columns.kind)
            if kind is None:
                continue
            read = zip(columns.tags, columns.anchors, columns.values, columns.ages_ms, strict=True)
            for tag, name, value, age_ms in read:
                index = anchors.get(name)
                t_ms = heard_by_ms + (0 if age_ms == NO_AGE else age_ms) - self.started_ms
                if index is None or tag not in self._allowed or t_ms < 0:
                    continue
                anchor = self.site_map.anchors[index].anchor
                self.heard[tag] += 1
                yield [self.session, t_ms / 1000.0, tag, anchor, kind, value]


def run_record(settings: Settings, options: RecordOptions) -> ExitStatus:
    """Record for so many seconds, or until Ctrl-C, and say what was heard."""
    in_force = next(maps_to_run_on(settings.site))
    site_map = in_force.site_map
    refuse_options(options, site_map)
    plan = read_plan(options.waypoints, site_map)
    address = BrokerAddress(host=settings.mqtt.host, port=settings.mqtt.port)
    refuse_silent_broker(address)
    session = prepare_folder(options.folder, in_force)
    clock = service_clock(settings)
    recorder = Recorder(
        site_map=site_map,
        formats=format_settings(settings.formats, site_map),
        tags=frozenset(options.tags),
        session=session,
        started_ms=clock.now_ms(),
    )
    line = mqtt_settings(settings.mqtt, address, topics=Registry(recorder.formats).topics)
    # Without accounts the name is only the client's id, and two surveyors must not be one client.
    name = ACCOUNT if line.password is not None else f"{ACCOUNT}-{os.getpid()}"
    line = replace(line, username=name, session_expiry_s=0, qos=0)
    source = MqttSource(line, clock=clock.now_ms)
    taps = Taps(len(plan), since_s=lambda: (clock.now_ms() - recorder.started_ms) / 1000.0)
    taps.start()
    try:
        lasted_s = fill(
            options.folder / "readings.csv",
            recorder,
            poll=source.poll,
            is_over=lambda: (
                clock.now_ms() - recorder.started_ms >= options.seconds * 1000.0
                or (bool(plan) and len(taps.at_s) >= len(plan))
            ),
            since_s=lambda: (clock.now_ms() - recorder.started_ms) / 1000.0,
        )
    finally:
        source.close()
    return finish(options, recorder, lasted_s=lasted_s, plan=plan, at_s=tuple(taps.at_s))


class Taps:
    """Instants at which Enter was pressed, seconds of the session."""

    def __init__(self, wanted: int, *, since_s: Callable[[], float]) -> None:
        self.at_s: list[float] = []
        self._wanted = wanted
        self._since_s = since_s

    def start(self) -> None:
        """Listen to the keyboard, where there is anything to tap."""
        if self._wanted:
            threading.Thread(target=self._listen, name="taps", daemon=True).start()

    def _listen(self) -> None:
        while len(self.at_s) < self._wanted and sys.stdin.readline():
            self.at_s.append(self._since_s())


def refuse_options(options: RecordOptions, site_map: SiteMap) -> None:
    """Refuse what cannot be recorded.

    Raises
    ------
    InvalidSettings
        If the time is off, or a point is given together with waypoints.
    """
    if not 0.0 < options.seconds <= SECONDS_MAX:
        raise InvalidSettings(
            f"--seconds is {options.seconds:g}; expected above 0, at most {SECONDS_MAX:g}."
        )
    if options.at is not None and options.waypoints is not None:
        raise InvalidSettings("--at and --waypoints are both given; expected one: stand, or walk.")
    if options.at is not None:
        x, y = options.at
        place_of({"x": str(x), "y": str(y), "floor": str(options.floor)}, "--at", site_map)


def read_plan(path: Path | None, site_map: SiteMap) -> list[tuple[float, float, int]]:
    """Return the waypoints to be tapped, in their order."""
    if path is None:
        return []
    return [
        place_of(row, f"{path}:{line}", site_map)[:3]
        for line, row in read_table(path, ("x", "y", "floor"))
    ]


def prepare_folder(folder: Path, in_force: MapInForce) -> str:
    """Make the folder with map and anchors, and return the name of the next session.

    Raises
    ------
    InvalidRecording
        If the folder holds a recording of another map.
    Unavailable
        If it cannot be written.
    """
    try:
        content = in_force.published.content
        beside = folder / SITE_MAP_NAME
        if beside.is_file() and beside.read_bytes() != content:
            raise InvalidRecording(
                f"{folder}: was begun on another map than {in_force.source}; expected the same. "
                "Record into a new folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        placed = (a for a in in_force.site_map.anchors if a.is_placed)
        anchors = [[a.anchor, a.x_m, a.y_m, a.z_m] for a in placed]
        write_rows(folder / "anchors.csv", ANCHORS_HEADER, anchors, is_new=True)
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be written ({error.strerror}).") from error
    readings = find_table(folder, "readings")
    used = {row["session"] for _, row in read_table(readings, ("session",))} if readings else set()
    return next(name for number in range(1, len(used) + 2) if (name := f"s{number}") not in used)


def fill(
    path: Path,
    recorder: Recorder,
    *,
    poll: Callable[[float], Sequence[RawMessage]],
    is_over: Callable[[], bool],
    since_s: Callable[[], float],
) -> float:
    """Append readings until it is over or interrupted, and return how long it lasted."""
    write_rows(path, READINGS_HEADER, [], is_new=False)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        try:
            while not is_over():
                writer.writerows(recorder.rows_of(poll(POLL_S)))
        except KeyboardInterrupt:
            pass  # a walk may end early; what was recorded stays
    return since_s()


def write_rows(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], *, is_new: bool
) -> None:
    """Write a table, or append to it."""
    has_header = path.is_file() and not is_new
    with path.open("w" if is_new else "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not has_header:
            writer.writerow(header)
        writer.writerows(rows)


def finish(
    options: RecordOptions,
    recorder: Recorder,
    *,
    lasted_s: float,
    plan: Sequence[tuple[float, float, int]],
    at_s: Sequence[float],
) -> ExitStatus:
    """Write where the surveyor was, and say what was heard.

    Raises
    ------
    Unavailable
        If nothing was heard of the tags that were to be recorded.
    """
    silent = sorted(tag for tag in recorder.tags if not recorder.heard[tag])
    if options.at is not None and not silent:
        x, y = options.at
        row = [recorder.session, recorder.session, x, y, options.floor, 0.0, round(lasted_s, 3)]
        write_rows(options.folder / "points.csv", POINTS_HEADER, [row], is_new=False)
    if at_s:
        taps = [[recorder.session, x, y, floor, round(at, 3)]
                for (x, y, floor), at in zip(plan, at_s, strict=False)]  # fmt: skip
        write_rows(options.folder / "waypoints.csv", WAYPOINTS_HEADER, taps, is_new=False)
    summary = {
        "session": recorder.session,
        "seconds": round(lasted_s, 1),
        "readings": dict(sorted(recorder.heard.items())),
        "waypoints": len(at_s),
        "messages_held_back": recorder.held_back,
    }
    if options.as_json:
        json.dump(summary, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        of = ", ".join(f"{tag} {count}" for tag, count in sorted(recorder.heard.items()))
        Console(highlight=False, soft_wrap=True).print(
            f"{options.folder}: session {recorder.session}, {lasted_s:.0f} s; readings: "
            f"{of or 'none'}"
        )
        if recorder.held_back:
            Console(highlight=False, soft_wrap=True).print(
                f"{recorder.held_back} messages came late and were left out: gateways send again "
                "what nobody acknowledges. Is the service running?"
            )
    if silent:
        raise Unavailable(
            f"nothing was heard of {', '.join(silent)} in {lasted_s:.0f} s; the point was not "
            "noted. Is the tag switched on, and its id right?"
        )
    return ExitStatus.DONE


def parse_place(text: str | None) -> tuple[float, float] | None:
    """Return x and y of ``12.5,3``.

    Raises
    ------
    InvalidSettings
        If it is no such pair.
    """
    if text is None:
        return None
    x, _, y = text.partition(",")
    try:
        row = {"x": x, "y": y}
        return finite(row, "x", where="--at"), finite(row, "y", where="--at")
    except InvalidRecording as error:
        raise InvalidSettings(f"{error} Write --at 12.5,3.0: metres of the map.") from error
