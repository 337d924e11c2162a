"""Reports made of the files of the history are those made of the rows in memory."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.footfall import FixColumns, GapReason, VisitColumns
from rtls.model.site_map import ZoneKind
from rtls.model.units import UnixMs, ZoneId
from rtls.ports import FootfallSource
from rtls.storage.history.history_folder import Table, day_folder
from rtls.storage.history.history_reader import HistoryReader
from rtls.storage.history.parquet_tables import SCHEMAS, open_parquet
from tests.reference.footfall import (
    MONDAY,
    MemoryHistory,
    fix_columns,
    instant,
    visit_columns,
    whole_days,
)
from tests.unit.rtls_api.test_footfall_routes import shelf_site, shopping_day

NOW_MS = UnixMs(instant(MONDAY, 24 * 30))
DAY = whole_days(MONDAY, MONDAY)


def write(folder: Path, table: Table, columns: FixColumns | VisitColumns, name: str) -> Path:
    """Write columns as the history does, into the folder of Monday."""
    values = {field.name: getattr(columns, field.name) for field in dataclasses.fields(columns)}
    for coded in ("cohort", "zone"):
        if coded in values:
            names = np.array(values[f"{coded}_names"])
            values[coded] = names[values[coded]]
    arrays = [pa.array(values[field.name]).cast(field.type) for field in SCHEMAS[table]]
    within = day_folder(folder, "shelf-site", MONDAY)
    within.mkdir(parents=True, exist_ok=True)
    path = within / name
    with open_parquet(path, table) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMAS[table]))
    return path


def reports_of(source: FootfallSource) -> FootfallReports:
    settings = ReportSettings(rules=ReleaseRules(key=bytes(32)))
    return FootfallReports(source, site_map=shelf_site(), settings=settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fixes, stays = shopping_day(120)
    write(tmp_path, Table.FIXES, fix_columns(fixes), "fixes-000001.parquet")
    write(tmp_path, Table.VISITS, visit_columns(stays), "visits-000001.parquet")
    return tmp_path


def told_by(reports: FootfallReports) -> Sequence[object]:
    (heatmap,) = reports.heatmap(DAY, now_ms=NOW_MS).floors
    shelf = ZoneKind.SHELF
    move = reports.move(DAY, category_zone=ZoneId("saws"), to_zone=ZoneId("screws"), now_ms=NOW_MS)
    zones = reports.zones(DAY, now_ms=NOW_MS)
    return [
        heatmap.visitors.tolist(),
        heatmap.person_s.tolist(),
        zones.zones,
        zones.hours,
        reports.flows(DAY, level=shelf, stops_only=True, now_ms=NOW_MS).paths,
        reports.paths(DAY, level=shelf, length=3, now_ms=NOW_MS).paths,
        reports.ways(DAY, now_ms=NOW_MS).ways,
        move.estimate,
    ]


def test_every_report_is_the_same_from_files_and_from_rows(folder: Path) -> None:
    """DuckDB counts what numpy counts; the release cannot tell them apart."""
    of_files = told_by(reports_of(HistoryReader(folder, report=lambda _: None)))
    of_rows = told_by(reports_of(MemoryHistory(*shopping_day(120))))
    assert all(of_rows)
    assert of_files == of_rows


def test_a_truncated_file_is_named_and_the_report_made_of_the_rest(folder: Path) -> None:
    """A crash in the night must not cost the report of the day."""
    path = day_folder(folder, "shelf-site", MONDAY) / "fixes-000002.parquet"
    path.write_bytes(b"PAR1 and then the power went")
    report = reports_of(HistoryReader(folder, report=lambda _: None)).heatmap(DAY, now_ms=NOW_MS)
    assert [(gap.reason, gap.file) for gap in report.gaps] == [(GapReason.UNREADABLE, path.name)]
    assert report.floors[0].is_told.any()
