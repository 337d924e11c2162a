"""Fit the service's settings to a demo: a folder of its own, and time that runs faster than life.

Layer: doors. Takes: the settings as loaded. Gives: settings for inaisle.demo.demo. What counts real
seconds (networks, disks) must be given as much more simulated time as the demo is faster.
"""

import socket
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from inaisle.settings import Settings
from rtls.ingest.formats.format_name import FormatName
from rtls.model.site_map import Radio, SiteMap
from rtls.model.units import UnixMs

# A busy machine delays a message by this much of real time without anything being wrong.
DELAY_REAL_MS: Final = 250
SILENCE_REAL_MS: Final = 2_000


def demo_settings(settings: Settings, data: Path) -> Settings:
    """Return the settings of a demo in the folder ``data``."""
    speed = settings.simulator.speed
    lateness_ms = min(max(settings.reception.lateness_ms, round(DELAY_REAL_MS * speed)), 30_000)
    silence_ms = min(round(SILENCE_REAL_MS * max(speed, 1.5)), 60_000)
    reception = settings.reception.model_copy(
        update={
            "lateness_ms": lateness_ms,
            "late_max_ms": min(2 * max(lateness_ms, 1_000), 60_000),
            "silence_hold_after_ms": silence_ms,
        }
    )
    port = settings.api.port if _is_free(settings.api.host, settings.api.port) else 0
    return settings.model_copy(
        update={
            "site": settings.site.model_copy(update={"data": data}),
            # Simulated shoppers do not belong among those of a real shop.
            "offers": settings.offers.model_copy(update={"database_url": None}),
            "reception": reception,
            "api": settings.api.model_copy(update={"port": port}),
        }
    )


def opening_ms(now_ms: UnixMs, time_zone: str) -> UnixMs:
    """Return eleven in the morning of today in the shop: a demo at night shows a shop by day.

    Examples
    --------
    >>> opening_ms(UnixMs(1_780_000_000_000), "Europe/Berlin")
    1779958800000
    """
    return UnixMs(
        round(_wall(now_ms, time_zone).replace(hour=11, minute=0, second=0).timestamp()) * 1_000
    )


def day_in_shop(now_ms: UnixMs, time_zone: str) -> date:
    """Return what the calendar in the shop shows."""
    return _wall(now_ms, time_zone).date()


def _wall(now_ms: UnixMs, time_zone: str) -> datetime:
    instant = datetime.fromtimestamp(now_ms // 1_000, tz=UTC)
    return instant.astimezone(ZoneInfo(time_zone))


def hear_ble_wire(settings: Settings, site_map: SiteMap) -> Settings:
    """Return settings that take in the format in which the demo's BLE anchors speak.

    Each of them is then a gateway of its own, which bears the name of the anchor.
    """
    wire = settings.simulator.ble_wire
    if wire == "reference":
        return settings
    boxes = {str(one.anchor): str(one.anchor) for one in site_map.anchors if one.radio is Radio.BLE}
    formats = settings.formats.model_copy(
        update={
            "on": tuple(dict.fromkeys((*settings.formats.on, FormatName(wire)))),
            "aliases": boxes | (settings.formats.aliases or {}),
        }
    )
    return settings.model_copy(update={"formats": formats})


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
