"""A browser and a served shop for the tests of the pages.

Chromium is Debian's; where there is none these tests are skipped with what to install. One shop is
served for all of them, so a test must not count on being alone in it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from inaisle.service.web_pages import FOLDER
from offers.model.people.shopper import Role
from tests.conftest import REPOSITORY, Server, find_program, pick_free_port, serve_mosquitto
from tests.web.phone import VIEWPORT, CardPhone
from tests.web.pictures import are_wanted
from tests.web.served_pages import ServedShop, serve_shop

QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
AXE = REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js"
STORED_BY_CONSOLE = "inaisle.staff.token"
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    (one) => `${one.id}: ${one.help} at ${one.nodes.map((node) => node.target).join(' ; ')}`)"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("web")
    # The longest one first, or the other process would wait for it at the end.
    items.sort(key=lambda item: item.path.stem != "test_whole_story")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's browser; it asks nobody for updates."""
    return {"executable_path": find_program("chromium"), "args": list(QUIET)}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    return {"locale": "de-DE", "timezone_id": "Europe/Berlin"}


@pytest.fixture(scope="session")
def web_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve_mosquitto(tmp_path_factory.mktemp("mosquitto"))


@pytest.fixture(scope="session")
def served_shop(
    web_broker: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedShop]:
    """A shop whose yesterday is in the history, with the pages as `make web` builds them."""
    if not (FOLDER / "console" / "index.html").is_file():
        pytest.fail("the pages are not built: make web")
    folder = tmp_path_factory.mktemp("shop")
    port = pick_free_port()
    is_pictured = are_wanted()
    with serve_shop(
        folder, broker_port=web_broker.port, port=port, is_pictured=is_pictured
    ) as shop:
        yield shop


@pytest.fixture
def console(
    served_shop: ServedShop, browser: Browser, browser_context_args: dict[str, object]
) -> Iterator[Callable[..., Page]]:
    """Open a screen of the console as one of the staff: ``console(Role.OPERATOR, "live")``."""
    contexts = []
    faults: list[str] = []

    def open_screen(role: Role, screen: str = "", **context_args: object) -> Page:
        wanted = {"viewport": {"width": 1280, "height": 800}, **browser_context_args}
        context = browser.new_context(**{**wanted, **context_args})  # type: ignore[arg-type]
        contexts.append(context)
        context.on("weberror", lambda fault: faults.append(str(fault.error)))
        key = served_shop.keys[role]
        # Also run in the empty document before the page, which may store nothing.
        keep = f"sessionStorage.setItem('{STORED_BY_CONSOLE}', '{key}')"
        context.add_init_script(f"if (self.origin !== 'null') {keep}")
        page = context.new_page()
        page.goto(f"{served_shop.url}/console/#/{screen}")
        page.locator("main#content h1").wait_for()
        return page

    yield open_screen
    for context in contexts:
        context.close()
    assert faults == []  # what no part of a page has caught


@pytest.fixture
def phone(served_shop: ServedShop, browser: Browser) -> Iterator[CardPhone]:
    """A phone in the shop, on which nobody has enrolled yet."""
    context = browser.new_context(
        locale="de-DE",
        timezone_id="Europe/Berlin",
        viewport=VIEWPORT,
        device_scale_factor=2,
        has_touch=True,
        is_mobile=True,
        permissions=["notifications"],
    )
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    yield CardPhone(shop=served_shop, context=context, page=context.new_page())
    context.close()
    assert faults == []  # what no part of the card has caught


@pytest.fixture
def find_barriers() -> Callable[[Page], list[str]]:
    """What axe-core finds on the page as it is: nothing, if everybody can use it."""

    def look(page: Page) -> list[str]:
        # Injected past the page's policy, which rightly allows no script of somebody else.
        page.evaluate(AXE.read_text(encoding="utf-8") + "; void 0")
        found: list[str] = page.evaluate(RUN_AXE)
        return found

    return look
