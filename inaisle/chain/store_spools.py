"""Open the folders in which a store keeps what its chain has not got, and show what waits in them.

Layer: doors. Takes: settings. Gives: the spools of events and fixes to inaisle.chain.store_line,
and their figures to Prometheus.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from inaisle.settings import Settings
from inaisle.settings_sections import ChainSection
from rtls.publish.event_journal import MIB, EventJournal, JournalSettings
from rtls.publish.fix_spool import FixSpool, FixSpoolSettings
from rtls.publish.kafka.topics import Topic

log = structlog.get_logger("inaisle.chain")
HOUR_MS: Final = 3_600_000
SEGMENT_BYTES: Final = MIB


def spool_folder(settings: Settings) -> Path:
    """Return where what waits for the chain lies."""
    return settings.site.data / "chain"


def open_events(settings: Settings) -> EventJournal:
    """Return the spool of events: nothing of it is ever dropped that the chain has not got."""
    return EventJournal(
        spool_folder(settings) / Topic.EVENTS.value,
        new_id=partial(secrets.token_hex, 16),
        report=log.error,
        settings=JournalSettings(
            bytes_max=settings.chain.spool_events_mib * MIB,
            segment_bytes=SEGMENT_BYTES,
            keep_events=1,  # a chain's log does not lose what it said it has
            keep_ms=0,
        ),
        taker="the chain (chain.brokers)",
    )


def open_fixes(settings: Settings, *, now_ms: Callable[[], int]) -> FixSpool:
    """Return the spool of fixes, of which the oldest go first."""
    return FixSpool(
        spool_folder(settings) / Topic.FIXES.value,
        new_id=partial(secrets.token_hex, 16),
        report=log.error,
        settings=fix_spool_settings(settings.chain),
        now_ms=now_ms,
    )


def fix_spool_settings(section: ChainSection) -> FixSpoolSettings:
    """Return how much the spool of fixes holds."""
    return FixSpoolSettings(
        bytes_max=section.spool_fixes_mib * MIB,
        keep_ms=section.spool_fixes_hours * HOUR_MS,
        every_ms=round(section.fix_every_s * 1000),
    )


class SpoolCollector(Collector):
    """What waits for the chain: records and bytes of each spool.

    Parameters
    ----------
    spools
        Returns of each spool how many records wait, and its bytes on disk; asked at each scrape.
    """

    def __init__(self, spools: Callable[[], Mapping[str, tuple[int, int]]]) -> None:
        self._spools = spools

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the spools as they are now."""
        waiting = GaugeMetricFamily(
            "inaisle_chain_spool_waiting", "Records that the chain has not got.", labels=["spool"]
        )
        size = GaugeMetricFamily(
            "inaisle_chain_spool_bytes", "Bytes that a spool takes on disk.", labels=["spool"]
        )
        for spool, (records, taken) in self._spools().items():
            waiting.add_metric([spool], records)
            size.add_metric([spool], taken)
        yield waiting
        yield size
