"""KafkaAddress and topics: what can be said of a chain's log before anybody connects."""

import importlib

import pytest

from rtls.model.errors import InvalidConnection, MissingExtra
from rtls.model.units import SiteId
from rtls.publish.kafka.connection import KafkaAddress, KafkaProtocol, kafka_needed_for
from rtls.publish.kafka.topics import Topic, TopicPlan, partition_key

PASSWORD = "open-sesame"  # noqa: S105 # of no account


@pytest.mark.parametrize("brokers", ["", "kafka", "kafka:", ":9092", "kafka:0", "a:1,,b:2"])
def test_an_address_that_cannot_be_reached_is_refused_by_name(brokers: str) -> None:
    """The library itself would try for ever and say so in its log only."""
    with pytest.raises(InvalidConnection, match="expected host:port"):
        KafkaAddress(brokers=brokers)


def test_a_password_never_goes_over_an_open_line() -> None:
    """Whoever listens on the line could write events in the name of every shop."""
    with pytest.raises(InvalidConnection, match="with sasl_ssl"):
        KafkaAddress(brokers="kafka:9092", user="inaisle", password=PASSWORD)
    with pytest.raises(InvalidConnection, match="password is missing"):
        KafkaAddress(brokers="kafka:9093", protocol=KafkaProtocol.SASL_SSL, user="inaisle")


def test_no_error_and_no_log_shows_the_password() -> None:
    """An address is printed where something is wrong with it."""
    address = KafkaAddress(
        brokers="kafka:9093", protocol=KafkaProtocol.SASL_SSL, user="inaisle", password=PASSWORD
    )
    assert PASSWORD not in repr(address)
    assert address.client_config()["sasl.password"] == PASSWORD


def test_without_the_library_the_extra_to_install_is_named() -> None:
    """A shop without a chain installs nothing of it; who needs it must not read a trace."""
    with pytest.raises(MissingExtra, match=r"inaisle\[kafka\]"), kafka_needed_for("the bridge"):
        importlib.import_module("quixstreams.no_such_module")
    with pytest.raises(ModuleNotFoundError), kafka_needed_for("the bridge"):
        importlib.import_module("no_such_module")


def test_topics_are_named_by_prefix_and_keys_by_site_and_shard() -> None:
    """The names are a contract with every other process of the chain."""
    assert TopicPlan().name(Topic.DEAD_LETTERS) == "inaisle.dead-letters"
    assert partition_key(SiteId("shop-7"), 3) == "shop-7/3"
    with pytest.raises(InvalidConnection, match="partitions is 0"):
        TopicPlan(partitions=0)
