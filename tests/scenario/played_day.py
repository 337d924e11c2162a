"""A small day of the demo shop, played once for all tests that look at it, and its truth.

Fifty shoppers come within a quarter of an hour, so that enough of them are told of at k = 5; the
campaigns fire after half a minute, so that enough of them are offered something.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inaisle.config_files import shipped_settings_files
from inaisle.reports.history_side import open_history_reader
from inaisle.reports.shelf_outcomes import ShelfOutcomes
from inaisle.settings import Settings, load_settings
from inaisle.simulation.day_files import DayRecord, truth_folder
from inaisle.simulation.simulate_day import DayOptions, DaySummary, day_window, play_day
from inaisle.site.site_loading import load_site_map, read_campaigns
from offers.storage.reader import Reader
from rtls.footfall.release import ReleaseRules
from rtls.footfall_reports import FootfallReports, ReportSettings
from rtls.model.footfall import ReportWindow
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.ports import FootfallSource, ZoneOffersSource
from tests.reference.footfall import Fix, MemoryHistory, Stay

DAY = dt.date(2026, 3, 2)
TODAY = dt.date(2026, 3, 4)
SHOPPERS = 50
OFFER_AFTER_S = 30
K = 5


@dataclass(frozen=True)
class PlayedDay:
    """The day as the shop knows it, and as it was."""

    settings: Settings
    site_map: SiteMap
    summary: DaySummary
    record: DayRecord

    @property
    def window(self) -> ReportWindow:
        return day_window(DAY, self.site_map)

    @property
    def now_ms(self) -> UnixMs:
        return UnixMs(self.window.end_ms + 2 * 3_600_000)

    def reports(self) -> FootfallReports:
        """Return the reports of the history."""
        reader = Reader(self.settings.site.data / "offers.sqlite")
        offers = ShelfOutcomes(reader, site_map=self.site_map, products=dict)
        return self.reports_of(open_history_reader(self.settings), offers)

    def true_reports(self) -> FootfallReports:
        """Return the reports that the truth would give, released by the same rules."""
        return self.reports_of(MemoryHistory(self._true_fixes(), self._true_stays()))

    def reports_of(
        self, source: FootfallSource, offers: ZoneOffersSource | None = None
    ) -> FootfallReports:
        """Return reports under a key that stays: what is told must not hang on a fresh secret."""
        rules = ReleaseRules(key=bytes(32), k=K)
        return FootfallReports(
            source, site_map=self.site_map, settings=ReportSettings(rules=rules), offers=offers
        )

    def _true_fixes(self) -> Sequence[Fix]:
        counted = {one.number for one in self.record.shoppers if one.is_counted}
        return [
            (at_ms, walk.shopper, 0, x_m, y_m, 1.0, "")
            for walk in self.record.walks
            if walk.shopper in counted
            for at_ms, x_m, y_m in zip(
                walk.at_ms.tolist(), walk.x_m.tolist(), walk.y_m.tolist(), strict=True
            )
        ]

    def _true_stays(self) -> Sequence[Stay]:
        return [
            (s.shopper, s.zone, 0, s.entered_at_ms, s.left_at_ms, s.dwell_s < 5.0, "")
            for s in self.record.counted_stays()
        ]


def play(folder: Path) -> PlayedDay:
    """Play the day into a folder of its own."""
    settings = shop_settings(folder)
    options = DayOptions(
        day=DAY,
        shoppers=SHOPPERS,
        opens=dt.time(10, 50),
        closes=dt.time(11, 50),
        phone_share=0.1,
    )
    summary, record = play_day(settings, options, today=TODAY)
    assert truth_folder(settings.site.data, DAY).is_dir()
    return PlayedDay(settings, load_site_map(settings.site), summary, record)


def shop_settings(folder: Path) -> Settings:
    """Return the settings of the demo shop, whose campaigns are in a hurry."""
    demo = load_settings(files=shipped_settings_files(), environment={}).settings
    found = read_campaigns(demo.site)
    assert found is not None
    document = json.loads(found[0])
    for campaign in document["campaigns"]:
        if "dwell_s" in campaign["trigger"]:
            campaign["trigger"]["dwell_s"] = OFFER_AFTER_S
    path = folder / "campaigns.json"
    path.write_text(json.dumps(document))
    flags = {("site", "data"): folder / "shop", ("site", "campaigns"): path}
    return load_settings(files=shipped_settings_files(), environment={}, flags=flags).settings
