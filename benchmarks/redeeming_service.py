"""Serve the API of offers in a process of its own until the input ends.

Layer: benchmarks. Takes: folder, address of the database, number of the process. Gives: its port
and a till's key on the output. Everything is wired as the door wires it: writer, readers, relay and
web server in one process. No figure is made here, so this file has no `run`.
"""

import json
import sys
import time
from pathlib import Path

from offers.storage.secret_source import SystemSecretSource
from tests.scenario.redeeming_child import place_of
from tests.scenario.running_api import running_api


def main() -> None:
    """Serve, and say in the end how much processor time the requests took."""
    folder, address, number = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    with running_api(folder, database=place_of(address)) as api:
        assert isinstance(api.secrets, SystemSecretSource)
        token = api.till(f"till-{number}")["Authorization"]
        sys.stdout.write(json.dumps({"url": api.url, "token": token}) + "\n")
        sys.stdout.flush()
        begin = time.process_time()
        sys.stdin.read()
        sys.stderr.write(f"{time.process_time() - begin:.3f}\n")


if __name__ == "__main__":
    main()
