"""The pages as they are served: by whom they may be changed, what they may load, who gets in."""

import re
from collections.abc import Callable
from http.client import HTTPConnection

import pytest
from playwright.sync_api import Page, expect

from offers.model.people.shopper import Role
from tests.web.served_pages import ServedShop

CONSOLE_JS_BYTES_MAX = 200_000
CARD_JS_BYTES_MAX = 40_000


def get(shop: ServedShop, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(shop.address.host, shop.address.port, timeout=10)
    try:
        connection.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def initial_scripts(shop: ServedShop, page: str) -> list[str]:
    """What a browser loads before it shows anything: the scripts that the page itself names."""
    _, _, html = get(shop, f"/{page}/")
    return re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', html.decode())


@pytest.mark.parametrize("page", ["console", "card"])
def test_a_page_may_load_nothing_from_anybody_else(served_shop: ServedShop, page: str) -> None:
    """A script of somebody else in a page of the till could read every code."""
    status, headers, html = get(served_shop, f"/{page}/")
    assert status == 200
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "'unsafe-inline'" not in headers["content-security-policy"].split("style-src")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search(rb"https?://", html)


@pytest.mark.parametrize(
    ("page", "limit"), [("console", CONSOLE_JS_BYTES_MAX), ("card", CARD_JS_BYTES_MAX)]
)
def test_what_a_page_needs_at_first_is_small(
    served_shop: ServedShop, page: str, limit: int
) -> None:
    """A shopper opens the card at the shelf, over whatever line there is."""
    scripts = initial_scripts(served_shop, page)
    assert scripts
    sizes = [len(get(served_shop, path, Accept_Encoding="gzip")[2]) for path in scripts]
    assert sum(sizes) <= limit, dict(zip(scripts, sizes, strict=True))


def test_a_file_comes_compressed_once_and_is_kept_for_ever(served_shop: ServedShop) -> None:
    """The name of an asset changes with its content, so nobody has to ask again."""
    path = initial_scripts(served_shop, "console")[0]
    _, headers, packed = get(served_shop, path, Accept_Encoding="br, gzip")
    assert headers["content-encoding"] == "br"
    assert "immutable" in headers["cache-control"]
    _, plain_headers, plain = get(served_shop, path, Accept_Encoding="br;q=0, identity")
    assert "content-encoding" not in plain_headers
    assert len(packed) < len(plain) / 2
    status, _, nothing = get(served_shop, path, If_None_Match=headers["etag"])
    assert (status, nothing) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/assets/../../keys.json", "/console/%2e%2e/%2e%2e/keys.json", "/assets/none.js"]
)
def test_nothing_but_the_files_of_the_build_can_be_had(served_shop: ServedShop, path: str) -> None:
    """The data folder of the shop lies on the same disk."""
    assert get(served_shop, path)[0] == 404


def test_who_is_not_signed_in_sees_the_form_and_nothing_else(
    served_shop: ServedShop, page: Page, find_barriers: Callable[[Page], list[str]]
) -> None:
    """The address of the console is known to whoever reads the manual."""
    page.goto(f"{served_shop.url}/console/#/health")
    expect(page.get_by_label("Name")).to_be_visible()
    expect(page.locator("nav")).to_have_count(0)
    assert find_barriers(page) == []
    page.get_by_role("button", name="Mit einem Zugangsschlüssel").click()
    page.get_by_label("Zugangsschlüssel").fill("not-a-key-at-all-but-long")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_contain_text("unbekannt")


def test_a_key_that_is_right_opens_the_screens_of_its_role(
    served_shop: ServedShop, page: Page
) -> None:
    """A merchandiser has no business with the health of the service."""
    page.goto(f"{served_shop.url}/console/#/health")
    page.get_by_role("button", name="Mit einem Zugangsschlüssel").click()
    page.get_by_label("Zugangsschlüssel").fill(served_shop.keys[Role.OPERATOR])
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", name="Zustand", level=1)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Zustand", level=1)).to_be_visible()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_label("Name")).to_be_visible()


def test_a_screen_of_another_role_is_not_there(console: Callable[..., Page]) -> None:
    """The menu shows what somebody may do, and an address typed by hand shows no more."""
    page = console(Role.MERCHANDISER, "health")
    expect(page.get_by_text("Ihre Rolle")).to_be_visible()
    expect(page.get_by_role("link", name="Zustand")).to_have_count(0)
