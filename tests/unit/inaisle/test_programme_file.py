"""The loyalty programme: shipped with the demo, told by the doctor, refused for another site."""

import json
from pathlib import Path

import pytest

from inaisle.clock import SystemClock
from inaisle.config_files import demo_programme_file
from inaisle.errors import InvalidSettings
from inaisle.service import doctor
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import Settings, load_settings

NOWHERE = BrokerAddress(host="127.0.0.1", port=1, qos=1)


def settings_with(tmp_path: Path, **changes: object) -> Settings:
    document = json.loads(demo_programme_file().read_bytes()) | changes
    path = tmp_path / "programme.json"
    path.write_text(json.dumps(document))
    return load_settings(
        environment={},
        flags={
            ("site", "data"): tmp_path / "data",
            ("site", "programme"): path,
            ("api", "port"): 0,
        },
    ).settings


def test_the_doctor_counts_what_earns_and_names_what_is_wrong(tmp_path: Path) -> None:
    """Before the shop opens, not at the first purchase."""
    good = settings_with(tmp_path)
    found = {finding.check: finding for finding in doctor.findings_of(good, is_quick=True)}
    assert found["programme"].found == "7 ways to earn, 3 tiers"
    bad = settings_with(tmp_path, units=[])
    found = {finding.check: finding for finding in doctor.findings_of(bad, is_quick=True)}
    assert not found["programme"].is_good
    assert "programme.json: rule 'each-euro' earns 'points'" in found["programme"].found


def test_the_programme_of_another_site_is_refused_at_the_start(tmp_path: Path) -> None:
    """It would lie in the database and earn nobody anything, without a word."""
    settings = settings_with(tmp_path, site="elsewhere")
    with (
        pytest.raises(InvalidSettings, match="site 'elsewhere'; expected that of the map"),
        open_service(settings, role="all", broker=NOWHERE, clock=SystemClock()),
    ):
        pass
