"""Key figures over HTTP, the review on its day, and by hand: of a shop whose receipts are known."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from inaisle.clock import ScaledClock
from inaisle.reports.report import write_review
from inaisle.settings import load_settings
from offers.delivery.review_folder import ReviewFolder
from offers.delivery.review_writer import ReviewedSite, ReviewWriter
from offers.model.insight.drift import Change, Direction
from offers.model.insight.kpi import KpiName
from offers.model.insight.review_schedule import ReviewSchedule
from offers.model.people.shopper import Role
from rtls.model.errors import NotDurable
from rtls.model.units import SiteId, UnixMs
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE, START_MS, Shop
from tests.unit.offers.test_key_figures_of_a_shop import DAY_MS, SECOND, Trade

WEEKS = {"from": SECOND.isoformat(), "until": (SECOND + timedelta(days=14)).isoformat()}
LATER_MS = START_MS + 60 * DAY_MS


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        running.writer.run(lambda work: Trade.of(Shop(work)).play())
        running.now_ms = UnixMs(LATER_MS)
        yield running


@pytest.fixture(scope="module")
def staff(api: RunningApi) -> dict[str, str]:
    return api.key(Role.MERCHANDISER)


def test_each_figure_goes_out_with_its_formula_and_its_source(
    api: RunningApi, staff: dict[str, str]
) -> None:
    """A merchandiser reads 75 % retention, and beside it of whom and how."""
    answer = api.http.get("/v1/operator/kpis", params=WEEKS, headers=staff)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    kpis = {one["kpi"]: one for one in told["kpis"]}
    assert kpis["retention"]["value"] == 0.75
    assert kpis["others_mean_basket"]["value"] == 500.0
    assert kpis["cost_per_incremental_euro"]["withheld"] == "no_experiment"
    assert all(one["formula"] and one["source"] for one in told["kpis"])
    assert [step["count"] for step in told["funnel"]["steps"]] == [None, None, 15, 10, 10, 10]
    assert (told["currency"], told["k"], told["time_zone"]) == ("EUR", 10, "Europe/Berlin")


def test_a_total_of_the_tills_is_taken_and_corrected(
    api: RunningApi, staff: dict[str, str]
) -> None:
    """The books send the day again: the newest counts; a day to come is refused."""
    body = {"day": "2024-01-02", "currency": "EUR", "receipts": 10, "sales_minor": 9_000}
    put = "/v1/operator/till-totals"
    assert api.http.put(put, json=body, headers=staff).status_code == 204
    assert api.http.put(put, json=body | {"receipts": 11}, headers=staff).status_code == 204
    early = api.http.put(put, json=body | {"day": "2030-01-01"}, headers=staff)
    assert (early.status_code, early.json()["code"]) == (422, "validation_failed")
    assert "2030-01-01" in early.json()["detail"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"from": "2023-12-01", "until": "2023-12-03"}, "expected 7 to 366"),
        ({"from": "2023-12-10", "until": "2023-12-01"}, "expected 7 to 366"),
        ({"from": "2024-01-08", "until": "2024-01-30"}, "expected days that are over"),
    ],
)
def test_an_impossible_window_is_refused_by_name(
    api: RunningApi, staff: dict[str, str], days: dict[str, str], words: str
) -> None:
    """422 with what was wrong and what to ask for."""
    answer = api.http.get("/v1/operator/kpis", params=days, headers=staff)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert words in answer.json()["detail"]


def test_another_site_reads_nothing_of_it(api: RunningApi) -> None:
    """The site is that of the key, and of nobody's wish."""
    away = api.key(Role.MERCHANDISER, site=SiteId("elsewhere"))
    told = api.http.get("/v1/operator/kpis", params=WEEKS, headers=away).json()
    assert {one["value"] for one in told["kpis"]} == {None}
    assert told["zones"] == []


def test_weeks_and_alerts_are_told(api: RunningApi, staff: dict[str, str]) -> None:
    """The weeks of the charts, and what was found to have changed."""
    weeks = api.http.get("/v1/operator/kpis/weeks", params={"weeks": 6}, headers=staff).json()
    basket = next(one for one in weeks["series"] if one["kpi"] == "mean_basket")
    assert basket["first_week"] == "2023-11-27"
    assert basket["values"] == [None, 800.0, None, None, None, None]
    change = Change(
        name=KpiName.RETENTION,
        direction=Direction.DOWN,
        found_week=date(2023, 12, 4),
        since_week=date(2023, 11, 20),
        before=0.5,
        after=0.25,
    )
    assert api.writer.run(lambda work: work.kpi_alerts.add(SITE, change, at_ms=api.now_ms))
    page = api.http.get("/v1/operator/kpis/alerts", headers=staff).json()
    assert [one["change"]["kpi"] for one in page["alerts"]] == ["retention"]
    assert (page["cursor"], page["has_more"]) == (page["alerts"][0]["number"], False)


def test_the_review_is_one_page_that_loads_and_runs_nothing(
    api: RunningApi, staff: dict[str, str]
) -> None:
    """It is mailed around and opened anywhere: no script, no address, a policy against both."""
    answer = api.http.get("/v1/operator/kpis/review", params=WEEKS, headers=staff)
    page = answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "29 November to 12 December 2023" in page
    assert "75.0 %" in page
    assert not re.search(r"<script|https?://|<link|<img| on\w+=| style=", page)
    table = api.http.get(
        "/v1/operator/kpis/review", params=WEEKS | {"format": "csv"}, headers=staff
    )
    rows = list(csv.DictReader(io.StringIO(table.text)))
    found = {row["figure"]: row for row in rows if row["part"] == "figures"}
    assert found["retention"]["value"] == "0.75"
    assert all(row["formula"] for row in rows)


def writer_of(api: RunningApi, folder: Path, *, kept: int = 2) -> ReviewWriter:
    return ReviewWriter(
        writer=api.writer,
        reader=api.reader,
        now_ms=lambda: api.now_ms,
        site=ReviewedSite(site=SITE, name="Demo <1>", time_zone="Europe/Berlin"),
        schedule=ReviewSchedule(weeks=4, kept=kept),
        folder=ReviewFolder(folder),
        zone_stops=None,
    )


def at(api: RunningApi, day: date, hour: int) -> None:
    instant = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    api.now_ms = UnixMs(int(instant.timestamp()) * 1_000)


def test_a_review_is_made_on_its_day_once_and_old_ones_go(api: RunningApi, tmp_path: Path) -> None:
    """Monday at six by the clocks of the site, which is five in UTC; two are kept."""
    writer = writer_of(api, tmp_path / "reviews")
    for monday in (date(2023, 11, 27), date(2023, 12, 4), date(2023, 12, 11)):
        at(api, monday, 4)
        writer.turn()
        at(api, monday, 5)
        writer.turn()
        writer.turn()
    api.now_ms = UnixMs(LATER_MS)
    names = sorted(path.name for path in (tmp_path / "reviews").iterdir())
    assert names == [
        "review-2023-12-04.csv",
        "review-2023-12-04.html",
        "review-2023-12-11.csv",
        "review-2023-12-11.html",
    ]
    assert (writer.counters["written"], writer.counters["deleted"]) == (4, 2)
    assert "Demo &lt;1&gt;" in (tmp_path / "reviews" / "review-2023-12-11.html").read_text()


def test_a_month_in_which_nothing_happened_makes_no_review(api: RunningApi, tmp_path: Path) -> None:
    """A shop that has not opened yet gets no page of dashes every week."""
    at(api, date(2026, 1, 5), 5)
    writer_of(api, tmp_path).turn()
    api.now_ms = UnixMs(LATER_MS)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named_and_leaves_nothing_half(
    api: RunningApi, tmp_path: Path
) -> None:
    """A full disk costs the review, and the next turn tries again."""
    blocked = tmp_path / "reviews"
    blocked.write_text("a file where the folder should be")
    at(api, date(2023, 12, 11), 5)
    with pytest.raises(NotDurable, match="cannot be written to"):
        writer_of(api, blocked).turn()
    blocked.unlink()
    writer_of(api, blocked).turn()
    api.now_ms = UnixMs(LATER_MS)
    assert len(list(blocked.iterdir())) == 2


def test_a_review_is_written_by_hand_of_any_window(api: RunningApi, tmp_path: Path) -> None:
    """`inaisle report` reads the database beside the service; figures are those of the API."""
    database = Path(api.writer._engine.url.database)
    settings = load_settings(
        flags={("site", "data"): tmp_path, ("offers", "database"): database}, environment={}
    ).settings
    clock = ScaledClock(origin_ms=LATER_MS, started_ns=0, speed=1e-6)
    page = write_review(
        settings,
        from_day=SECOND,
        until_day=SECOND + timedelta(days=14),
        folder=tmp_path / "out",
        clock=clock,
    )
    assert page == tmp_path / "out" / "review-2023-12-13.html"
    assert "75.0 %" in page.read_text()
    assert page.with_suffix(".csv").exists()
