"""Read the tables of a ranking task from Parquet, and refuse what nobody could rank by.

Layer: doors. Takes: a folder. Gives: `Tables` to rank_panel: every column that a task needs is
there, its keys are whole, and its times are days before the instant of `meta.json`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from offers.model.errors import InvalidPanel

DAY_S: Final = 86_400.0


class RankTask(StrEnum):
    """What can be asked of a folder of tables; the words of docs/personalisation.md."""

    OFFERS = "t1"
    RESPONDERS = "t2"
    SHELF = "t4"
    SALES = "t5"
    ABSENCE = "t6"
    CHOICES = "t7"


KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "purchases": ("customer_id", "store_id", "basket_id", "item_id", "net_sales", "ts"),
    "items": ("item_id",),
    "customers": ("customer_id",),
    "campaigns": ("campaign_id",),
    "assignments": ("campaign_id", "customer_id"),
    "offer_items": ("offer_id", "item_id", "campaign_id"),
    "redemptions": ("customer_id", "offer_id", "campaign_id", "ts"),
}
"""the columns of each table without which it says nothing"""
OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "purchases": ("quantity", "retail_discount", "coupon_discount"),
    "items": ("manufacturer_id", "department", "brand_kind", "category", "subcategory", "size"),
    "campaigns": ("kind", "start", "end"),
}
"""the columns that count as not told where they are missing"""
TIMES: Final = ("ts", "start", "end")
NUMBERS: Final = ("net_sales", "quantity", "retail_discount", "coupon_discount")
REQUEST_KEYS: Final[Mapping[RankTask, tuple[str, ...]]] = {
    RankTask.OFFERS: ("customer_id", "campaign_id", "offer_id"),
    RankTask.RESPONDERS: ("customer_id", "campaign_id"),
    RankTask.SHELF: ("request_id", "ts", "customer_id", "store_id", "category"),
    RankTask.SALES: ("customer_id",),
    RankTask.ABSENCE: ("customer_id",),
}
ANSWERED_BY: Final[Mapping[RankTask, tuple[str, ...]]] = {
    RankTask.OFFERS: REQUEST_KEYS[RankTask.OFFERS],
    RankTask.RESPONDERS: REQUEST_KEYS[RankTask.RESPONDERS],
    RankTask.SHELF: ("request_id",),
    RankTask.SALES: ("customer_id",),
    RankTask.ABSENCE: ("customer_id",),
}
"""what names a request: no two may share it"""
CANDIDATE_KEYS: Final = ("request_id", "item_id")
_ABOUT_CAMPAIGNS: Final = ("campaigns", "assignments", "offer_items")
NEEDED: Final[Mapping[RankTask, tuple[str, ...]]] = {
    RankTask.OFFERS: ("purchases", "items", *_ABOUT_CAMPAIGNS),
    RankTask.RESPONDERS: ("purchases", "items", *_ABOUT_CAMPAIGNS),
    RankTask.SHELF: ("purchases", "items"),
    RankTask.SALES: ("purchases",),
    RankTask.ABSENCE: ("purchases",),
    RankTask.CHOICES: ("purchases", "items"),
}
"""the tables without whose file a task cannot be answered; others may be absent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What `meta.json` says."""

    task: RankTask
    as_of_s: float
    """seconds since 1970, or since whatever the tables count from"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of a folder. Times are columns of days before the instant, below zero: after."""

    meta: Meta
    tables: Mapping[str, pa.Table]
    late_rows: Mapping[str, int]
    """how many rows of a table lay at or after the instant, and were left out"""
    requests: pa.Table | None
    candidates: pa.Table | None


def read_tables(folder: Path, task: RankTask) -> Tables:
    """Read what a task needs of a folder.

    It raises `InvalidPanel`, naming table, column, value and remedy.
    """
    meta = read_meta(folder / "meta.json", task)
    tables, late = {}, {}
    for name, keys in KEYS.items():
        table = _table(folder, name, is_needed=name in NEEDED[task])
        _check_keys(name, table, keys)
        table, late[name] = _before(_with_ages(name, table, meta), name)
        tables[name] = table
    requests = candidates = None
    if task in REQUEST_KEYS:
        requests = _requests(folder, task, meta)
    if task is RankTask.SHELF:
        candidates = _candidates(folder)
        _check_answerable(requests, candidates)
    return Tables(
        meta=meta, tables=tables, late_rows=late, requests=requests, candidates=candidates
    )


def read_meta(path: Path, task: RankTask) -> Meta:
    """Read the instant that all tables are cut at.

    Raises
    ------
    InvalidPanel
        If the file is no JSON object with a known task and instant, or of another task.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidPanel(
            f"{path} cannot be read ({error}); expected a JSON object with 'task', 'fold' and "
            "'as_of'. Write it beside the tables."
        ) from error
    if not isinstance(document, dict) or "as_of" not in document:
        raise InvalidPanel(
            f"{path} has no 'as_of'; expected the instant at which all tables are cut, e.g. "
            '{"task": "t5", "fold": "1", "as_of": "2026-05-04T00:00:00"}.'
        )
    told = document.get("task", task.value)
    if str(told).lower() != task.value:
        raise InvalidPanel(
            f"{path} has task {told!r}, but {task.value!r} is asked. Name the folder of "
            f"{task.value!r} after --in, or give --task {told}."
        )
    return Meta(task=task, as_of_s=_instant(document["as_of"], path))


def _instant(told: object, path: Path) -> float:
    if isinstance(told, str):
        try:
            instant = datetime.fromisoformat(told)
        except ValueError:
            instant = None
        if instant is not None:
            return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    elif isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told):
        return float(told) * _seconds_of(abs(float(told)))
    raise InvalidPanel(
        f"{path} has as_of {told!r}; expected an instant such as '2026-05-04T00:00:00', in the "
        "time in which the tables are written."
    )


def _seconds_of(size: float) -> float:
    """Return what one unit of a number of that size is: seconds, or parts of them, since 1970."""
    for unit_s, least in ((1e-9, 1e17), (1e-6, 1e14), (1e-3, 1e11)):
        if size >= least:
            return unit_s
    return 1.0


def _table(folder: Path, name: str, *, is_needed: bool) -> pa.Table:
    path = folder / f"{name}.parquet"
    if not path.exists() and not is_needed:
        columns = (*KEYS.get(name, ()), *OPTIONAL.get(name, ()))
        return pa.table(
            {column: pa.array([], _EMPTY.get(column, pa.string())) for column in columns}
        )
    try:
        return pq.ParquetFile(path).read()
    except FileNotFoundError as error:
        raise InvalidPanel(
            f"{path} is not there; expected the table '{name}'. docs/personalisation.md lists "
            "what a task reads."
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise InvalidPanel(
            f"{path} cannot be read ({error}); expected a whole Parquet file. It may have been "
            "cut short: write or copy it again."
        ) from error


_EMPTY: Final = {
    "ts": pa.timestamp("us"),
    "start": pa.timestamp("us"),
    "end": pa.timestamp("us"),
    "net_sales": pa.float64(),
}


def _check_keys(name: str, table: pa.Table, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key not in table.column_names:
            raise InvalidPanel(
                f"{name}.parquet has no column {key!r}, but {table.column_names}; expected "
                f"{list(keys)}. Rename or add it."
            )
        missing = table.column(key).null_count
        if missing:
            row = int(np.flatnonzero(table.column(key).is_null().to_numpy())[0])
            raise InvalidPanel(
                f"{name}.parquet has no {key} in {missing} rows, first in row {row}; expected a "
                "value in each. Leave rows without a key out."
            )


def _with_ages(name: str, table: pa.Table, meta: Meta) -> pa.Table:
    for column in TIMES:
        if column in table.column_names:
            ages = _age_days(name, column, table.column(column), meta.as_of_s)
            at = table.column_names.index(column)
            table = table.set_column(at, column, pa.array(ages))
    return table


def _age_days(
    name: str, column: str, values: pa.ChunkedArray, as_of_s: float
) -> npt.NDArray[np.float64]:
    kind = values.type
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values = pc.cast(values, pa.timestamp("us"))
            kind = values.type
        if pa.types.is_date(kind):
            values = pc.cast(values, pa.timestamp("us"))
            kind = values.type
        if pa.types.is_timestamp(kind):
            whole = pc.cast(values, pa.timestamp("us", tz=kind.tz), safe=False)
            # Whole numbers are subtracted first: the same days in another year are the same bits.
            past_us = pc.subtract(round(as_of_s * 1e6), pc.cast(whole, pa.int64()))
            return _floats(past_us) / (DAY_S * 1e6)
        numbers = _floats(values)
    except pa.ArrowException as error:
        raise InvalidPanel(
            f"{name}.{column} is of type {kind} and cannot be read as an instant ({error}); "
            "expected timestamps in the time of as_of. Write the column as such."
        ) from error
    largest = float(np.nanmax(np.abs(numbers))) if len(numbers) else 0.0
    return (as_of_s - numbers * _seconds_of(largest)) / DAY_S


def _floats(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    plain = pc.cast(values, pa.float64(), safe=False)
    return np.asarray(plain.to_numpy(zero_copy_only=False), np.float64)


def _before(table: pa.Table, name: str) -> tuple[pa.Table, int]:
    """Leave out what happened at or after the instant: nobody may learn from it."""
    if "ts" not in KEYS[name] or not table.num_rows:
        return table, 0
    is_past = np.asarray(table.column("ts").to_numpy(), np.float64) > 0.0
    late = int(np.count_nonzero(~is_past))
    return (table.filter(pa.array(is_past)), late) if late else (table, 0)


def _requests(folder: Path, task: RankTask, meta: Meta) -> pa.Table:
    table = _table(folder, "requests", is_needed=True)
    _check_keys("requests", table, REQUEST_KEYS[task])
    _check_unique("requests", table, ANSWERED_BY[task])
    return _with_ages("requests", table, meta)


def _candidates(folder: Path) -> pa.Table:
    table = _table(folder, "candidates", is_needed=True)
    _check_keys("candidates", table, CANDIDATE_KEYS)
    _check_unique("candidates", table, CANDIDATE_KEYS)
    return table


def _check_unique(name: str, table: pa.Table, keys: tuple[str, ...]) -> None:
    if not table.num_rows:
        return
    counts = table.select(list(keys)).group_by(list(keys)).aggregate([([], "count_all")])
    repeated = counts.filter(pc.greater(counts.column("count_all"), 1))
    if repeated.num_rows:
        first = repeated.slice(0, 1).to_pylist()[0]
        value = {key: first[key] for key in keys}
        raise InvalidPanel(
            f"{name}.parquet names {value} {first['count_all']} times; expected each once, since "
            "each is answered once. Leave the repetition out."
        )


def _check_answerable(requests: pa.Table | None, candidates: pa.Table) -> None:
    assert requests is not None
    known, asked = requests.column("request_id"), candidates.column("request_id")
    if known.type != asked.type:
        known, asked = pc.cast(known, pa.string()), pc.cast(asked, pa.string())
    strange = asked.filter(pc.invert(pc.is_in(asked, value_set=pc.unique(known))))
    if len(strange):
        raise InvalidPanel(
            f"candidates.parquet names request_id {strange[0].as_py()!r}, which requests.parquet "
            "does not have; expected candidates of known requests. Cut both tables alike."
        )
