"""The staff sign in over HTTP: what a session opens, how it ends, and what guessing costs."""

from collections.abc import Iterator

import httpx2
import pytest

from inaisle.demo.demo_users import provide_demo_users
from offers.handlers.people.staff_users import remove_staff_user
from offers.model.ids import StaffName
from offers.model.people.staff_user import SESSION_MS
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE

WRONG = "not the password"
BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}],
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("staff")) as running:
        yield running


@pytest.fixture(scope="module")
def users(api: RunningApi) -> dict[str, str]:
    return provide_demo_users(api.writer, secrets=api.secrets, site=SITE, now_ms=api.now_ms)


@pytest.fixture
def passwords(api: RunningApi, users: dict[str, str]) -> dict[str, str]:
    api.advance(3_600_000)  # what was guessed in the tests before is forgotten
    return users


def sign_in(api: RunningApi, name: str, password: str) -> httpx2.Response:
    return api.http.post("/v1/staff/sessions", json={"name": name, "password": password})


def session(api: RunningApi, name: str, passwords: dict[str, str]) -> dict[str, str]:
    answer = sign_in(api, name, passwords[name])
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_a_session_opens_what_the_role_may_and_says_whose_it_is(
    api: RunningApi, passwords: dict[str, str]
) -> None:
    """The console shows the screens of the role, and the name in the corner."""
    answer = sign_in(api, "merchandiser", passwords["merchandiser"])
    opened = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert opened.keys() == {"token", "expires_at", "role", "name", "site", "till"}
    headers = {"Authorization": f"Bearer {opened['token']}"}
    me = api.http.get("/v1/staff/me", headers=headers).json()
    assert me == {name: opened[name] for name in opened if name != "token"}
    assert (me["role"], me["name"], me["site"], me["till"]) == (
        "merchandiser",
        "merchandiser",
        SITE,
        None,
    )
    assert api.http.get("/v1/operator/campaigns", headers=headers).status_code == 200
    assert api.http.get("/v1/operator/webhooks", headers=headers).status_code == 403


def test_a_key_is_known_as_well_and_has_no_name(api: RunningApi) -> None:
    """Who pastes a key into the console sees what it may do."""
    me = api.http.get("/v1/staff/me", headers=api.till("till-9")).json()
    assert me == {"role": "till", "name": None, "site": SITE, "till": "till-9", "expires_at": None}
    ended = api.http.delete("/v1/staff/sessions/current", headers=api.till("till-9"))
    assert (ended.status_code, ended.json()["code"]) == (409, "state_conflict")


def test_signing_out_ends_the_session_now(api: RunningApi, passwords: dict[str, str]) -> None:
    """The next person at this screen signs in anew."""
    headers = session(api, "admin", passwords)
    assert api.http.delete("/v1/staff/sessions/current", headers=headers).status_code == 204
    assert api.http.get("/v1/staff/me", headers=headers).json()["code"] == "credential_invalid"


def test_a_session_ends_by_itself_also_at_a_till_that_is_remembered(
    api: RunningApi, passwords: dict[str, str]
) -> None:
    """Tills are answered without a look-up of their own; the end holds all the same."""
    headers = session(api, "kasse", passwords)

    def quote(key: str) -> httpx2.Response:
        question = {"codes": ["0123-4567-89AB"], "basket": BASKET}
        once = headers | {"Idempotency-Key": f"key-{key}-0001"}
        return api.http.post("/v1/till/baskets", json=question, headers=once)

    assert quote("first").json()["code"] != "credential_invalid"
    assert quote("second").json()["code"] != "credential_invalid"
    api.advance(SESSION_MS)
    assert quote("third").json()["code"] == "credential_invalid"


def test_a_removed_user_is_out_with_the_next_call(
    api: RunningApi, passwords: dict[str, str]
) -> None:
    """By the command line, beside the running service."""
    headers = session(api, "operator", passwords)
    name = StaffName("operator")
    api.writer.run(lambda work: remove_staff_user(name, work=work, now_ms=api.now_ms))
    assert api.http.get("/v1/staff/me", headers=headers).json()["code"] == "credential_invalid"
    assert sign_in(api, "operator", passwords["operator"]).status_code == 401


@pytest.mark.parametrize("name", ["admin", "nobody", "Robert'); DROP TABLE", "é" * 60])
def test_a_refusal_does_not_tell_which_names_there_are(
    api: RunningApi, passwords: dict[str, str], name: str
) -> None:
    """A list of names is half of a sign-in."""
    assert passwords
    answer = sign_in(api, name, WRONG)
    assert answer.status_code == 401
    told = answer.json()
    assert (told["code"], told["detail"]) == (
        "credential_invalid",
        "There is no user with this name and this password.",
    )


def test_who_guesses_waits_and_nobody_else_does(api: RunningApi, passwords: dict[str, str]) -> None:
    """Ten guesses in five minutes; the right password does not help either until then."""
    for _ in range(10):
        assert sign_in(api, "Admin ", WRONG).status_code == 401
    refused = sign_in(api, "admin", passwords["admin"])
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_failures")
    assert 1 <= int(refused.headers["Retry-After"]) <= 300
    assert sign_in(api, "merchandiser", passwords["merchandiser"]).status_code == 201
    api.advance(300_000)
    assert sign_in(api, "admin", passwords["admin"]).status_code == 201


@pytest.mark.parametrize(
    "body", [{}, {"name": "admin"}, {"name": 1, "password": "x"}, {"name": "a", "password": ""}]
)
def test_a_body_that_is_no_sign_in_names_what_is_missing(
    api: RunningApi, body: dict[str, object]
) -> None:
    """And repeats nothing of it: a password must not stand in an answer."""
    answer = api.http.post("/v1/staff/sessions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
