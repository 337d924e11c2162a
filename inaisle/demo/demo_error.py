"""Compare fixes with the truth while both come in, for the demo's display.

Layer: doors. Takes: truth of whole seconds from the simulator, fixes of whole seconds from the
locating loop. Gives: the errors of late, and how often the truth lay in the 90 % ellipse, apart for
trolleys and for phones, which differ by an order of magnitude. Locating never sees the truth.
"""

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from inaisle.recording.score import CHI_SQUARE_90
from rtls.model.fix import FixBatch
from rtls.model.units import TagId, UnixMs
from rtls.ports import LiveState

SECONDS_KEPT: Final = 30
ERRORS_KEPT: Final = 20_000
SECOND_MS: Final = 1000
Places = Mapping[TagId, tuple[float, float]]
Ellipse = tuple[float, float, float, float, float]
"""x, y in m; covariance xx, xy, yy in m²"""
Entry = TypeVar("Entry")
COLUMNS: Final = ["x_m", "y_m", "cov_xx", "cov_xy", "cov_yy"]


class ErrorMeter:
    """Live state that passes fixes on and measures those of whole seconds.

    Safe between threads: the loop puts fixes, the demo tells the truth and asks.
    """

    def __init__(self, behind: LiveState) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._truth: OrderedDict[int, Places] = OrderedDict()
        self._fixes: OrderedDict[int, Mapping[TagId, Ellipse]] = OrderedDict()
        self._errors: dict[str, deque[float]] = {}
        self._insides: dict[str, deque[bool]] = {}
        self.measured = 0

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes (port `LiveState`)."""
        self._behind.put(fixes, tags)
        if fixes.at_ms % SECOND_MS == 0:
            ellipses = fixes.rows[COLUMNS].tolist()
            with self._lock:
                keep(self._fixes, fixes.at_ms, dict(zip(tags, ellipses, strict=True)))
                self._match(fixes.at_ms)

    def tell_truth(self, at_ms: UnixMs, places: Places) -> None:
        """Say where the tags really were at a whole second."""
        with self._lock:
            keep(self._truth, at_ms, places)
            self._match(at_ms)

    def errors(self, kind: str) -> tuple[float, float] | None:
        """Return p50 and p90 in metres of one kind of tag, None before there are any.

        Parameters
        ----------
        kind
            ``tag`` for trolleys (UWB), whose ids begin so; ``app`` for all others: phones (BLE).
        """
        with self._lock:
            errors = self._errors.get(kind)
            if not errors:
                return None
            p50, p90 = np.percentile(np.array(errors), (50, 90)).tolist()
            return p50, p90

    def inside_ellipse(self, kind: str) -> float | None:
        """Return the share of these fixes whose 90 % ellipse held the truth."""
        with self._lock:
            insides = self._insides.get(kind)
            return sum(insides) / len(insides) if insides else None

    def _match(self, at_ms: int) -> None:
        if at_ms not in self._truth or at_ms not in self._fixes:
            return
        truth, fixes = self._truth.pop(at_ms), self._fixes.pop(at_ms)
        for tag in truth.keys() & fixes.keys():
            kind = "tag" if tag.startswith("tag:") else "app"
            errors = self._errors.setdefault(kind, deque(maxlen=ERRORS_KEPT))
            errors.append(math.dist(fixes[tag][:2], truth[tag]))
            insides = self._insides.setdefault(kind, deque(maxlen=ERRORS_KEPT))
            insides.append(is_inside(fixes[tag], truth[tag]))
            self.measured += 1


def keep(table: OrderedDict[int, Entry], at_ms: int, entry: Entry) -> None:
    """Add an instant and forget the oldest ones."""
    table[at_ms] = entry
    while len(table) > SECONDS_KEPT:
        table.popitem(last=False)


def is_inside(ellipse: Ellipse, place: tuple[float, float]) -> bool:
    """Say whether the 90 % ellipse of a fix holds a place.

    Examples
    --------
    >>> is_inside((0.0, 0.0, 1.0, 0.0, 1.0), (2.1, 0.0)), is_inside((0, 0, 1, 0, 1), (2.2, 0))
    (True, False)
    """
    x, y, xx, xy, yy = ellipse
    dx, dy = place[0] - x, place[1] - y
    distance_2 = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
    return distance_2 <= CHI_SQUARE_90
