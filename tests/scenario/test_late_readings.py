"""A line is down for half a minute while a shopper stands at the shelf: radio to app."""

from pathlib import Path

import pytest

from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.visit import LeftReason, Transition
from tests.scenario.shop_in_event_time import ALL_PURPOSES, TICK_MS, Shop, dowel_shopper

DOWN_S = 25.0
SLACK_MS = 15_000


def stand_through_an_outage(folder: Path, *, revise_max_ms: int) -> tuple[Shop, int]:
    """One outage before the offer and one after it; return the shop and the outage's length.

    The watermark is not held, as if other gateways were heard all the time.
    """
    reception = ReceptionSettings(epoch_ms=TICK_MS, hold_ms_max=0, revise_max_ms=revise_max_ms)
    script = dowel_shopper(seconds=420.0)
    shop = Shop(folder, script, channel="exact", rate_hz=4.0, reception=reception)
    with shop:
        shop.app.enrol(ALL_PURPOSES)
        shop.app.pair(script.tag)
        shop.app.connect()
        shop.wait_for_admission()
        shop.run_until(lambda: any(e.zone == "dowels" for e in shop.events))
        shop.run_for(60.0)
        take_line_down(shop)
        shop.run_until(lambda: bool(shop.app.offers))
        shop.run_for(5.0)
        take_line_down(shop)
        shop.run_for(30.0)
    return shop, round(1000 * DOWN_S)


def take_line_down(shop: Shop) -> None:
    """Nothing comes for a while; then all of it comes at once."""
    shop.is_line_down = True
    shop.run_for(DOWN_S)
    shop.is_line_down = False


@pytest.mark.slow
def test_an_outage_costs_neither_the_offer_nor_a_second_of_the_stay(tmp_path: Path) -> None:
    """He stood there for five minutes, whatever our line did; and he is asked once."""
    shop, _ = stand_through_an_outage(tmp_path, revise_max_ms=60_000)
    stood_from_ms = shop.stay("dowels").stood_from_ms
    (offer,) = shop.app.offers
    assert 300_000 <= offer[0] - stood_from_ms <= 300_000 + SLACK_MS
    lost = [e for e in shop.events if isinstance(e, Transition) and e.reason is LeftReason.LOST]
    taken_back = {e.event_id for e in lost if e.is_withdrawn}
    assert len(taken_back) >= 2
    assert {e.event_id for e in lost} == taken_back
    assert {e.visit_id for e in shop.dwells(300.0)} == {e.visit_id for e in shop.dwells(120.0)}


@pytest.mark.slow
def test_without_revisions_the_outage_is_missing_in_the_stay(tmp_path: Path) -> None:
    """The control: the dwell clock stands still while the line is down."""
    shop, down_ms = stand_through_an_outage(tmp_path, revise_max_ms=0)
    stood_from_ms = shop.stay("dowels").stood_from_ms
    assert shop.app.offers[0][0] - stood_from_ms > 300_000 + down_ms - 7_000
