"""Zone gauge: where the scripted shopper probably is, for the eye of the viewer."""

from pathlib import Path

import numpy as np
import pytest

from inaisle.demo.demo_zone import ZoneGauge
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import TagId, UnixMs
from rtls.storage.live_state import InMemoryLiveState

SHOPPER = TagId("tag:demo-1")
OTHER = TagId("tag:0001")
PLAN = Path(__file__).resolve().parents[3] / "config" / "demo" / "site.geojson"
SITE = parse_site_map(PLAN.read_bytes(), source=PLAN.name)


def batch(at_ms: int, *, sigma_m: float) -> FixBatch:
    """Put the shopper into the middle of the dowels, the other tag into a corner."""
    zone = next(zone for zone in SITE.zones if zone.zone == "dowels")
    middle = np.mean(np.array(zone.ring), axis=0)
    rows = np.zeros(2, FIX_DTYPE)
    rows["x_m"], rows["y_m"] = (0.0, middle[0]), (0.0, middle[1])
    rows["cov_xx"] = rows["cov_yy"] = sigma_m**2
    rows["kinds"] = 2
    return FixBatch(at_ms=UnixMs(at_ms), rows=rows)


def test_a_sure_fix_in_the_middle_of_a_shelf_is_there_and_a_vague_one_may_not_be() -> None:
    """The viewer sees how honest the probability is: with 3 m of sigma the shelf is a guess."""
    gauge = ZoneGauge(InMemoryLiveState(), site_map=SITE, tag=SHOPPER)
    assert gauge.latest() == ()
    gauge.put(batch(5_000, sigma_m=0.05), (OTHER, SHOPPER))
    sure = dict(gauge.latest())
    gauge.put(batch(6_000, sigma_m=3.0), (OTHER, SHOPPER))
    vague = dict(gauge.latest())
    assert sure["dowels"] == pytest.approx(1.0, abs=1e-3)
    assert vague.get("dowels", 0.0) < 0.5


def test_between_whole_seconds_and_of_other_tags_nothing_is_reckoned() -> None:
    """The gauge sits on the locating loop's way; it must not cost it an integral a fix."""
    live = InMemoryLiveState()
    gauge = ZoneGauge(live, site_map=SITE, tag=SHOPPER)
    gauge.put(batch(5_100, sigma_m=0.05), (OTHER, SHOPPER))
    gauge.put(batch(6_000, sigma_m=0.05), (OTHER, TagId("tag:0002")))
    assert gauge.latest() == ()
    assert TagId("tag:0002") in live.latest(max_age_ms=1_000, now_ms=UnixMs(6_000)).tags
