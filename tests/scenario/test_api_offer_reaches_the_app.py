"""From a visit to the app and the till, over real sockets (C1, C4, I11)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.sync.client import connect

from rtls.model.visit import TransitionKind
from tests.scenario.running_api import Phone, RunningApi, frame, running_api, stored_state
from tests.unit.offers.shop import DWELL_S, INFORMATION, campaign, transition
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

BASKET = {
    "currency": "EUR",
    "lines": [
        {"sku": "4711", "category": "dowels", "quantity": 2, "unit_price_minor": 499},
        {"sku": "0815", "category": "paint", "quantity": 1, "unit_price_minor": 1200},
    ],
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture
def phone(api: RunningApi) -> Phone:
    made = Phone(api)
    made.pair("tag:1")
    api.advance(int(DWELL_S * 1000))
    return made


def states(phone: Phone) -> list[str]:
    return [offer["state"] for offer in phone.get("/v1/me/offers").json()["offers"]]


def test_the_offer_comes_to_the_open_app_and_its_coupon_is_good_at_the_till(
    api: RunningApi, phone: Phone
) -> None:
    """The main job: shelf, offer on the phone, code, redemption."""
    with phone.stream() as stream:
        api.stand("tag:1")
        offer = frame(stream)["offer"]
        assert isinstance(offer, dict)
        assert (offer["title"], offer["state"], offer["zone"]) == ("Dübel", "delivered", "dowels")
        opened = phone.post(f"/v1/me/offers/{offer['offer']}/opened")
        assert opened.json()["state"] == "opened"
        code = phone.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code").json()["code"]
        till = api.till()
        body = {"code": code, "basket": BASKET}
        question = {"codes": [code], "basket": BASKET}
        quote = api.http.post("/v1/till/baskets/quote", json=question, headers=till).json()
        assert quote["to_pay"] == {"amount_minor": 1998, "currency": "EUR"}
        paid = api.http.post(
            "/v1/till/redemptions", json=body, headers={**till, "Idempotency-Key": "till-1:0001"}
        )
        assert paid.status_code == 201
        assert paid.json()["discount"]["amount_minor"] == 200
        assert sum(paid.json()["discount_lines_minor"]) == 200
        changed = frame(stream)["offer"]
        assert isinstance(changed, dict)
        assert (changed["offer"], changed["state"]) == (offer["offer"], "redeemed")


def test_locating_is_told_to_admit_the_tag_and_to_forget_it(api: RunningApi, phone: Phone) -> None:
    """Who has not consented is not followed; who takes it back is not followed any longer."""
    wait_until(lambda: api.tags == {"tag:1": True})
    phone.withdraw("locate")
    wait_until(lambda: api.tags == {"tag:1": False})


def test_an_information_has_no_coupon(tmp_path: Path) -> None:
    """How to use the dowel is worth something without money in it (C1, C15)."""
    with running_api(tmp_path) as api:
        api.start_campaign(INFORMATION)
        phone = Phone(api)
        phone.pair("tag:1")
        api.advance(int(DWELL_S * 1000))
        with phone.stream() as stream:
            api.stand("tag:1")
            offer = frame(stream)["offer"]
        assert isinstance(offer, dict)
        assert (offer["benefit"]["kind"], offer["coupon"]) == ("information", None)


def test_an_offer_waits_for_the_app_and_comes_when_it_connects(
    api: RunningApi, phone: Phone
) -> None:
    """The phone may be in a pocket for the first minute at the shelf."""
    api.stand("tag:1")
    assert stored_state(api, phone) == ["issued"]
    with phone.stream() as stream:
        assert frame(stream)["type"] == "offer"
        wait_until(lambda: stored_state(api, phone) == ["delivered"])


@pytest.mark.parametrize("purpose", ["locate", "personalise"])
def test_no_offer_after_consent_is_withdrawn(api: RunningApi, phone: Phone, purpose: str) -> None:
    """I11: a withdrawal holds from the moment it is answered."""
    api.stand("tag:1")
    phone.withdraw(purpose)
    assert_nothing_comes(phone)
    assert states(phone) == []


def test_no_offer_after_the_shopper_has_left(api: RunningApi, phone: Phone) -> None:
    """I11: an offer for a shelf is of no use at the other end of the shop."""
    api.leave(api.stand("tag:1"))
    assert_nothing_comes(phone)
    assert stored_state(api, phone) == ["revoked"]


def test_no_offer_after_its_time(api: RunningApi, phone: Phone) -> None:
    """I11: fifteen minutes later the offer has expired, whether or not a sweep has run."""
    api.stand("tag:1")
    api.advance(15 * 60_000)
    assert_nothing_comes(phone)
    assert stored_state(api, phone) == ["expired"]


def assert_nothing_comes(phone: Phone) -> None:
    """A barrier instead of a wait: an offer that comes to another shopper comes later."""
    other = Phone(phone.api)
    other.pair("tag:other")
    with phone.stream() as mine, other.stream() as others:
        phone.api.relay.connected(phone.shopper)
        phone.api.advance(int(DWELL_S * 1000))
        phone.api.stand("tag:other")
        assert frame(others)["type"] == "offer"
        with pytest.raises(TimeoutError):
            mine.recv(timeout=0.1)


def test_two_phones_of_one_shopper_both_show_the_offer(api: RunningApi, phone: Phone) -> None:
    """Which of them is in the hand is not ours to guess."""
    with phone.stream() as one, phone.stream() as two:
        api.stand("tag:1")
        assert frame(one)["offer"] == frame(two)["offer"]


def test_a_dismissed_offer_vanishes_from_the_other_phone(api: RunningApi, phone: Phone) -> None:
    """C2: saying "no" once must be enough."""
    with phone.stream() as stream:
        api.stand("tag:1")
        offer = frame(stream)["offer"]
        assert isinstance(offer, dict)
        phone.post(f"/v1/me/offers/{offer['offer']}/dismissed")
        changed = frame(stream)["offer"]
        assert isinstance(changed, dict)
        assert (changed["offer"], changed["state"]) == (offer["offer"], "dismissed")


def test_an_app_that_was_away_gets_what_is_behind_its_cursor(api: RunningApi, phone: Phone) -> None:
    """Offers are never dropped: whoever lost the line asks from where it stood."""
    with phone.stream() as stream:
        api.stand("tag:1")
        first = frame(stream)["offer"]
    assert isinstance(first, dict)
    wait_until(lambda: stored_state(api, phone) == ["delivered"])
    with phone.stream(f"?after={first['cursor']}") as stream, pytest.raises(TimeoutError):
        stream.recv(timeout=0.1)
    with phone.stream("?after=0") as stream:
        assert frame(stream)["offer"] == first
    with phone.stream() as stream:
        assert frame(stream)["offer"] == first


def test_an_app_signs_in_by_its_first_message(api: RunningApi, phone: Phone) -> None:
    """Browsers cannot set headers on a WebSocket."""
    token = phone.headers["Authorization"].removeprefix("Bearer ")
    with connect(f"{api.ws_url}/v1/me/stream") as stream:
        stream.send(f'{{"type": "sign_in", "token": "{token}", "after": 0}}')
        assert frame(stream)["type"] == "hello"
        api.stand("tag:1")
        assert frame(stream)["type"] == "offer"


def test_what_was_not_told_before_a_crash_is_told_after_the_restart(tmp_path: Path) -> None:
    """The outbox is in the database: an offer that is committed comes, whatever dies."""
    with running_api(tmp_path) as api:
        api.start_campaign(campaign())
        phone = Phone(api)
        phone.pair("tag:1")
        wait_until(lambda: api.tags == {"tag:1": True})
        api.relay.close()
        api.advance(int(DWELL_S * 1000))
        api.stand("tag:1")
        now_ms, headers = api.now_ms, phone.headers
    with running_api(tmp_path) as api:
        api.now_ms = now_ms
        phone.api, phone.headers = api, headers
        with phone.stream() as stream:
            assert frame(stream)["type"] == "offer"
        wait_until(lambda: stored_state(api, phone) == ["delivered"])
        wait_until(lambda: api.reader.run(lambda work: work.outbox.waiting(limit=10)) == ())
        assert stored_state(api, phone) == ["delivered"]


def test_an_offer_to_a_closed_app_is_given_up_and_not_tried_for_ever(
    api: RunningApi, phone: Phone
) -> None:
    """A shopper without the app open must not cost a transaction every second all day."""
    api.stand("tag:1")
    for _ in range(4):
        sent = api.relay.counters["sent"]
        api.advance(8_000)
        wait_until(
            lambda sent=sent: (
                api.relay.counters["sent"] > sent or api.relay.counters["given_up"] == 1
            )
        )
    wait_until(lambda: api.reader.run(lambda work: work.outbox.waiting(limit=10)) == ())
    assert api.relay.counters["sent"] == 3
    assert stored_state(api, phone) == ["issued"]


def test_an_offer_that_an_outage_took_reaches_the_app_after_all(
    api: RunningApi, phone: Phone
) -> None:
    """The line was down: told to have left, known a second later to have stood there all along."""
    reached = api.stand("tag:1")
    lost = transition(reached, TransitionKind.LEFT, at_ms=api.now_ms)
    api.feed.accept([lost])
    assert stored_state(api, phone) == ["revoked"]
    api.advance(1_000)
    api.feed.accept([replace(lost, revision=1, is_withdrawn=True)])
    with phone.stream() as stream:
        offer = frame(stream)["offer"]
        assert isinstance(offer, dict)
        assert (offer["title"], offer["state"]) == ("Dübel", "delivered")
        wait_until(lambda: stored_state(api, phone) == ["revoked", "delivered"])
