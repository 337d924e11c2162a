"""A disk that is full stops the history; the shop goes on locating and offering, and says why."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.day_plan import DayShopper
from firmware_sim.trip import ScriptedShopper
from inaisle.errors import PartBroke
from inaisle.simulation.day_people import DayPeople
from inaisle.simulation.day_radio import RadioOrder, radio_here
from inaisle.simulation.day_store import DayStore
from inaisle.simulation.simulate_day import day_settings
from inaisle.simulation.stepped_clock import SteppedClock
from inaisle.site.site_loading import load_site_map
from rtls.model.site_map import Radio
from rtls.model.units import Second, TagId, UnixMs, ZoneId
from rtls.storage.history import history_file
from tests.scenario.played_day import DAY, OFFER_AFTER_S, shop_settings
from tests.unit.storage.history_days import at

STARTS_MS = UnixMs(at(10, day=DAY))
SECONDS_MAX = 120
ANNA = DayShopper(
    number=0,
    script=ScriptedShopper(
        tag=TagId("tag:1"),
        radio=Radio.UWB,
        stands=((ZoneId("dowels"), Second(2.0 * OFFER_AFTER_S)),),
        arrives_at_ms=STARTS_MS,
    ),
    buys=(),
    is_counted=True,
    shows_card=True,
    opens_offers=True,
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DayStore]:
    """A shop whose history finds no space for any file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(history_file, "open_parquet", full)
    settings = day_settings(shop_settings(tmp_path))
    hurried = settings.history.model_copy(update={"file_s": 1})
    site_map = load_site_map(settings.site)
    order = RadioOrder(site_map=site_map, shoppers=(ANNA,), seed=1, starts_at_ms=STARTS_MS)
    with radio_here(order) as radio:
        yield DayStore(
            settings.model_copy(update={"history": hurried}),
            site_map=site_map,
            clock=SteppedClock(STARTS_MS),
            radio=radio,
        )


def test_an_offer_is_made_and_opened_while_no_history_can_be_written(store: DayStore) -> None:
    """The reports of a day may be lost; the shopper who stands at the shelf may not."""
    refused = 0
    with store.open() as address:
        people = DayPeople(address, till_key=store.offers.keys.till, products={})
        store.watch("apps", people.hear)
        people.welcome(ANNA)
        store.await_admission(ANNA.script.tag)
        while not people.offers and store.clock.at_ms < STARTS_MS + SECONDS_MAX * 1000:
            try:
                store.step()
            except PartBroke:  # it is the simulated day that will not do without a history
                refused += 1
            people.look(now_ms=store.clock.at_ms)
        people.close()
    assert [(one.zone, one.is_opened) for one in people.offers] == [("dowels", True)]
    assert refused > 0
    assert "No space left on device" in (store.history.trouble() or "")
    assert store.history.counters()["lost"] > 0
    assert store.history.counters()["fixes"] == 0
