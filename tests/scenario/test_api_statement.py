"""A statement on paper, over HTTP: at home, at the till, at the service desk."""

import base64
import hashlib
import re
from collections.abc import Iterator

import httpx2
import pytest

from offers.model.people.shopper import Role
from rtls.model.units import SiteId
from tests.contract.test_api_roles import BASKET
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign

STATEMENT = "/v1/till/statements"
CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture
def anna(api: RunningApi) -> Phone:
    """A shopper with a coupon."""
    phone = Phone(api)
    tag = f"tag:{phone.shopper}"
    phone.pair(tag)
    api.advance(int(DWELL_S * 1000))
    with phone.stream() as stream:
        api.stand(tag)
        assert frame(stream)["type"] == "offer"
    return phone


def ask(api: RunningApi, headers: dict[str, str], **wish: str) -> httpx2.Response:
    return api.http.post(STATEMENT, json=wish, headers=headers)


@pytest.mark.parametrize("form", ["a4", "receipt"])
def test_the_page_is_whole_in_itself_and_kept_by_nobody(anna: Phone, form: str) -> None:
    """A proxy that keeps it would show it to the next one; a script in it would run in the app."""
    answer = anna.get(f"/v1/me/statement?form={form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert "Sie erhalten 2,00 € Rabatt." in answer.text
    assert CODE.search(answer.text)
    assert ("size:A4" if form == "a4" else "size:80mm") in style


def test_the_till_prints_it_for_the_card_and_directly_after_the_purchase(
    api: RunningApi, anna: Phone
) -> None:
    """C27: "your statement?" is a question of the till, and its printer knows text alone."""
    till = api.till()
    code = anna.get("/v1/me/card/code").json()["code"]
    printed = ask(api, till, card=code)
    assert printed.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert printed.headers["Cache-Control"] == "no-store"
    assert "Demo" in printed.text
    assert max(map(len, printed.text.splitlines())) <= 42
    [on_paper] = CODE.findall(printed.text)
    again = ask(api, till, card=code)
    assert (again.status_code, again.json()["reason"]) == (422, "card_not_valid")

    api.advance(60_000)
    card = anna.get("/v1/me/card/code").json()["code"]
    body = {"card": card, "codes": [on_paper], "basket": BASKET}
    once = till | {"Idempotency-Key": "key-statement-1"}
    held = api.http.post("/v1/till/baskets", json=body, headers=once).json()
    once = till | {"Idempotency-Key": "key-statement-2"}
    paid = api.http.post(f"/v1/till/baskets/{held['held']}/commit", headers=once)
    assert paid.status_code == 201, paid.text
    purchase = paid.json()["purchase"]
    after = ask(api, till, purchase=purchase)
    assert "Mit Coupons" in after.text
    assert not CODE.search(after.text)

    away = api.till("till-away", site=SiteId("elsewhere"))
    foreign = ask(api, away, purchase=purchase)
    unknown = ask(api, away, purchase="f" * 32)
    assert foreign.status_code == 404
    assert foreign.json() == unknown.json()
    api.advance(11 * 60_000)
    assert ask(api, till, purchase=purchase).json()["code"] == "expired"


@pytest.mark.parametrize(
    "wish", [{}, {"card": "1", "purchase": "2"}, {"card": ""}, {"card": "1", "form": "pdf"}]
)
def test_a_wish_that_names_nobody_or_two_is_refused(api: RunningApi, wish: dict[str, str]) -> None:
    """One problem that says what was expected."""
    answer = ask(api, api.key(Role.STORE_ADMIN), **wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_who_guesses_cards_has_to_wait(api: RunningApi) -> None:
    """A stolen key must not list what shoppers have."""
    desk = api.key(Role.STORE_ADMIN)
    answers = [ask(api, desk, card=f"guess {n}").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]


def test_the_statement_speaks_the_shoppers_language(api: RunningApi) -> None:
    """German and English, as the card says."""
    enrolled = api.http.post("/v1/enrolments", json={"locale": "en"}).json()
    headers = {"Authorization": f"Bearer {enrolled['token']}"}
    page = api.http.get("/v1/me/statement", headers=headers)
    assert '<html lang="en">' in page.text
    assert "Nothing collected yet." in page.text
