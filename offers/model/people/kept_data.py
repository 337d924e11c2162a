"""Say of each class of data how long it is kept, and how much of it there is.

Layer: nouns. Takes: counts of storage. Gives: `KeptData`, `DataRequest` to handlers and API.
"""

from dataclasses import dataclass
from enum import StrEnum

from rtls.model.units import UnixMs


class DataRequestKind(StrEnum):
    """What somebody asked for of his data."""

    EXPORT = "export"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """Somebody had his data exported or erased; who is not said."""

    kind: DataRequestKind
    at_ms: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptData:
    """One class of data."""

    data: str
    """the name of a table, or of what lies outside the database"""
    days: int | None
    """how long it is kept; None: as long as the shopper is enrolled"""
    reason: str
    rows: int | None
    """how many there are, at most `ROWS_COUNTED_MAX`; None where nobody counts them"""
    oldest_at_ms: UnixMs | None
    """from when the oldest is; None where there is none, or nobody knows"""
