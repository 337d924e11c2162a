"""Wiring: what cannot be wired is told as it is, and leaves nothing behind."""

from pathlib import Path

import pytest

from inaisle import assembly
from inaisle.assembly import open_service
from inaisle.broker import BrokerAddress
from inaisle.clock import SystemClock
from inaisle.errors import InvalidSettings
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
