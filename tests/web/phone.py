"""A shopper's phone: the card in a browser, and what a test wants to know of it."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from inaisle.simulation.app_client import ApiClient, Json
from offers.model.people.shopper import Role
from tests.web.pictures import keep_picture
from tests.web.served_pages import ServedShop

STORED = "inaisle.card.token"
VIEWPORT = {"width": 390, "height": 844}


@dataclass(frozen=True)
class CardPhone:
    """One phone with one browser."""

    shop: ServedShop
    context: BrowserContext
    page: Page

    def open(self, path: str = "") -> None:
        self.page.goto(f"{self.shop.url}/card/#/{path}")

    def take(self, token: str, path: str = "") -> None:
        """Open the card of somebody who has enrolled already."""
        stored = f"localStorage.setItem('{STORED}', {json.dumps(json.dumps(token))})"
        self.page.goto(f"{self.shop.url}/card/manifest.webmanifest")
        self.page.evaluate(stored)
        self.open(path)

    def enrol(self, *purposes: str) -> None:
        """Get a card as a shopper does: switches, then one button."""
        self.open()
        for purpose in purposes:
            self.page.get_by_role("switch", name=purpose, exact=True).check()
        self.page.get_by_role("button", name="Karte holen").click()
        expect(self.code("QR-Code Ihrer Karte")).to_be_visible()

    def token(self) -> str:
        token: str = self.page.evaluate(f"JSON.parse(localStorage.getItem('{STORED}'))")
        return token

    def api(self) -> ApiClient:
        """What the app could ask with the token of this phone."""
        return ApiClient(self.shop.address, token=self.token())

    def code(self, label: str) -> Locator:
        return self.page.get_by_role("img", name=label)

    def keep_picture(self, name: str) -> None:
        """Keep what is shown for the documentation, where pictures are wanted."""
        keep_picture(self.page, f"card-{name}")

    def wait_for_worker(self) -> None:
        """Until a reload needs no line: the worker has kept all files and answers for the page."""
        self.page.evaluate("navigator.serviceWorker.ready")
        self.wait_until("navigator.serviceWorker.controller !== null")

    def wait_until(self, claim: str, *, within_s: float = 20.0) -> None:
        """Look again and again; the policy of the page forbids a test to have that done by it."""
        until = time.monotonic() + within_s
        while not self.page.evaluate(claim):
            assert time.monotonic() < until, claim
            self.page.wait_for_timeout(50)


def scanned(drawn: Locator, *, within_s: float = 5.0) -> str:
    """What a till's scanner reads off the screen; it looks again and again, as scanners do."""
    until = time.monotonic() + within_s
    found = None
    while found is None:
        assert time.monotonic() < until, "no code can be read"
        found = zxingcpp.read_barcode(Image.open(io.BytesIO(drawn.screenshot())))
    return str(found.text)


def basket() -> Mapping[str, object]:
    """What lies at the checkout."""
    line = {"sku": "4006209781234", "category": "dowels", "quantity": 2, "unit_price_minor": 449}
    return {"currency": "EUR", "lines": [line]}


def quoted(shop: ServedShop, card: str) -> Json:
    """What the till says to a card that it has scanned; `RefusedByApi` if it takes it for none."""
    with shop.client(Role.TILL) as till:
        return till.post("/v1/till/baskets/quote", {"basket": basket(), "card": card})


def tell(shop: ServedShop, method: str, path: str, body: object, *, over: str = "") -> None:
    """Have the store admin change something; ``over`` is where the present one is read."""
    headers = {"Authorization": f"Bearer {shop.keys[Role.STORE_ADMIN]}"}
    present = httpx2.get(f"{shop.url}{over}", headers=headers) if over else None
    headers["If-Match"] = "*" if present is None else present.headers.get("ETag", "*")
    answer = httpx2.request(method, f"{shop.url}{path}", json=body, headers=headers, timeout=20.0)
    assert answer.is_success, answer.text
