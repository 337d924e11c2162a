"""The history is on where its libraries are, unless settings say otherwise; off without harm."""

from pathlib import Path

import numpy as np
import pytest

from inaisle.clock import SystemClock
from inaisle.errors import InvalidSettings
from inaisle.reports import history_side
from inaisle.reports.history_side import (
    NoHistory,
    history_folder,
    is_history_wanted,
    open_history,
    open_history_reader,
)
from inaisle.settings import Settings, load_settings
from rtls.engine_contract import EngineOutput
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import UnixMs
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.history.history_recorder import HistoryRecorder
from tests.reference.shelf_site import shelf_site


def settings(data: Path, **history: object) -> Settings:
    flags = {("site", "data"): data} | {("history", key): v for key, v in history.items()}
    return load_settings(environment={}, flags=flags).settings


def opened(given: Settings):
    return open_history(given, site_map=shelf_site(), counted=CountedTags(), clock=SystemClock())


def test_it_is_on_where_its_libraries_are_and_off_where_nobody_wants_it(tmp_path: Path) -> None:
    """Nothing is written of anybody who was not asked, so that on is no surprise."""
    assert isinstance(opened(settings(tmp_path)), HistoryRecorder)
    assert isinstance(opened(settings(tmp_path, enabled=False)), NoHistory)
    assert history_folder(settings(tmp_path)) == tmp_path / "history"
    assert history_folder(settings(tmp_path, folder=tmp_path / "far")) == tmp_path / "far"


def test_without_the_extra_the_service_runs_and_a_wish_is_answered_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who asked for a history must not find out in a month that there is none."""
    monkeypatch.setattr(history_side, "LIBRARIES", ("duckdb", "no_such_library"))
    assert isinstance(opened(settings(tmp_path)), NoHistory)
    with pytest.raises(InvalidSettings, match=r"inaisle\[insight\]"):
        is_history_wanted(settings(tmp_path, enabled=True))
    with pytest.raises(InvalidSettings, match=r"inaisle\[insight\]"):
        open_history_reader(settings(tmp_path))


def test_no_history_takes_everything_and_says_nothing() -> None:
    """The locating loop need not know whether there is one."""
    none = NoHistory()
    none.start()
    fixes = FixBatch(at_ms=UnixMs(0), rows=np.zeros(0, FIX_DTYPE))
    none.take(EngineOutput(fixes=fixes, tag_names=np.empty(0, "S1")), ())
    none.take_records(())
    none.close()
    assert none.trouble() is None
    assert dict(none.counters()) == {}
