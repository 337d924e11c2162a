"""The whole way of a push: a closed app, a shelf, a push service, and the app that is opened."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.delivery.push_sender import PushSender
from offers.delivery.vapid import Vapid, vapid_key
from offers.delivery.web_push import WebPush
from offers.model.messages.push_rules import PushRules
from offers.model.messages.quiet_hours import QuietHours
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.delivery.test_push_encryption import BROWSER_KEY, BROWSER_SECRET, opened
from tests.unit.delivery.tls_receiver import HOST, Receiver, tls_receiver
from tests.unit.offers.shop import DWELL_S, campaign
from tests.waiting import wait_until

NEVER_QUIET = PushRules(quiet_hours=QuietHours(begin="00:00", end="00:00", time_zone="UTC"))
BROWSER = {
    "endpoint": f"https://{HOST}/send/1",
    "keys": {
        "p256dh": (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with tls_receiver() as made:
        yield made


@pytest.fixture
def api(tmp_path: Path, receiver: Receiver) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        pushes = PushSender(
            writer=running.writer,
            service=WebPush(
                post=receiver.post(),
                vapid=Vapid(vapid_key(running.secrets), contact="mailto:shop@example.com"),
                secrets=running.secrets,
                now_ms=lambda: running.now_ms,
            ),
            rules=NEVER_QUIET,
            secrets=running.secrets,
            now_ms=lambda: running.now_ms,
        )
        # As the door wires it: the relay says which offers no open app has taken.
        running.relay._unseen = pushes.unseen
        pushes.start()
        try:
            yield running
        finally:
            pushes.close()


def at_the_shelf(api: RunningApi) -> Phone:
    anna = Phone(api)
    assert anna.post("/v1/me/push-subscriptions", BROWSER).status_code == 201
    anna.pair("tag:anna")
    api.advance(round(DWELL_S * 1_000))
    api.stand("tag:anna")
    return anna


def shown(receiver: Receiver) -> list[dict[str, object]]:
    bodies = (opened(got.body, key=BROWSER_KEY, secret=BROWSER_SECRET) for got in receiver.received)
    return [json.loads(body) for body in bodies]


def test_a_closed_app_is_woken_and_shows_the_offer_when_it_is_opened(
    api: RunningApi, receiver: Receiver
) -> None:
    """C1 and C41: at the shelf, on the phone, with the app in the pocket."""
    anna = at_the_shelf(api)
    wait_until(lambda: api.relay.counters["sent"] == 1)  # to open apps, of which there is none
    api.advance(500)
    wait_until(lambda: len(receiver.received) == 1)
    (push,) = shown(receiver)
    assert push["title"] == "Dübel"
    wait_until(lambda: anna.get("/v1/me/offers").json()["offers"][0]["state"] == "delivered")
    (offer,) = anna.get("/v1/me/offers").json()["offers"]
    assert offer["offer"] == push["offer"]
    assert anna.post(f"/v1/me/offers/{offer['offer']}/opened").status_code == 200
    done = api.http.post(str(push["unsubscribe"]))
    assert done.status_code == 200
    assert not anna.get("/v1/me/contact").json()["wants_push"]


def test_an_open_app_is_not_pushed_to(api: RunningApi, receiver: Receiver) -> None:
    """Open app first: who looks at the offer already needs no bell."""
    anna = Phone(api)
    anna.post("/v1/me/push-subscriptions", BROWSER)
    anna.pair("tag:anna")
    api.advance(round(DWELL_S * 1_000))
    with anna.stream() as stream:
        api.stand("tag:anna")
        assert json.loads(stream.recv(timeout=5.0))["type"] == "offer"
        for _ in range(4):
            api.advance(1_000)
            assert anna.get("/v1/me/offers").status_code == 200
    assert receiver.received == []


def test_who_has_left_before_the_push_gets_none(api: RunningApi, receiver: Receiver) -> None:
    """An offer dies when the shopper leaves."""
    anna = Phone(api)
    anna.post("/v1/me/push-subscriptions", BROWSER)
    anna.pair("tag:anna")
    api.advance(round(DWELL_S * 1_000))
    api.leave(api.stand("tag:anna"))
    for _ in range(4):
        api.advance(1_000)
        assert anna.get("/v1/me/offers").json()["offers"] == []
    assert receiver.received == []
