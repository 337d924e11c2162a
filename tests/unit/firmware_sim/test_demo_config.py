"""config/: what ships with the program is read by the program."""

import re
import tomllib
from pathlib import Path

from inaisle.settings import Settings
from offers.model.campaigns.benefit import Information, MoneyOff, PercentOff
from offers.model.campaigns.campaign_json import parse_campaigns
from offers.model.campaigns.trigger import VisitTrigger
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import ZoneId

CONFIG = Path(__file__).resolve().parents[3] / "config"
OFF = re.compile(r"^# (?=\w+ = )")
EXAMPLE = re.compile(r"^#\? (?=\w+ = )")


def test_the_demo_campaigns_offer_each_kind_of_benefit_at_a_zone_that_reports_such_a_dwell() -> (
    None
):
    """A campaign whose zone never reports its dwell would lie dead without anybody noticing."""
    campaigns = parse_campaigns((CONFIG / "demo" / "campaigns.json").read_bytes(), source="demo")
    site = parse_site_map((CONFIG / "demo" / "site.geojson").read_bytes(), source="demo")
    thresholds = {zone.zone: zone.rules.dwell_thresholds_s for zone in site.zones}
    assert {campaign.site for campaign in campaigns} == {site.site}
    at_zones = [c for c in campaigns if isinstance(c.trigger, VisitTrigger)]
    for campaign in at_zones:
        assert campaign.trigger.dwell_s in thresholds[campaign.trigger.zone]
    kinds = {type(campaign.benefit) for campaign in at_zones}
    assert kinds == {MoneyOff, PercentOff, Information}


def test_nothing_is_offered_at_the_dowels_before_five_minutes() -> None:
    """The founding rule of the product."""
    campaigns = parse_campaigns((CONFIG / "demo" / "campaigns.json").read_bytes(), source="demo")
    stays = [c.trigger for c in campaigns if isinstance(c.trigger, VisitTrigger)]
    dwells = [stay.dwell_s for stay in stays if stay.zone == ZoneId("dowels")]
    assert dwells
    assert min(dwells) == 300.0


def test_the_settings_file_changes_nothing_and_shows_every_key_with_its_default() -> None:
    """Whoever switches a line on must get what the line says, and find every key there is."""
    lines = (CONFIG / "inaisle.toml").read_text(encoding="utf-8").splitlines()
    assert all(table == {} for table in tomllib.loads("\n".join(lines)).values())
    shown = tomllib.loads("\n".join(OFF.sub("", line) for line in lines))
    examples = tomllib.loads("\n".join(EXAMPLE.sub("", line) for line in lines))
    defaults = Settings().model_dump(mode="json")
    for section, values in defaults.items():
        unset = {key for key, value in values.items() if value is None}
        assert shown[section] == {key: values[key] for key in values if key not in unset}
        assert set(examples[section]) == unset
    assert set(shown) == set(defaults)
