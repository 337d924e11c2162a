"""inaisle rank: score by nothing but a retailer's own tables, all cut before one instant."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from inaisle.cli import app
from inaisle.ranking.rank import rank_folder
from inaisle.ranking.rank_stream import rank_stream
from inaisle.ranking.rank_tables import RankTask
from offers.model.errors import InvalidPanel
from tests.unit.inaisle.retailer_tables import get, purchases_of, put, write_retailer

TABLE_TASKS = ("t1", "t2", "t4", "t5", "t6")


def answered(folder: Path, task: str) -> pa.Table:
    out = folder / "answers.parquet"
    rank_folder(folder, RankTask(task), out)
    return pq.ParquetFile(out).read()


@pytest.mark.parametrize("task", TABLE_TASKS)
def test_every_request_is_answered_once_with_a_number(task: str, tmp_path: Path) -> None:
    """Whoever scores the answers joins them with the requests: one row each, in any order."""
    folder = write_retailer(tmp_path, task)
    table = answered(folder, task)
    asked = get(folder, "candidates" if task == "t4" else "requests")
    keys = [name for name in asked.column_names if name in table.column_names]
    assert table.select(keys).equals(asked.select(keys))
    number = table.column("predicted_sales" if task == "t5" else "score").to_numpy()
    assert np.isfinite(number).all()
    assert len(np.unique(number)) > 10


@pytest.mark.parametrize("task", TABLE_TASKS)
def test_what_comes_after_the_instant_changes_nothing(task: str, tmp_path: Path) -> None:
    """The control for leaks: the whole future is put into the tables, and nobody may notice."""
    before = answered(write_retailer(tmp_path / "cut", task), task)
    with_future = write_retailer(tmp_path / "uncut", task, keeps_future=True)
    assert get(with_future, "purchases").num_rows > get(tmp_path / "cut", "purchases").num_rows
    assert answered(with_future, task).equals(before)


@pytest.mark.parametrize("task", TABLE_TASKS)
def test_a_run_is_the_same_twice_under_other_keys_and_at_another_time(
    task: str, tmp_path: Path
) -> None:
    """Ids are opaque and the year is none of our business: only what was done may count."""
    first = answered(write_retailer(tmp_path / "a", task), task)
    folder = write_retailer(tmp_path / "b", task)
    for path in folder.glob("*.parquet"):
        table = pq.ParquetFile(path).read()
        for at, name in enumerate(table.column_names):
            column = table.column(name)
            if name.endswith("_id"):
                column = pc.binary_join_element_wise("k", pc.cast(column, pa.string()), "")
            if name in {"ts", "start", "end"}:
                column = pc.add(column, pa.scalar(364 * 86_400_000_000, pa.duration("us")))
            table = table.set_column(at, name, column)
        pq.write_table(table, path)
    meta = json.loads((folder / "meta.json").read_text()) | {"as_of": "2025-10-03T00:00:00"}
    (folder / "meta.json").write_text(json.dumps(meta))
    second = answered(folder, task)
    name = first.column_names[-1]
    assert second.column(name).to_numpy() == pytest.approx(first.column(name).to_numpy())


def test_a_shopper_s_usual_item_stands_high_on_his_shelf(tmp_path: Path) -> None:
    """Seven of ten purchases are the favourite: it is first for most, where chance gives 1 of 8."""
    table = answered(write_retailer(tmp_path, "t4"), "t4")
    bought = purchases_of(1)
    shelf = (bought["item_id"] >= 108) & (bought["item_id"] < 116)
    hits = 0
    for customer in range(60):
        his = bought["item_id"][shelf & (bought["customer_id"] == customer)]
        favourite = np.bincount(his).argmax()
        rows = table.filter(pc.equal(table.column("request_id"), customer + 1_000))
        best = rows.column("item_id").to_numpy()[np.argmax(rows.column("score").to_numpy())]
        hits += int(best == favourite)
    assert hits > 45


def test_who_has_left_is_told_from_who_will_come(tmp_path: Path) -> None:
    """A quarter of the customers left before the instant: they are the likely absent ones."""
    score = answered(write_retailer(tmp_path, "t6"), "t6").column("score").to_numpy()
    has_left = np.arange(60) % 4 == 0
    assert np.median(score[has_left]) > 2 * np.median(score[~has_left])


def test_coming_sales_add_up_to_what_is_usual(tmp_path: Path) -> None:
    """A forecast that is right for nobody but on the sum is no use; neither is the reverse."""
    folder = write_retailer(tmp_path, "t5")
    told = answered(folder, "t5").column("predicted_sales").to_numpy()
    bought = purchases_of(1)
    recent = (bought["day"] < 0) & (bought["day"] > -91)
    spent = np.bincount(bought["customer_id"][recent], bought["net_sales"][recent], 60)
    assert told.min() >= 0.0
    assert told.sum() == pytest.approx(spent.sum(), rel=0.25)
    assert np.corrcoef(told, spent)[0, 1] > 0.8


def shuffled(folder: Path, name: str, column: str) -> None:
    table = get(folder, name)
    drawn = np.random.default_rng(4).permutation(table.num_rows)
    at = table.column_names.index(column)
    put(folder, name, table.set_column(at, column, table.column(column).take(drawn)))


def test_shuffled_customers_are_ranked_no_better_than_by_chance(tmp_path: Path) -> None:
    """The control for self-deception: without the link to the person the favourite is unknown."""
    folder = write_retailer(tmp_path, "t4")
    shuffled(folder, "purchases", "customer_id")
    table = answered(folder, "t4")
    bought = purchases_of(1)
    shelf = (bought["item_id"] >= 108) & (bought["item_id"] < 116)
    hits = 0
    for customer in range(60):
        his = bought["item_id"][shelf & (bought["customer_id"] == customer)]
        rows = table.filter(pc.equal(table.column("request_id"), customer + 1_000))
        best = rows.column("item_id").to_numpy()[np.argmax(rows.column("score").to_numpy())]
        hits += int(best == np.bincount(his).argmax())
    assert hits < 20  # 60 / 8 = 7.5 by chance


@pytest.mark.parametrize("task", TABLE_TASKS)
def test_tables_without_anything_optional_are_ranked_too(task: str, tmp_path: Path) -> None:
    """A retailer who has no demographics, sizes, discounts or past redemptions still asks."""
    folder = write_retailer(tmp_path, task)
    put(folder, "items", get(folder, "items").select(["item_id", "category"]))
    kept = ["customer_id", "store_id", "basket_id", "item_id", "net_sales", "ts"]
    put(folder, "purchases", get(folder, "purchases").select(kept))
    put(folder, "redemptions", get(folder, "redemptions").slice(0, 0))
    (folder / "customers.parquet").unlink()
    table = answered(folder, task)
    assert np.isfinite(table.column(table.column_names[-1]).to_numpy()).all()


@pytest.mark.parametrize("task", TABLE_TASKS)
def test_hardly_any_history_is_enough_for_an_answer(task: str, tmp_path: Path) -> None:
    """A shop that has opened last week has customers, too."""
    folder = write_retailer(tmp_path, task)
    put(folder, "purchases", get(folder, "purchases").slice(0, 3))
    put(folder, "redemptions", get(folder, "redemptions").slice(0, 0))
    table = answered(folder, task)
    assert np.isfinite(table.column(table.column_names[-1]).to_numpy()).all()


def test_no_requests_give_no_answers(tmp_path: Path) -> None:
    """An empty fold is an empty table, not an error."""
    folder = write_retailer(tmp_path, "t1")
    put(folder, "requests", get(folder, "requests").slice(0, 0))
    assert answered(folder, "t1").num_rows == 0


def without(name: str, column: str):
    def spoil(folder: Path) -> None:
        put(folder, name, get(folder, name).drop_columns([column]))

    return spoil


def twice(name: str):
    def spoil(folder: Path) -> None:
        table = get(folder, name)
        put(folder, name, pa.concat_tables([table, table.slice(3, 1)]))

    return spoil


def cut_short(name: str):
    def spoil(folder: Path) -> None:
        path = folder / f"{name}.parquet"
        path.write_bytes(path.read_bytes()[:-200])

    return spoil


def with_value(name: str, column: str, values: list[object]):
    def spoil(folder: Path) -> None:
        table = get(folder, name)
        filled = pa.array(values + [values[-1]] * (table.num_rows - len(values)))
        put(folder, name, table.set_column(table.column_names.index(column), column, filled))

    return spoil


def told_as(text: str):
    def spoil(folder: Path) -> None:
        (folder / "meta.json").write_text(text)

    return spoil


def lost(name: str):
    def spoil(folder: Path) -> None:
        (folder / name).unlink()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (without("purchases", "net_sales"), r"purchases.parquet has no column 'net_sales'"),
        (without("requests", "store_id"), r"requests.parquet has no column 'store_id'"),
        (without("candidates", "item_id"), r"candidates.parquet has no column 'item_id'"),
        (twice("requests"), r"requests.parquet names \{'request_id': 1003\} 2 times"),
        (twice("candidates"), r"candidates.parquet names \{'request_id': 1000, 'item_id': 111\}"),
        (cut_short("purchases"), r"purchases.parquet cannot be read .* cut short"),
        (lost("items.parquet"), r"items.parquet is not there"),
        (lost("meta.json"), r"meta.json cannot be read"),
        (told_as("{"), r"meta.json cannot be read"),
        (told_as('{"task": "t4"}'), r"meta.json has no 'as_of'"),
        (told_as('{"task": "t4", "as_of": "soon"}'), r"meta.json has as_of 'soon'"),
        (told_as('{"task": "t5", "as_of": "2024-10-04"}'), r"task 't5', but 't4' is asked"),
        (with_value("purchases", "customer_id", [1, None, 2]), r"no customer_id in 1 rows, .* 1;"),
        (
            with_value("purchases", "net_sales", [1.0, float("nan"), 2.0]),
            r"net_sales is nan in row",
        ),
        (with_value("purchases", "net_sales", ["much"]), r"net_sales is no column of numbers"),
        (with_value("purchases", "ts", ["yesterday"]), r"purchases.ts is of type string"),
        (with_value("candidates", "request_id", [5]), r"request_id"),
    ],
)
def test_tables_nobody_could_rank_by_are_refused(spoil, named: str, tmp_path: Path) -> None:
    """The message names table, column, value and remedy; nothing is written."""
    folder = write_retailer(tmp_path, "t4")
    spoil(folder)
    with pytest.raises(InvalidPanel, match=named):
        rank_folder(folder, RankTask.SHELF, folder / "answers.parquet")
    assert not (folder / "answers.parquet").exists()


def decide(number: int, customer: int = 1) -> str:
    items = [str(108 + n) for n in range(8)]
    return json.dumps(
        {
            "type": "decide",
            "id": f"d{number}",
            "ts": "2024-10-05T10:00:00",
            "customer_id": customer,
            "category": "c1",
            "candidates": items,
        }
    )


def lines_of(folder: Path, lines: Iterator[str] | list[str]) -> list[dict[str, object]]:
    out = io.StringIO()
    rank_stream(folder, lines, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_stream_is_answered_line_by_line_and_alike_each_time(tmp_path: Path) -> None:
    """The next line may only be written when the answer is there: nothing may be held back."""
    folder = write_retailer(tmp_path, "t7")
    out = io.StringIO()
    seen = []

    def conversation() -> Iterator[str]:
        for number in range(30):
            yield decide(number, customer=number % 60)
            seen.append(len(out.getvalue().splitlines()))
            if number >= 5:
                yield json.dumps({"type": "reward", "id": f"d{number - 5}", "reward": 1.0})
        yield json.dumps({"type": "end"})
        yield "never read"

    assert rank_stream(folder, conversation(), out) == 30
    assert seen == list(range(1, 31))
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [f"d{n}" for n in range(30)]
    assert all(0.0 < answer["propensity"] <= 1.0 for answer in answers)
    again = io.StringIO()
    rank_stream(folder, conversation(), again)
    assert again.getvalue() == out.getvalue()


def test_a_stream_learns_what_the_tables_did_not_know(tmp_path: Path) -> None:
    """The shop has a new shelf: only one item is ever taken, and it was nobody's favourite."""
    folder = write_retailer(tmp_path, "t7")
    out = io.StringIO()
    hits = []

    def conversation() -> Iterator[str]:
        for number in range(300):
            yield decide(number, customer=7)
            answer = json.loads(out.getvalue().splitlines()[-1])
            hits.append(answer["item_id"] == "113")
            yield json.dumps({"type": "reward", "id": f"d{number}", "reward": float(hits[-1])})

    rank_stream(folder, conversation(), out)
    assert sum(hits[-100:]) > 60 > sum(hits[:20])


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 1 is no JSON"),
        ("[]", "line 1 is"),
        ('{"type": "guess", "id": "1"}', "line 1 is"),
        ('{"type": "decide", "id": "1"}', "line 1 has candidates None"),
        ('{"type": "decide", "id": "1", "candidates": [1, 1]}', "candidate twice"),
        ('{"type": "decide", "id": "1", "candidates": [1]}', "customer_id None"),
        ('{"type": "reward", "id": "1", "reward": "much"}', "line 1 has reward 'much'"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(line: str, named: str, tmp_path: Path) -> None:
    """A conversation over a pipe is hard to debug: number and field stand in the message."""
    folder = write_retailer(tmp_path, "t7")
    with pytest.raises(InvalidPanel, match=named):
        lines_of(folder, [line])


def test_a_new_customer_and_a_new_item_are_chosen_for_too(tmp_path: Path) -> None:
    """Nobody is turned away because no table names him."""
    folder = write_retailer(tmp_path, "t7")
    line = json.loads(decide(1)) | {"customer_id": "new", "candidates": ["new", "108"]}
    (answer,) = lines_of(folder, [json.dumps(line)])
    assert answer["item_id"] in {"new", "108"}


def test_the_command_answers_and_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the shell: a file of answers, or one line that helps."""
    folder = write_retailer(tmp_path / "in", "t6", keeps_future=True)
    out = tmp_path / "answers.parquet"
    app(["rank", "--task", "t6", "--in", str(folder), "--out", str(out)], standalone_mode=False)
    assert pq.ParquetFile(out).read().num_rows == 60
    assert "lie at or after as_of" in capsys.readouterr().err
    with pytest.raises(Exception, match="'t3' is no task"):
        app(["rank", "--task", "t3", "--in", str(folder)], standalone_mode=False)
