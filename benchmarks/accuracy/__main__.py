"""Print accuracy beside its targets: `python -m benchmarks.accuracy [scene ...] [--json]`.

Layer: benchmarks. Takes: the scenes of this folder. Gives: a Markdown table or JSON, and the exit
status 1 where a target is missed.
"""

import argparse
import importlib
import json
import sys

from benchmarks.accuracy.row import Row, as_markdown, as_summary

SCENES = (
    "two_rooms",
    "bounds",
    "store",
    "zones_m4_m5",
    "recordings",
    "stress",
    "peers_on_recordings",
    "speed",
)


def main(arguments: list[str] | None = None) -> int:
    """Run the named scenes, or all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("scene", nargs="*", default=SCENES, help=", ".join(SCENES))
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--summary", action="store_true", help="one line a scene")
    given = parser.parse_args(arguments)
    strange = sorted(set(given.scene) - set(SCENES))
    if strange:
        parser.error(f"scene {strange[0]!r}; expected of {', '.join(SCENES)}")
    rows: list[Row] = []
    for name in given.scene:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.accuracy.{name}").run()
    if given.json:
        json.dump([row.as_json() for row in rows], sys.stdout, indent=2)
    else:
        print(as_summary(rows) if given.summary else as_markdown(rows))
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
