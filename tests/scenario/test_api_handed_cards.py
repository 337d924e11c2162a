"""The automatic programme: a card from the till collects at once, and is claimed in the app."""

import pytest

from offers.handlers.expire_overdue import expire_overdue
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.till.hand_out_card import CLAIM_MS_MAX
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, PerAmount
from offers.model.loyalty.ledger import POINTS
from offers.model.loyalty.programme import Programme
from rtls.model.units import UnixMs
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE, START_MS

BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1_000}],
}
A_POINT_A_EURO = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    rules=(
        EarningRule(
            rule="each-euro",
            unit=POINTS,
            earns=PerAmount(amount_minor=1, per_minor=100, currency="EUR"),
        ),
    ),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory):
    with running_api(tmp_path_factory.mktemp("api")) as running:
        running.writer.run(
            lambda work: start_programme(A_POINT_A_EURO, work=work, now_ms=running.now_ms)
        )
        yield running


def hand_out(api: RunningApi) -> dict[str, str]:
    answer = api.http.post("/v1/till/cards", json={}, headers=api.till())
    assert answer.status_code == 201, answer.text
    handed: dict[str, str] = answer.json()
    return handed


def claim(api: RunningApi, code: str):
    wish = {"purpose": "personalise", "is_granted": True, "text_version": "v1"}
    return api.http.post("/v1/enrolments/claims", json={"claim": code, "consents": [wish]})


def buy(api: RunningApi, card: str) -> None:
    headers = api.till()
    once = {"Idempotency-Key": f"hold-{card}"[:128]}
    held = api.http.post(
        "/v1/till/baskets", json={"basket": BASKET, "card": card}, headers=headers | once
    )
    assert held.status_code == 201, held.text
    path = f"/v1/till/baskets/{held.json()['held']}/commit"
    paid = api.http.post(path, json={}, headers=headers | {"Idempotency-Key": "pay-" + card[:100]})
    assert paid.status_code == 201, paid.text


def test_the_card_collects_before_anybody_has_claimed_it(api: RunningApi) -> None:
    """The first purchase counts; what was collected is there when the app is installed at home."""
    handed = hand_out(api)
    buy(api, handed["card"])
    claimed = claim(api, handed["claim"].lower())
    assert claimed.status_code == 201, claimed.text
    headers = {"Authorization": f"Bearer {claimed.json()['token']}"}
    [points] = api.http.get("/v1/me/points", headers=headers).json()["balances"]
    assert points["available_minor"] == 10


def test_nothing_is_agreed_to_until_its_holder_says_so(api: RunningApi) -> None:
    """An anonymous card is no consent: neither to be located nor to be profiled."""
    handed = hand_out(api)
    buy(api, handed["card"])
    claimed = claim(api, handed["claim"]).json()
    headers = {"Authorization": f"Bearer {claimed['token']}"}
    consents = api.http.get("/v1/me/consents", headers=headers).json()["consents"]
    assert {c["purpose"] for c in consents if c["is_granted"]} == {"personalise"}
    exported = api.http.get("/v1/me/export", headers=headers).text
    assert '"purchase_line"' not in exported  # a fact of before the consent would be a profile


def test_a_claim_is_used_once_and_a_wrong_one_looks_the_same(api: RunningApi) -> None:
    """Whoever finds a receipt after its owner has claimed it finds paper."""
    handed = hand_out(api)
    assert claim(api, handed["claim"]).status_code == 201
    for code in (handed["claim"], "0000-0000-0000", "nonsense"):
        refused = claim(api, code)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def test_a_claim_ends_after_a_year(api: RunningApi) -> None:
    """To the instant, whether or not the sweep has been there."""
    early, late = hand_out(api), hand_out(api)
    api.now_ms = UnixMs(START_MS + CLAIM_MS_MAX - 1)
    assert claim(api, early["claim"]).status_code == 201
    api.now_ms = UnixMs(START_MS + CLAIM_MS_MAX)
    assert claim(api, late["claim"]).status_code == 404
    api.writer.run(lambda work: expire_overdue(work=work, now_ms=api.now_ms))
    api.now_ms = START_MS


def test_only_a_till_hands_cards_out(api: RunningApi) -> None:
    """Otherwise cards with points for nothing could be made at home."""
    assert api.http.post("/v1/till/cards", json={}).status_code == 401
