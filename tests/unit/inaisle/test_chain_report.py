"""inaisle report --chain: visits, dwell and conversions over many sites, told as stores tell."""

import dataclasses
import datetime as dt
import json
import secrets
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inaisle.chain.site_library import SiteLibrary
from inaisle.cli import app
from inaisle.errors import InvalidSettings
from inaisle.reports.chain_keys import NAME, rules_in, site_rules
from inaisle.reports.chain_regions import load_regions
from inaisle.reports.chain_report import (
    ChainAsked,
    ChainReport,
    ChainSources,
    GroupBy,
    chain_report,
)
from inaisle.reports.chain_report_view import chain_document, write_chain_csv
from inaisle.reports.footfall_side import release_key
from inaisle.settings import Settings
from inaisle.settings_sections import SiteSection
from rtls.api.site_map_json import render_site_map
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.errors import InvalidReport
from rtls.model.footfall import GapReason, ReportWindow
from rtls.model.site_map import SiteMap, ZoneKind
from rtls.model.units import SiteId, UnixMs
from rtls.storage.archive.archive_names import day_name
from rtls.storage.archive.archive_writer import ArchiveWriter
from rtls.storage.archive.archived_footfall import ArchivedFootfall
from rtls.storage.archive.object_folder import ObjectFolder
from rtls.storage.archive.settling import settle_day
from rtls.storage.history.history_folder import Table
from rtls.storage.history.site_days import day_span
from tests.unit.storage.archived_days import SETTLE_MS, archived_site, told_visit, visit_place
from tests.unit.storage.history_days import DAY, DAY_MS, SITE_MAP, at

KEY = b"a secret of the chain that stays"
SITES = tuple(SiteId(name) for name in ("berlin", "hamburg", "kiel"))
VISITORS = {"berlin": 60, "hamburg": 40, "kiel": 7}
TOMORROW = DAY + dt.timedelta(days=1)
NOW_MS = UnixMs(at(24) + 10 * DAY_MS)


def map_of(site: str) -> SiteMap:
    return dataclasses.replace(SITE_MAP, site=SiteId(site))


def fill(objects: ObjectFolder, *, days: int = 1, more_a_day: int = 0) -> None:
    """Visitors of three shops, each for a minute in each zone, settled; of Kiel they are few."""
    for name, visitors in VISITORS.items():
        site = archived_site(None, site_map=map_of(name))
        for number in range(days):
            day = DAY + dt.timedelta(days=number)
            writer = ArchiveWriter(objects)
            offset = 0
            for visitor in range(visitors + number * more_a_day):
                for zone in SITE_MAP.zones:
                    visit = told_visit(
                        f"tag:{visitor}",
                        at(10, day=day) + visitor,
                        event_id=f"{name}/{visitor}/{zone.zone}/{day}",
                        site=SiteId(name),
                        zone=zone.zone,
                    )
                    writer.take_visit(visit_place(offset), site, visit, now_ms=at(11, day=day))
                    offset += 1
            writer.put()
            names = objects.names(day_name(SiteId(name), day))
            settle_day(objects, SiteId(name), day, Table.VISITS, names)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    for site in SITES:
        (tmp_path / "sites" / site).mkdir(parents=True)
        content = render_site_map(map_of(site))
        (tmp_path / "sites" / site / "site_map.geojson").write_bytes(content)
    (tmp_path / "sites" / "regions.csv").write_text("site,region\nhamburg,north\nkiel,north\n")
    return tmp_path / "sites"


@pytest.fixture
def objects() -> ObjectFolder:
    return ObjectFolder(f"memory://{secrets.token_hex(4)}")


def sources(objects: ObjectFolder, library: Path, near: Path) -> ChainSources:
    source = ArchivedFootfall(objects, near=near, report=pytest.fail)
    return ChainSources(
        library=SiteLibrary(library),
        source=source,
        regions=load_regions(library),
        rules_of=lambda site: site_rules(KEY, site, 10),
        offers_of=lambda _: None,
        let_go=source.let_go,
        settle_ms=SETTLE_MS,
    )


def asked(**choices) -> ChainAsked:
    return ChainAsked(**({"from_day": DAY, "until_day": TOMORROW} | choices))


def told(report: ChainReport) -> dict[str, int | None]:
    return {row.group: row.sums.visitors for row in report.rows}


def test_each_site_says_what_its_own_report_says(
    objects: ObjectFolder, library: Path, tmp_path: Path
) -> None:
    """The chain adds up what is told of its stores; of seven visitors nothing is."""
    fill(objects)
    made = sources(objects, library, tmp_path / "near")
    report = chain_report(asked(), made, now_ms=NOW_MS)
    shelves = [zone.zone for zone in SITE_MAP.zones if zone.kind is ZoneKind.SHELF]
    for site in SITES:
        own = FootfallReports(
            made.source, site_map=map_of(site), settings=ReportSettings(rules=made.rules_of(site))
        )
        span = day_span(DAY, SITE_MAP.time_zone)
        window = ReportWindow(
            site=site, time_zone=SITE_MAP.time_zone, start_ms=span.start_ms, end_ms=span.end_ms
        )
        zones = own.whole_zones(window, now_ms=NOW_MS).zones
        counts = [one.visitors for one in zones if one.zone in shelves and one.visitors]
        assert told(report)[site] == (sum(counts) if counts else None)
    assert told(report)["kiel"] is None
    assert report.gaps == {}


def test_regions_and_kinds_are_sums_of_sites(
    objects: ObjectFolder, library: Path, tmp_path: Path
) -> None:
    """Hamburg and Kiel are the north; who belongs nowhere is told as such."""
    fill(objects)
    made = sources(objects, library, tmp_path / "near")
    by_site = told(chain_report(asked(), made, now_ms=NOW_MS))
    by_region = told(chain_report(asked(by=GroupBy.REGION), made, now_ms=NOW_MS))
    assert by_region == {"north": by_site["hamburg"], "-": by_site["berlin"]}
    by_kind = chain_report(asked(by=GroupBy.KIND), made, now_ms=NOW_MS)
    assert {row.group for row in by_kind.rows} == {zone.kind.value for zone in SITE_MAP.zones}
    assert told(by_kind)["shelf"] == sum(by_site[site] or 0 for site in SITES)
    assert next(row.sites for row in by_kind.rows if row.group == "shelf") == 2


def test_weeks_stand_side_by_side_with_their_change(
    objects: ObjectFolder, library: Path, tmp_path: Path
) -> None:
    """Week on week is what a head office reads first."""
    fill(objects, days=14, more_a_day=2)
    made = sources(objects, library, tmp_path / "near")
    days = {"from_day": DAY, "until_day": DAY + dt.timedelta(days=14)}
    report = chain_report(asked(**days, by_week=True), made, now_ms=UnixMs(NOW_MS + 14 * DAY_MS))
    first, second = (row for row in report.rows if row.group == "berlin")
    assert first.change is None
    assert second.change == pytest.approx(second.sums.visitors / first.sums.visitors - 1.0)
    assert second.change > 0.1


def test_only_the_days_that_are_asked_for_are_read(
    objects: ObjectFolder, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three thousand stores and a month, one day is three thousand objects and no listing."""
    fill(objects, days=3)
    read: list[str] = []
    get = ObjectFolder.get

    def noted(self: ObjectFolder, names: list[str]) -> object:
        read.extend(names)
        return get(self, names)

    monkeypatch.setattr(ObjectFolder, "get", noted)
    monkeypatch.setattr(ObjectFolder, "names", lambda *_: pytest.fail("listed"))
    made = sources(objects, library, tmp_path / "near")
    chain_report(asked(), made, now_ms=NOW_MS)
    assert sorted(read) == [f"{day_name(site, DAY)}/visits-000001.parquet" for site in SITES]
    assert not list((tmp_path / "near").iterdir())  # and let go


def test_a_day_is_told_when_it_is_settled_and_a_missing_one_is_named(
    objects: ObjectFolder, library: Path, tmp_path: Path
) -> None:
    """Before that each look would be another day: who comes between two looks would be told."""
    fill(objects)
    made = sources(objects, library, tmp_path / "near")
    with pytest.raises(InvalidReport, match="told"):
        chain_report(asked(), made, now_ms=UnixMs(at(24) + SETTLE_MS - 1))
    chain_report(asked(), made, now_ms=UnixMs(at(24) + SETTLE_MS))
    later = {"from_day": TOMORROW, "until_day": TOMORROW + dt.timedelta(days=1)}
    report = chain_report(asked(**later), made, now_ms=NOW_MS)
    assert [gap.reason for gap in report.gaps[SITES[0]]] == [GapReason.NO_DATA]
    assert all(row.sums.visitors is None for row in report.rows)


def test_each_site_has_a_key_of_its_own() -> None:
    """With one key for all, the rounding of a known store would tell that of another."""
    one, other = (site_rules(KEY, site, 10) for site in SITES[:2])
    assert one.key != other.key
    assert one == site_rules(KEY, SITES[0], 10)


def test_a_store_that_tells_reports_of_its_own_rounds_by_the_same_key(
    library: Path, tmp_path: Path
) -> None:
    """Two roundings of one count, side by side, would tell the count."""
    data = str(tmp_path / "store")
    printed = CliRunner().invoke(app, ["key", "footfall", "--data", data]).output.strip()
    assert printed == CliRunner().invoke(app, ["key", "footfall", "--data", data]).output.strip()
    (library / "kiel" / NAME).write_text(printed + "\n")
    settings = Settings(site=SiteSection(data=tmp_path / "store"))
    assert rules_in(library, KEY, 10, SiteId("kiel")).key == release_key(settings)
    assert rules_in(library, KEY, 10, SiteId("berlin")) == site_rules(KEY, SiteId("berlin"), 10)
    (library / "kiel" / NAME).write_text("no key")
    with pytest.raises(InvalidSettings, match="holds no key"):
        rules_in(library, KEY, 10, SiteId("kiel"))


@pytest.mark.parametrize(
    "choices",
    [
        {"until_day": DAY},
        {"until_day": DAY + dt.timedelta(days=8), "by_week": True},
        {"until_day": DAY + dt.timedelta(days=900)},
    ],
)
def test_days_that_make_no_report_are_refused(choices: dict[str, object]) -> None:
    """The answer names both days and what was expected."""
    with pytest.raises(InvalidSettings, match=f"--from is {DAY}"):
        asked(**choices)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("region,site\n", "first line"),
        ("site,region\nberlin\n", "line 2"),
        ("site,region\nberlin,a\nberlin,b\n", "line 3"),
        ("site,region\n../etc,a\n", "line 2"),
    ],
)
def test_a_table_of_regions_that_cannot_be_is_refused_by_line(
    tmp_path: Path, text: str, named: str
) -> None:
    """It is kept by hand, by people who open it in a spreadsheet."""
    (tmp_path / "regions.csv").write_text(text)
    with pytest.raises(InvalidSettings, match=named):
        load_regions(tmp_path)


def test_the_command_prints_and_exports_the_report(library: Path, tmp_path: Path) -> None:
    """The whole way, from flags to a table, JSON and CSV."""
    fill(ObjectFolder(str(tmp_path / "archive")))
    flags = ["report", "--chain", str(tmp_path / "archive"), "--sites", str(library),
             "--data", str(tmp_path / "data"), "--from", str(DAY), "--until", str(TOMORROW),
             "--by", "region"]  # fmt: skip
    shown = CliRunner().invoke(app, flags)
    assert shown.exit_code == 0, shown.output
    assert "north" in shown.output
    found = json.loads(CliRunner().invoke(app, [*flags, "--json"]).output)
    assert [row["group"] for row in found["rows"]] == ["-", "north"]
    assert found["rows"][1]["visitors"] > 0
    written = CliRunner().invoke(app, [*flags, "--out", str(tmp_path / "chain.csv")])
    assert written.exit_code == 0
    lines = (tmp_path / "chain.csv").read_text().splitlines()
    assert lines[0].startswith("group,from,until,sites,visitors")
    assert lines[1].startswith("'-,")  # no formula for a spreadsheet
    alone = CliRunner().invoke(app, ["report", "--json"])
    assert alone.exit_code == 2


def test_what_is_not_told_is_null_in_json_and_empty_in_csv(
    objects: ObjectFolder, library: Path, tmp_path: Path
) -> None:
    """A zero would say that nobody was there."""
    fill(objects)
    made = sources(objects, library, tmp_path / "near")
    report = chain_report(asked(), made, now_ms=NOW_MS)
    row = chain_document(report)["rows"][-1]
    assert row["group"] == "kiel"
    assert row["visitors"] is None
    write_chain_csv(report, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[-1].endswith(",0,,,,,,,,,,,,")
