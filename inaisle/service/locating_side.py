"""Wire the locating half: broker, reception, engine, sink, live state, snapshots.

Layer: doors. Takes: settings, the site map, and from inaisle.service.assembly where events and
fixes go. Gives: a started or stopped `LocatingSide`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from inaisle.clock import Clock
from inaisle.reports.history_side import open_history
from inaisle.service.anchor_tally import AnchorTally
from inaisle.service.broker import BrokerAddress
from inaisle.service.format_tables import format_settings
from inaisle.service.locating_loop import LocatingLoop, LoopSettings, Parts
from inaisle.service.metrics import LocatingMetrics
from inaisle.service.visit_recorder import VisitRecorder
from inaisle.settings import Settings
from inaisle.settings_sections import EngineSection, MqttSection, ReceptionSection
from rtls.api.health import Health
from rtls.api.metrics import AnchorCollector, CountersCollector, GatewayCollector
from rtls.engine import Engine
from rtls.ingest.admitted_tags import AdmittedTags
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.mqtt_settings import MqttSettings, MqttTls
from rtls.ingest.mqtt_source import LineState, MqttSource
from rtls.ingest.queue_source import JoinedSource, QueueSource
from rtls.ingest.reception import Reception
from rtls.ingest.reception_settings import ReceptionSettings
from rtls.model.site_map import SiteMap
from rtls.model.units import SiteId
from rtls.ports import EventSink, GatewayHeard, LiveState, UnknownNames
from rtls.positioning.calibration import Calibration
from rtls.publish.event_journal import MIB
from rtls.publish.visit_journal import VisitJournal
from rtls.revision import Reviser, RevisionSettings
from rtls.storage.history.counted_tags import CountedTags
from rtls.storage.snapshot_file import SnapshotFile
from rtls.visit_analysis import VisitAnalysis

log = structlog.get_logger("inaisle.locating")
STUCK_AFTER_S: Final = 30.0
SLOW_AFTER_S: Final = 5.0
STOP_S_MAX: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What surrounds both halves: time, health, metrics."""

    clock: Clock
    health: Health
    registry: CollectorRegistry


class LocatingSide:
    """The locating half of one process.

    Parameters
    ----------
    broker
        Where the gateways publish.
    sink, live
        Where events and fixes go.
    admitted
        Whom we may locate; changed from outside while we run.
    counted
        Who of them counts in reports; likewise.
    calibration
        What is known of anchors and links beyond the map.
    phones
        What the API takes of shoppers' phones, where it runs in this process.
    """

    def __init__(
        self,
        settings: Settings,
        around: Around,
        *,
        site_map: SiteMap,
        broker: BrokerAddress,
        sink: EventSink,
        live: LiveState,
        admitted: AdmittedTags,
        counted: CountedTags,
        calibration: Calibration | None = None,
        phones: QueueSource | None = None,
    ) -> None:
        formats = format_settings(settings.formats, site_map)
        self._source = MqttSource(
            mqtt_settings(settings.mqtt, broker, topics=Registry(formats).topics),
            clock=around.clock.now_ms,
        )
        reception = open_reception(settings, site_map, admitted=admitted, formats=formats)
        engine = Engine(site_map, calibration=calibration, shard=settings.engine.shard)
        reviser = Reviser(engine, revision_settings(settings.reception))
        store = SnapshotFile(settings.site.data / "snapshots", report=log.error)
        self._reception = reception
        self._visits = VisitRecorder(VisitAnalysis(site_map), open_visit_journal(settings))
        self._history = open_history(
            settings, site_map=site_map, counted=counted, clock=around.clock
        )
        self.tally = AnchorTally(site_map)
        self.metrics = LocatingMetrics(around.registry)
        self.loop = LocatingLoop(
            Parts(
                source=self._source if phones is None else JoinedSource(self._source, phones),
                reception=reception,
                engine=engine,
                reviser=reviser,
                visits=self._visits,
                sink=sink,
                live=live,
                store=store,
                site_map=site_map,
                history=self._history,
            ),
            clock=around.clock,
            settings=loop_settings(settings, site=site_map.site),
            metrics=self.metrics,
            tally=self.tally,
        )
        self._show(around, reception=reception, engine=engine, reviser=reviser)

    def _show(
        self, around: Around, *, reception: Reception, engine: Engine, reviser: Reviser
    ) -> None:
        """Let health and Prometheus ask the parts."""
        around.health.watch("locating", self._trouble)
        around.health.watch("broker", self._line_trouble, is_essential=False)
        around.health.watch("anchors", self.tally.trouble, is_essential=False)
        around.health.watch("records of visits", self._visits.trouble, is_essential=False)
        around.health.watch("history", self._history.trouble, is_essential=False)
        for collector in (
            CountersCollector("inaisle_history", self._history.counters),
            CountersCollector("inaisle_reception", lambda: reception.counters),
            CountersCollector("inaisle_engine", engine.counters.as_dict),
            CountersCollector("inaisle_revision", reviser.count),
            CountersCollector("inaisle_visit_records", partial(dict, self._visits.counters)),
            AnchorCollector(self.tally.heard),
            GatewayCollector(self.gateways),
        ):
            around.registry.register(collector)

    def start(self) -> None:
        """Start the loop; `Health` says when it is ready."""
        self._history.start()
        self.loop.start()

    def stop(self) -> None:
        """Drain, save, answer the gateways; `PartBroke` where that does not work in time."""
        self.loop.stop(STOP_S_MAX)

    def close(self) -> None:
        """Leave the broker and the journals, also where the loop never ran. Safe to call twice."""
        self._source.close()
        self._history.close()
        self._visits.close()

    def unknown_names(self) -> UnknownNames:
        """Return who is heard and not in the map; from any thread."""
        return UnknownNames(
            gateways=self._reception.unknown_gateways.as_dict(),
            anchors=self._reception.unknown_anchors.as_dict(),
        )

    def gateways(self) -> tuple[GatewayHeard, ...]:
        """Return what each gateway has sent; from any thread."""
        return self._reception.gateways.heard()

    def reception_counters(self) -> Mapping[str, int]:
        """Return what became of messages and readings; from any thread."""
        return self._reception.counters

    def fatal(self) -> str | None:
        """Return why the process must end with status 1, or None: the watchdog's question."""
        if self.loop.failure is not None:
            return f"the locating loop ended: {self.loop.failure!r}"
        if self.loop.ready.is_set() and self.loop.seconds_since_tick > STUCK_AFTER_S:
            return f"the locating loop is stuck for {self.loop.seconds_since_tick:.0f} s"
        line = self._source.health()
        return f"the line to the broker: {line.reason}" if line.state is LineState.DEAD else None

    def _trouble(self) -> str | None:
        if not self.loop.ready.is_set():
            return "starting"
        silent_s = self.loop.seconds_since_tick
        return None if silent_s < SLOW_AFTER_S else f"no tick for {silent_s:.0f} s"

    def _line_trouble(self) -> str | None:
        line = self._source.health()
        return None if line.state is LineState.RECEIVING else line.reason


def open_reception(
    settings: Settings, site_map: SiteMap, *, admitted: AdmittedTags, formats: FormatSettings
) -> Reception:
    """Return what reads the messages of the gateways."""
    return Reception(
        site_map,
        admitted=admitted,
        settings=reception_settings(settings.reception, settings.engine),
        formats=formats,
        shard=settings.engine.shard,
    )


def open_visit_journal(settings: Settings) -> VisitJournal:
    """Return the journal of visits and passes in the data folder."""
    section = settings.visits
    return VisitJournal(
        settings.site.data / "visits",
        new_id=partial(secrets.token_hex, 16),
        report=log.error,
        bytes_max=section.journal_mib * MIB,
        keep_ms=section.keep_hours * 3_600_000,
    )


def mqtt_settings(
    section: MqttSection, broker: BrokerAddress, *, topics: tuple[str, ...]
) -> MqttSettings:
    """Return how ingest connects, and what it subscribes to."""
    return MqttSettings(
        host=broker.host,
        port=broker.port,
        username=section.user or section.client_id,
        password=None if section.password is None else section.password.get_secret_value(),
        tls=MqttTls(ca_file=section.ca_file) if section.tls else None,
        topics=topics,
        qos=1 if broker.qos else 0,
    )


def loop_settings(settings: Settings, *, site: SiteId) -> LoopSettings:
    """Return how the loop runs, and under which name its state is kept."""
    return LoopSettings(
        key=f"{site}-{settings.engine.shard}",
        tick_s=settings.engine.tick_ms / 1000.0,
        epoch_ms=settings.reception.epoch_ms,
        lateness_ms=settings.reception.lateness_ms,
        snapshot_every_s=settings.engine.snapshot_every_s,
    )


def reception_settings(section: ReceptionSection, engine: EngineSection) -> ReceptionSettings:
    """Return how long reception waits, and for how many tags it has room."""
    return ReceptionSettings(
        epoch_ms=section.epoch_ms,
        lateness_ms=section.lateness_ms,
        late_max_ms=section.late_max_ms,
        revise_max_ms=section.revise_max_ms,
        silence_hold_after_ms=section.silence_hold_after_ms,
        recovery_hold_ms=section.recovery_hold_ms,
        hold_ms_max=section.hold_ms_max,
        tags_max=engine.tags_max,
    )


def revision_settings(section: ReceptionSection) -> RevisionSettings:
    """Return how far back a late reading may put right what was told."""
    return RevisionSettings(epoch_ms=section.epoch_ms, late_ms_max=max(section.revise_max_ms, 1))
