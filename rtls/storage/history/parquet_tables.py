"""Say what the columns of the history are, and whether a file has them.

Layer: edges. Takes: a path. Gives: schemas to the writer and to compaction; to the reader what a
file holds, or why it cannot be read.

Needs the extra `insight`: doors ask whether it is there before they import this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq

from rtls.model.errors import InvalidReport
from rtls.storage.history.history_folder import Table

NAMES: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMAS: Final = {
    Table.FIXES: pa.schema(
        [
            pa.field("at_ms", pa.int64(), nullable=False),
            pa.field("visitor", pa.uint64(), nullable=False),
            pa.field("floor", pa.int16(), nullable=False),
            pa.field("x_m", pa.float32(), nullable=False),
            pa.field("y_m", pa.float32(), nullable=False),
            pa.field("sigma_m", pa.float32(), nullable=False),
            pa.field("weight_s", pa.float32(), nullable=False),
            pa.field("cohort", NAMES, nullable=False),
        ]
    ),
    Table.VISITS: pa.schema(
        [
            pa.field("visitor", pa.uint64(), nullable=False),
            pa.field("zone", NAMES, nullable=False),
            pa.field("floor", pa.int16(), nullable=False),
            pa.field("entered_at_ms", pa.int64(), nullable=False),
            pa.field("left_at_ms", pa.int64(), nullable=False),
            pa.field("dwell_s", pa.float32(), nullable=False),
            pa.field("is_pass", pa.bool_(), nullable=False),
            pa.field("cohort", NAMES, nullable=False),
        ]
    ),
}
INSTANT: Final = {Table.FIXES: "at_ms", Table.VISITS: "entered_at_ms"}
"""what places a row in time"""
ROW_GROUP_ROWS: Final = 131_072


class _Coding(TypedDict, total=False):
    use_dictionary: list[str]
    column_encoding: dict[str, str]


# Places hardly repeat, so that a dictionary only costs; instants rise second by second.
_CODING: Final[Mapping[Table, _Coding]] = {
    Table.FIXES: {
        "use_dictionary": ["visitor", "floor", "weight_s", "cohort"],
        "column_encoding": {
            "at_ms": "DELTA_BINARY_PACKED",
            "x_m": "BYTE_STREAM_SPLIT",
            "y_m": "BYTE_STREAM_SPLIT",
            "sigma_m": "BYTE_STREAM_SPLIT",
        },
    },
    Table.VISITS: {"use_dictionary": ["visitor", "zone", "floor", "cohort"]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What the end of a file says of it."""

    rows: int
    first_ms: int
    """instant of the earliest row …"""
    last_ms: int
    """… and of the latest; both 0 in a file without rows"""


def open_parquet(
    where: Path | BinaryIO, table: Table, *, schema: pa.Schema | None = None
) -> pq.ParquetWriter:
    """Begin a file, perhaps with more columns; raises `OSError` where the disk refuses."""
    return pq.ParquetWriter(where, schema or SCHEMAS[table], compression="zstd", **_CODING[table])


def facts_of(path: Path, table: Table) -> FileFacts:
    """Read the end of a file.

    Raises
    ------
    InvalidReport
        If it is cut short, no Parquet, or one of other columns.
    """
    try:
        meta = pq.read_metadata(path)
        schema = meta.schema.to_arrow_schema()
    except (OSError, pa.ArrowException) as error:
        raise InvalidReport(
            f"{path.name} cannot be read ({error}); expected a Parquet file written to its end. "
            "Move it away, or restore it from a backup."
        ) from error
    for field in SCHEMAS[table]:
        index = schema.get_field_index(field.name)
        found = None if index < 0 else _plain(schema.field(index).type)
        if found != _plain(field.type):
            raise InvalidReport(
                f"{path.name}: column {field.name} is {found or 'missing'}; expected "
                f"{_plain(field.type)}. It is no file of this history: move it away."
            )
    return _times(meta, table)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _times(meta: pq.FileMetaData, table: Table) -> FileFacts:
    column = meta.schema.names.index(INSTANT[table])
    stats = [
        meta.row_group(group).column(column).statistics
        for group in range(meta.num_row_groups)
        if meta.row_group(group).num_rows
    ]
    known = [found for found in stats if found is not None and found.has_min_max]
    if len(known) < len(stats):  # somebody else's writer: it may hold any time
        return FileFacts(rows=meta.num_rows, first_ms=-(1 << 62), last_ms=1 << 62)
    return FileFacts(
        rows=meta.num_rows,
        first_ms=min((found.min for found in known), default=0),
        last_ms=max((found.max for found in known), default=0),
    )
