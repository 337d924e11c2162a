"""Search and be led to a shelf over HTTP: 50,000 products, 100 x 60 m with 40 aisles.

One app asks after the other, of a service that is wired as the door wires it; app and service share
a process, so that its processor time is that of both. A route begins at the app's own live fix,
somewhere in the shop, and leads to the shelf of a product that is drawn anew each time. The control
asks for the shopper's consents: what HTTP, credential and database take without any search.
"""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.product_search import catalogue
from benchmarks.route import AISLES, PITCH_M, large_site
from offers.api.services import ApiSettings
from offers.handlers.campaigns.replace_catalogue import replace_catalogue
from offers.model.audit import SYSTEM
from offers.model.catalogue.packed import pack
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.site_map import SiteMap, Zone, ZoneKind
from rtls.model.units import TagId, ZoneId
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.waiting import wait_until

REQUESTS = 300
TAG = TagId("tag:bench")
Row = dict[str, str | float | bool]


def site_with_shelves() -> SiteMap:
    """Return the large site with a zone in each aisle, on both sides of the cross aisle."""
    zones = tuple(
        Zone(
            zone=ZoneId(f"z-{k}-{low:.0f}"),
            name=f"Aisle {k}",
            kind=ZoneKind.SHELF,
            floor=0,
            ring=((x, low), (x + 1.0, low), (x + 1.0, low + 2.0), (x, low + 2.0)),
        )
        for k in range(AISLES)
        for x in (2.6 + k * PITCH_M,)
        for low in (10.0, 40.0)
    )
    return replace(large_site(), site="demo", zones=zones)


def locate(api: RunningApi, rng: random.Random) -> None:
    """Put the app's tag somewhere into an aisle."""
    rows = np.zeros(1, FIX_DTYPE)
    rows["x_m"] = 3.0 + rng.randrange(AISLES) * PITCH_M
    rows["y_m"] = rng.uniform(1.0, 59.0)
    api.live.put(FixBatch(at_ms=api.now_ms, rows=rows), (TAG,))


def measured(name: str, ask: Callable[[], object], *, target: float | None) -> list[Row]:
    """Ask many times; return the figures."""
    walls = []
    for _ in range(20):
        ask()
    processor = time.process_time()
    for _ in range(REQUESTS):
        begin = time.perf_counter()
        ask()
        walls.append(1e3 * (time.perf_counter() - begin))
    each = 1e3 * (time.process_time() - processor) / REQUESTS
    p95: Row = {
        "name": f"{name}, p95 by the clock of the wall",
        "value": float(np.percentile(walls, 95)),
        "unit": "ms",
    }
    if target is not None:
        p95 |= {"target": target, "is_floor": False}
    return [p95, {"name": f"{name}, app and service", "value": each, "unit": "ms of processor"}]


def run() -> list[Row]:
    """Measure; return the figures."""
    rng = random.Random(7)
    site = site_with_shelves()
    zones = [zone.zone for zone in site.zones]
    products = [replace(one, zones=(rng.choice(zones),)) for one in catalogue(rng)]
    settings = ApiSettings(searches_in_10_s_max=10**6)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_api(Path(folder), settings=settings, site_map=site) as api,
    ):
        packed = pack(site.site, products)
        api.writer.run(
            lambda work: replace_catalogue(packed, by=SYSTEM, work=work, now_ms=api.now_ms)
        )
        api.products.changed()
        wait_until(lambda: bool(api.products.indexed and api.products.indexed.skus), timeout_s=120)
        wait_until(lambda: api.ways.is_ready)
        phone = Phone(api)
        phone.pair(TAG)
        api.advance(1)

        def find() -> None:
            name = rng.choice(products).name_de
            assert phone.get(f"/v1/me/products?q={name[:100]}").json()["hits"]

        def lead() -> None:
            locate(api, rng)
            answer = phone.post("/v1/me/routes", {"sku": rng.choice(products).sku})
            assert answer.status_code == 200, answer.text

        return [
            *measured("a route", lead, target=20.0),
            *measured("a search by the whole name", find, target=None),
            *measured("control: consents", lambda: phone.get("/v1/me/consents"), target=None),
        ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
