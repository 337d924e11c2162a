"""Hand a person all that is stored about him, and remember that somebody was erased.

Layer: nouns. Takes: rows of storage. Gives: `Export`, `Erasure` to handlers and API.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from offers.model.audit import AuditEntry
from offers.model.ids import ShopperId
from rtls.model.units import UnixMs

Value = str | int | float | None
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One person's data over all tables, as stored, and what the audit says of him."""

    shopper: ShopperId
    at_ms: UnixMs
    tables: Mapping[str, tuple[Row, ...]]
    audit: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Somebody who was erased, known by a keyed fingerprint of the key that no longer exists."""

    fingerprint: str
    at_ms: UnixMs
