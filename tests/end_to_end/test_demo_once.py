"""The demo as a newcomer runs it: one command, no server, the whole path."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = "from inaisle.cli import main; main()"
DEMO_S_MAX = 180.0  # about fifty on two cores of their own


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.timeout(300)
def test_one_command_shows_the_path_from_a_radio_reading_to_a_redeemed_coupon(
    tmp_path: Path,
) -> None:
    """The first thing anybody tries; from any folder, and soon, once kernels are cached."""
    command = [sys.executable, "-c", PROGRAM, "demo", "--once", "--json", "--shoppers", "40"]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
    )
    took_s = time.monotonic() - began
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    assert told["zone"] == "dowels"
    assert 300.0 <= told["stood_s"] <= 330.0
    assert told["is_still_there"] is True
    assert told["redeemed"] == {"amount_minor": 200, "currency": "EUR"}
    assert told["is_refused_twice"] is True
    assert told["loyalty"]["welcome_points"] == 100
    assert told["loyalty"]["tier"] == "silver"
    assert told["loyalty"]["clawed_back_points"] == 264
    assert told["loyalty"]["birthday_campaign"] == "birthday-present"
    assert told["redemptions"] == 1
    assert told["position_error_m"]["uwb"]["p50"] < 0.5
    assert 0.7 < told["truth_in_90_ellipse"]["uwb"] <= 1.0
    assert told["p_zone"]["dowels"] > 0.7
    assert took_s < DEMO_S_MAX
    assert list(tmp_path.iterdir()) == [], "the demo left something in the viewer's folder"


@pytest.mark.slow
@pytest.mark.timed
def test_ctrl_c_ends_the_demo_with_all_that_it_started(tmp_path: Path) -> None:
    """A terminal sends it to the whole group; nothing may hang, complain or stay behind."""
    log = tmp_path / "told.log"
    command = [sys.executable, "-c", PROGRAM, "demo", "--shoppers", "5"]
    with log.open("wb") as told:
        child = subprocess.Popen(command, cwd=tmp_path, stderr=told, start_new_session=True)
        until = time.monotonic() + 150.0
        while b"pairs the trolley" not in log.read_bytes():
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(30) == 0
    assert "Traceback" not in log.read_text()
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
