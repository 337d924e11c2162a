"""Say how a shopper gets his own data.

Layer: edges. Takes: an `Export`. Gives: the body of the file, and its schema to the OpenAPI
document. Rows stand as they are stored, so that the file is complete by construction.
"""

import json
from typing import Final

from pydantic import Field, JsonValue, StrictInt

from offers.api.schema import Body, Id, Instant, render_instant
from offers.model.audit import AuditEntry
from offers.model.people.personal_data import Export

FORMAT: Final = "inaisle-export-1"


class ExportedEntryBody(Body):
    """What the audit says that the shopper did."""

    sequence: int
    at: Instant
    action: str = Field(examples=["consent_granted"])
    details: dict[str, JsonValue]

    @classmethod
    def of(cls, entry: AuditEntry) -> "ExportedEntryBody":
        """Render an entry of the audit."""
        return cls(
            sequence=entry.sequence,
            at=render_instant(entry.at_ms),
            action=entry.action,
            details=json.loads(entry.details),
        )


class ExportBody(Body):
    """All that is stored about one shopper."""

    format: str = Field(examples=[FORMAT])
    shopper: Id
    exported_at: Instant
    tables: dict[str, list[dict[str, JsonValue]]] = Field(
        description="rows by table, as stored; times are milliseconds since 1970 in UTC, money is "
        "minor units",
        examples=[{"shoppers": [{"shopper_id": "0123456789abcdef0123456789abcdef"}]}],
    )
    audit: list[ExportedEntryBody]

    @classmethod
    def of(cls, export: Export) -> "ExportBody":
        """Render an export."""
        return cls(
            format=FORMAT,
            shopper=export.shopper,
            exported_at=render_instant(export.at_ms),
            tables={name: [dict(row) for row in rows] for name, rows in export.tables.items()},
            audit=[ExportedEntryBody.of(entry) for entry in export.audit],
        )


class BirthdayBody(Body):
    """A birthday; the year may be left out."""

    month: StrictInt = Field(ge=1, le=12, examples=[12])
    day: StrictInt = Field(ge=1, le=31, examples=[24])
    year: StrictInt | None = Field(
        default=None, ge=1, le=9_999, description="compared and not kept", examples=[1984]
    )


class OfAgeBody(Body):
    """Whether the shopper may grant anything."""

    is_of_age: bool = Field(description="false: all consents have been withdrawn")
