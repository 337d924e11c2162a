"""A till that loses its line, over HTTP: keys before, a batch afterwards, one redemption in all."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.api.schema import render_instant
from offers.checkout.offline_coupon import parse_offline_coupon
from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, TWO_EURO, campaign

pytestmark = pytest.mark.slow

BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}],
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    folder: Path = tmp_path_factory.mktemp("api")
    with running_api(folder) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture
def signed(api: RunningApi) -> str:
    """The text on Anna's screen."""
    anna = Phone(api)
    anna.pair("tag:anna")
    api.advance(int(DWELL_S * 1000))
    with anna.stream() as stream:
        api.stand("tag:anna")
        offer = frame(stream)["offer"]
    assert isinstance(offer, dict)
    answer = anna.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/offline")
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.json()["text"]
    assert isinstance(text, str)
    return text


def test_what_two_tills_took_without_a_line_is_one_redemption_and_one_conflict(
    api: RunningApi, signed: str
) -> None:
    """Both check the coupon with the key that they fetched in the morning."""
    tills = [api.till("till-1"), api.till("till-2")]
    (key,) = api.http.get("/v1/till/keys", headers=tills[0]).json()["keys"]
    public = _bytes(key["public_key"])
    assert parse_offline_coupon(signed, keys={key["key"]: public}).benefit == TWO_EURO
    item = {
        "reference": "receipt-1",
        "signed": signed,
        "redeemed_at": render_instant(api.now_ms),
        "basket": BASKET,
        "discount_lines_minor": [200],
    }
    answers = [
        api.http.post(
            "/v1/till/offline-batches",
            json={"items": [item]},
            headers=till | {"Idempotency-Key": idempotency_key},
        )
        for till, idempotency_key in (
            (tills[0], "batch-0001"),
            (tills[0], "batch-0001"),
            (tills[0], "batch-0002"),
            (tills[1], "batch-0001"),
        )
    ]
    assert [answer.status_code for answer in answers] == [201] * 4, answers[0].text
    assert answers[0].content == answers[1].content == answers[2].content
    (booked,), (conflict,) = (answers[n].json()["outcomes"] for n in (0, 3))
    assert booked["reasons"] == []
    assert (conflict["redemption"], conflict["reasons"]) == (None, ["coupon_used"])
    assert conflict["first"]["redemption"] == booked["redemption"]
    assert (conflict["first"]["till"], conflict["first"]["reference"]) == ("till-1", "receipt-1")
    staff = api.key(Role.STORE_ADMIN)
    report = api.http.get("/v1/operator/offline-conflicts", headers=staff).json()
    assert [entry["till"] for entry in report["conflicts"]] == ["till-2"]
    counters = api.http.get("/v1/operator/campaigns/dowels-2-off/budgets", headers=staff).json()
    assert [counter["used"] for counter in counters["counters"]] == [1]


def test_a_site_limits_what_its_campaigns_give_away(api: RunningApi) -> None:
    """Written, read back, and refused by name where it cannot work."""
    staff = api.key(Role.MERCHANDISER)
    limits = [
        {
            "amount_max": {"amount_minor": 500_000, "currency": "EUR"},
            "per": ["day"],
            "is_reserved": False,
        }
    ]
    path = "/v1/operator/budgets"
    assert api.http.put(path, json=limits, headers=staff).json() == {"budgets": limits}
    assert api.http.get(path, headers=staff).json() == {"budgets": limits}
    wrong = api.http.put(path, json=[{"redemptions_max": 0}], headers=staff)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "validation_failed")
    assert "expected 1 to" in wrong.json()["detail"]
    assert api.http.get(path, headers=staff).json() == {"budgets": limits}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
