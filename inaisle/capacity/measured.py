"""Read the measured figures that a plan is computed from, each with where it comes from.

Layer: doors. Takes: config/capacity/figures.toml, or a file with a retailer's own measurements.
Gives: `MeasuredFigures` to the plan. What was not measured stands in the file with its reason and
without a value, and in the plan as not measured: nothing is made up.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inaisle.config_files import config_folder
from inaisle.errors import InvalidSettings

SOURCE_KEYS: Final = ("source", "date", "command", "machine")
POINTS_MIN: Final = 2
"""A line needs so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure.

    Parameters
    ----------
    value
        None where it was not measured.
    source
        Where it stands, or why there is none.
    """

    name: str
    value: float | None
    unit: str
    source: str
    date: str
    command: str
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCost:
    """What one frame of readings costs a core: so much for itself, and so much for each reading."""

    frame_s: float
    reading_s: float

    def of(self, readings: float) -> float:
        """Return the seconds of a core that a frame takes."""
        return self.frame_s + self.reading_s * readings


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredFigures:
    """All figures by their names, and the cost of frames fitted to the measured sizes."""

    figures: Mapping[str, Measured]
    frame_cost: FrameCost

    def value(self, name: str) -> float | None:
        """Return a figure, or None where it was not measured."""
        return self.figures[name].value

    def unmeasured(self) -> tuple[Measured, ...]:
        """Return what has no value."""
        return tuple(figure for figure in self.figures.values() if figure.value is None)


NAMES: Final = (
    "worker_share",
    "reading_bytes",
    "frame_bytes",
    "fix_bytes",
    "fix_frame_bytes",
    "event_bytes",
    "events_a_shopper",
    "visits_a_shopper",
    "fixes_a_shopper",
    "decisions_a_shopper",
    "purchases_a_shopper",
    "decision_core_s",
    "redemption_core_s",
    "database_core_s",
    "transactions_a_second",
    "database_bytes_a_shopper",
    "history_row_bytes",
    "archive_rows_a_second",
    "redis_bytes_a_tag",
    "live_bytes_a_tag",
)


def figures_file() -> Path:
    """Return the figures that ship with the program."""
    return config_folder() / "capacity" / "figures.toml"


def load_figures(path: Path) -> MeasuredFigures:
    """Read a file of figures.

    Raises
    ------
    InvalidSettings
        If it cannot be read, lacks a figure, or a figure lacks its source.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSettings(
            f"the figures {path} cannot be read ({error}); expected TOML as in {figures_file()}."
        ) from error
    found = {name: _figure(path, name, content.get(name)) for name in NAMES}
    return MeasuredFigures(figures=found, frame_cost=_frame_cost(path, content.get("engine")))


def _figure(path: Path, name: str, table: object) -> Measured:
    if not isinstance(table, dict):
        raise InvalidSettings(
            f"{path}: figure {name} is {table!r}; expected a table with value, unit and "
            f"{', '.join(SOURCE_KEYS)}. Leave the value out where it was not measured."
        )
    value = table.get("value")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0.0 <= value < math.inf):
        raise InvalidSettings(f"{path}: {name}.value is {value!r}; expected a number of 0 or more.")
    texts = {key: _text(path, name, table, key) for key in ("unit", *SOURCE_KEYS)}
    return Measured(name=name, value=None if value is None else float(value), **texts)


def _text(path: Path, name: str, table: Mapping[str, object], key: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text:
        raise InvalidSettings(
            f"{path}: {name}.{key} is {text!r}; expected a text: a figure without its source is "
            "a guess."
        )
    return text


def _frame_cost(path: Path, table: object) -> FrameCost:
    """Fit cost = frame + reading × readings through the measured sizes of frames.

    Raises
    ------
    InvalidSettings
        If there are no two sizes.
    """
    points = table.get("points") if isinstance(table, dict) else None
    if not isinstance(points, list) or len(points) < POINTS_MIN:
        raise InvalidSettings(
            f"{path}: engine.points is {points!r}; expected two or more pairs of readings a frame "
            "and readings a second of one core."
        )
    try:
        sizes, rates = zip(*((float(size), float(rate)) for size, rate in points), strict=True)
    except (TypeError, ValueError) as error:
        raise InvalidSettings(f"{path}: engine.points ({error}); expected pairs.") from error
    if min(*sizes, *rates) <= 0.0 or len(set(sizes)) < POINTS_MIN:
        raise InvalidSettings(
            f"{path}: engine.points is {points!r}; expected positive numbers of different sizes."
        )
    return _fitted([*zip(sizes, rates, strict=True)])


def _fitted(points: list[tuple[float, float]]) -> FrameCost:
    """Return the line with the least squared error relative to each measured cost."""
    costs = [(size, size / rate) for size, rate in points]
    weights = [1.0 / cost**2 for _, cost in costs]
    total = sum(weights)
    x = sum(w * size for w, (size, _) in zip(weights, costs, strict=True)) / total
    y = sum(w * cost for w, (_, cost) in zip(weights, costs, strict=True)) / total
    pairs = list(zip(weights, costs, strict=True))
    slope = sum(w * (size - x) * (cost - y) for w, (size, cost) in pairs) / sum(
        w * (size - x) ** 2 for w, (size, _) in pairs
    )
    return FrameCost(frame_s=max(0.0, y - slope * x), reading_s=max(slope, 0.0))
