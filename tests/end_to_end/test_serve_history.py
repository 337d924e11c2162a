"""The served program keeps a history of those who agreed, from radio to Parquet; of no others."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Server
from tests.end_to_end.running_service import (
    App,
    ServeProcess,
    ShopFiles,
    ShopOnAir,
    now_ms,
)
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timed]
SETTINGS = {"INAISLE__HISTORY__FILE_S": "1", "INAISLE__RECEPTION__REVISE_MAX_MS": "0"}
REACHES_WITHIN_MS = 2_500  # another process asks Redis once a second
WRITTEN = "inaisle_history_fixes_total"
NOT_COUNTED = "inaisle_history_not_counted_total"


def analytics(app: App, *, is_granted: bool) -> int:
    """Let the shopper agree or take it back; return when that was answered."""
    wish = {"is_granted": is_granted, "text_version": "2026-11"}
    app.client.put("/v1/me/consents/analytics", wish)
    return now_ms()


@pytest.mark.parametrize("is_split", [False, True], ids=["one process", "two over Redis"])
def test_only_what_a_shopper_agreed_to_is_kept_from_then_until_he_takes_it_back(
    tmp_path: Path, mosquitto: Server, redis_server: Server, *, is_split: bool
) -> None:
    """He is located all the time, for offers; the history holds the seconds in between."""
    files = ShopFiles.write(tmp_path, dwell_s=300.0)
    redis = redis_server if is_split else None

    def half(role: str) -> ServeProcess:
        return ServeProcess(
            files,
            data=tmp_path / role,
            broker=mosquitto,
            role=role,
            redis=redis,
            settings=SETTINGS,
        )

    processes = [half("offers"), half("locate")] if is_split else [half("all")]
    locate = processes[-1]
    for process in processes:
        process.start()
    try:
        with (
            App(processes[0].address) as app,
            ShopOnAir(files, folder=tmp_path, broker=mosquitto) as shop,
        ):
            shop.let_come()
            wait_until(lambda: locate.metric(NOT_COUNTED) >= 3, "fixes that do not count")
            assert locate.metric(WRITTEN) == 0
            granted_ms = analytics(app, is_granted=True)
            wait_until(lambda: locate.metric(WRITTEN) >= 4, "fixes that count")
            withdrawn_ms = analytics(app, is_granted=False)
            passed_over = locate.metric(NOT_COUNTED)
            wait_until(lambda: locate.metric(NOT_COUNTED) > passed_over + 3, "the end of it")
            assert "history" not in locate.degraded()
    finally:
        for process in reversed(processes):
            assert process.stop()[0] == 0, process.told()
    rows = [
        row
        for path in (locate.data / "history").rglob("fixes-*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert len(rows) >= 4
    assert len({row["visitor"] for row in rows}) == 1
    assert min(row["at_ms"] for row in rows) >= granted_ms - 2_000  # the answer took a moment
    assert max(row["at_ms"] for row in rows) <= withdrawn_ms + REACHES_WITHIN_MS
    everything = b"".join(
        path.read_bytes() for path in (locate.data / "history").rglob("*") if path.is_file()
    )
    assert b"tag:" not in everything
