"""Read where a surveyor stood or walked, and when.

Layer: doors. Takes: points.csv and waypoints.csv of a recording. Gives: `Known` times to
inaisle.calibration.calibration_input, which say of any instant where the tag was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inaisle.recording.csv_table import find_table, finite, read_table
from rtls.ingest.recording import Recording
from rtls.model.errors import InvalidCalibration
from rtls.model.site_map import Floor, SiteMap

Rows = npt.NDArray[np.void]
Floats = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]
WALK_M_S_MAX: Final = 3.0
WALK_STEP_MS: Final = 2_000
MINUTE_MS: Final = 60_000
POINTS_MAX: Final = 10_000
OUTSIDE_M_MAX: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which a tag's place was known: a point, or a minute of a walk.

    Parameters
    ----------
    tag
        Only this tag; all of the session if None.
    stops
        The stops of `PlacedReadings` that it gave.
    path
        (n, 4): ms of the session, x, y, floor.
    """

    name: str
    session: int
    tag: str | None
    from_ms: int
    to_ms: int
    stops: tuple[int, ...]
    path: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """When a tag's place was known: instants (ms of the session) with x, y and floor.

    Parameters
    ----------
    where
        File and line, for messages.
    tag
        Only this tag; all of the session if None.
    z_m
        Height of the tag, where the table says it.
    step_ms
        Readings of one such time share a stop.
    part_ms
        Length of the parts that are held back one by one.
    """

    where: str
    session: int
    tag: str | None
    t_ms: Instants
    xy: Floats
    floor: npt.NDArray[np.int32]
    z_m: float | None
    step_ms: int
    part_ms: int

    @property
    def from_ms(self) -> int:
        """Return when the place became known."""
        return int(self.t_ms[0])

    @property
    def to_ms(self) -> int:
        """Return until when it was."""
        return int(self.t_ms[-1])

    def rows_of(self, recording: Recording) -> Rows:
        """Return the recorded rows of that time."""
        rows = recording.rows
        chosen = (rows["session"] == self.session) & (rows["t_ms"] >= self.from_ms)
        chosen &= rows["t_ms"] <= self.to_ms
        if self.tag is not None:
            tags = np.array([name == self.tag for name in recording.tags])
            chosen &= tags[rows["tag"]]
        return np.asarray(rows[chosen])

    def places_at(self, t_ms: Instants) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
        """Return x, y and floor at instants: straight between two, the floor of the earlier."""
        x, y = (np.interp(t_ms, self.t_ms, self.xy[:, axis]) for axis in (0, 1))
        last = np.clip(np.searchsorted(self.t_ms, t_ms, side="right") - 1, 0, len(self.t_ms) - 1)
        return x, y, self.floor[last]

    def stretches(self, stops: npt.NDArray[np.int32], at_ms: Instants) -> list[Stretch]:
        """Return the parts to be held back one by one: minutes of a walk, a stay as a whole.

        Parameters
        ----------
        stops, at_ms
            (n,), the stop of each reading, and when it was.
        """
        pieces = []
        for begin in range(self.from_ms, self.to_ms, self.part_ms):
            end = min(begin + self.part_ms, self.to_ms)
            inside = (at_ms >= begin) & (at_ms < end)
            if inside.any():
                own = tuple(np.unique(stops[inside]).tolist())
                pieces.append(self.stretch(begin, end, own))
        return pieces

    def stretch(self, from_ms: int, to_ms: int, stops: tuple[int, ...]) -> Stretch:
        """Return one part with its path."""
        inner = self.t_ms[(self.t_ms > from_ms) & (self.t_ms < to_ms)]
        at_ms = np.concatenate([[from_ms], inner, [to_ms]]).astype(np.int64)
        x, y, floor = self.places_at(at_ms)
        return Stretch(
            name=f"{self.where}, {from_ms / 1000:g} s",
            session=self.session,
            tag=self.tag,
            from_ms=from_ms,
            to_ms=to_ms,
            stops=stops,
            path=np.stack([at_ms, x, y, floor], axis=1),
        )


def read_stays(folder: Path, recording: Recording, site_map: SiteMap) -> tuple[Known, ...]:
    """Read points.csv, if it is there.

    Raises
    ------
    InvalidCalibration
        If a time runs backwards or there are too many points.
    """
    path = find_table(folder, "points")
    stays: list[Known] = []
    if path is None:
        return ()
    for line, row in read_table(path, ("x", "y", "floor", "from", "to")):
        where = f"{path}:{line}"
        begin, end = (finite(row, name, where=where) for name in ("from", "to"))
        if not 0.0 <= begin < end:
            raise InvalidCalibration(
                f"{where}: from {begin:g} to {end:g} s; expected from below to, both seconds of "
                "the session."
            )
        x, y, floor, z = place_of(row, where, site_map)
        whole_ms = round((end - begin) * 1000.0) + 1
        stays.append(
            Known(
                where=where,
                session=session_of(row, where, recording),
                tag=row.get("tag") or None,
                t_ms=np.array([begin * 1000.0, end * 1000.0]).round().astype(np.int64),
                xy=np.array([(x, y), (x, y)]),
                floor=np.array([floor, floor], np.int32),
                z_m=z,
                step_ms=whole_ms,
                part_ms=whole_ms,
            )
        )
        if len(stays) > POINTS_MAX:
            raise InvalidCalibration(f"{where}: expected at most {POINTS_MAX} points. Thin them.")
    return tuple(stays)


def read_walks(folder: Path, recording: Recording, site_map: SiteMap) -> tuple[Known, ...]:
    """Read waypoints.csv, if it is there: one walk for each session and tag."""
    path = find_table(folder, "waypoints")
    if path is None:
        return ()
    walks: dict[tuple[int, str | None], list[tuple[str, float, float, float, int]]] = {}
    heights: dict[tuple[int, str | None], float | None] = {}
    for line, row in read_table(path, ("x", "y", "floor", "at")):
        where = f"{path}:{line}"
        x, y, floor, z = place_of(row, where, site_map)
        key = session_of(row, where, recording), row.get("tag") or None
        at_ms = 1000.0 * finite(row, "at", where=where)
        own = walks.setdefault(key, [])
        if own:
            refuse_haste(own[-1], (where, at_ms, x, y))
        own.append((where, at_ms, x, y, floor))
        heights[key] = z
    return tuple(
        Known(
            where=own[0][0],
            session=session,
            tag=tag,
            t_ms=np.array([at for _, at, *_ in own]).round().astype(np.int64),
            xy=np.array([(x, y) for _, _, x, y, _ in own]),
            floor=np.array([floor for *_, floor in own], np.int32),
            z_m=heights[session, tag],
            step_ms=WALK_STEP_MS,
            part_ms=MINUTE_MS,
        )
        for (session, tag), own in walks.items()
    )


def refuse_haste(
    last: tuple[str, float, float, float, int], now: tuple[str, float, float, float]
) -> None:
    """Refuse waypoints that nobody can have walked: tapped in another order.

    Raises
    ------
    InvalidCalibration
        If time does not rise, or the way is too long for it.
    """
    _, before_ms, x0, y0, _ = last
    where, at_ms, x1, y1 = now
    way_m = float(np.hypot(x1 - x0, y1 - y0))
    if at_ms <= before_ms or way_m / (at_ms - before_ms) * 1000.0 > WALK_M_S_MAX:
        raise InvalidCalibration(
            f"{where}: {way_m:.1f} m in {(at_ms - before_ms) / 1000.0:.1f} s since the waypoint "
            f"before; expected rising times and at most {WALK_M_S_MAX:g} m/s. The waypoints are "
            "out of order, or a tap is missing."
        )


def place_of(
    row: Mapping[str, str], where: str, site_map: SiteMap
) -> tuple[float, float, int, float | None]:
    """Return x, y, floor and height of a row.

    Raises
    ------
    InvalidCalibration
        If the floor is not on the map, or the point outside it.
    """
    x, y = (finite(row, name, where=where) for name in ("x", "y"))
    floors = {str(floor.floor): floor for floor in site_map.floors}
    plan = floors.get(row["floor"].strip())
    if plan is None:
        raise InvalidCalibration(
            f"{where}: floor is {row['floor']!r}; expected of {', '.join(floors)}, the floors on "
            f"the map of {site_map.site}."
        )
    off = outside_m(x, y, plan)
    if off > OUTSIDE_M_MAX and is_framed(site_map):
        raise InvalidCalibration(
            f"{where}: the point ({x:g}, {y:g}) is {off:.1f} m outside floor {plan.floor}; "
            f"expected x 0 to {plan.width_m:g}, y 0 to {plan.height_m:g} m, the frame of the map. "
            "Check the unit and the corner that is measured from."
        )
    z = finite(row, "z", where=where) if row.get("z") else None
    return x, y, plan.floor, z


def outside_m(x_m: float, y_m: float, plan: Floor) -> float:
    """Return how far a point is outside a floor, negative inside."""
    return max(-x_m, x_m - plan.width_m, -y_m, y_m - plan.height_m)


def is_framed(site_map: SiteMap) -> bool:
    """Return whether the floors' frames hold all anchors; those of foreign recordings may not."""
    plans = {plan.floor: plan for plan in site_map.floors}
    return all(
        outside_m(anchor.x_m, anchor.y_m, plans[anchor.floor]) <= OUTSIDE_M_MAX
        for anchor in site_map.anchors
        if anchor.is_placed
    )


def session_of(row: Mapping[str, str], where: str, recording: Recording) -> int:
    """Return the index of a row's session; it may be left out where there is one only.

    Raises
    ------
    InvalidCalibration
        If it is not among the sessions of the recording.
    """
    names = [session.name for session in recording.sessions]
    name = row.get("session") or (names[0] if len(names) == 1 else "")
    if name not in names:
        raise InvalidCalibration(
            f"{where}: session is {name!r}; expected of {', '.join(names[:5])}: the sessions of "
            "readings.csv."
        )
    return names.index(name)
