"""Compare fixes with the truth while both come in, for the demo's display.

Layer: doors. Takes: truth of whole seconds from the simulator, fixes of whole seconds from the
locating loop. Gives: the errors of late, apart for trolleys and for phones, which differ by an
order of magnitude. Locating never sees the truth.
"""

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from rtls.model.fix import FixBatch
from rtls.model.units import TagId, UnixMs
from rtls.ports import LiveState

SECONDS_KEPT: Final = 30
ERRORS_KEPT: Final = 20_000
SECOND_MS: Final = 1000
Places = Mapping[TagId, tuple[float, float]]


class ErrorMeter:
    """Live state that passes fixes on and measures those of whole seconds.

    Safe between threads: the loop puts fixes, the demo tells the truth and asks.
    """

    def __init__(self, behind: LiveState) -> None:
        self._behind = behind
        self._lock = threading.Lock()
        self._truth: OrderedDict[int, Places] = OrderedDict()
        self._fixes: OrderedDict[int, Places] = OrderedDict()
        self._errors: dict[str, deque[float]] = {}
        self.measured = 0

    def put(self, fixes: FixBatch, tags: Sequence[TagId]) -> None:
        """Take the newest fixes (port `LiveState`)."""
        self._behind.put(fixes, tags)
        if fixes.at_ms % SECOND_MS == 0:
            places = zip(fixes.rows["x_m"].tolist(), fixes.rows["y_m"].tolist(), strict=True)
            self._match(fixes.at_ms, self._fixes, dict(zip(tags, places, strict=True)))

    def tell_truth(self, at_ms: UnixMs, places: Places) -> None:
        """Say where the tags really were at a whole second."""
        self._match(at_ms, self._truth, places)

    def errors(self, kind: str) -> tuple[float, float] | None:
        """Return p50 and p90 in metres of one kind of tag, None before there are any.

        Parameters
        ----------
        kind
            What a tag's id begins with: ``tag`` for trolleys (UWB), ``app`` for phones (BLE).
        """
        with self._lock:
            errors = self._errors.get(kind)
            if not errors:
                return None
            p50, p90 = np.percentile(np.array(errors), (50, 90)).tolist()
            return p50, p90

    def _match(self, at_ms: UnixMs, table: OrderedDict[int, Places], places: Places) -> None:
        with self._lock:
            table[at_ms] = places
            while len(table) > SECONDS_KEPT:
                table.popitem(last=False)
            if at_ms in self._truth and at_ms in self._fixes:
                truth, fixes = self._truth.pop(at_ms), self._fixes.pop(at_ms)
                for tag in truth.keys() & fixes.keys():
                    error_m = math.dist(fixes[tag], truth[tag])
                    kind = tag.partition(":")[0]
                    kept = self._errors.setdefault(kind, deque(maxlen=ERRORS_KEPT))
                    kept.append(error_m)
                    self.measured += 1
