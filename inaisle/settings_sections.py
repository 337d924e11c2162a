"""Name every setting with its default, its unit and its bounds.

Layer: doors. Takes: nothing. Gives: the sections of `Settings` to inaisle.settings. A number that
could hurt has a bound here, so that no part below has to doubt it.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from firmware_sim.wire_name import UwbWireName, WireName
from offers.model.ids import ONLY_TENANT
from offers.model.visits.site_rules import QUIET_FROM, QUIET_UNTIL
from rtls.ingest.formats.format_name import DEFAULT_ON, FormatName

Port = Annotated[int, Field(ge=0, le=65_535)]


class Section(BaseModel):
    """A group of settings; refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _parsed(given: object) -> object:
    """Read a list or table that the environment gives as text."""
    if isinstance(given, str) and given[:1] in {"[", "{"}:
        return json.loads(given)
    return given


Value = TypeVar("Value")
Written = Annotated[Value, BeforeValidator(_parsed)]


class SiteSection(Section):
    """Which shop, and where its files lie."""

    map: Path | None = Field(default=None, description="GeoJSON in metres; demo if empty")
    published: bool = Field(default=True, description="what was published wins over map")
    campaigns: Path | None = Field(default=None, description="campaigns to load at the first start")
    programme: Path | None = Field(default=None, description="loyalty programme in force")
    catalogue: Path | None = Field(default=None, description="products, where there are none yet")
    calibration: Path | None = Field(default=None, description="calibration.json, or links.csv")
    data: Path = Field(default=Path("var"), description="folder of database, snapshots and keys")


class MqttSection(Section):
    """How to reach the broker that the gateways publish to."""

    host: str = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    ca_file: Path | None = None
    client_id: str = Field(default="inaisle-ingest", min_length=1, max_length=64)
    qos: Literal[0, 1] = Field(default=1, description="of the subscription; spools hold for 0")


class FrameSection(Section):
    """How the coordinates of one source of ready-made positions lie in a floor of ours."""

    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = 0.0
    rotation_deg: float = 0.0
    longitude_deg: float | None = None
    latitude_deg: float | None = None
    anchor: str = Field(default="", description="anchor of the site map that stands for it")


class FormatsSection(Section):
    """Which wire formats are heard, where, and what the names in them mean (docs/formats.md)."""

    on: Written[tuple[FormatName, ...]] = DEFAULT_ON
    topics: Written[dict[FormatName, tuple[str, ...]] | None] = Field(
        default=None, description="topic filters of a format, instead of its maker's"
    )
    prefixes: Written[dict[FormatName, str] | None] = Field(
        default=None, description="levels before a format's topics on this broker"
    )
    gateways: Written[dict[str, str] | None] = Field(
        default=None, description="beginning of a topic: the gateway that publishes below it"
    )
    gateway_levels: Written[dict[FormatName, int] | None] = Field(
        default=None, description="level of the topic, from 1, that names the gateway"
    )
    aliases: Written[dict[str, str] | None] = Field(
        default=None, description="a gateway's or anchor's own name: anchor of the site map"
    )
    frames: Written[dict[str, FrameSection] | None] = Field(
        default=None, description="source of ready-made positions: how they lie in our floor"
    )


class ReceptionSection(Section):
    """How long to wait for late readings."""

    epoch_ms: int = Field(default=100, ge=10, le=1_000)
    lateness_ms: int = Field(default=500, ge=0, le=30_000)
    late_max_ms: int = Field(default=2_000, ge=0, le=60_000)
    revise_max_ms: int = Field(default=60_000, ge=0, le=300_000)
    silence_hold_after_ms: int = Field(default=2_000, ge=500, le=60_000)
    recovery_hold_ms: int = Field(default=2_500, ge=0, le=30_000)
    hold_ms_max: int = Field(default=15_000, ge=0, le=60_000)


class EngineSection(Section):
    """How the locating loop runs."""

    shard: int = Field(default=0, ge=0, le=4_095)
    tick_ms: int = Field(default=50, ge=5, le=1_000)
    snapshot_every_s: float = Field(default=0.8, ge=0.05, le=10.0)
    tags_max: int = Field(default=20_000, ge=16, le=1_000_000)


class VisitsSection(Section):
    """How long visits and passes are kept for footfall and reports."""

    keep_hours: int = Field(default=72, ge=1, le=8_760)
    journal_mib: int = Field(default=128, ge=1, le=16_384, description="the oldest go beyond it")


class HistorySection(Section):
    """Whether positions and visits of who agreed are kept for reports, and how long."""

    enabled: bool | None = Field(
        default=None, description="on where the extra insight is installed, if empty"
    )
    folder: Path | None = Field(default=None, description="<data>/history if empty")
    retention_days: int = Field(default=30, ge=1, le=400, description="of positions and visits")
    fixes_days: int | None = Field(
        default=None, ge=1, le=400, description="of positions alone, if they are to go earlier"
    )
    file_s: int = Field(default=60, ge=1, le=3_600, description="so much a kill can cost")
    memory_mib: int = Field(default=512, ge=64, le=16_384, description="of one report's question")


class FootfallSection(Section):
    """What reports of footfall tell of the shoppers who agreed to be counted."""

    k: int = Field(
        default=10, ge=5, le=1_000, multiple_of=5, description="visitors that something needs"
    )
    cell_m: float = Field(default=1.0, ge=0.25, le=20.0, description="of the heatmap")
    tells_cohorts: bool = Field(
        default=False, description="single segments; more of everybody is withheld then"
    )


class ReviewSection(Section):
    """When the review of a site is made, and how many are kept."""

    enabled: bool = True
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    hour: int = Field(default=6, ge=0, le=23, description="by the clock of the site")
    weeks: int = Field(default=4, ge=1, le=52, description="whole weeks that it is about")
    kept: int = Field(default=104, ge=1, le=520, description="reviews; older ones are deleted")
    folder: Path | None = Field(default=None, description="<data>/reviews if empty")


class OffersSection(Section):
    """What the offer side needs."""

    database: Path | None = Field(default=None, description="<data>/offers.sqlite if empty")
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://user:password@host/database, instead of the file"
    )
    tenant: str = Field(default=ONLY_TENANT, description="whose rows, where several share a server")
    secret_key: Path | None = Field(
        default=None, description="file of the key of all secrets; <data>/secret.key if empty"
    )
    till_key: SecretStr | None = Field(default=None, description="generated at first start")
    staff_key: SecretStr | None = Field(default=None, description="generated at first start")


class DeliverySection(Section):
    """How shoppers are reached while the app is closed, and how often."""

    contact: str | None = Field(
        default=None, description="mailto: or https: of the operator; nothing is pushed if empty"
    )
    pushes_a_trip: int = Field(default=1, ge=0, le=10, description="further offers wait in the app")
    quiet_from: str = Field(default=QUIET_FROM, description="by the clock of the site")
    quiet_until: str = Field(default=QUIET_UNTIL, description="equal to quiet_from: never quiet")
    smtp_host: str | None = Field(default=None, description="no mails if empty")
    smtp_port: Port = 587
    smtp_security: Literal["tls", "starttls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str | None = Field(default=None, description="the address that mails come from")
    public_url: str | None = Field(default=None, description="the API as shoppers reach it")


class ApiSection(Section):
    """Where the HTTP API listens, and what it can take."""

    host: str = "127.0.0.1"
    port: Port = 8080
    connections_max: int = Field(default=10_000, ge=1, le=100_000)
    stop_within_s: int = Field(default=8, ge=1, le=60)


class RedisSection(Section):
    """Where visits and live fixes go when locating and offers are two processes."""

    url: SecretStr | None = Field(default=None, description="redis://host:port/0")


class ChainSection(Section):
    """Where the log of a chain is, and how its sites are laid out on it."""

    brokers: str = Field(default="", description="host:port,host:port of Kafka; no chain if empty")
    topic_prefix: str = Field(default="inaisle.", pattern=r"^[a-zA-Z0-9._-]{0,64}$")
    security: Literal["plaintext", "ssl", "sasl_ssl"] = "plaintext"
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    user: str | None = Field(default=None, description="with sasl_ssl only")
    password: SecretStr | None = None
    ca_file: Path | None = None
    partitions: int = Field(default=64, ge=1, le=4_096, description="of a topic when it is made")
    replication: int = Field(default=1, ge=1, le=9, description="3 on a cluster")
    retention_hours: int = Field(default=72, ge=1, le=8_760, description="of topics, when made")
    shards: int = Field(default=1, ge=1, le=4_096, description="of a site, fixed for its life")
    session_timeout_ms: int = Field(
        default=6_000, ge=1_000, le=300_000, description="a silent worker is given up after it"
    )
    checkpoint_s: float = Field(
        default=1.0, ge=0.05, le=10.0, description="so often a worker keeps its states"
    )
    sites: Path | None = Field(default=None, description="folder with a sub-folder for each site")
    bridge_state: Literal["disk", "log"] = Field(
        default="disk", description="log: on a compacted topic, for a bridge without a disk"
    )
    bridge_save_ms: int = Field(
        default=200, ge=20, le=10_000, description="readings reach the log so much later at most"
    )
    decides: Literal["chain", "store"] = Field(
        default="chain", description="of roles locate and offers: where offers are decided about"
    )
    spool_events_mib: int = Field(
        default=1_024, ge=2, le=1_048_576, description="full of unsent events, locating stops"
    )
    spool_fixes_mib: int = Field(
        default=2_048, ge=1, le=1_048_576, description="the oldest go beyond it"
    )
    spool_fixes_hours: int = Field(default=72, ge=1, le=8_760, description="older ones go, too")
    fix_every_s: float = Field(default=1.0, ge=0.1, le=60.0, description="of a tag, to the chain")


class ArchiveSection(Section):
    """Where the history of a chain goes, and when a day of it is settled."""

    to: str = Field(default="", description="s3://bucket/path, file:///path or a folder")
    file_s: int = Field(default=300, ge=1, le=3_600, description="objects are put so often")
    rows_max: int = Field(
        default=2_000_000, ge=1_000, le=50_000_000, description="in memory; then they are put"
    )
    settle_hours: int = Field(
        default=48, ge=1, le=24 * 14, description="after a day, for what comes late; then reports"
    )
    salts: Path | None = Field(
        default=None, description="<data>/archive-salts if empty; one for all processes"
    )


class TenantsSection(Section):
    """Which shops of which retailers one process answers for (docs/tenants.md)."""

    sites: Path | None = Field(default=None, description="folder: <tenant>/<site>/site_map.geojson")
    hosts: Written[dict[str, str] | None] = Field(
        default=None, description="host name of a request: the <tenant>/<site> that it is for"
    )
    open_max: int = Field(default=32, ge=1, le=256, description="shops open at a time")


class SimulatorSection(Section):
    """How big and how fast the simulated shop is."""

    shoppers: int = Field(default=200, ge=1, le=20_000)
    seed: int = Field(default=1, ge=0)
    speed: float = Field(default=10.0, gt=0.0, le=100.0)
    ble_wire: WireName = Field(
        default="reference", description="the format in which BLE anchors speak"
    )
    uwb_wire: UwbWireName = Field(
        default="reference", description="that of UWB anchors; of `inaisle simulate` only"
    )


class LogSection(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class ClockSection(Section):
    """How fast the program's time runs; only a demo differs from 1."""

    speed: float = Field(default=1.0, gt=0.0, le=100.0)
