"""Write and read how probable each zone is, one row for each zone that a tag may be in.

Layer: doors. Takes: fixes of a replay and the recording's zones, or a file that claims to be such a
table. Gives: the file to the user, columns to inaisle.recording.score_zones.

Rows come with each fix, but for one tag not more often than every 100 ms, most probable zone first:
all with P of 0.01 or more, at most 16, at least one. Within one emission P sums to at most 1; what
is missing belongs to zones left out. P is as for the zones of a shop: the mass of the belief where
the tag is followed on the grid, else the Gaussian of the fix, either widened by the frozen bias of
its radio.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from inaisle.recording.csv_table import finite, read_table
from inaisle.recording.fix_csv import SessionTag
from inaisle.recording.recording_zones import RecordingZones, load_zones
from rtls.engine import Engine, EngineOutput
from rtls.geofence.containment import ContainmentSettings
from rtls.geofence.grid_containment import GRID_METHOD
from rtls.geofence.kernels.gaussian_in_zone import bias_of_kinds
from rtls.geofence.nearest_zone import NearestOfNodes
from rtls.ingest.recording import Session
from rtls.model.errors import InvalidRecording
from rtls.model.site_map import SiteMap

ZONE_COLUMNS: Final = ("session", "t_s", "emitted_t_s", "tag", "zone", "p")
INTERVAL_MS: Final = 100
P_LISTED: Final = 0.01
ZONES_LISTED_MAX: Final = 16
DIGITS: Final = 10_000  # P is rounded down, so that a sum stays at 1 or below
P_SUM_MAX: Final = 1.0 + 1e-6


class ZoneTable:
    """The table under construction.

    Parameters
    ----------
    zones
        Of the recording.
    site_map
        Names the floors of fixes.
    file
        Where rows go; the header is written at once.
    """

    def __init__(self, zones: RecordingZones, site_map: SiteMap, file: TextIO) -> None:
        self._nearest = zones.nearest
        self._labels = zones.labels_of(site_map)
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(ZONE_COLUMNS)
        self._bias_m = np.array(ContainmentSettings().bias_m, np.float64)
        self._emitted_ms: dict[SessionTag, int] = {}
        self._of_nodes: NearestOfNodes | None = None
        self.rows = 0

    def take(self, output: EngineOutput, session: Session, *, engine: Engine) -> None:
        """Write the zones of the fixes of one epoch, which ``engine`` has just given."""
        at_ms = int(output.fixes.at_ms)
        beliefs = engine.rows_of(output.fixes.rows["tag"]).locator.beliefs
        for row, (tag, fix) in enumerate(zip(output.tags, output.fixes.rows, strict=True)):
            last_ms = self._emitted_ms.get((session.name, tag))
            if last_ms is not None and at_ms - last_ms < INTERVAL_MS:
                continue
            self._emitted_ms[session.name, tag] = at_ms
            t_s = f"{(at_ms - session.starts_at_ms) / 1000.0:.3f}"
            used = int(beliefs.rows["used"][row]) if len(beliefs) else 0
            if used and fix["method"] == GRID_METHOD:
                states, masses = beliefs.states[row, :used], beliefs.masses[row, :used]
                found = self._nodes_of(engine).probabilities(states, masses)
            else:
                found = self._of_gaussian(fix)
            for zone, p in _listed(found):
                self._writer.writerow((session.name, t_s, t_s, tag, zone, p))
                self.rows += 1

    def _of_gaussian(self, fix: np.void) -> list[tuple[str, float]]:
        label = self._labels.get(int(fix["floor"]))
        cov = (float(fix["cov_xx"]), float(fix["cov_xy"]), float(fix["cov_yy"]))
        if label is None or not all(map(math.isfinite, (*cov, fix["x_m"], fix["y_m"]))):
            return []
        mean = (float(fix["x_m"]), float(fix["y_m"]))
        widened = (cov[0] + self._bias_m2(fix), cov[1], cov[2] + self._bias_m2(fix))
        return self._nearest.probabilities(label, mean, widened)

    def _nodes_of(self, engine: Engine) -> NearestOfNodes:
        """Return the zones of the nodes, the same for all sessions of a recording."""
        if self._of_nodes is None:
            node_xy, node_floor, node_sd_m = engine.nodes
            self._of_nodes = NearestOfNodes(
                self._nearest,
                self._labels,
                node_xy=node_xy,
                node_floor=node_floor,
                node_sd_m=math.hypot(node_sd_m, ContainmentSettings().bias_rssi_m),
            )
        return self._of_nodes

    def _bias_m2(self, fix: np.void) -> float:
        """Return the variance of the frozen bias, as the engine adds it for zones of a shop."""
        return float(bias_of_kinds(int(fix["kinds"]), self._bias_m)) ** 2


def _listed(found: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    for place, (zone, p) in enumerate(found[:ZONES_LISTED_MAX]):
        if place == 0 or p >= P_LISTED:
            yield zone, math.floor(p * DIGITS) / DIGITS


@contextmanager
def zone_table(path: Path, *, folder: Path, site_map: SiteMap) -> Iterator[ZoneTable]:
    """Open a table for the zones of a recording.

    Parameters
    ----------
    path
        The file to write.
    folder
        Of the recording, with its zones.
    site_map
        Of the recording.

    Raises
    ------
    InvalidRecording
        If the recording has no zones, or the file cannot be written.
    """
    zones = load_zones(folder)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield ZoneTable(zones, site_map, file)
    except OSError as error:
        raise InvalidRecording(f"{path}: cannot be written ({error}).") from error


@dataclass(slots=True)
class EmittedZones:
    """What was said of one tag in one session, in the order of emission.

    Parameters
    ----------
    t_ms, emitted_ms
        Of each emission, ms of the session's clock.
    zones
        By emission the zones with their P.
    """

    t_ms: list[int] = field(default_factory=list)
    emitted_ms: list[int] = field(default_factory=list)
    zones: list[dict[str, float]] = field(default_factory=list)


def read_zones(path: Path) -> dict[SessionTag, EmittedZones]:
    """Read such a table and refuse rows that no causal and honest replay can have written.

    Raises
    ------
    InvalidRecording
        If the file cannot be read, lacks a column, or holds a row that is emitted before its own
        instant, goes back in emission, names a zone twice in one emission, or a P outside 0 to 1;
        or if the P of one emission sum to more than 1.
    """
    found: dict[SessionTag, EmittedZones] = {}
    for line, row in read_table(path, ZONE_COLUMNS):
        where = f"{path}:{line}"
        t_s, emitted_t_s, p = (
            finite(row, name, where=where) for name in ("t_s", "emitted_t_s", "p")
        )
        if emitted_t_s < t_s:
            raise InvalidRecording(
                f"{where}: emitted_t_s {emitted_t_s} is before t_s {t_s}; a zone cannot be known "
                "before its own instant. Replay without looking ahead."
            )
        if not 0.0 <= p <= 1.0:
            raise InvalidRecording(f"{where}: p is {p}; expected a probability, 0 to 1.")
        group = found.setdefault((row["session"], row["tag"]), EmittedZones())
        _append(group, row["zone"], (round(t_s * 1e3), round(emitted_t_s * 1e3), p), where=where)
    return found


def _append(group: EmittedZones, zone: str, values: tuple[int, int, float], *, where: str) -> None:
    t_ms, emitted_ms, p = values
    if group.emitted_ms and emitted_ms < group.emitted_ms[-1]:
        raise InvalidRecording(
            f"{where}: emitted_t_s goes back from {group.emitted_ms[-1] / 1e3} to "
            f"{emitted_ms / 1e3} s; expected rows in the order of emission."
        )
    is_new = not group.zones or (t_ms, emitted_ms) != (group.t_ms[-1], group.emitted_ms[-1])
    if is_new:
        group.t_ms.append(t_ms)
        group.emitted_ms.append(emitted_ms)
        group.zones.append({})
    zones = group.zones[-1]
    if zone in zones:
        raise InvalidRecording(f"{where}: zone {zone!r} is there twice in one emission; join them.")
    zones[zone] = p
    if sum(zones.values()) > P_SUM_MAX:
        raise InvalidRecording(
            f"{where}: the p of one emission sum to {sum(zones.values()):.4f}; expected at most 1, "
            "since a tag is nearest to one zone only."
        )
