"""Wiring: what cannot be wired is told as it is, and leaves nothing behind."""

from pathlib import Path

import pytest

from inaisle.clock import SystemClock
from inaisle.errors import InvalidSettings
from inaisle.service import assembly
from inaisle.service.assembly import open_service
from inaisle.service.broker import BrokerAddress
from inaisle.settings import load_settings

NOWHERE = BrokerAddress(host="127.0.0.1", port=1, qos=1)


def test_wiring_that_fails_half_way_keeps_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offers half is stopped unstarted then; a thread that cannot be joined hid the remedy."""

    def refuse(*_: object, **__: object) -> None:
        raise InvalidSettings("formats.minew is wrong; expected a gateway of the map.")

    monkeypatch.setattr(assembly, "LocatingSide", refuse)
    settings = load_settings(
        environment={}, flags={("site", "data"): tmp_path / "data", ("api", "port"): 0}
    ).settings
    with (
        pytest.raises(InvalidSettings, match=r"formats\.minew"),
        open_service(settings, role="all", broker=NOWHERE, clock=SystemClock()),
    ):
        pass


def test_a_store_of_a_chain_says_whether_the_chain_hears_it(tmp_path: Path) -> None:
    """Not essential: a store whose line is down goes on locating and offering."""
    flags = {("site", "data"): tmp_path / "data", ("chain", "brokers"): "127.0.0.1:1"}
    settings = load_settings(environment={}, flags=flags).settings
    with open_service(settings, role="all", broker=NOWHERE, clock=SystemClock()) as service:
        parts = {part.part: part for part in service.around.health.report().parts}
        assert "0 events wait" in (parts["events to the chain"].reason or "")
        assert not parts["events to the chain"].is_essential
        assert not parts["fixes to the chain"].is_essential
    assert (tmp_path / "data" / "chain" / "events").is_dir()
