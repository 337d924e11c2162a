"""Have the pages built before the wheel is put together.

Layer: doors. Takes: web/. Gives: inaisle/pages to the wheel. In a source distribution without web/
what was built before is kept; INAISLE_SKIP_WEB=1 leaves the pages out.
"""

import os
import runpy
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """The build of the pages, as hatchling calls it."""

    PLUGIN_NAME = "custom"

    def initialize(self, _version: str, _build_data: dict[str, object]) -> None:
        """Build what has changed."""
        script = Path(self.root) / "web" / "build_pages.py"
        if os.environ.get("INAISLE_SKIP_WEB") == "1" or not script.is_file():
            return
        runpy.run_path(str(script))["build_pages"]()
