"""Write a table as CSV or Parquet.

Layer: edges. Takes: `ReportTable`s. Gives: bytes to the footfall routes. A text that a spreadsheet
would take for a formula is led by an apostrophe (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rtls.model.errors import MissingExtra

FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\x00")
Value = str | int | float | None
KINDS: Final = {str: "string", int: "int64", float: "double"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """Rows of equal length.

    Parameters
    ----------
    columns
        Names and kinds (`str`, `int` or `float`); any value may be None.
    about
        What holds of all rows: site, window, k, gaps.
    """

    columns: Mapping[str, type[str] | type[int] | type[float]]
    rows: Sequence[Sequence[Value]]
    about: Mapping[str, str] = field(default_factory=dict)


def render_csv(table: ReportTable) -> bytes:
    """Return the table as RFC 4180 text in UTF-8; nothing stands for None."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode()


def render_parquet(table: ReportTable) -> bytes:
    """Return the table as Parquet; what holds of all rows stands in its metadata.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra(
            'Parquet needs pyarrow. Install it: pip install "inaisle[insight]".'
        ) from error
    fields = [
        pa.field(name, pa.type_for_alias(KINDS[kind])) for name, kind in table.columns.items()
    ]
    columns = list(zip(*table.rows, strict=True)) or [()] * len(fields)
    arrays = [pa.array(values, one.type) for values, one in zip(columns, fields, strict=True)]
    schema = pa.schema(fields, metadata=dict(table.about))
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    return sink.getvalue()


def _cell(value: Value) -> str:
    if isinstance(value, str):
        # Also behind blanks, which some spreadsheets trim before they look.
        is_formula = value.lstrip(" ").startswith(FORMULA_BEGINS)
        return f"'{value}" if is_formula else value
    return "" if value is None else repr(value)
