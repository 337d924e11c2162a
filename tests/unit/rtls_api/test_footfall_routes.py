"""Reports of footfall over the API: formats, refusals, and what is missing is said."""

import csv
import datetime as dt
import io
import random

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from offers.api.error_handlers import install_error_handlers
from rtls.api.footfall.footfall_routes import FootfallParts, footfall_router
from rtls.api.footfall.report_table import ReportTable, render_csv
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.footfall import DayGap, GapReason
from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import UnixMs
from tests.reference.footfall import MONDAY, Fix, MemoryHistory, Stay, instant
from tests.reference.shelf_site import make_site, make_zone, rectangle

NOW_MS = UnixMs(instant(MONDAY + dt.timedelta(days=30)))
DAY = {"from": "2026-03-02", "until": "2026-03-03"}
SHELVES = ("dowels", "saws", "screws")
PATHS = "/v1/operator/footfall/"
ALL = ("heatmap", "heatmap-change", "zones", "shelves", "flows", "paths", "ways", "move")


def shelf_site() -> SiteMap:
    zones = [
        make_zone(name, rectangle(2 + 4 * i, 4, 6 + 4 * i, 6), kind=ZoneKind.SHELF)
        for i, name in enumerate(SHELVES)
    ]
    return make_site(zones)


def shopping_day(persons: int = 200) -> tuple[list[Fix], list[Stay]]:
    """Walk each person along the shelves; every second one turns back at the saws."""
    rng = random.Random(5)
    fixes: list[Fix] = []
    stays: list[Stay] = []
    for person in range(persons):
        at_ms = instant(MONDAY, rng.randint(9, 18), rng.randint(0, 1800))
        way = ["dowels", "saws", "dowels"] if person % 2 else ["dowels", "saws", "screws"]
        for name in way:
            middle = 4 + 4 * SHELVES.index(name)
            dwell_s = rng.choice((3, 20, 40, 100))
            for second in range(dwell_s + 4):
                x_m = middle - 2 + min(second, 3) + rng.random()
                fixes.append((at_ms + 1000 * second, person, 0, x_m, 5.0 + rng.random(), 1.0, ""))
            stays.append((person, name, 0, at_ms, at_ms + 1000 * dwell_s, dwell_s < 5, ""))
            at_ms += 1000 * (dwell_s + 4)
    return fixes, stays


def client_over(history: MemoryHistory, site_map: SiteMap) -> TestClient:
    reports = FootfallReports(
        history, site_map=site_map, settings=ReportSettings(rules=ReleaseRules(key=bytes(32)))
    )
    app = FastAPI()
    parts = FootfallParts(reports=reports, now_ms=lambda: NOW_MS)
    app.include_router(footfall_router(parts, authorise=lambda: None))
    install_error_handlers(app)
    return TestClient(app)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return client_over(MemoryHistory(*shopping_day()), shelf_site())


def asked(report: str) -> dict[str, str]:
    more = {
        "heatmap-change": {"later_from": "2026-03-02", "later_until": "2026-03-03"},
        "flows": {"level": "shelf"},
        "paths": {"level": "shelf"},
        "move": {"category_zone": "dowels", "to_zone": "saws"},
    }
    return DAY | more.get(report, {})


@pytest.mark.parametrize("report", ALL)
def test_each_report_of_a_full_day_has_rows_in_every_format(
    client: TestClient, report: str
) -> None:
    """The same rows, whoever reads them: a program, a spreadsheet, a notebook."""
    answer = client.get(PATHS + report, params=asked(report))
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["rows"]
    assert all(list(row) == document["columns"] for row in document["rows"])
    text = client.get(PATHS + report, params=asked(report), headers={"Accept": "text/csv"})
    lines = list(csv.reader(io.StringIO(text.text)))
    assert lines[0] == document["columns"]
    assert len(lines) == len(document["rows"]) + 1
    parquet = client.get(PATHS + report, params=asked(report) | {"format": "parquet"})
    table = pq.read_table(io.BytesIO(parquet.content))
    assert table.to_pylist() == document["rows"]
    assert b"2026-03-02" in table.schema.metadata[b"inaisle"]


@pytest.mark.parametrize("report", ["heatmap", "heatmap-change"])
def test_a_heatmap_is_a_picture_too(client: TestClient, report: str) -> None:
    """For people who put it on a wall."""
    answer = client.get(PATHS + report, params=asked(report), headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.width > 400
    assert len(picture.convert("RGB").getcolors(maxcolors=1_000_000)) > 10


def test_flows_tell_the_way_in_and_the_next_zone(client: TestClient) -> None:
    """200 persons came in at the dowels, and went on to the saws; half of them came back."""
    rows = client.get(PATHS + "flows", params=asked("flows")).json()["rows"]
    flows = {(row["from_zone"], row["to_zone"]): row for row in rows}
    assert flows[None, "dowels"]["visitors"] == pytest.approx(200, abs=4)
    assert flows["saws", "screws"]["visitors"] == pytest.approx(100, abs=4)
    assert flows["saws", "dowels"]["share_of_next"] == pytest.approx(0.5, abs=0.03)


def test_a_moved_category_takes_its_own_visitors_along(client: TestClient) -> None:
    """Half of the visitors of the saws had turned back there, so half of them follow the saws."""
    rows = client.get(
        PATHS + "move", params=DAY | {"category_zone": "saws", "to_zone": "screws"}
    ).json()["rows"]
    visitors = next(row for row in rows if row["figure"] == "visitors")
    assert visitors["now"] == pytest.approx(200, abs=4)
    assert visitors["change_low"] < visitors["change"] < visitors["change_high"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"until": "2026-03-02"}, "not after its start"),
        ({"from": "2026-03-02T10:15"}, "whole hour"),
        ({"from": "yesterday"}, "from is 'yesterday'"),
        ({"until": "2027-02-01"}, "is told from 2027-02-01"),
        ({"weekday": "someday"}, "weekday"),
        ({"weekday": "sun"}, "no hour of the window"),
        ({"floor": "7"}, "floor is 7"),
        ({"cohort": "new"}, "tells none"),
        ({"hour": "25"}, "hours"),
        ({"format": "png"}, "format is png"),
    ],
)
def test_an_impossible_question_is_named(
    client: TestClient, wrong: dict[str, str], says: str
) -> None:
    """The answer says what was expected; nobody has to guess."""
    answer = client.get(PATHS + "zones", params=DAY | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert says in answer.json()["detail"]


def test_a_site_without_zones_has_a_heatmap_and_says_why_it_has_no_zone_report() -> None:
    """A site whose plan is not drawn yet is still of use."""
    client = client_over(MemoryHistory(*shopping_day(60)), make_site([]))
    assert client.get(PATHS + "heatmap", params=DAY).json()["rows"]
    answer = client.get(PATHS + "zones", params=DAY)
    assert answer.status_code == 422
    assert "the plan of site shelf-site has no zone" in answer.json()["detail"]


@pytest.mark.parametrize("report", [name for name in ALL if name != "move"])
def test_a_day_without_data_is_a_report_that_says_so(report: str) -> None:
    """An empty plan without a word would be read as an empty shop."""
    gap = DayGap(day=MONDAY, reason=GapReason.NO_DATA)
    client = client_over(MemoryHistory(gaps=[gap]), shelf_site())
    answer = client.get(PATHS + report, params=asked(report))
    assert answer.status_code == 200
    assert {"day": "2026-03-02", "reason": "no_data", "file": ""} in answer.json()["gaps"]
    assert int(answer.headers["X-Report-Gaps"]) >= 1


def test_a_damaged_file_is_named_and_the_rest_is_reported() -> None:
    """One truncated file must not cost the report of a week."""
    gap = DayGap(day=MONDAY, reason=GapReason.UNREADABLE, file="fixes-7.parquet")
    client = client_over(MemoryHistory(*shopping_day(), gaps=[gap]), shelf_site())
    document = client.get(PATHS + "zones", params=DAY).json()
    assert document["gaps"][0]["file"] == "fixes-7.parquet"
    assert document["rows"][0]["visitors"] is not None


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\x00", "\r", "  ="])
def test_no_text_of_a_table_becomes_a_formula(begin: str) -> None:
    """A segment called =HYPERLINK(...) must not run on the desk of the merchandiser."""
    table = ReportTable(columns={"a": str, "b": int}, rows=[[f"{begin}1+1", -3]])
    (_, row) = list(csv.reader(io.StringIO(render_csv(table).decode(), newline="")))
    assert row == [f"'{begin}1+1", "-3"]


def test_reports_wait_for_their_turn_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time could take more memory than the machine has."""
    monkeypatch.setattr("rtls.api.footfall.footfall_routes.WAIT_S_MAX", 0.01)
    parts = FootfallParts(
        reports=FootfallReports(
            MemoryHistory(),
            site_map=shelf_site(),
            settings=ReportSettings(rules=ReleaseRules(key=bytes(32))),
        ),
        now_ms=lambda: NOW_MS,
    )
    app = FastAPI()
    app.include_router(footfall_router(parts, authorise=lambda: None))
    client = TestClient(app)
    with parts.turn:
        answer = client.get(PATHS + "heatmap", params=DAY)
    assert (answer.status_code, answer.json()["code"]) == (503, "reports_busy")


def test_the_plan_says_where_nobody_can_stand(client: TestClient) -> None:
    """A cell without a row is withheld only where somebody can stand: else it is a wall."""
    plan = client.get(PATHS + "plan").json()
    floor = plan["floors"][0]
    assert sum(floor["ground_runs"]) == floor["columns"] * floor["rows"]
    assert [zone["zone"] for zone in plan["zones"]] == list(SHELVES)
    assert plan["today"] == "2026-04-01"
    told = client.get(PATHS + "heatmap", params=DAY).json()["rows"]
    runs = floor["ground_runs"]
    ground = [n % 2 == 1 for n, run in enumerate(runs) for _ in range(run)]
    assert all(ground[row["row"] * floor["columns"] + row["column"]] for row in told)
