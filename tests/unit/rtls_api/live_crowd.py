"""A crowd that walks, and a reader of the live wire as docs/live_wire.md describes it."""

import json
import struct
from dataclasses import dataclass

import numpy as np

from rtls.model.fix import FIX_DTYPE
from rtls.model.units import TagId
from rtls.ports import LiveFixes
from tests.contract.live_fix_samples import NOW_MS

GONE = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One frame, taken apart by hand."""

    kind: int
    version: int
    floor: int
    roster: int
    count: int
    at_ms: float
    m_per_step: float
    body: bytes

    @property
    def refs(self) -> list[str]:
        assert self.kind == 2
        return json.loads(self.body)["refs"]

    @property
    def places_m(self) -> list[tuple[float, float] | None]:
        assert self.kind == 1
        x, y = np.frombuffer(self.body, "<u2").reshape(2, self.count)
        steps = zip(x.tolist(), y.tolist(), strict=True)
        return [
            None if one == GONE else (one * self.m_per_step, other * self.m_per_step)
            for one, other in steps
        ]

    @property
    def quality(self) -> list[tuple[int, int]]:
        assert self.kind == 3
        radius, age = np.frombuffer(self.body, np.uint8).reshape(2, self.count)
        return list(zip(radius.tolist(), age.tolist(), strict=True))


def read(frame: bytes) -> Read:
    kind, version, floor, roster, count, at_ms, step = struct.unpack_from("<BBhIIdf", frame)
    return Read(
        kind=kind,
        version=version,
        floor=floor,
        roster=roster,
        count=count,
        at_ms=at_ms,
        m_per_step=round(step, 6),
        body=frame[24:],
    )


def crowd(*names: str, at_ms: int = NOW_MS, floor: int = 0) -> LiveFixes:
    """Everybody of these on one floor, each at a place that its number tells."""
    return LiveFixes(
        tags=tuple(TagId(name) for name in names),
        at_ms=np.full(len(names), at_ms, np.int64),
        rows=rows_of(np.arange(len(names)), floor=floor, at_ms=at_ms),
    )


def rows_of(numbers: np.ndarray, *, floor: int, at_ms: int) -> np.ndarray:
    rows = np.zeros(len(numbers), FIX_DTYPE)
    rows["floor"] = floor
    rows["x_m"], rows["y_m"] = 0.5 + numbers % 80, 0.25 + numbers % 50
    rows["cov_xx"] = rows["cov_yy"] = 0.04
    rows["evidence_at_ms"] = at_ms - 450
    return rows
