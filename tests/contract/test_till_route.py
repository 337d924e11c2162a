"""A till that has called before is answered as one that calls for the first time."""

from collections.abc import Iterator

import pytest

from offers.api.known_callers import KnownCallers
from offers.handlers.people.issue_credential import fingerprint_of
from offers.model.ids import CredentialId, TillId
from offers.model.people.shopper import Credential, Role
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE, START_MS

LINE = {"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}
BASKET = {"currency": "EUR", "lines": [LINE]}
WISH = {"code": "7K2M-9QXD-4TRB", "basket": BASKET}
JSON = {"content-type": "application/json"}
KEY = {"Idempotency-Key": "receipt-0001"}
ROUTE = "/v1/till/redemptions"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def known(api: RunningApi) -> dict[str, str]:
    """A till that has called once."""
    till = api.till("known")
    told = api.http.post(ROUTE, json=WISH, headers=till | {"Idempotency-Key": "the-first-one"})
    assert told.json()["reason"] == "coupon_not_valid"
    return till


@pytest.mark.parametrize(
    ("route", "headers", "content"),
    [
        (ROUTE, KEY | JSON, b"{"),
        (ROUTE, KEY | JSON, b""),
        (ROUTE, KEY | JSON, b'{"code": "\\ud800", "basket": {}}'),
        (ROUTE, KEY | JSON, b'{"code": "A", "basket": {"currency": "euro", "lines": []}}'),
        (ROUTE, KEY | {"content-type": "text/plain"}, b"{}"),
        (ROUTE, KEY, b"{}"),
        (ROUTE, JSON, b"{}"),
        (ROUTE, JSON | {"Idempotency-Key": "short"}, b"{}"),
        ("/v1/till/baskets", KEY | JSON, b'{"basket": 1}'),
        (f"/v1/till/baskets/{'a' * 200}/commit", KEY, b""),
        (f"/v1/till/baskets/{'a' * 32}/commit", KEY, b""),
        ("/v1/till/purchases/nothing/returns", KEY | JSON, b'{"lines": []}'),
    ],
)
def test_what_is_wrong_is_told_in_the_same_words(
    api: RunningApi,
    known: dict[str, str],
    route: str,
    headers: dict[str, str],
    content: bytes,
) -> None:
    """The short way takes what is plain; the words for all else come from one place."""
    fresh = api.till("fresh")
    answers = [
        api.http.post(route, content=content, headers=till | headers) for till in (fresh, known)
    ]
    assert answers[0].status_code in {400, 404, 422}
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()


def test_a_key_in_quotes_is_the_same_key(api: RunningApi, known: dict[str, str]) -> None:
    """RFC 8941 lets a till write either; one that changes its mind must not redeem twice."""
    answers = [
        api.http.post(ROUTE, json=WISH, headers=known | {"Idempotency-Key": key})
        for key in ("receipt-0007", '"receipt-0007"')
    ]
    assert answers[0].content == answers[1].content


def test_a_till_whose_key_was_revoked_gets_nothing_done(
    api: RunningApi, known: dict[str, str]
) -> None:
    """Known or not: the key is looked up again where the deed is done."""
    secret = known["Authorization"].removeprefix("Bearer ")
    fingerprint = fingerprint_of(secret, secrets=api.secrets)
    assert fingerprint is not None
    callers = api.app.state.services.callers
    till = callers.find(fingerprint)
    assert api.writer.run(
        lambda work: work.shoppers.revoke_credential(till.credential, at_ms=api.now_ms)
    )
    answer = api.http.post(ROUTE, json=WISH, headers=known | KEY)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_invalid")
    assert callers.find(fingerprint) is None


@pytest.mark.usefixtures("known")
def test_only_tills_are_remembered(api: RunningApi) -> None:
    """The tokens of a million phones would drive the tills out."""
    callers = api.app.state.services.callers
    before = len(callers)
    staff = api.key(Role.STORE_ADMIN)
    assert api.http.get("/v1/suspensions", headers=staff).status_code == 200
    assert len(callers) == before > 0


def test_the_first_to_come_are_the_first_to_be_forgotten() -> None:
    """A bound on what a year of new keys can fill."""
    till = Credential(
        credential=CredentialId("c" * 32),
        role=Role.TILL,
        created_at_ms=START_MS,
        till=TillId("till-1"),
        site=SITE,
    )
    callers = KnownCallers(callers_max=2)
    for fingerprint in ("a", "b", "c"):
        callers.note(fingerprint, till)
    assert [callers.find(one) for one in ("a", "b", "c")] == [None, till, till]
