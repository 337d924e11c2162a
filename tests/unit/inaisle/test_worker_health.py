"""What a worker tells of its partitions, its lag, and the shards that it does not run."""

from types import SimpleNamespace

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from inaisle.chain.worker import PartitionLag, _behind, _refused, _unassigned
from rtls.publish.kafka.quix_worker import Assigned


def test_a_worker_without_partitions_is_not_ready_and_says_why() -> None:
    """More workers than partitions: the last ones wait, and nobody need wonder."""
    worker = SimpleNamespace(assigned=Assigned())
    assert _unassigned(worker) == "none is assigned to this worker yet"
    worker.assigned = Assigned({3: 0})
    assert _unassigned(worker) is None


def test_the_partitions_that_lag_are_named() -> None:
    """A worker that is behind works; it is degraded, and its partitions are told with their lag."""
    worker = SimpleNamespace(assigned=Assigned({0: 12, 7: 5_000, 3: 1_001, 9: -1}))
    assert _behind(worker) == "messages wait: partition 3: 1001, partition 7: 5000"
    worker.assigned = Assigned({0: 12})
    assert _behind(worker) is None


def test_each_partition_has_a_series_of_its_lag() -> None:
    """An alert names the partition, and so the shops."""
    registry = CollectorRegistry()
    registry.register(PartitionLag(SimpleNamespace(assigned=Assigned({4: 17, 2: 0}))))
    text = generate_latest(registry).decode()
    assert 'inaisle_worker_partition_lag_messages{partition="4"} 17.0' in text
    assert 'inaisle_worker_partition_lag_messages{partition="2"} 0.0' in text


def test_the_shards_that_are_not_run_are_named_with_their_reason() -> None:
    """Somebody has to look at them: nobody begins a shard anew by himself."""
    host = SimpleNamespace(refused={"shop-7/0": "its checksum is wrong"})
    assert _refused(host) == "shop-7/0: its checksum is wrong"
    host.refused = {}
    assert _refused(host) is None
