"""Every fault of a request is answered by a problem document with a stable code."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from offers.api.services import ApiSettings
from offers.model.people.shopper import Role
from rtls.model.units import UnixMs
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign

LINE = {"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}
BASKET = {"currency": "EUR", "lines": [LINE]}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture
def coupon(api: RunningApi, request: pytest.FixtureRequest) -> tuple[Phone, dict]:
    """A shopper with an offer on the phone."""
    phone = Phone(api)
    tag = f"tag:{abs(hash(request.node.nodeid)) % 10**12}"
    phone.pair(tag)
    api.advance(int(DWELL_S * 1000))
    with phone.stream() as stream:
        api.stand(tag)
        offer = frame(stream)["offer"]
    assert isinstance(offer, dict)
    return phone, offer


def code_of(coupon: tuple[Phone, dict]) -> str:
    phone, offer = coupon
    return phone.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code").json()["code"]


def redeem(api: RunningApi, till: dict[str, str], key: str | None, body: object):
    headers = till if key is None else till | {"Idempotency-Key": key}
    return api.http.post("/v1/till/redemptions", json=body, headers=headers)


def test_a_problem_names_each_place_that_is_wrong_and_repeats_no_value(api: RunningApi) -> None:
    """A developer at the till's vendor reads this; the code in the body is a secret."""
    body = {
        "codes": ["SECRET-CODE"],
        "basket": {"currency": "euro", "lines": [LINE | {"quantity": "2", "colour": "red"}]},
    }
    answer = api.http.post("/v1/till/baskets/quote", json=body, headers=api.till())
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["code"]) == (422, "validation_failed")
    assert problem["type"] == "/v1/problems/validation_failed"
    assert problem["instance"] == "/v1/till/baskets/quote"
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/basket/currency",
        "/basket/lines/0/quantity",
        "/basket/lines/0/colour",
    }
    assert "SECRET-CODE" not in answer.text


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "request_malformed"),
        (b"\xff\xfe", 400, "request_malformed"),
        (b"[" * 60_000, 400, "request_malformed"),
        (b"", 422, "validation_failed"),
        (b"[]", 422, "validation_failed"),
        (b'{"tag": "a", "tag": 1}', 422, "validation_failed"),
        (b'{"tag": ""}', 422, "validation_failed"),
        (b'{"tag": "tag\\u0000"}', 422, "validation_failed"),
        (b'{"tag": "\\ud800"}', 422, "validation_failed"),
        (b'{"tag": NaN}', 422, "validation_failed"),
    ],
)
def test_bodies_that_are_no_request_are_refused(
    api: RunningApi, content: bytes, status: int, code: str
) -> None:
    """None of them may be a fault of ours."""
    headers = Phone(api).headers | {"Content-Type": "application/json"}
    answer = api.http.post("/v1/me/pairings", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("PATCH", "/v1/me/card", 405, "method_not_allowed"),
        ("GET", "/v1/problems/unheard", 422, "validation_failed"),
        ("GET", "/v1/me/offers?after=-1", 422, "validation_failed"),
        ("GET", "/v1/me/offers?limit=101", 422, "validation_failed"),
        ("GET", f"/v1/me/offers?after={2**63}", 422, "validation_failed"),
        ("PUT", "/v1/me/consents/everything", 422, "validation_failed"),
        ("POST", "/v1/me/offers/%00/opened", 404, "not_found"),
        ("POST", "/v1/me/offers/' OR 1=1 --/opened", 404, "not_found"),
    ],
)
def test_requests_beside_the_routes_are_problems_too(
    api: RunningApi, method: str, path: str, status: int, code: str
) -> None:
    """One shape of error for all, the framework's own included."""
    body = {"is_granted": True, "text_version": "v1"} if method == "PUT" else None
    answer = api.http.request(method, path, json=body, headers=Phone(api).headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_large_body_is_refused_before_it_is_read(api: RunningApi) -> None:
    """100 MB announced: the answer comes although not one byte of it was sent."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(
            b"POST /v1/enrolments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 104857600\r\n\r\n"
        )
        answer = b""
        while b"body_too_large" not in answer:
            got = line.recv(65536)
            assert got, answer
            answer += got
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_large_body_without_a_length_is_refused_on_the_way(api: RunningApi) -> None:
    """Chunked transfer states no length; the limit counts what comes."""
    chunks = (b" " * 1024 for _ in range(65))
    answer = api.http.post(
        "/v1/enrolments", content=chunks, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_redemption_needs_an_idempotency_key(api: RunningApi) -> None:
    """Without one, a repeat after a lost answer could redeem twice."""
    body = {"code": "0123-4567-89AB", "basket": BASKET}
    till = api.till()
    assert redeem(api, till, None, body).json()["code"] == "idempotency_key_missing"
    assert redeem(api, till, "short", body).json()["code"] == "idempotency_key_invalid"


def test_a_repeat_gets_the_same_bytes_and_another_body_is_refused(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """I8."""
    till, body = api.till(), {"code": code_of(coupon), "basket": BASKET}
    first = redeem(api, till, "key-repeat", body)
    again = redeem(api, till, "key-repeat", body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = redeem(api, till, "key-repeat", body | {"basket": BASKET | {"lines": [LINE, LINE]}})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    fresh = redeem(api, till, "key-fresh-1", body)
    assert (fresh.status_code, fresh.json()["reason"]) == (422, "coupon_not_valid")
    assert redeem(api, till, "key-fresh-1", body).content == fresh.content


def test_the_same_key_of_two_tills_is_two_requests(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """Each till counts its receipts from 1."""
    body = {"code": code_of(coupon), "basket": BASKET}
    assert redeem(api, api.till("till-a"), "00000001", body).status_code == 201
    assert redeem(api, api.till("till-b"), "00000001", body).status_code == 422


def test_the_same_request_many_times_at_once_redeems_once(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """I5 and I8 under fire: a nervous till sends the same request eight times."""
    till, body = api.till(), {"code": code_of(coupon), "basket": BASKET}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: redeem(api, till, "key-at-once", body), range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


def test_one_coupon_at_two_tills_at_once_is_redeemed_once(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """I5: a screenshot of the code in two queues."""
    body = {"code": code_of(coupon), "basket": BASKET}
    with ThreadPoolExecutor(2) as pool:
        tills = [api.till(f"till-{name}") for name in "xy"]
        calls = [partial(redeem, api, till, "key-two-tills", body) for till in tills]
        answers = [future.result() for future in [pool.submit(call) for call in calls]]
    assert sorted(answer.status_code for answer in answers) == [201, 422]


def test_an_expired_coupon_is_gone_for_its_owner_and_not_valid_for_a_till(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """The owner may know; to a till it looks like a code that never was."""
    phone, offer = coupon
    code = code_of(coupon)
    api.advance(86_400_000)
    answer = phone.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code")
    assert (answer.status_code, answer.json()["code"]) == (410, "expired")
    known = redeem(api, api.till(), "key-expired", {"code": code, "basket": BASKET})
    never = redeem(api, api.till(), "key-never-1", {"code": "0000-0000-0000", "basket": BASKET})
    assert known.status_code == 422
    assert known.content == never.content


def test_an_offer_whose_time_is_over_is_gone_and_a_dismissed_one_is_a_conflict(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """410 tells the app to drop the card, 409 to read it again."""
    phone, offer = coupon
    path = f"/v1/me/offers/{offer['offer']}"
    api.advance(16 * 60_000)
    assert phone.post(f"{path}/opened").status_code == 410
    assert phone.post(f"{path}/dismissed").status_code == 200
    assert phone.post(f"{path}/dismissed").status_code == 200
    assert phone.post(f"{path}/opened").json()["code"] == "state_conflict"


def test_the_eleventh_bad_code_in_a_minute_must_wait(api: RunningApi) -> None:
    """Guessing is slowed to ten a minute and till; other tills go on."""
    till = api.till("till-guessing")
    body = {"code": "0000-0000-0001", "basket": BASKET}
    question = {"codes": [body["code"]] * 5, "basket": BASKET}
    for _ in range(2):
        assert api.http.post("/v1/till/baskets/quote", json=question, headers=till).is_success
    refused = api.http.post("/v1/till/baskets/quote", json=question, headers=till)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_failures")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert redeem(api, till, "key-guess-1", body).status_code == 429
    assert api.http.post("/v1/till/baskets/quote", json=question, headers=api.till()).is_success
    api.advance(60_000)
    assert api.http.post("/v1/till/baskets/quote", json=question, headers=till).is_success


def test_a_pairing_without_consent_says_which_is_missing(api: RunningApi) -> None:
    """The app shows the consent page on this very reason."""
    answer = Phone(api, purposes=()).post("/v1/me/pairings", {"tag": "tag:x"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "consent_missing")


def test_a_tag_of_another_is_taken(api: RunningApi) -> None:
    """Two shoppers cannot push one trolley."""
    Phone(api).pair("tag:trolley")
    answer = Phone(api).post("/v1/me/pairings", {"tag": "tag:trolley"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "tag_taken")


def test_consents_start_as_not_granted_and_keep_what_was_said(api: RunningApi) -> None:
    """None is granted by silence (GDPR Art. 4 (11))."""
    phone = Phone(api, purposes=("locate",))
    granted = {
        c["purpose"]: c["is_granted"] for c in phone.get("/v1/me/consents").json()["consents"]
    }
    assert granted == {"locate": True, "personalise": False, "notify": False, "analytics": False}


def test_an_edit_needs_the_revision_that_was_read(api: RunningApi) -> None:
    """Two merchandisers edit at once: the second is told, instead of overwriting the first."""
    operator = api.key(Role.OPERATOR)
    path = "/v1/operator/campaigns/dowels-2-off"
    read = api.http.get(path, headers=operator)
    document = read.json()["document"] | {"priority": 7}
    post = partial(api.http.post, f"{path}/revisions", json=document)
    assert post(headers=operator).json()["code"] == "precondition_required"
    stale = post(headers=operator | {"If-Match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    added = post(headers=operator | {"If-Match": read.headers["ETag"]})
    assert (added.status_code, added.json()["revision"]) == (201, read.json()["revision"] + 1)
    assert post(headers=operator | {"If-Match": read.headers["ETag"]}).status_code == 412


def test_a_campaign_that_could_never_fire_is_refused_with_its_field(api: RunningApi) -> None:
    """Found here, where somebody reads it, and not by silence in the shop."""
    operator = api.key(Role.OPERATOR) | {"If-Match": "*"}
    read = api.http.get("/v1/operator/campaigns/dowels-2-off", headers=operator).json()["document"]
    document = read | {"campaign": "new", "trigger": read["trigger"] | {"zone": "nowhere"}}
    answer = api.http.post("/v1/operator/campaigns/new/revisions", json=document, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert "trigger.zone" in answer.json()["detail"]


def test_a_paused_campaign_makes_no_offer_and_a_revision_resumes_it(api: RunningApi) -> None:
    """Whoever sees a mistake at the shelf needs one button."""
    operator = api.key(Role.OPERATOR)
    path = "/v1/operator/campaigns/dowels-2-off"
    assert api.http.post(f"{path}/pause", headers=operator).json()["state"] == "paused"
    read = api.http.get(path, headers=operator)
    resumed = api.http.post(
        f"{path}/revisions",
        json=read.json()["document"],
        headers=operator | {"If-Match": read.headers["ETag"]},
    )
    assert resumed.json()["state"] == "active"


def test_why_names_what_was_chosen_and_what_was_passed_over(coupon: tuple[Phone, dict]) -> None:
    """I12, for the shopper's eyes."""
    phone, offer = coupon
    newest = phone.get("/v1/me/why").json()["decisions"][0]
    assert newest["chosen"] == offer["campaign"]
    assert newest["passed_over"] == []
    first, *_ = newest["in_words"]
    assert first == "Sie bekamen „Dübel“, weil Sie bei Dowels eine Weile standen."
    english = phone.get("/v1/me/why?locale=en").json()["decisions"][0]
    assert english["in_words"] == [
        "You got “Dowels” because you stood at Dowels for a while.",
        "No message was sent to your phone: we do not disturb at that hour.",
    ]


@contextmanager
def occupied_writer(api: RunningApi) -> Iterator[None]:
    """The writer is held up, as by a disk that does not answer."""
    begun, release = threading.Event(), threading.Event()

    def hold(_work: object) -> None:
        begun.set()
        release.wait(10)

    held = api.writer.submit(hold)
    assert begun.wait(10)
    try:
        yield
    finally:
        release.set()
        held.result(timeout=10)


@contextmanager
def answering_within(api: RunningApi, seconds: float) -> Iterator[None]:
    """For the requests that are meant to take too long, and for no other on a busy machine."""
    services = api.app.state.services
    before = services.settings
    object.__setattr__(services, "settings", replace(before, answer_s_max=seconds))
    try:
        yield
    finally:
        object.__setattr__(services, "settings", before)


def test_a_busy_database_is_503_with_retry_after_and_nothing_half_done(tmp_path: Path) -> None:
    """The app may repeat: nothing has happened."""
    with running_api(tmp_path) as api:
        phone = Phone(api)
        with occupied_writer(api):
            with answering_within(api, 0.2):
                answer = phone.post("/v1/me/pairings", {"tag": "tag:busy"})
            assert phone.get("/v1/me/card").status_code == 200
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"
        api.writer.run(lambda work: work.shoppers.find(phone.shopper))
        assert phone.get("/v1/me/pairings").json()["pairings"] == []


def test_a_request_that_is_still_worked_on_is_409_and_its_repeat_finds_the_answer(
    tmp_path: Path,
) -> None:
    """The outcome is open: only the same key may be used again."""
    with running_api(tmp_path) as api:
        release = threading.Event()
        begun = threading.Event()

        def slow_clock() -> UnixMs:
            if threading.current_thread().name == "offers-writer":
                begun.set()
                release.wait(10)
            return api.now_ms

        object.__setattr__(api.app.state.services, "now_ms", slow_clock)
        till, body = api.till(), {"code": "0000-0000-0000", "basket": BASKET}
        with answering_within(api, 1.0):
            first = redeem(api, till, "key-in-flight", body)
        assert begun.is_set()
        assert (first.status_code, first.json()["code"]) == (409, "in_flight")
        release.set()
        assert redeem(api, till, "key-in-flight", body).json()["reason"] == "coupon_not_valid"


def test_enrolments_of_one_address_are_limited(tmp_path: Path) -> None:
    """Each enrolment is a row that stays."""
    with running_api(tmp_path, settings=ApiSettings(enrolments_a_minute_max=2)) as api:
        assert [api.http.post("/v1/enrolments", json={}).status_code for _ in range(3)] == [
            201,
            201,
            429,
        ]


def test_the_token_and_the_code_are_never_kept_by_a_cache(
    api: RunningApi, coupon: tuple[Phone, dict]
) -> None:
    """A shared proxy in the shop must not hand one shopper's code to the next."""
    phone, offer = coupon
    assert api.http.post("/v1/enrolments", json={}).headers["Cache-Control"] == "no-store"
    code = phone.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code")
    assert code.headers["Cache-Control"] == "no-store"
    assert json.loads(code.content)["code"]
