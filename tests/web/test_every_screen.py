"""Every screen of the console, as its staff opens it: complete, usable by all, within bounds.

`make screens` runs this with INAISLE_WRITE_SCREENS=1: the pictures in docs/screens are what it saw.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page

from offers.model.people.shopper import Role
from tests.conftest import REPOSITORY
from tests.web.pictures import are_wanted, keep_picture
from tests.web.served_pages import LiveCrowd, ServedShop

SCREENS = REPOSITORY / "web" / "src" / "console" / "screens"
NAME = re.compile(r'name: "([a-z_-]+)"')
ROLES = re.compile(r"roles: \[([^\]]*)\]")
SETTLED_MS = 1_500
PICTURED = {"width": 1280, "height": 1080}


def screens() -> list[tuple[str, Role]]:
    """Each screen with the first of the roles that may see it."""
    found = []
    for card in sorted(SCREENS.glob("*/screen.ts")):
        text = card.read_text(encoding="utf-8")
        name, roles = NAME.search(text), ROLES.search(text)
        assert name is not None, card
        assert roles is not None, card
        found.append((name[1], Role(roles[1].split(",")[0].strip(' "'))))
    return found


@pytest.fixture(scope="module")
def crowd(served_shop: ServedShop) -> Iterator[LiveCrowd]:
    with LiveCrowd(served_shop, shoppers=25) as crowd:
        yield crowd


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(("screen", "role"), screens())
def test_a_screen_opens_without_a_fault_and_can_be_used_by_everybody(
    console: Callable[..., Page],
    find_barriers: Callable[[Page], list[str]],
    screen: str,
    role: Role,
) -> None:
    """Who cannot see, or has no mouse, works here too; and a fault in the console is a bug."""
    page = console(role, "glossary" if screen != "glossary" else "")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.extend(_fault_of(message)))
    page.goto(page.url.partition("#")[0] + f"#/{screen}")
    page.wait_for_timeout(SETTLED_MS)
    assert page.locator("main#content h1").count() == 1
    assert find_barriers(page) == []
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size(PICTURED)
    page.wait_for_timeout(SETTLED_MS if are_wanted() else 0)
    keep_picture(page, f"console-{screen}")


@pytest.mark.parametrize("screen", [name for name, _ in screens()])
def test_a_screen_is_usable_in_the_dark_and_on_a_phone(
    console: Callable[..., Page],
    find_barriers: Callable[[Page], list[str]],
    screen: str,
) -> None:
    """A merchandiser walks the aisle with a phone in his hand, and a control room is dark."""
    role = dict(screens())[screen]
    page = console(role, screen, color_scheme="dark", viewport={"width": 390, "height": 844})
    page.wait_for_timeout(SETTLED_MS)
    assert find_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def _fault_of(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" else []
