"""Pictures of the screens for docs/screens, as the tests in a browser see them.

They are taken where INAISLE_WRITE_SCREENS is set, which `make screens` does.
"""

import io
import os

from PIL import Image
from playwright.sync_api import Page

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "screens"
COLOURS = 128  # enough for flat screens, and a quarter of the bytes


def are_wanted() -> bool:
    return "INAISLE_WRITE_SCREENS" in os.environ


def keep_picture(page: Page, name: str) -> None:
    """Write what the page shows, where pictures are wanted."""
    if are_wanted():
        FOLDER.mkdir(parents=True, exist_ok=True)
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
        picture.quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)
