"""A worker with a bug planted in it: it commits its offsets and never keeps a state."""

from inaisle.cli import main
from rtls.publish.kafka.shard_host import ShardHost


def _forgets(host: ShardHost) -> None:
    host._producer.flush(10.0)


if __name__ == "__main__":  # tests that look at every module import this one too
    ShardHost.checkpoint = _forgets
    main()
