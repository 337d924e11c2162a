"""Every report of a played day has rows, and says what was: the shop is judged by its truth.

The day goes the whole way, from anchors to Parquet and SQL. The truth is put through the same rules
of release, so that what differs is what locating got wrong, not what was withheld.
"""

import csv
import dataclasses
import datetime as dt
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from inaisle.reports.history_side import history_folder
from inaisle.simulation.day_agreement import day_agreement
from inaisle.simulation.simulate_day import shelves_of
from offers.api.error_handlers import install_error_handlers
from rtls.api.footfall.footfall_routes import FootfallParts, footfall_router
from rtls.footfall.zone_paths import ZonePath
from rtls.footfall.zone_report import ZoneFigures
from rtls.footfall_reports import FootfallReports
from rtls.model.footfall import DWELL_EDGES_S, Block, GapReason, ReportWindow
from rtls.model.site_map import ZoneKind
from rtls.model.units import UnixMs, ZoneId
from rtls.storage.history.history_folder import Table, day_folder, files_of
from rtls.storage.history.history_reader import HistoryReader
from tests.scenario.played_day import DAY, SHOPPERS, K, PlayedDay, play

STEP = 5
"""of rounding: two figures of the same count are one step apart at most"""
MEDIAN_BINS = 2
DAY_MS = 86_400_000
BROAD = {ZoneKind.DEPARTMENT, ZoneKind.AISLE}
"""of which phones are told as well; the strips before shelves are narrower than their error"""
PATHS = "/v1/operator/footfall/"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> PlayedDay:
    return play(tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def found(played: PlayedDay) -> FootfallReports:
    return played.reports()


@pytest.fixture(scope="module")
def true(played: PlayedDay) -> FootfallReports:
    return played.true_reports()


def test_the_dwell_that_is_told_is_told_of_the_right_shelf_and_shopper(played: PlayedDay) -> None:
    """Within 3 %; and what is missing is that of phones, and of who is too briefly there."""
    agreement = played.summary.agreement
    assert agreement.visitors == agreement.visitors_true > 0.8 * SHOPPERS
    assert agreement.right_share >= 0.97
    assert agreement.found_share >= 0.7
    assert agreement.found_share_of["trolley"] >= 0.85
    assert 0.55 * agreement.stops_true <= agreement.stops <= 1.05 * agreement.stops_true


def test_a_service_can_go_on_in_the_folder_of_a_played_day(played: PlayedDay) -> None:
    """Its epochs have another length: a state of the day's loop would not let it start."""
    data = played.settings.site.data
    assert {path.name for path in data.iterdir()} >= {"offers.sqlite", "history", "keys.json"}
    assert not (data / "snapshots").exists()
    assert not list((data / "salts").iterdir()), "the salt of a day that is over"


def shifted_zones(played: PlayedDay, folder: Path) -> Path:
    """Copy the history, each shelf called as the next one."""
    shutil.copytree(history_folder(played.settings), folder)
    shelves = sorted(shelves_of(played.site_map))
    after = dict(zip(shelves, [*shelves[1:], shelves[0]], strict=True))
    for path in _files(folder, Table.VISITS):
        table = pq.read_table(path)
        zones = [after.get(zone, zone) for zone in table["zone"].to_pylist()]
        column = pa.array(zones).dictionary_encode().cast(table.schema.field("zone").type)
        pq.write_table(table.set_column(table.schema.get_field_index("zone"), "zone", column), path)
    return folder


def test_shelves_that_are_taken_for_their_neighbours_are_found(
    played: PlayedDay, true: FootfallReports, tmp_path: Path
) -> None:
    """The negative control: both comparisons can say no."""
    reader = HistoryReader(shifted_zones(played, tmp_path / "h"), report=pytest.fail)
    agreement = day_agreement(
        reader.visits(played.window),
        played.record.counted_stays(),
        shelves=shelves_of(played.site_map),
    )
    assert agreement.right_share < 0.1
    wrong = played.reports_of(reader)
    assert len(differences(wrong, true, played, {ZoneKind.SHELF})) > 5


def test_heatmaps_lie_over_each_other(
    played: PlayedDay, found: FootfallReports, true: FootfallReports
) -> None:
    """Of all person-seconds at least 7 of 10 are told of the square metre in which they passed."""
    one, other = (
        source.heatmap(played.window, now_ms=played.now_ms).floors[0] for source in (found, true)
    )
    assert one.is_told.sum() > 100
    both_s = np.minimum(one.person_s, other.person_s).sum()
    assert both_s >= 0.7 * max(one.person_s.sum(), other.person_s.sum())


def differences(
    found: FootfallReports, true: FootfallReports, played: PlayedDay, kinds: set[ZoneKind]
) -> list[str]:
    """Say of which zones the two tell something else."""
    kind_of = {zone.zone: zone.kind for zone in played.site_map.zones}
    rows = [_zones(source, played) for source in (found, true)]
    return [
        f"{zone}: {what}"
        for zone in rows[1]
        if kind_of[zone] in kinds
        for what in _differences(rows[0][zone], rows[1][zone])
    ]


def _zones(source: FootfallReports, played: PlayedDay) -> Mapping[ZoneId, ZoneFigures]:
    return {one.zone: one for one in source.zones(played.window, now_ms=played.now_ms).zones}


def _differences(one: ZoneFigures, other: ZoneFigures) -> list[str]:
    said = []
    for name, tolerance in (("visitors", STEP), ("stoppers", 2 * STEP)):
        told, was = getattr(one, name), getattr(other, name)
        # What is withheld of one and told of the other is of few in both.
        if abs((told or 0) - (was or 0)) > (tolerance if told and was else K + 2 * STEP):
            said.append(f"{name} {told}, were {was}")
    medians = [
        {quantile.share: _bin(quantile.low_s) for quantile in figures.quantiles}.get(0.5)
        for figures in (one, other)
    ]
    if None not in medians and abs(medians[0] - medians[1]) > MEDIAN_BINS:
        said.append(f"median dwell {one.quantiles}, was {other.quantiles}")
    return said


def _bin(low_s: float) -> int:
    return int(np.searchsorted(DWELL_EDGES_S, low_s))


def test_visits_stops_and_dwell_of_departments_and_aisles_are_those_that_were(
    played: PlayedDay, found: FootfallReports, true: FootfallReports
) -> None:
    """Visitors within a step, stoppers within two, the median within two bins of a third each."""
    assert differences(found, true, played, BROAD) == []
    rows = _zones(found, played)
    broad = [rows[zone.zone] for zone in played.site_map.zones if zone.kind in BROAD]
    assert sum(one.visitors is not None for one in broad) >= 8
    assert sum(one.stop_rate is not None and bool(one.dwell_s_mean) for one in broad) >= 4
    assert sum(bool(one.quantiles) for one in broad) >= 4


def test_hours_are_told_too(played: PlayedDay, found: FootfallReports) -> None:
    """The day has two hours with people, and of each zone one told hour is withheld by lot."""
    hours = found.zones(played.window, now_ms=played.now_ms).hours
    told = {(one.zone, one.hour) for one in hours if one.visitors is not None}
    assert len(told) >= 4
    assert {hour for _, hour in told} == {10, 11}


def shared(one: Sequence[ZonePath], other: Sequence[ZonePath]) -> float:
    """Return which part of all that is told either way is told both ways."""
    counts = [{path.zones: path.visitors for path in paths} for paths in (one, other)]
    names = counts[0].keys() | counts[1].keys()
    both = sum(min(count.get(name, 0) for count in counts) for name in names)
    return both / sum(max(count.get(name, 0) for count in counts) for name in names)


def test_flows_and_paths_lead_where_people_went(
    played: PlayedDay, found: FootfallReports, true: FootfallReports
) -> None:
    """Previous and next zone, origin and destination, the paths walked most: 7 of 10 at least."""
    asked = {"now_ms": played.now_ms}
    for level, least in ((ZoneKind.DEPARTMENT, 0.8), (ZoneKind.AISLE, 0.7)):
        flows = [
            source.flows(played.window, level=level, stops_only=False, **asked).paths
            for source in (found, true)
        ]
        assert len(flows[0]) >= 5
        assert shared(*flows) >= least
    stops = found.flows(played.window, level=ZoneKind.DEPARTMENT, stops_only=True, **asked).paths
    assert len(stops) >= 5
    paths = [
        source.paths(played.window, level=ZoneKind.DEPARTMENT, length=3, **asked).paths
        for source in (found, true)
    ]
    assert len(paths[0]) >= 4
    assert shared(*paths) >= 0.6


def test_ways_are_those_that_were_walked(
    played: PlayedDay, found: FootfallReports, true: FootfallReports
) -> None:
    counts = [
        {
            (way.from_x_m, way.from_y_m, way.to_x_m, way.to_y_m): way.visitors
            for way in source.ways(played.window, now_ms=played.now_ms).ways
        }
        for source in (found, true)
    ]
    names = counts[0].keys() | counts[1].keys()
    both = sum(min(count.get(name, 0) for count in counts) for name in names)
    assert len(counts[0]) > 50
    assert both >= 0.6 * sum(max(count.get(name, 0) for count in counts) for name in names)


def test_the_shelf_report_joins_stops_offers_redemptions_and_purchases(
    played: PlayedDay, found: FootfallReports
) -> None:
    """Of the shelf that the shop advertises, each count is that of the truth, within a step."""
    rows = found.shelves(played.window, now_ms=played.now_ms).zones
    dowels = next(row for row in rows if row.zone.zone == "dowels")
    record = played.record
    counted = {one.number for one in record.shoppers if one.is_counted}
    offers = [one for one in record.offers if one.zone == "dowels" and one.shopper in counted]
    bought = {
        one.shopper for one in record.purchases if "dowels" in one.zones and one.shopper in counted
    }
    assert dowels.offered == pytest.approx(len({one.shopper for one in offers}), abs=STEP)
    assert dowels.seen == pytest.approx(
        len({one.shopper for one in offers if one.is_opened}), abs=STEP
    )
    assert dowels.bought == pytest.approx(len(bought), abs=STEP)
    assert dowels.redeemed is not None
    assert dowels.redeemed <= dowels.offered
    assert dowels.zone.stoppers
    assert dowels.dwell_without_purchase == pytest.approx(1 - dowels.bought / dowels.zone.stoppers)


def test_what_a_moved_category_would_gain_is_what_the_truth_says(
    played: PlayedDay, found: FootfallReports, true: FootfallReports
) -> None:
    """Within the interval that the report gives itself."""
    estimates = [
        source.move(
            played.window,
            category_zone=ZoneId("aisle-2-front"),
            to_zone=ZoneId("aisle-4-front"),
            now_ms=played.now_ms,
        ).estimate.visitors
        for source in (found, true)
    ]
    assert estimates[0].change_low <= estimates[1].change <= estimates[0].change_high


def with_a_quiet_day(played: PlayedDay, folder: Path) -> Path:
    """Copy the history and add a second day, on which every second visitor stayed at home."""
    shutil.copytree(history_folder(played.settings), folder)
    for table_of in Table:
        for path in _files(folder, table_of):
            table = pq.read_table(path)
            came = np.array(table["visitor"].to_numpy()) % 2 == 0
            table = table.filter(pa.array(came))
            for name in ("at_ms", "entered_at_ms", "left_at_ms"):
                place = table.schema.get_field_index(name)
                if place >= 0:
                    later = pa.array(table[name].to_numpy() + DAY_MS)
                    table = table.set_column(place, name, later)
            within = day_folder(folder, played.site_map.site, DAY + dt.timedelta(days=1))
            within.mkdir(exist_ok=True)
            pq.write_table(table, within / path.name)
    return folder


def test_the_change_of_two_days_is_what_their_rows_say(played: PlayedDay, tmp_path: Path) -> None:
    """Cell by cell, within the steps of two roundings; the quiet day is quieter all over."""
    reader = HistoryReader(with_a_quiet_day(played, tmp_path / "h"), report=pytest.fail)
    reports = played.reports_of(reader)
    later = _moved(played.window)
    now_ms = UnixMs(later.end_ms + 2 * 3_600_000)
    (change,) = reports.change(played.window, later, now_ms=now_ms).floors
    assert change.is_told.sum() >= 10
    raw = [_visitors_by_cell(reader, window) for window in (played.window, later)]
    for row, column in np.argwhere(change.is_told).tolist():
        was = raw[1].get((column, row), 0) - raw[0].get((column, row), 0)
        assert abs(change.visitors[row, column] - was) < 2 * STEP
    assert change.visitors[change.is_told].mean() < 0


def _moved(window: ReportWindow) -> ReportWindow:
    return dataclasses.replace(
        window,
        start_ms=UnixMs(window.start_ms + DAY_MS),
        end_ms=UnixMs(window.end_ms + DAY_MS),
    )


def _visitors_by_cell(reader: HistoryReader, window: ReportWindow) -> Mapping[tuple[int, int], int]:
    cells = reader.cell_times(window, cell_m=1.0, block=Block.DAY)
    places = zip(cells.column.tolist(), cells.row.tolist(), strict=True)
    return dict(zip(places, cells.visitors.tolist(), strict=True))


def test_half_a_file_is_named_and_the_rest_of_the_day_is_told(
    played: PlayedDay, found: FootfallReports, tmp_path: Path
) -> None:
    """Visits are cut short: the heatmap is as it was, and the zones say what they do without."""
    folder = tmp_path / "h"
    shutil.copytree(history_folder(played.settings), folder)
    (path,) = _files(folder, Table.VISITS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told: list[str] = []
    reports = played.reports_of(HistoryReader(folder, report=told.append))
    asked = {"now_ms": played.now_ms}
    (left,) = reports.heatmap(played.window, **asked).floors
    (whole,) = found.heatmap(played.window, **asked).floors
    assert (left.person_s == whole.person_s).all()
    zones = reports.zones(played.window, **asked)
    assert {one.visitors for one in zones.zones} == {None}
    assert [(gap.reason, gap.file) for gap in zones.gaps] == [(GapReason.UNREADABLE, path.name)]


@pytest.mark.parametrize(
    ("report", "more"),
    [
        ("heatmap", {}),
        ("paths", {"level": "department"}),
    ],
)
def test_reports_are_exported(
    played: PlayedDay, found: FootfallReports, report: str, more: dict[str, str]
) -> None:
    """CSV and Parquet hold the rows of the JSON, and a picture the heatmap.

    All reports in all formats: tests/unit/rtls_api/test_footfall_routes.py.
    """
    client = client_of(found, played.now_ms)
    asked = {"from": "2026-03-02", "until": "2026-03-03"} | more
    rows = client.get(PATHS + report, params=asked).json()["rows"]
    assert rows
    text = client.get(PATHS + report, params=asked | {"format": "csv"}).text
    assert len(list(csv.reader(io.StringIO(text)))) == len(rows) + 1
    parquet = client.get(PATHS + report, params=asked | {"format": "parquet"}).content
    assert pq.read_table(io.BytesIO(parquet)).to_pylist() == rows
    if report == "heatmap":
        png = client.get(PATHS + report, params=asked | {"format": "png"}).content
        assert Image.open(io.BytesIO(png)).width > 400


def client_of(reports: FootfallReports, now_ms: UnixMs) -> TestClient:
    app = FastAPI()
    parts = FootfallParts(reports=reports, now_ms=lambda: now_ms)
    app.include_router(footfall_router(parts, authorise=lambda: None))
    install_error_handlers(app)
    return TestClient(app)


def _files(folder: Path, table: Table) -> Sequence[Path]:
    within = day_folder(folder, "demo", DAY)
    return [part.path for part in files_of(within, table).parts]
