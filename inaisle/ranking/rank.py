"""Answer the requests of a folder of tables: the command `inaisle rank`.

Layer: doors. Takes: a folder, a task, where to write. Gives: one Parquet file with a finite number
for each request, or for t7 a line for each line. Nothing is read but the folder and the input.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from inaisle.ranking.model_file import load_model
from inaisle.ranking.rank_panel import RankInput, rank_input
from inaisle.ranking.rank_tables import ANSWERED_BY, CANDIDATE_KEYS, RankTask, Tables, read_tables
from offers.decision.ranking.absence import score_absence
from offers.decision.ranking.coming_sales import foretell_sales
from offers.decision.ranking.logistic import chance
from offers.decision.ranking.offer_choice import score_offers
from offers.decision.ranking.responders import score_responders
from offers.decision.ranking.shelf_choice import ShelfModel, score_shelf
from offers.decision.ranking.shelf_features import ShelfRows
from offers.model.errors import InvalidPanel
from offers.model.ranking.panel import Codes, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSummary:
    """What a run did, for people."""

    answered: int
    late_rows: Mapping[str, int]
    """rows at or after the instant of `meta.json`, which nothing was learnt from"""


def rank_folder(
    folder: Path, task: RankTask, out: Path, *, model: Path | None = None
) -> RankSummary:
    """Answer every request of a folder once.

    Parameters
    ----------
    folder, task, out
        Where the tables are, what is asked, where the answers go.
    model
        A file of `inaisle train`, for t4; None: learn from the folder itself.

    Raises
    ------
    InvalidPanel
        If the tables cannot be ranked by: table, column, value and remedy are named; or there is a
        model for a task that takes none.
    """
    if model is not None and task is not RankTask.SHELF:
        raise InvalidPanel(
            f"--model is given for {task.value!r}; only 't4' takes one. Leave it out."
        )
    trained = None if model is None else load_model(model)
    tables = read_tables(folder, task)
    given = rank_input(tables)
    if tables.requests is None:
        raise InvalidPanel(f"task {task.value!r} is asked line by line, without a table.")
    rows = tables.requests.num_rows
    if not rows:
        scores = np.empty(0)
    elif task is RankTask.SHELF:
        scores = _shelf(given, tables, trained)
    else:
        scores = _SCORERS[task](given)
    answered = _answer(tables, task, scores)
    _write(answered, out)
    late = {name: count for name, count in tables.late_rows.items() if count}
    return RankSummary(answered=answered.num_rows, late_rows=late)


def _answer(tables: Tables, task: RankTask, scores: Numbers) -> pa.Table:
    assert np.isfinite(scores).all(), "a scorer gave a number that is not finite"
    asked, keys, name = tables.requests, ANSWERED_BY[task], "score"
    if task is RankTask.SHELF:
        asked, keys = tables.candidates, CANDIDATE_KEYS
    if task is RankTask.SALES:
        name = "predicted_sales"
    assert asked is not None
    assert len(scores) == asked.num_rows
    return asked.select(list(keys)).append_column(name, pa.array(scores, pa.float64()))


def _write(table: pa.Table, out: Path) -> None:
    """Write beside the place and move there, so that a half file is never taken for an answer.

    Raises
    ------
    InvalidPanel
        If the file cannot be written.
    """
    beside = out.with_name(out.name + ".part")
    try:
        pq.write_table(table, beside)
        beside.replace(out)
    except OSError as error:
        raise InvalidPanel(
            f"{out} cannot be written ({error}); expected a file in a folder that exists, with "
            "room. Name another place after --out."
        ) from error


def _offers(given: RankInput) -> Numbers:
    codes = given.asked.codes
    return score_offers(
        given.panel,
        customer=codes["customer_id"],
        campaign=codes["campaign_id"],
        offer=codes["offer_id"],
    )


def _responders(given: RankInput) -> Numbers:
    codes = given.asked.codes
    return chance(
        score_responders(given.panel, customer=codes["customer_id"], campaign=codes["campaign_id"])
    )


def _shelf(given: RankInput, tables: Tables, model: ShelfModel | None) -> Numbers:
    rows = shelf_rows(given, tables)
    return score_shelf(given.panel, rows, model=model) if len(rows.item) else np.empty(0)


def shelf_rows(given: RankInput, tables: Tables) -> ShelfRows:
    """Return the candidates of t4, each with who asks, where, and how long after the instant."""
    codes = given.asked.codes
    request = _request_of(tables)
    assert tables.requests is not None
    after = -np.asarray(tables.requests.column("ts").to_numpy(zero_copy_only=False), np.float64)
    lag_days = np.where(np.isfinite(after), np.maximum(after, 0.0), 0.0)
    return ShelfRows(
        request=request,
        customer=codes["customer_id"][request],
        store=codes["store_id"][request],
        item=given.asked.candidates["item_id"],
        lag_days=lag_days[request],
    )


def _request_of(tables: Tables) -> Codes:
    """Return for each candidate the row of its request."""
    assert tables.requests is not None
    assert tables.candidates is not None
    known, asked = tables.requests.column("request_id"), tables.candidates.column("request_id")
    if known.type != asked.type:
        known, asked = pc.cast(known, pa.string()), pc.cast(asked, pa.string())
    found = pc.index_in(asked, value_set=known.combine_chunks())
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _sales(given: RankInput) -> Numbers:
    return foretell_sales(given.panel)[given.asked.codes["customer_id"]]


def _absence(given: RankInput) -> Numbers:
    return chance(score_absence(given.panel))[given.asked.codes["customer_id"]]


_SCORERS: Mapping[RankTask, Callable[[RankInput], Numbers]] = {
    RankTask.OFFERS: _offers,
    RankTask.RESPONDERS: _responders,
    RankTask.SALES: _sales,
    RankTask.ABSENCE: _absence,
}
