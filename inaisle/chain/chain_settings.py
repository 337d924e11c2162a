"""Turn the chain's section of the settings into what the clients of its log need.

Layer: doors. Takes: the settings. Gives: an address, a plan of the topics and the library of sites
to bridge, workers and stores.
"""

from pathlib import Path

from inaisle.chain.site_library import SiteLibrary
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from inaisle.settings_sections import ChainSection
from offers.model.ids import ONLY_TENANT
from rtls.publish.kafka.connection import KafkaAddress, KafkaProtocol
from rtls.publish.kafka.topics import TopicPlan

HOUR_MS = 3_600_000


def kafka_address(section: ChainSection) -> KafkaAddress:
    """Return where the log is; `InvalidConnection` says what of it cannot work.

    Raises
    ------
    InvalidSettings
        If there is no chain.
    """
    if not section.brokers:
        raise InvalidSettings(
            "chain.brokers is empty; expected host:port of Kafka. Give it with --brokers, or set "
            "it in the settings."
        )
    return KafkaAddress(
        brokers=section.brokers,
        protocol=KafkaProtocol(section.security),
        mechanism=section.mechanism,
        user=section.user,
        password=None if section.password is None else section.password.get_secret_value(),
        ca_file=section.ca_file,
    )


def topic_plan(settings: Settings) -> TopicPlan:
    """Return how the topics are named and laid out; each tenant has its own."""
    section, tenant = settings.chain, settings.offers.tenant
    return TopicPlan(
        prefix=section.topic_prefix + ("" if tenant == ONLY_TENANT else f"{tenant}."),
        partitions=section.partitions,
        replication=section.replication,
        retention_ms=section.retention_hours * HOUR_MS,
    )


def archive_url(settings: Settings) -> str:
    """Return where the archive of this tenant lies; empty where none is set."""
    return _of_tenant(settings, settings.archive.to.rstrip("/"))


def salts_folder(settings: Settings) -> Path:
    """Return where the salts of the archive are: the same folder for all its processes."""
    folder = settings.archive.salts or settings.site.data / "archive-salts"
    return Path(_of_tenant(settings, str(folder)))


def _of_tenant(settings: Settings, place: str) -> str:
    tenant = settings.offers.tenant
    return place if not place or tenant == ONLY_TENANT else f"{place}/tenant={tenant}"


def site_library(section: ChainSection) -> SiteLibrary:
    """Return the sites of the chain.

    Raises
    ------
    InvalidSettings
        If no folder is set, or there is none.
    """
    if section.sites is None:
        raise InvalidSettings(
            "chain.sites is empty; expected a folder with a sub-folder for each site. Give it with "
            "--sites, or set it in the settings."
        )
    return SiteLibrary(Path(section.sites))
