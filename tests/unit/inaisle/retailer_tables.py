"""A small retailer whose customers have habits, as the neutral tables of `inaisle rank`.

Each customer has a favourite item in each category and a weekly rhythm; campaigns offer coupons for
items, and who buys an item anyway redeems its coupon. All is drawn by a seed.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY_US = 86_400_000_000
AS_OF_DAY = 20_000
CUSTOMERS, CATEGORIES, ITEMS_A_CATEGORY = 60, 4, 8
ITEMS = CATEGORIES * ITEMS_A_CATEGORY
CAMPAIGN_AGES = (120, 90, 60, 30, 0)


def stamp(days_after: np.ndarray) -> pa.Array:
    return pa.array(((AS_OF_DAY + days_after) * DAY_US).astype(np.int64)).cast(pa.timestamp("us"))


def purchases_of(seed: int) -> dict[str, np.ndarray]:
    """Return what was bought from 200 days before the instant to 40 days after it."""
    draws = np.random.default_rng(seed)
    favourite = draws.integers(0, ITEMS_A_CATEGORY, (CUSTOMERS, CATEGORIES))
    rows = []
    basket = 0
    for customer in range(CUSTOMERS):
        day = -200.0 + draws.random() * 7
        stays_until = 40.0 if customer % 4 else -60.0 + draws.random() * 60
        while day < stays_until:
            for category in range(CATEGORIES):
                usual = favourite[customer, category]
                other = draws.integers(0, ITEMS_A_CATEGORY)
                item = usual if draws.random() < 0.7 else other
                rows.append((customer, basket % 3, basket, category * 8 + item, day))
            basket += 1
            day += draws.exponential(4 + customer % 9)
    columns = np.array(rows).T
    return {
        "customer_id": columns[0].astype(np.int64),
        "store_id": columns[1].astype(np.int64),
        "basket_id": columns[2].astype(np.int64),
        "item_id": columns[3].astype(np.int64) + 100,
        "quantity": np.ones(len(rows)),
        "net_sales": 1.0 + columns[3] % 5 + columns[0] % 7,
        "retail_discount": (columns[2] % 4 == 0).astype(float),
        "coupon_discount": np.zeros(len(rows)),
        "day": columns[4],
    }


def write_retailer(folder: Path, task: str, *, seed: int = 1, keeps_future: bool = False) -> Path:
    """Write the tables and requests of a task, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    bought = purchases_of(seed)
    day = bought.pop("day")
    kept = np.ones(len(day), bool) if keeps_future else day < 0
    table = pa.table({name: column[kept] for name, column in bought.items()})
    put(folder, "purchases", table.append_column("ts", stamp(day[kept])))
    items = np.arange(ITEMS)
    put(folder, "items", pa.table({
        "item_id": items + 100,
        "manufacturer_id": items % 5,
        "department": np.repeat("food", ITEMS),
        "brand_kind": np.where(items % 2, "own", "national"),
        "category": [f"c{n // ITEMS_A_CATEGORY}" for n in items],
        "subcategory": [f"s{n // 2}" for n in items],
        "size": [None if n % 3 else "1 kg" for n in items],
    }))  # fmt: skip
    put(folder, "customers", pa.table({"customer_id": np.arange(CUSTOMERS)}))
    _write_campaigns(
        folder, {name: column[day < 0] for name, column in bought.items()}, day[day < 0]
    )
    _write_requests(folder, task)
    meta = {"task": task, "fold": "1", "as_of": "2024-10-04T00:00:00"}
    assert np.datetime64(meta["as_of"], "D").astype(int) == AS_OF_DAY
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def _write_campaigns(folder: Path, bought: dict[str, np.ndarray], day: np.ndarray) -> None:
    count = len(CAMPAIGN_AGES)
    start = -np.array(CAMPAIGN_AGES, float)
    campaigns = pa.table({"campaign_id": np.arange(count), "kind": np.repeat("A", count)})
    campaigns = campaigns.append_column("start", stamp(start))
    put(folder, "campaigns", campaigns.append_column("end", stamp(start + 30)))
    put(folder, "assignments", pa.table({
        "campaign_id": np.repeat(np.arange(count), CUSTOMERS),
        "customer_id": np.tile(np.arange(CUSTOMERS), count),
    }))  # fmt: skip
    put(folder, "offer_items", pa.table({
        "offer_id": np.tile(np.arange(ITEMS) // 2, count),
        "item_id": np.tile(np.arange(ITEMS) + 100, count),
        "campaign_id": np.repeat(np.arange(count), ITEMS),
    }))  # fmt: skip
    rows = set()
    for campaign, age in enumerate(CAMPAIGN_AGES):
        then = (day >= -age) & (day < -age + 20) & (bought["customer_id"] % 2 == 0)
        for customer, item, when in zip(
            bought["customer_id"][then], bought["item_id"][then], day[then], strict=True
        ):
            if (customer + item) % 3 == 0:
                rows.add((customer, (item - 100) // 2, campaign, when))
    found = np.array(sorted(rows)).T
    redeemed = pa.table(
        {
            "customer_id": found[0].astype(np.int64),
            "offer_id": found[1].astype(np.int64),
            "campaign_id": found[2].astype(np.int64),
        }
    )
    put(folder, "redemptions", redeemed.append_column("ts", stamp(found[3])))


def _write_requests(folder: Path, task: str) -> None:
    people = np.arange(CUSTOMERS)
    newest = len(CAMPAIGN_AGES) - 1
    if task == "t1":
        offers = ITEMS // 2
        put(folder, "requests", pa.table({
            "customer_id": np.repeat(people, offers),
            "campaign_id": np.full(CUSTOMERS * offers, newest),
            "offer_id": np.tile(np.arange(offers), CUSTOMERS),
        }))  # fmt: skip
    elif task == "t2":
        columns = {"customer_id": people, "campaign_id": np.full(CUSTOMERS, newest)}
        put(folder, "requests", pa.table(columns))
    elif task == "t4":
        asked = pa.table(
            {
                "request_id": people + 1_000,
                "customer_id": people,
                "store_id": people % 3,
                "category": np.repeat("c1", CUSTOMERS),
            }
        )
        put(folder, "requests", asked.append_column("ts", stamp(people / 10.0)))
        put(folder, "candidates", pa.table({
            "request_id": np.repeat(people + 1_000, ITEMS_A_CATEGORY),
            "item_id": np.tile(np.arange(8, 16) + 100, CUSTOMERS),
        }))  # fmt: skip
    else:
        put(folder, "requests", pa.table({"customer_id": people}))


def put(folder: Path, name: str, table: pa.Table) -> None:
    pq.write_table(table, folder / f"{name}.parquet")


def get(folder: Path, name: str) -> pa.Table:
    return pq.ParquetFile(folder / f"{name}.parquet").read()
