"""The console's screens for people and for the service, from the till to health."""

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Request, Route, expect

from inaisle.simulation.app_client import ApiClient, Json, RefusedByApi
from offers.model.people.shopper import Role
from tests.web.served_pages import ServedShop

Console = Callable[..., Page]
HOSTILE = "<img src=x onerror=document.title='taken'>"
CAMPAIGN = "desk-welcome"
WELCOME = {
    "site": "demo",
    "campaign": CAMPAIGN,
    "name": HOSTILE,
    "trigger": {"kind": "welcome"},
    "benefit": {"kind": "money_off", "amount": {"amount_minor": 200, "currency": "EUR"}},
    "validity": {"from": "2026-01-01T00:00:00Z", "until": "2036-01-01T00:00:00Z"},
    "texts": {"de": {"title": "2 Euro", "body": "b"}, "en": {"title": "2 euro", "body": "b"}},
}
PROGRAMME = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [{"unit": "points", "worth_minor_per_100": 100}],
    "earning": [
        {
            "rule": "each-euro",
            "unit": "points",
            "earns": {
                "kind": "per_amount",
                "amount_minor": 1,
                "per_minor": 100,
                "currency": "EUR",
            },
        }
    ],
}
ENROLMENTS_MAX = 8  # one of twenty is held out of all campaigns, and gets no welcome
OFFER_S_MAX = 10.0
KEYS_S_MAX = 15.0


@dataclass
class Shopper:
    """Somebody with the app and a coupon in it."""

    app: ApiClient

    def offer(self) -> Json | None:
        found = self.app.get("/v1/me/offers")["offers"]
        assert isinstance(found, list)
        return next((offer for offer in found if offer["campaign"] == CAMPAIGN), None)

    def code(self) -> str:
        offer = self.offer()
        assert offer is not None
        return str(self.app.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code")["code"])

    def signed(self) -> str:
        """The coupon as tills without a line take it."""
        offer = self.offer()
        assert offer is not None
        return str(self.app.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/offline")["text"])

    def has_redeemed(self) -> bool:
        offer = self.offer()
        return offer is None or offer["state"] == "redeemed"

    def card(self) -> str:
        return str(self.app.get("/v1/me/card/code")["code"])


def ask(shop: ServedShop, role: Role, method: str, path: str, body: object, **headers: str) -> None:
    """Call a route with headers of one's own."""
    connection = http.client.HTTPConnection(shop.address.host, shop.address.port, timeout=10)
    told = {"Authorization": f"Bearer {shop.keys[role]}", "Content-Type": "application/json"}
    connection.request(method, path, body=json.dumps(body), headers=told | headers)
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    connection.close()


@pytest.fixture(scope="module")
def welcome(served_shop: ServedShop) -> Iterator[ServedShop]:
    """The shop while it welcomes whoever enrols with 2 euro off."""
    _let_points_be_earned(served_shop)
    path = f"/v1/operator/campaigns/{CAMPAIGN}"
    ask(served_shop, Role.STORE_ADMIN, "POST", f"{path}/revisions", WELCOME, **{"If-Match": "*"})
    try:
        yield served_shop
    finally:
        ask(served_shop, Role.STORE_ADMIN, "POST", f"{path}/pause", {})


@pytest.fixture
def shopper(welcome: ServedShop) -> Iterator[Shopper]:
    """Somebody who has just been welcomed."""
    found = _welcomed(welcome)
    with found.app:
        yield found


def _let_points_be_earned(shop: ServedShop) -> None:
    """A point for each euro, where no other test has started a programme."""
    path = "/v1/operator/programme"
    with shop.client(Role.STORE_ADMIN) as staff, contextlib.suppress(RefusedByApi):
        staff.get(path)
        return
    ask(shop, Role.STORE_ADMIN, "POST", f"{path}/revisions", PROGRAMME, **{"If-Match": "*"})


def _welcomed(shop: ServedShop) -> Shopper:
    for _ in range(ENROLMENTS_MAX):
        found = Shopper(ApiClient(shop.address, token=shop.enrol()))
        until = time.monotonic() + OFFER_S_MAX / ENROLMENTS_MAX
        while time.monotonic() < until:
            if found.offer() is not None:
                return found
            time.sleep(0.05)
        with found.app:
            pass  # closes its connection
    pytest.fail("nobody was welcomed")


class Line:
    """The line between a page and the shop: notes each call, and loses answers when told to."""

    def __init__(self, page: Page, path: str) -> None:
        self.keys: list[str] = []
        self.answers_lost = 0
        page.route(path, self._carry)

    def _carry(self, route: Route, request: Request) -> None:
        self.keys.append(request.headers["idempotency-key"])
        if self.answers_lost > 0:
            self.answers_lost -= 1
            route.fetch()  # the shop does it, and nobody hears so
            route.abort()
        else:
            route.continue_()


def test_a_coupon_is_redeemed_once_whatever_keyboard_and_line_do(
    console: Console, shopper: Shopper
) -> None:
    """Enter pressed twice, an answer that is lost, a page that is loaded anew: one redemption."""
    page = console(Role.TILL, "till")
    holds = Line(page, "**/v1/till/baskets")
    commits = Line(page, "**/v1/till/baskets/*/commit")
    page.get_by_label("scannen").fill(shopper.code())
    page.keyboard.press("Enter")
    page.get_by_label("Betrag in").fill("12,50")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("to-pay")).to_have_text("10,50 €")
    holds.answers_lost = 2
    page.get_by_role("button", name="Kassieren").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Versuch")).to_be_visible()
    paid = page.get_by_role("button", name="Bezahlt")
    expect(paid).to_be_enabled()
    assert len(holds.keys) == 3
    assert len(set(holds.keys)) == 1
    commits.answers_lost = 100
    paid.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Versuch")).to_be_visible()
    page.reload()
    commits.answers_lost = 0
    expect(page.locator("[data-outcome=paid]")).to_contain_text("10,50 €")
    expect(page.locator("[data-outcome=paid]")).to_contain_text("2,00 € gespart")
    assert len(commits.keys) >= 2
    assert len(set(commits.keys)) == 1
    assert shopper.has_redeemed()


def test_what_is_refused_is_red_and_says_what_to_do(console: Console) -> None:
    """A cashier with a queue reads one sentence."""
    page = console(Role.TILL, "till")
    page.get_by_label("Betrag in").fill("9,90")
    page.keyboard.press("Enter")
    page.get_by_label("scannen").fill("7K2M-9QXD-4TRB")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Der Coupon gilt nicht")).to_be_visible()
    page.get_by_role("button", name="Kassieren").click()
    expect(page.locator("[data-outcome=refused]")).to_contain_text("Der Coupon gilt nicht")
    page.get_by_role("button", name="Abbrechen").click()
    expect(page.get_by_test_id("to-pay")).to_have_text("0,00 €")


def test_a_scanner_is_heard_while_no_field_is_in_focus_and_a_purchase_comes_back(
    console: Console, shopper: Shopper
) -> None:
    """Scanners type like a keyboard, wherever the cashier has touched last."""
    page = console(Role.TILL, "till")
    page.get_by_label("Betrag in").fill("20")
    page.keyboard.press("Enter")
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(shopper.card())
    page.keyboard.press("Enter")
    expect(page.get_by_text("Punkte verfügbar")).to_be_visible()
    page.get_by_role("button", name="Kassieren").click()
    page.get_by_role("button", name="Bezahlt").click()
    expect(page.locator("[data-outcome=paid]")).to_contain_text("Punkte gesammelt")
    page.get_by_role("button", name="Rückgängig").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Zurücknehmen").click()
    expect(page.locator("[data-outcome=returned]")).to_contain_text("18,00 € auszahlen")


def wait_for_keys(page: Page) -> None:
    """Wait until the till can check signatures; the page's policy forbids to poll inside it."""
    until = time.monotonic() + KEYS_S_MAX
    while page.evaluate("localStorage.getItem('inaisle.till.keys')") is None:
        assert time.monotonic() < until, "the till got no keys"
        page.wait_for_timeout(50)


def test_a_signed_coupon_is_taken_without_a_line_and_booked_once_it_is_back(
    console: Console, shopper: Shopper
) -> None:
    """The line of a shop breaks on a Saturday before Christmas."""
    page = console(Role.TILL, "")
    wait_for_keys(page)
    signed = shopper.signed()
    page.context.set_offline(True)
    page.get_by_label("Betrag in").fill("12,50")
    page.keyboard.press("Enter")
    page.get_by_label("scannen").fill(signed)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Echt und gültig: 2,00 €")).to_be_visible()
    page.get_by_role("button", name="Kassieren").click()
    expect(page.locator("[data-outcome=paid]")).to_contain_text("10,50 €")
    expect(page.locator("[data-waiting='1']")).to_be_visible()
    page.get_by_label("Betrag in").fill("5")
    page.keyboard.press("Enter")
    page.get_by_label("scannen").fill(signed)
    page.keyboard.press("Enter")
    expect(page.locator("[data-outcome=unsigned]")).to_contain_text("schon angenommen")
    page.context.set_offline(False)
    expect(page.locator("[data-waiting]")).to_have_count(0, timeout=15_000)
    assert shopper.has_redeemed()


def test_what_somebody_wrote_stays_text_and_is_answered_without_a_name(
    console: Console, shopper: Shopper
) -> None:
    """A complaint is read by the store admin, whose session may do more than its writer's."""
    shopper.app.post("/v1/me/cases", {"text": HOSTILE})
    page = console(Role.STORE_ADMIN, "shoppers")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    page.get_by_role("row").filter(has_text=HOSTILE).get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(HOSTILE)).to_be_visible()
    dialog.get_by_label("Antwort", exact=True).fill("Danke.")
    dialog.get_by_role("button", name="Antworten").click()
    expect(page.get_by_text("unterwegs")).to_be_visible()
    (case,) = _list(shopper.app.get("/v1/me/cases")["cases"])
    assert [one["text"] for one in _list(case["answers"])] == ["Danke."]
    page.get_by_label("Code der Karte oder Kennung").fill(shopper.card())
    page.keyboard.press("Enter")
    expect(page.get_by_text("aktiv", exact=True)).to_be_visible()
    assert page.locator("img").count() == 0
    assert page.title() != "taken"


def test_the_till_shows_what_was_typed_as_text(console: Console) -> None:
    """A name on a barcode label is as foreign as any."""
    page = console(Role.TILL, "till")
    page.get_by_label("scannen").fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.get_by_text("ist kein bekannter Artikel")).to_be_visible()
    page.get_by_label("Betrag in").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Einkauf").get_by_text(HOSTILE)).to_be_visible()
    assert page.locator("img").count() == 0
    assert page.title() != "taken"


@pytest.mark.usefixtures("welcome")
def test_every_fault_of_the_programme_is_told_at_its_line(console: Console) -> None:
    """Before anything is in force; and what is typed into the brand is shown as text."""
    page = console(Role.STORE_ADMIN, "programme")
    brand = {"name": HOSTILE, "accent": "#ffff00"}
    faulty = PROGRAMME | {"settings": {"offers_a_trip_max": 0, "brand": brand}}
    editor = page.get_by_label("Dokument des Programms")
    expect(editor).not_to_be_empty()
    editor.fill(json.dumps(faulty, indent=2))
    page.get_by_role("button", name="Prüfen").click()
    expect(page.get_by_role("heading", name="2 Fehler")).to_be_visible()
    page.get_by_role("button", name="Zeile").first.click()
    selected = page.evaluate(
        "document.activeElement.value.slice("
        "document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert selected in {"0", json.dumps(brand, indent=2).replace("\n", "\n    ")}
    expect(page.get_by_role("cell", name=HOSTILE).first).to_be_visible()
    assert page.title() != "taken"


OF_THE_STORE_ADMIN = ("Kasse", "Programm", "Kunden", "Datenschutz", "Personal", "Zustand")


def test_every_screen_is_reached_by_keyboard_and_nobody_is_kept_out(
    console: Console, find_barriers: Callable[[Page], list[str]]
) -> None:
    """Not everybody who works in a shop uses a mouse, or sees the screen."""
    page = console(Role.STORE_ADMIN)
    for title in OF_THE_STORE_ADMIN:
        page.get_by_role("navigation").get_by_role("link", name=title, exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        assert find_barriers(page) == [], title


def _list(found: object) -> list[Json]:
    assert isinstance(found, list)
    return found
