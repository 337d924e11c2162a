"""A till over HTTP, from the card on the phone to goods that come back; and a page as a till."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.handlers.loyalty.start_programme import start_programme
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.unit.offers.test_points_at_the_till import PROGRAMME

DOWELS = {"sku": "4006209", "category": "dowels", "quantity": 2, "unit_price_minor": 500}
BASKET = {"currency": "EUR", "lines": [DOWELS]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        running.writer.run(
            lambda work: start_programme(PROGRAMME, work=work, now_ms=running.now_ms)
        )
        yield running


class TillClient:
    """A till that counts its keys."""

    def __init__(self, api: RunningApi, name: str = "till-1") -> None:
        self.api, self.headers, self.count = api, api.till(name), 0

    def post(self, path: str, body: object = None, *, key: str | None = None):
        self.count += 1
        once = {"Idempotency-Key": key or f"key-{self.count:08d}"}
        return self.api.http.post(f"/v1/till{path}", json=body, headers=self.headers | once)

    def get(self, path: str):
        return self.api.http.get(f"/v1/till{path}", headers=self.headers)


def card_of(phone: Phone, form: str = "qr") -> str:
    shown = phone.get(f"/v1/me/card/code?form={form}")
    assert shown.headers["Cache-Control"] == "no-store"
    return shown.json()["code"]


def points_of(phone: Phone) -> dict[str, int]:
    balances = phone.get("/v1/me/points").json()["balances"]
    return {one["unit"]: one["balance_minor"] for one in balances}


def test_from_the_card_to_the_return(api: RunningApi) -> None:
    """One scan, the price that was told, points in the same minute, and all of it back again."""
    phone, till = Phone(api), TillClient(api)
    phone.pair("tag:1")
    api.advance(int(DWELL_S * 1000))
    with phone.stream() as stream:
        api.stand("tag:1")
        frame(stream)
    asked = {"basket": BASKET, "card": card_of(phone)}
    quote = till.post("/baskets/quote", asked).json()
    assert quote["to_pay"]["amount_minor"] == 800
    assert quote["card"] == {"spendable_minor": {}, "tier": None}
    held = till.post("/baskets", asked).json()
    assert held["quote"] == quote
    commit = f"/baskets/{held['held']}/commit"
    paid = till.post(commit, {}, key="commit-0001")
    assert till.post(commit, {}, key="commit-0001").content == paid.content, "I8"
    purchase = paid.json()
    assert purchase["paid"]["amount_minor"] == 800
    assert points_of(phone) == {"points": 8, "EUR": 40}
    again = till.post(commit, {})
    assert (again.status_code, again.json()["reason"]) == (422, "hold_committed")
    returns = f"/purchases/{purchase['purchase']}/returns"
    for refund in (400, 400):
        back = till.post(returns, {"lines": [{"line": 0, "quantity": 1}]})
        assert back.json()["refund"]["amount_minor"] == refund
    assert points_of(phone) == {"points": 0, "EUR": 0}
    third = till.post(returns, {"lines": [{"line": 0, "quantity": 1}]})
    assert (third.status_code, third.json()["reason"]) == (422, "return_too_large")
    read = till.get(f"/purchases/{purchase['purchase']}").json()
    assert read["lines"][0]["returned"] == 2


def test_a_page_on_a_phone_is_a_till(api: RunningApi) -> None:
    """C55: the staff type the amount and scan the card; undo is cancel or return."""
    phone, till = Phone(api), TillClient(api, "page-1")
    amount = {"sku": "amount", "category": "amount", "quantity": 1, "unit_price_minor": 4_250}
    asked = {"basket": {"currency": "EUR", "lines": [amount]}, "card": card_of(phone, "digits")}
    held = till.post("/baskets", asked).json()
    assert till.post(f"/baskets/{held['held']}/cancel", {}).json()["state"] == "cancelled"
    api.advance(30_000)
    held = till.post("/baskets", asked | {"card": card_of(phone, "digits")}).json()
    purchase = till.post(f"/baskets/{held['held']}/commit", {}).json()
    assert points_of(phone)["points"] == 42
    api.advance(30_000)
    hint = till.post("/baskets/quote", {"basket": BASKET, "card": card_of(phone)}).json()["card"]
    assert hint["spendable_minor"] == {"points": 42, "EUR": 212}
    back = till.post(
        f"/purchases/{purchase['purchase']}/returns", {"lines": [{"line": 0, "quantity": 1}]}
    )
    assert back.json()["refund"]["amount_minor"] == 4_250


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"unit_price_minor": -5}, "unit_price_minor"),
        ({"unit_price_minor": 1.5}, "unit_price_minor"),
        ({"sku": ""}, "sku"),
        ({"price": 5}, "price"),
    ],
)
def test_a_basket_that_cannot_be_is_refused_with_its_field(
    api: RunningApi, change: dict[str, object], pointer: str
) -> None:
    """Nothing half done: the card's code is still good afterwards."""
    phone, till = Phone(api), TillClient(api)
    code = card_of(phone)
    wrong = {"basket": BASKET | {"lines": [DOWELS | change]}, "card": code}
    answer = till.post("/baskets", wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == f"/basket/lines/0/{pointer}"
    assert code not in answer.text
    assert till.post("/baskets", {"basket": BASKET, "card": code}).status_code == 201


def test_who_guesses_cards_waits(api: RunningApi) -> None:
    """Ten wrong codes a minute, of coupons and cards together, and twenty codes are twenty."""
    till = TillClient(api)
    for _ in range(10):
        wrong = till.post("/baskets", {"basket": BASKET, "card": "C1" + "0" * 24})
        assert (wrong.status_code, wrong.json()["reason"]) == (422, "card_not_valid")
    assert till.post("/baskets", {"basket": BASKET, "card": "x"}).status_code == 429
