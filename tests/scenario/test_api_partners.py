"""Partners and GS1 over HTTP: what a coupon cost is asked for, and any till can scan it."""

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from offers.handlers.loyalty.start_programme import start_programme
from offers.model.campaigns.funding import Funding
from offers.model.people.shopper import Role
from rtls.model.units import SiteId
from tests.contract.test_api_roles import BASKET
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.unit.offers.test_gs1_at_the_till import GCN, GLOBAL, KNOWN_TO_GS1
from tests.unit.offers.test_partners import THIRDS

FISCHER = "/v1/partners/fischer/settlements"
DAY_MS = 86_400_000
TODAY = {"from_day": "2023-11-14", "until_day": "2023-11-15"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        running.writer.run(
            lambda work: start_programme(KNOWN_TO_GS1, work=work, now_ms=running.now_ms)
        )
        running.start_campaign(replace(campaign(), gs1=GLOBAL, funding=Funding(partners=THIRDS)))
        yield running


def shown(api: RunningApi) -> dict[str, str]:
    """What a shopper's screen shows after five minutes at the shelf."""
    phone = Phone(api)
    tag = f"tag:{phone.shopper}"
    phone.pair(tag)
    api.advance(int(DWELL_S * 1000))
    with phone.stream() as stream:
        api.stand(tag)
        offer = frame(stream)["offer"]
    assert isinstance(offer, dict)
    told: dict[str, str] = phone.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code").json()
    return told


def post(
    api: RunningApi, path: str, body: object, headers: dict[str, str], key: str
) -> httpx2.Response:
    return api.http.post(path, json=body, headers=headers | {"Idempotency-Key": f"partners-{key}"})


def test_a_scanned_coupon_is_settled_with_its_partners(api: RunningApi) -> None:
    """From the element string on the screen to the document that the partner gets."""
    till, staff = api.till(), api.key(Role.MERCHANDISER)
    code = shown(api)
    assert f"255{GCN}" in code["gs1"]
    quoted = api.http.post(
        "/v1/till/baskets/quote", json={"codes": [code["gs1"]], "basket": BASKET}, headers=till
    )
    assert quoted.json()["discount"]["amount_minor"] == 200
    body = {"code": code["gs1"], "basket": BASKET}
    assert post(api, "/v1/till/redemptions", body, till, "redeem").status_code == 201

    early = post(api, FISCHER, TODAY, staff, "early")
    assert (early.status_code, early.json()["reason"]) == (422, "period_open")
    api.advance(2 * DAY_MS)
    made = post(api, FISCHER, TODAY, staff, "made-one")
    assert made.status_code == 201, made.text
    assert made.json()["totals_minor"] == {"EUR": 67}
    assert post(api, FISCHER, TODAY, staff, "made-one").content == made.content
    again = post(api, FISCHER, TODAY, staff, "made-two")
    assert (again.status_code, again.json()["reason"]) == (422, "nothing_new")

    lines = [{"campaign": "dowels-2-off", "currency": "EUR", "amount_minor": -7}]
    corrected = post(api, f"{FISCHER}/1/corrections", {"lines": lines}, staff, "corrected")
    assert corrected.json()["number"] == 2
    listed = api.http.get(FISCHER, headers=api.key(Role.OPERATOR)).json()
    assert [one["totals_minor"] for one in listed["settlements"]] == [{"EUR": 67}, {"EUR": -7}]
    assert api.http.get(f"{FISCHER}/1", headers=staff).json() == made.json()
    table = api.http.get(f"{FISCHER}/1/csv", headers=staff)
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.text.splitlines()[1].endswith("dowels-2-off,EUR,67,0,67")


def test_a_site_sees_its_own_documents_alone(api: RunningApi) -> None:
    """And a till none at all."""
    away = api.key(Role.MERCHANDISER, site=SiteId("elsewhere"))
    assert api.http.get(FISCHER, headers=away).status_code == 404
    assert post(api, FISCHER, TODAY, away, "from-away").status_code == 404
    assert api.http.get(FISCHER, headers=api.till("till-2")).status_code == 403


def test_a_malformed_element_string_is_told_and_a_bad_period_too(api: RunningApi) -> None:
    """One problem, with the place and the remedy; the code itself is not repeated."""
    body = {"codes": [f"255{GCN[:-1]}9"], "basket": BASKET}
    answer = api.http.post("/v1/till/baskets/quote", json=body, headers=api.till("till-3"))
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert "coupon code 1 of the request, position 15: the check digit" in answer.json()["detail"]
    assert GCN[:-1] not in answer.text
    turned = {"from_day": "2023-11-15", "until_day": "2023-11-14"}
    answer = post(api, FISCHER, turned, api.key(Role.OPERATOR), "turned")
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
