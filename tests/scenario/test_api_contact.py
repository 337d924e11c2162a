"""How a shopper is addressed, and who else is told, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.handlers.messages.contact_link import TOKEN_MS, unsubscribe_token
from offers.model.messages.contact import DeliveryChannel
from offers.model.people.shopper import Role
from rtls.model.units import UnixMs
from tests.scenario.running_api import Phone, RunningApi, running_api

KEYS = {
    "p256dh": (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    ),
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
BROWSER = {"endpoint": "https://push.example.net/send/1", "keys": KEYS, "expirationTime": None}
SUBSCRIPTIONS = "/v1/me/push-subscriptions"
WEBHOOKS = "/v1/operator/webhooks"
WISH = {"url": "https://crm.example.com/in", "events": ["offer.issued", "consent.changed"]}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


def test_a_browser_subscribes_as_it_is_and_its_keys_never_come_back(api: RunningApi) -> None:
    """The app sends what `PushSubscription.toJSON` gives, and nothing else is needed."""
    anna = Phone(api)
    assert anna.get("/v1/me/push-key").json() == {"public_key": None}
    made = anna.post(SUBSCRIPTIONS, BROWSER)
    assert made.status_code == 201, made.text
    assert made.json()["service"] == "push.example.net"
    again = anna.post(SUBSCRIPTIONS, BROWSER).json()
    listed = anna.get(SUBSCRIPTIONS)
    assert [one["subscription"] for one in listed.json()["subscriptions"]] == [
        again["subscription"]
    ]
    assert KEYS["auth"] not in listed.text
    assert BROWSER["endpoint"] not in listed.text
    path = f"{SUBSCRIPTIONS}/{again['subscription']}"
    assert anna.delete(path).status_code == 204
    assert anna.delete(path).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "https://127.0.0.1/"},
        {"endpoint": "https://10.0.0.1:6379/"},
        {"endpoint": "http://push.example.net/"},
        {"endpoint": "https://metadata.google.internal/"},
        {"keys": KEYS | {"auth": "short"}},
        {"keys": KEYS | {"p256dh": "AAAA"}},
        {"keys": KEYS | {"p256dh": "ä"}},
        {"more": 1},
    ],
)
def test_what_is_no_browser_is_one_problem_that_says_what_to_do(
    api: RunningApi, change: dict[str, object]
) -> None:
    """Nothing of it is stored."""
    anna = Phone(api)
    answer = anna.post(SUBSCRIPTIONS, BROWSER | change)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert anna.get(SUBSCRIPTIONS).json() == {"subscriptions": []}


def test_wishes_are_kept_and_an_address_is_asked_first(api: RunningApi) -> None:
    """C50: per-channel switches and a frequency of one's own."""
    anna = Phone(api)
    assert anna.get("/v1/me/contact").json() == {
        "wants_push": True,
        "wants_mail": True,
        "frequency": "normal",
        "mail_address": None,
        "is_mail_confirmed": False,
    }
    wish = {"wants_push": False, "frequency": "fewer", "mail_address": "anna@example.org"}
    assert anna.put("/v1/me/contact", wish).status_code == 200
    kept = anna.get("/v1/me/contact").json()
    assert kept == wish | {"wants_mail": True, "is_mail_confirmed": False}
    bad = anna.put("/v1/me/contact", {"mail_address": "a@b.de\nBcc: x@y.de"})
    assert (bad.status_code, bad.json()["code"]) == (422, "validation_failed")


def test_the_link_of_a_message_asks_before_it_acts_and_needs_no_login(api: RunningApi) -> None:
    """RFC 8058: the provider posts a form; a scanner that opens the page changes nothing."""
    anna = Phone(api)
    token = unsubscribe_token(
        anna.shopper, DeliveryChannel.PUSH, now_ms=api.now_ms, secrets=api.secrets
    )
    path = f"/v1/unsubscribe?token={token}"
    page = api.http.get(path)
    assert page.status_code == 200
    assert 'method="post"' in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert anna.get("/v1/me/contact").json()["wants_push"]
    for _ in range(2):
        done = api.http.post(path, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert not anna.get("/v1/me/contact").json()["wants_push"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_ours_or_too_old_is_refused(api: RunningApi, method: str) -> None:
    """One answer for all of them, with what to do instead."""
    old = unsubscribe_token(
        "a" * 32,
        DeliveryChannel.PUSH,
        now_ms=UnixMs(api.now_ms - TOKEN_MS),
        secrets=api.secrets,
    )
    details = set()
    for token in (old, old[:-1], "no_push.x.1.y", "<script>"):
        answer = api.http.request(method, "/v1/unsubscribe", params={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        details.add(answer.json()["detail"])
    assert len(details) == 1


def test_an_operator_adds_a_webhook_and_sees_its_secret_once(api: RunningApi) -> None:
    """Shown when made and when renewed, listed never."""
    operator = api.key(Role.OPERATOR)
    made = api.http.post(WEBHOOKS, json=WISH, headers=operator)
    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    secret, webhook = made.json()["secret"], made.json()["webhook"]["webhook"]
    assert secret.startswith("whsec_")
    listed = api.http.get(WEBHOOKS, headers=operator)
    assert listed.json()["webhooks"] == [made.json()["webhook"]]
    assert "whsec_" not in listed.text
    renewed = api.http.post(f"{WEBHOOKS}/{webhook}/secret", headers=operator)
    assert renewed.json()["secret"] not in {secret, ""}
    replayed = api.http.post(f"{WEBHOOKS}/{webhook}/replay", json={}, headers=operator)
    assert set(replayed.json()) == {"queued", "cursor"}
    dead = api.http.get(f"{WEBHOOKS}/{webhook}/dead-letters", headers=operator)
    assert dead.json() == {"dead_letters": []}
    assert api.http.delete(f"{WEBHOOKS}/{webhook}", headers=operator).status_code == 204
    assert api.http.get(WEBHOOKS, headers=operator).json() == {"webhooks": []}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://169.254.169.254/latest/"},
        {"url": "http://crm.example.com/"},
        {"events": []},
        {"events": ["offer.invented"]},
    ],
)
def test_a_webhook_that_must_not_be_called_is_refused_at_once(
    api: RunningApi, change: dict[str, object]
) -> None:
    """An operator's key in wrong hands opens no way into the network."""
    answer = api.http.post(WEBHOOKS, json=WISH | change, headers=api.key(Role.OPERATOR))
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_events_are_queued_in_the_transaction_that_made_them_true(
    api: RunningApi, tmp_path: Path
) -> None:
    """What the till has committed is told, whatever dies a moment later."""
    del tmp_path
    operator = api.key(Role.OPERATOR)
    webhook = api.http.post(WEBHOOKS, json=WISH, headers=operator).json()["webhook"]["webhook"]
    anna = Phone(api)
    anna.withdraw("notify")
    due = api.reader.run(
        lambda work: work.webhooks.due(webhook, now_ms=UnixMs(api.now_ms + 1), limit=99)
    )
    said = [(call.event.kind.value, call.event.detail.get("is_granted")) for call in due]
    assert said == [("consent.changed", "true")] * 4 + [("consent.changed", "false")]
    assert {call.event.shopper for call in due} == {anna.shopper}
    api.http.delete(f"{WEBHOOKS}/{webhook}", headers=operator)
