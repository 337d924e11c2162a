"""Recorded sessions as reading arrays with their truth, read with the csv module.

Layer: tests. Takes: a dataset folder. Gives: site map, sessions, calibration rows.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtls.model.reading import READING_DTYPE, ReadingKind
from rtls.model.site_map import Anchor, Floor, Radio, SiteMap
from rtls.model.units import AnchorId, Metre, SiteId, TagId

ORIGIN_MS = 10_000
GRID_MS = 500
STALE_MS = 2_000  # an estimate older than that is no location


@dataclass(frozen=True)
class Session:
    name: str
    readings: np.ndarray
    truth: dict[int, np.ndarray]
    """by tag slot: (n, 3) of ms, x, y"""


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    packed = path.read_bytes()
    text = gzip.decompress(packed) if path.suffix == ".gz" else packed
    yield from csv.DictReader(text.decode().splitlines())


def site_of(folder: Path, radio: Radio) -> SiteMap:
    return SiteMap(
        site=SiteId("recorded"),
        name=folder.name,
        floors=(Floor(floor=0, name="0", width_m=Metre(50), height_m=Metre(50)),),
        zones=(),
        anchors=tuple(
            Anchor(
                anchor=AnchorId(row["anchor"]),
                radio=radio,
                floor=0,
                x_m=Metre(float(row["x"])),
                y_m=Metre(float(row["y"])),
                z_m=Metre(float(row["z"])),
            )
            for row in rows_of(folder / "anchors.csv")
        ),
    )


def sessions_of(folder: Path, site: SiteMap) -> tuple[tuple[TagId, ...], tuple[Session, ...]]:
    """Return the tags in the order of their slots, and all sessions."""
    anchor_index = site.anchor_index
    rows = list(rows_of(folder / "readings.csv.gz"))
    tags = sorted({row["tag"] for row in rows})
    slots = {tag: slot for slot, tag in enumerate(tags)}
    readings = np.zeros(len(rows), READING_DTYPE)
    readings["heard_at_ms"] = [ORIGIN_MS + round(float(row["t_s"]) * 1000) for row in rows]
    readings["tag"] = [slots[row["tag"]] for row in rows]
    readings["anchor"] = [anchor_index[AnchorId(row["anchor"])] for row in rows]
    readings["kind"] = [
        ReadingKind.RANGE if row["kind"] == "range" else ReadingKind.RSSI for row in rows
    ]
    readings["value"] = [float(row["value"]) for row in rows]
    readings["value_2"] = readings["value_3"] = readings["sigma"] = np.nan
    readings["ref_anchor"] = -1
    session = np.array([row["session"] for row in rows])
    truth: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    for row in rows_of(folder / "truth.csv.gz"):
        at_ms = ORIGIN_MS + round(float(row["t_s"]) * 1000)
        place = (at_ms, float(row["x"]), float(row["y"]))
        truth.setdefault((row["session"], slots[row["tag"]]), []).append(place)
    return tuple(TagId(tag) for tag in tags), tuple(
        Session(
            name=str(name),
            readings=readings[session == name],
            truth={
                slot: np.array(truth[name, slot])
                for slot in range(len(tags))
                if (name, slot) in truth
            },
        )
        for name in np.unique(session)
    )


def causal_errors(
    at_ms: np.ndarray, fixes: np.ndarray, session: Session
) -> tuple[np.ndarray, np.ndarray]:
    """Score the last fix emitted at each grid time against the truth.

    Returns the errors, (n, 2), infinite where there is no fresh fix, and the fixes, (n,).
    """
    errors, scored = [], []
    for slot, truth in session.truth.items():
        own = fixes["tag"] == slot
        emitted, rows = at_ms[own], fixes[own]
        grid = np.arange(np.ceil(truth[0, 0] / GRID_MS) * GRID_MS, truth[-1, 0] + 1, GRID_MS)
        last = np.searchsorted(emitted, grid, side="right") - 1
        is_fresh = (last >= 0) & (grid - emitted[np.maximum(last, 0)] <= STALE_MS)
        chosen = rows[np.maximum(last, 0)]
        error = np.stack(
            [
                chosen["x_m"] - np.interp(grid, truth[:, 0], truth[:, 1]),
                chosen["y_m"] - np.interp(grid, truth[:, 0], truth[:, 2]),
            ],
            axis=1,
        )
        errors.append(np.where(is_fresh[:, None], error, np.inf))
        scored.append(chosen)
    return np.concatenate(errors), np.concatenate(scored)


def stressed(readings: np.ndarray, seed: int) -> np.ndarray:
    """Spoil real ranges: 2 Hz, 25 % of link time blocked, 30 % lost, 1 % gross outliers.

    A block stays 4 s on average and adds 0.3 m + Exp(0.6 m); a gross outlier is off by up to 5 m.
    """
    draw = np.random.default_rng(seed)
    spoilt = []
    for tag in np.unique(readings["tag"]):
        rows = readings[readings["tag"] == tag]
        epochs = np.unique(rows["heard_at_ms"])
        kept = epochs[np.r_[True, np.diff(epochs // 500) > 0]]
        rows = rows[np.isin(rows["heard_at_ms"], kept)]
        for anchor in np.unique(rows["anchor"]):
            link = np.flatnonzero(rows["anchor"] == anchor)
            rows["value"][link] += detours(rows["heard_at_ms"][link] / 1000.0, draw)
        rows = rows[draw.random(rows.size) >= 0.3]
        gross = np.flatnonzero(draw.random(rows.size) < 0.01)
        rows["value"][gross] = np.maximum(
            rows["value"][gross] + draw.uniform(-5.0, 5.0, gross.size), 0.05
        )
        spoilt.append(rows)
    return np.concatenate(spoilt)


def detours(at_s: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return how much longer a link's path is at each time: stays of 4 s, 25 % of the time."""
    longer = np.zeros(at_s.size)
    begin, is_blocked = at_s[0], draw.random() < 0.25
    while begin <= at_s[-1]:
        end = begin + draw.exponential(4.0 if is_blocked else 12.0)
        if is_blocked:
            longer[(at_s >= begin) & (at_s < end)] = 0.3 + draw.exponential(0.6)
        begin, is_blocked = end, not is_blocked
    return longer
