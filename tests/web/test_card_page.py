"""The shopper's card as a page: had in seconds, shown without a line, usable by all, gone for good.

With INAISLE_WRITE_SCREENS=1 the pictures in docs/screens are what this saw.
"""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from inaisle.simulation.app_client import RefusedByApi
from tests.web.phone import VIEWPORT, CardPhone, quoted, scanned
from tests.web.served_pages import ServedShop

SCREENS = (
    "",
    "offers",
    "points",
    "rewards",
    "find",
    "why",
    "friends",
    "surveys",
    "help",
    "settings",
    "privacy",
    "suspension",
    "more",
)
QR, LINEAR = "QR-Code Ihrer Karte", "Strichcode Ihrer Karte"
CARD_JS_BYTES_MAX = 40_000
SMALL = {"width": 320, "height": 640}
TWICE_AS_LARGE = "document.documentElement.style.fontSize = '200%'"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
OVERFLOWING = """[...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`)"""
KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys())
        for (const one of await (await caches.open(name)).keys())
            found.push(new URL(one.url).pathname);
    return found;
}"""


def test_a_card_is_had_by_switches_and_one_button_and_tills_take_it(phone: CardPhone) -> None:
    """No name, no address; what is not switched on is not granted; both codes can be scanned."""
    sizes: list[int] = []
    phone.page.on("requestfinished", lambda request: sizes.append(_script_bytes(request)))
    phone.enrol("Ort", "Persönliche Angebote")
    assert sum(sizes) <= CARD_JS_BYTES_MAX, "what the card needs until it stands"
    with phone.api() as app:
        consents = app.get("/v1/me/consents")["consents"]
        code = app.get("/v1/me/card/code")["code"]
    assert {one["purpose"] for one in consents if one["is_granted"]} == {"locate", "personalise"}
    shown = scanned(phone.code(QR))
    assert shown[:10] == str(code)[:10], "of the same card"
    assert quoted(phone.shop, shown)["card"] is not None
    phone.page.get_by_role("button", name="Strichcode").click()
    assert quoted(phone.shop, scanned(phone.code(LINEAR)))["card"] is not None
    phone.page.get_by_role("button", name="Groß und hell zeigen").last.click()
    large = phone.page.get_by_role("dialog", name=LINEAR)
    assert quoted(phone.shop, scanned(large.get_by_role("img")))["card"] is not None


def _script_bytes(request: object) -> int:
    assert hasattr(request, "resource_type")
    return int(request.sizes()["responseBodySize"]) if request.resource_type == "script" else 0


def test_the_card_is_shown_without_a_line_and_the_till_takes_it(phone: CardPhone) -> None:
    """In a basement: the page opens, the code goes on changing, and what was known stays."""
    phone.enrol("Ort")
    phone.wait_for_worker()
    phone.wait_until("localStorage.getItem('inaisle.card.codes') !== null")
    phone.context.set_offline(True)
    phone.page.reload()
    expect(phone.page.get_by_text("Keine Verbindung")).to_be_visible()
    assert quoted(phone.shop, scanned(phone.code(QR)))["card"] is not None
    phone.open("more")  # a screen that this phone has never been to
    expect(phone.page.get_by_role("heading", name="Mehr")).to_be_visible()
    phone.context.set_offline(False)
    expect(phone.page.get_by_text("Keine Verbindung")).to_be_hidden()
    kept = phone.page.evaluate(KEPT)
    assert "/card/" in kept
    assert not [path for path in kept if path.startswith("/v1/")], "nothing personal in the cache"


def test_the_card_can_be_put_on_the_home_screen(phone: CardPhone) -> None:
    """A browser in a test window has one objection: that it is one."""
    phone.open()
    phone.wait_for_worker()
    errors = phone.context.new_cdp_session(phone.page).send("Page.getInstallabilityErrors")
    assert [one["errorId"] for one in errors["installabilityErrors"]] == ["in-incognito"]


@pytest.fixture(scope="module")
def enrolled(served_shop: ServedShop, browser: Browser) -> Iterator[CardPhone]:
    """A phone for all screens."""
    context: BrowserContext = browser.new_context(
        locale="de-DE", timezone_id="Europe/Berlin", viewport=VIEWPORT
    )
    phone = CardPhone(shop=served_shop, context=context, page=context.new_page())
    phone.take(served_shop.enrol())
    yield phone
    context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_can_be_used_by_everybody(
    enrolled: CardPhone, find_barriers: Callable[[Page], list[str]], screen: str
) -> None:
    """By day, and in the dark on the smallest phone with letters twice as large."""
    page, faults = enrolled.page, []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.extend(_fault_of(message)))
    _show(page, enrolled, screen, VIEWPORT, dark=False)
    assert find_barriers(page) == []
    enrolled.keep_picture(screen or "home")
    _show(page, enrolled, screen, SMALL, dark=True)
    page.evaluate(TWICE_AS_LARGE)
    assert find_barriers(page) == []
    assert page.evaluate(OVERFLOW) <= 0, page.evaluate(OVERFLOWING)
    page.evaluate("document.documentElement.style.fontSize = ''")
    assert faults == []


def _show(
    page: Page, phone: CardPhone, screen: str, viewport: dict[str, int], *, dark: bool
) -> None:
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    phone.open(screen)
    page.locator("main h1").first.wait_for(state="attached")
    page.wait_for_load_state("networkidle")


def _fault_of(message: ConsoleMessage) -> list[str]:
    # A programme without tiers is answered 404, and the browser notes each of those.
    is_expected = "404" in message.text and message.location["url"].endswith("/v1/me/tier")
    return [message.text] if message.type == "error" and not is_expected else []


def test_a_product_is_found_with_a_typing_error_and_the_way_is_drawn_and_told(
    phone: CardPhone,
) -> None:
    """Who sees no plan hears the steps; nobody but the shopper is on it."""
    phone.take(phone.shop.enrol(), "find")
    phone.page.get_by_label("Was suchen Sie?").fill("dubel")
    phone.page.get_by_role("link", name="Weg zeigen").first.click()
    phone.page.get_by_label("Start").select_option(index=1)
    expect(phone.page.get_by_role("img", name="Plan der Etage")).to_be_visible()
    expect(phone.page.locator("ol li").first).to_be_visible()
    assert phone.page.locator("svg .way").count() == 1
    assert phone.page.locator("svg circle").count() == 0, "not located, so there is no dot"
    phone.keep_picture("way")


def test_a_card_is_deleted_with_a_receipt_and_leaves_nothing_behind(phone: CardPhone) -> None:
    """The proof is that the server knows the token no longer, and the phone holds none."""
    phone.enrol()
    token = phone.token()
    code = scanned(phone.code(QR))
    phone.open("privacy")
    with phone.page.expect_download() as saved:
        phone.page.get_by_role("button", name="Datei speichern").click()
    assert json.loads(saved.value.path().read_text())["format"] == "inaisle-export-1"
    phone.page.get_by_role("button", name="Karte löschen").click()
    phone.page.get_by_role("dialog").get_by_role("checkbox").check()
    phone.page.get_by_role("dialog").get_by_role("button", name="Karte löschen").click()
    expect(phone.page.get_by_text("Antwort 401")).to_be_visible()
    phone.page.get_by_role("button", name="Zum Anfang").click()
    expect(phone.page.get_by_role("heading", name="Karte holen")).to_be_visible()
    held = phone.page.evaluate("JSON.stringify(localStorage)")
    assert token not in held
    assert "codes" not in held
    with pytest.raises(RefusedByApi):
        quoted(phone.shop, code)
