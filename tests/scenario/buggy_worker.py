"""A worker with a bug planted in it: it commits its offsets and never keeps a state."""

from inaisle.cli import main
from rtls.publish.kafka.shard_host import ShardHost


def _forgets(host: ShardHost) -> None:
    host._producer.flush(10.0)


ShardHost.checkpoint = _forgets

if __name__ == "__main__":
    main()
