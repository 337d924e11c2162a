"""What a shopper says and earns on the card reaches the shop, and the shop's answers the card."""

import pytest
from playwright.sync_api import expect

from inaisle.simulation.app_client import RefusedByApi
from offers.model.people.shopper import Role
from tests.web.phone import CardPhone, basket, scanned, tell

SURVEY = {
    "titles": {"de": "Ihr Besuch", "en": "Your visit"},
    "opens": "2026-01-01T00:00:00Z",
    "closes": "2036-01-01T00:00:00Z",
    "questions": [
        {"question": "advice", "kind": "scale", "texts": {"de": "Beratung?", "en": "Advice?"}},
        {
            "question": "comment",
            "kind": "text",
            "texts": {"de": "Noch etwas?", "en": "Anything else?"},
            "is_required": False,
        },
    ],
}
PATH = "/v1/operator/programme"
TIERS = {
    "currency": "EUR",
    "window": "rolling",
    "window_days": 365,
    "steps": [{"tier": "silver", "name": "Silber", "threshold_minor": 500, "perks": []}],
}
PER_EURO = {"kind": "per_amount", "amount_minor": 1, "per_minor": 100, "currency": "EUR"}
PROGRAMME = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [{"unit": "points", "worth_minor_per_100": 100}],
    "earning": [{"rule": "each-euro", "unit": "points", "earns": PER_EURO}],
    "tiers": TIERS,
}


@pytest.fixture
def _points(phone: CardPhone) -> None:
    """A point for each euro, and a tier at five, whatever another test has started."""
    tell(phone.shop, "POST", f"{PATH}/revisions", PROGRAMME, over=PATH)


@pytest.mark.usefixtures("_points")
def test_points_and_tier_change_on_the_phone_while_the_till_books(phone: CardPhone) -> None:
    """The shopper looks at the phone when the receipt is printed."""
    phone.enrol()
    expect(phone.page.get_by_text("Noch keine Stufe")).to_be_visible()
    with phone.shop.client(Role.TILL) as till:
        asked = {"basket": basket(), "card": scanned(phone.code("QR-Code Ihrer Karte"))}
        held = till.post("/v1/till/baskets", asked)["held"]
        till.post(f"/v1/till/baskets/{held}/commit", {})
        with pytest.raises(RefusedByApi):
            till.post("/v1/till/baskets", asked)
    expect(phone.page.get_by_text("8 Punkte", exact=True)).to_be_visible()
    expect(phone.page.get_by_text("Silber")).to_be_visible()
    phone.open("points")
    expect(phone.page.get_by_role("cell", name="Einkauf")).to_be_visible()


def test_what_a_shopper_says_reaches_the_shop(phone: CardPhone) -> None:
    """A call to a shelf, a complaint and its answer, a survey, a birthday."""
    tell(phone.shop, "PUT", "/v1/surveys/card-visit", SURVEY)
    phone.take(phone.shop.enrol(), "help")
    page = phone.page
    page.get_by_label("Wo").select_option("dowels")
    page.get_by_role("button", name="Rufen").click()
    expect(page.get_by_role("button", name="Hat sich erledigt")).to_be_visible()
    page.get_by_label("Was war nicht gut").fill("Niemand war an der Säge.")
    page.get_by_role("button", name="Absenden").click()
    expect(page.get_by_role("heading", name="Ihre Meldungen")).to_be_visible()
    with phone.shop.client(Role.STORE_ADMIN) as staff:
        assert "dowels" in {one["zone"] for one in staff.get("/v1/staff-requests")["requests"]}
        case = staff.get("/v1/cases?state=open")["cases"][-1]["case"]
        staff.post(f"/v1/cases/{case}/answers", {"text": "Ab Montag zwei."})
    expect(page.get_by_text("Ab Montag zwei.")).to_be_visible()
    phone.open("surveys")
    page.get_by_label("4").check()
    page.get_by_role("button", name="Absenden").click()
    expect(page.get_by_text("Gerade keine Umfrage")).to_be_visible()
    phone.open("settings")
    page.get_by_label("Tag", exact=True).select_option("24")
    page.get_by_label("Monat").select_option("12")
    page.get_by_role("button", name="Speichern").last.click()
    expect(page.get_by_text("Gespeichert.")).to_be_visible()


def test_a_suspended_card_says_so_and_hears_its_holder(phone: CardPhone) -> None:
    """Nobody is shut out without a reason, or without a word to it."""
    phone.enrol()
    digits = phone.page
    digits.get_by_role("button", name="Strichcode").click()
    number = scanned(phone.code("Strichcode Ihrer Karte"))[:12]
    body = {"card": number, "reason": "card_lost"}
    tell(phone.shop, "POST", "/v1/suspensions", body)
    phone.page.reload()
    expect(phone.page.get_by_text("gesperrt.")).to_be_visible()
    phone.page.get_by_role("link", name="Warum").click()
    expect(phone.page.get_by_text("verloren gemeldet")).to_be_visible()
    phone.page.get_by_label("Was Sie dazu sagen").fill("Sie war in der anderen Jacke.")
    phone.page.get_by_role("button", name="Absenden").click()
    expect(phone.page.get_by_role("blockquote")).to_have_text("Sie war in der anderen Jacke.")
