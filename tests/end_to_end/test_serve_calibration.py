"""The service and the demo take the calibration of their map, and refuse that of another."""

import subprocess
import sys
from pathlib import Path

import pytest

from inaisle.calibration.calibration_file import MadeFrom, save_calibration
from inaisle.clock import SystemClock
from inaisle.service import locating_side
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import load_settings
from inaisle.site.site_loading import load_site_map
from rtls.model.units import AnchorId, Metre
from rtls.positioning.calibration import Calibration, LinkRange

REFUSED = 3
KNOWN = Calibration(ranges={AnchorId("u01"): LinkRange(bias_m=Metre(0.31), bias_sd_m=Metre(0.05))})


def write_calibration(data: Path) -> Path:
    """As `inaisle calibrate` writes it for the demo's map."""
    made = MadeFrom(recording="r", points=9, readings=99, anchor_links=0, verdict="good")
    file = data / "calibration.json"
    site_map = load_site_map(load_settings(environment={}).settings.site)
    save_calibration(file, KNOWN, site_map=site_map, made_from=made, offset_db={})
    return file


class _EngineWasMadeError(Exception):
    """Ends the wiring as soon as it is known what the engine is made with."""


def test_the_engine_of_the_service_is_made_with_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is checked and then not used would be found out by nobody."""
    write_calibration(tmp_path)
    settings = load_settings(environment={}, flags={("site", "data"): tmp_path}).settings
    given: list[object] = []

    def engine(*_: object, calibration: object, **__: object) -> None:
        given.append(calibration)
        raise _EngineWasMadeError

    monkeypatch.setattr(locating_side, "Engine", engine)
    monkeypatch.setattr(locating_side, "MqttSource", lambda *_, **__: None)
    broker = BrokerAddress(host="127.0.0.1", port=1)
    with (
        pytest.raises(_EngineWasMadeError),
        open_service(settings, role="all", broker=broker, clock=SystemClock()),
    ):
        pass
    assert given == [KNOWN]


@pytest.mark.slow
@pytest.mark.parametrize("command", [("serve",), ("demo", "--once", "--json")])
def test_a_calibration_of_another_map_ends_the_start_with_the_remedy(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """Anchors were moved after the survey: better no service than a shop of wrong offers."""
    file = write_calibration(tmp_path)
    text = file.read_text()
    digest = text.partition('"map_digest": "')[2].partition('"')[0]
    file.write_text(text.replace(digest, "0" * len(digest)))
    refused = subprocess.run(
        [sys.executable, "-m", "inaisle", *command, "--data", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert refused.returncode == REFUSED, refused.stderr
    assert "Run inaisle calibrate again on the new map, or remove the file" in refused.stderr
    assert "Traceback" not in refused.stderr
