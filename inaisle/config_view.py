"""Print the settings and where each comes from.

Layer: doors. Takes: loaded settings. Gives: a table for people or JSON for machines; secrets are
masked before they get here.
"""

import json
import sys

from rich.console import Console
from rich.table import Table

from inaisle.settings import LoadedSettings, settings_rows


def print_settings(loaded: LoadedSettings, *, as_json: bool) -> None:
    """Print every setting to standard output."""
    if as_json:
        tree: dict[str, dict[str, object]] = {}
        for section, key, value, origin in settings_rows(loaded):
            tree.setdefault(section, {})[key] = {"value": value, "origin": origin}
        json.dump(tree, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("section", "key", "value", "from")
    for section, key, value, origin in settings_rows(loaded):
        table.add_row(section, key, "" if value is None else str(value), origin)
    Console().print(table)
