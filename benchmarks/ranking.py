"""Rank a public retail panel beside plain peers, fold by fold in time, and time one decision.

`run()` times a decision among 50 candidates with the propensities of all, against the same draws
made one by one with `multivariate_normal`. `python -m benchmarks.ranking t1 t2 …` cuts the panel of
Complete Journey (extra `panel`) at several instants, has `inaisle rank` answer the tables, and
prints each measure with its standard error by customers drawn anew; with `control` everybody has
another's past.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.ranking_panel import Tables, cut, load_panel, rekeyed, write
from benchmarks.ranking_peers import (
    Array,
    auc,
    by_customer,
    by_group,
    peers_of_absence,
    peers_of_offers,
    peers_of_responders,
    peers_of_sales,
    peers_of_shelf,
)
from inaisle.ranking.rank import rank_folder, shelf_rows
from inaisle.ranking.rank_panel import RankInput, rank_input
from inaisle.ranking.rank_stream import rank_stream
from inaisle.ranking.rank_tables import RankTask, read_tables
from offers.decision.ranking.shelf_choice import past_shelves
from offers.decision.ranking.thompson import DRAWS, choose
from offers.model.ranking.belief import belief_about

FOLDS = {
    "t1": ("2017-05-08", "2017-08-08", "2017-10-30"),
    "t2": ("2017-05-08", "2017-08-08", "2017-10-30"),
    "t4": ("2017-07-10", "2017-10-02", "2017-12-01"),
    "t5": ("2017-06-26", "2017-08-14", "2017-10-01"),
    "t6": ("2017-05-01", "2017-08-01", "2017-11-27"),
    "t7": ("2017-07-10", "2017-10-02"),
}
CANDIDATES, FEATURES, ROUNDS = 50, 24, 300
CHOICES, SHELF, DELAY = 2_000, 10, 20


def naive_choice(mean: Array, covariance: Array, x: Array, draws: np.random.Generator) -> Array:
    """Draw weights one by one and count who wins: Thompson sampling as it is written in books."""
    won = np.zeros(len(x))
    for _ in range(DRAWS):
        won[int(np.argmax(x @ draws.multivariate_normal(mean, covariance)))] += 1
    return won / DRAWS


def run() -> list[dict[str, str | float | bool]]:
    """Time one decision; return the figures."""
    draws = np.random.default_rng(1)
    x = draws.normal(size=(CANDIDATES, FEATURES))
    mean = draws.normal(size=FEATURES)
    belief = belief_about(tuple(map(str, range(FEATURES))), mean, sigma=np.full(FEATURES, 0.3))
    covariance = belief.spread @ belief.spread.T
    ours_ms, naive_ms, off = [], [], 0.0
    for number in range(ROUNDS):
        begun_s = time.thread_time()
        chosen = choose(belief, x, seed=str(number), chance_left=0.001)
        ours_ms.append((time.thread_time() - begun_s) * 1e3)
        if number % 10 == 0:
            begun_s = time.thread_time()
            naive = naive_choice(mean, covariance, x, draws)
            naive_ms.append((time.thread_time() - begun_s) * 1e3)
            off = max(off, float(np.abs(naive - chosen.propensities).max()))
    return [
        {
            "name": f"one of {CANDIDATES} with all propensities: p50",
            "value": median(ours_ms),
            "unit": "ms",
            "target": 1.0,
            "is_floor": False,
        },
        {
            "name": f"{DRAWS} draws one by one, over ours",
            "value": median(naive_ms) / median(ours_ms),
            "unit": "times",
            "target": 3.0,
        },
        {
            "name": "largest difference of a propensity to the peer's (both of 256 draws)",
            "value": off,
            "unit": "",
            "target": 0.2,
            "is_floor": False,
        },
    ]


def scores_of(
    panel: Tables, task: str, instant: str, folder: Path, *, is_control: bool
) -> tuple[pd.DataFrame, list[str], float]:
    """Return the truth of a fold with a column for each peer and one for `inaisle rank`."""
    fold = cut(panel, task, pd.Timestamp(instant))
    if is_control:
        people = np.sort(fold.tables["customers"]["customer_id"].to_numpy())
        other = pd.Series(np.random.default_rng(9).permutation(people), index=people)
        tables = dict(fold.tables)
        for name in ("purchases", "redemptions"):
            mixed = tables[name]["customer_id"].map(other)
            tables[name] = tables[name].assign(customer_id=mixed).dropna(subset=["customer_id"])
            tables[name]["customer_id"] = tables[name]["customer_id"].astype(people.dtype)
        fold = type(fold)(task=task, as_of=fold.as_of, tables=tables, truth=fold.truth)
    write(fold, folder, fold=instant, shift_days=700)
    begun_s = time.perf_counter()
    rank_folder(folder, RankTask(task), folder / "answers.parquet")
    seconds = time.perf_counter() - begun_s
    answers = pq.ParquetFile(folder / "answers.parquet").read()
    frame = fold.truth.reset_index(drop=True)
    given = rank_input(tables := read_tables(folder, RankTask(task)))
    if task == "t4":
        draws = np.random.default_rng(1)
        examples, truth = past_shelves(given.panel, 14.0, draws)
        peers = peers_of_shelf(
            given.panel, shelf_rows(given, tables), examples, truth, given.panel.since(14.0)
        )
    else:
        peers = _PEERS[task](given)
    for name, score in peers.items():
        frame[name] = score
    frame["inaisle"] = answers.column(answers.num_columns - 1).to_numpy()
    return frame, [*peers, "inaisle"], seconds


_PEERS = {
    "t1": peers_of_offers,
    "t2": peers_of_responders,
    "t5": peers_of_sales,
    "t6": peers_of_absence,
}


def measures(task: str, frame: pd.DataFrame, name: str) -> list[tuple[str, float, float]]:
    """Return the measures of a task as (name, value, standard error)."""
    truth, score = frame["label"].to_numpy(), frame[name].to_numpy()
    customer = frame["customer_id"].to_numpy()
    if task in {"t1", "t4"}:
        group = frame["request_id"] if task == "t4" else frame["customer_id"]
        table = by_group(group.to_numpy(), truth, score)
        who = frame.groupby(group.to_numpy())["customer_id"].first()[table.index].to_numpy()
        found = []
        for column, label in (("ndcg", "nDCG@10"), ("ap", "AP")):
            values = table[column].to_numpy()
            found.append((label, values.mean(), by_customer(who, lambda r, v=values: v[r].mean())))
        if task == "t1":
            found.append(
                (
                    "AP of all pairs",
                    by_group(np.zeros(len(truth)), truth, score)["ap"].iloc[0],
                    np.nan,
                )
            )
        return found
    if task == "t5":

        def error(rows: Array) -> float:
            return np.abs(truth[rows] - score[rows]).sum() / truth[rows].sum()

        every = np.arange(len(truth))
        return [
            ("WAPE", error(every), by_customer(customer, error)),
            ("bias", score.sum() / truth.sum() - 1.0, np.nan),
        ]
    area = auc(truth, score)
    return [("AUC", area, by_customer(customer, lambda rows: auc(truth[rows], score[rows])))]


def quality(tasks: list[str], *, is_control: bool = False) -> None:
    """Print a row for each fold, peer and measure."""
    panel = rekeyed(load_panel(), 3)
    for task in tasks:
        for instant in FOLDS[task]:
            with tempfile.TemporaryDirectory() as place:
                if task == "t7":
                    stream(panel, instant, Path(place))
                    continue
                frame, names, seconds = scores_of(
                    panel, task, instant, Path(place), is_control=is_control
                )
            for name in names:
                told = "  ".join(
                    f"{label} {value:.4f} ± {error:.4f}"
                    for label, value, error in measures(task, frame, name)
                )
                print(f"{task} {instant} {name:20} {told}", flush=True)
            print(f"{task} {instant} seconds {seconds:.0f}", flush=True)


def stream(panel: Tables, instant: str, folder: Path) -> None:
    """Let a stream choose among ten items for shoppers of the panel; print what it earned."""
    fold = cut(panel, "t4", pd.Timestamp(instant))
    write(fold, folder, fold=instant)
    meta = json.loads((folder / "meta.json").read_text()) | {"task": "t7"}
    (folder / "meta.json").write_text(json.dumps(meta))
    draws = np.random.default_rng(0)
    requests = fold.tables["requests"].set_index("request_id")
    asked, taken = [], {}
    for request, group in fold.truth.groupby("request_id"):
        hits, rest = (group.loc[group["label"] == n, "item_id"].to_numpy() for n in (1, 0))
        if len(rest) < SHELF - 1 or len(asked) == CHOICES:
            continue
        items = draws.permutation(np.r_[hits[:1], draws.permutation(rest)[: SHELF - 1]])
        row = requests.loc[request]
        taken[str(request)] = int(hits[0])
        asked.append(
            {
                "type": "decide",
                "id": str(request),
                "ts": str(row["ts"]),
                "customer_id": int(row["customer_id"]),
                "category": row["category"],
                "candidates": [int(item) for item in items],
            }
        )
    out, waits_ms = _LastLine(), []
    answers = []

    def conversation() -> Iterator[str]:
        for number, line in enumerate(asked):
            begun_s = time.perf_counter()
            yield json.dumps(line)
            waits_ms.append((time.perf_counter() - begun_s) * 1e3)
            answers.append(json.loads(out.line))
            if number >= DELAY:
                late = answers[number - DELAY]
                reward = float(late["item_id"] == taken[late["id"]])
                yield json.dumps({"type": "reward", "id": late["id"], "reward": reward})

    rank_stream(folder, conversation(), out)
    reward = np.array([a["item_id"] == taken[a["id"]] for a in answers], float)
    propensity = np.array([a["propensity"] for a in answers])
    weighed = reward / propensity / SHELF
    given = rank_input(read_tables(folder, RankTask.CHOICES))
    for name, greedy in _greedy(given, asked).items():
        hits = np.array([item == taken[a["id"]] for item, a in zip(greedy, asked, strict=True)])
        print(f"t7 {instant} {name:20} reward {hits.mean():.4f} ± {_error(hits):.4f}")
    print(
        f"t7 {instant} inaisle              reward {reward.mean():.4f} ± {_error(reward):.4f}  "
        f"value of chance by weighing {weighed.mean():.3f} ± {_error(weighed):.3f} (truth 0.100)  "
        f"wait p50 {np.median(waits_ms):.2f} ms p99 {np.quantile(waits_ms, 0.99):.2f} ms",
        flush=True,
    )


def _error(values: Array) -> float:
    return float(np.std(values) / np.sqrt(len(values)))


def _greedy(given: RankInput, asked: list[dict[str, object]]) -> dict[str, list[int]]:
    """Return what greedy peers take: the item of most demand, the one most bought by the person."""
    bought = given.panel.purchases
    items = {str(v): n for n, v in enumerate(given.books["item_id"].to_pylist())}
    people = {str(v): n for n, v in enumerate(given.books["customer_id"].to_pylist())}
    demand = np.bincount(bought.item, np.exp2(-bought.age_days / 40.0), given.panel.sizes.items)
    own = pd.Series(np.exp2(-bought.age_days / 120.0)).groupby(
        [bought.customer, bought.item]
    ).sum()  # fmt: skip
    counts = own.to_dict()
    popular, usual = [], []
    for line in asked:
        codes = [items.get(str(item), -1) for item in line["candidates"]]
        person = people.get(str(line["customer_id"]), -1)
        wanted = [demand[code] for code in codes]
        habit = [
            counts.get((person, c), 0.0) + 1e-6 * d for c, d in zip(codes, wanted, strict=True)
        ]
        popular.append(line["candidates"][int(np.argmax(wanted))])
        usual.append(line["candidates"][int(np.argmax(habit))])
    return {"popularity": popular, "own history": usual}


class _LastLine:
    """What a reader at the other end of the pipe has just got."""

    def __init__(self) -> None:
        self.line = ""

    def write(self, text: str) -> int:
        self.line = text
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


if __name__ == "__main__":
    asked_for = [name for name in sys.argv[1:] if name in FOLDS]
    if asked_for:
        quality(asked_for, is_control="control" in sys.argv)
    else:
        for figure in run():
            print(figure)
