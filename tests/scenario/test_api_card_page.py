"""What the shopper's card asks of us besides offers: codes ahead, texts of consents, the plan."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest

from offers.api.services import ApiSettings
from offers.checkout.card_code import STEP_MS
from offers.handlers.note_audit import shopper_pseudonym
from offers.model.people.consent_text import ConsentText
from offers.model.people.shopper import Locale
from rtls.model.fix import FIX_DTYPE, FixBatch
from rtls.model.units import TagId, UnixMs
from tests.scenario.running_api import Phone, RunningApi, running_api

BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}],
}
TEXT = "# To what?\n\n**Place (`locate`).** While you\nshop.\n\n**Rest.** Not a purpose of ours.\n"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    settings = ApiSettings(codes_ahead_an_hour_max=2)
    with running_api(tmp_path_factory.mktemp("api"), settings=settings) as running:
        for version in ("v0", "v1"):  # v1 is what the phones of these tests agree to
            for locale in Locale:
                kept = ConsentText(version=version, locale=locale, text=TEXT)
                assert running.writer.run(lambda work, kept=kept: work.consents.keep_text(kept))
        yield running


def quoted(api: RunningApi, card: str) -> int:
    """Return what a till is answered to a card."""
    body = {"basket": BASKET, "card": card}
    return api.http.post("/v1/till/baskets/quote", json=body, headers=api.till()).status_code


def hold(api: RunningApi, card: str, key: str) -> int:
    once = {"Idempotency-Key": key}
    body = {"basket": BASKET, "card": card}
    return api.http.post("/v1/till/baskets", json=body, headers=api.till() | once).status_code


def test_a_phone_without_a_line_shows_a_card_that_tills_take(api: RunningApi) -> None:
    """In a basement: seven hours after the last line, in both forms, and each code once."""
    phone = Phone(api)
    answer = phone.post("/v1/me/card/codes")
    assert answer.headers["Cache-Control"] == "no-store"
    ahead = answer.json()
    assert len(ahead["qr"]) == len(ahead["digits"]) == 960
    assert ahead["qr"][0] == phone.get("/v1/me/card/code").json()["code"]
    steps = 7 * 3_600_000 // STEP_MS
    api.advance(steps * STEP_MS)
    assert quoted(api, ahead["qr"][steps]) == 200
    assert quoted(api, ahead["digits"][steps]) == 200
    assert quoted(api, ahead["qr"][steps + 2]) == 422, "not yet"
    assert quoted(api, ahead["qr"][steps - 2]) == 422, "no longer"
    assert hold(api, ahead["qr"][steps], "key-ahead-1") == 201
    assert hold(api, ahead["digits"][steps], "key-ahead-2") == 422, "the step has been taken"


def test_codes_ahead_stand_in_the_audit_and_are_not_had_without_end(api: RunningApi) -> None:
    """Whoever gets hold of an app must not draw codes for days, and it must be seen that he did."""
    phone = Phone(api)
    given = [phone.post("/v1/me/card/codes?steps=2").status_code for _ in range(3)]
    assert given == [200, 200, 429]
    subject = shopper_pseudonym(phone.shopper, secrets=api.secrets)
    entries = api.reader.run(lambda work: work.audit.page(after=0, limit=1_000))
    mine = [entry for entry in entries if entry.subject == subject]
    assert [entry.action for entry in mine].count("card_codes_ahead") == 2
    assert phone.post("/v1/me/card/codes?steps=961").status_code == 422


def test_codes_of_an_erased_shopper_are_worth_nothing(api: RunningApi) -> None:
    """What a phone still holds must not outlive the card."""
    phone = Phone(api)
    code = phone.post("/v1/me/card/codes").json()["qr"][0]
    assert phone.delete("/v1/me").status_code == 204
    assert quoted(api, code) == 422


def test_a_text_of_consents_is_read_before_anybody_enrols(api: RunningApi) -> None:
    """What is agreed to must be seen first, and beside the switch that it is about."""
    missing = api.http.get("/v1/consent-text?version=v9")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    shown = api.http.get("/v1/consent-text?locale=en").json()
    older = api.http.get("/v1/consent-text?locale=en&version=v0").json()
    assert (shown["version"], older["version"]) == ("v1", "v0")
    assert shown["sha256"] == hashlib.sha256(shown["text"].encode()).hexdigest()
    assert shown["heading"] == "To what?"
    assert shown["paragraphs"] == [
        {"purpose": "locate", "title": "Place", "text": "While you shop."},
        {"purpose": None, "title": None, "text": "**Rest.** Not a purpose of ours."},
    ]


def test_the_plan_shows_the_shop_and_nothing_of_how_it_locates(api: RunningApi) -> None:
    """Where anchors hang is of use to whoever wants to disturb them."""
    plan = Phone(api).get("/v1/me/plan").json()
    assert [floor["width_m"] for floor in plan["floors"]] == [60.0]
    assert "dowels" in {zone["zone"] for zone in plan["zones"]}
    assert set(plan) == {"site", "name", "floors", "zones", "connectors"}
    assert set(plan["zones"][0]) == {"zone", "name", "kind", "floor", "ring"}


def test_a_shopper_sees_himself_and_only_while_he_wants_to_be_found(api: RunningApi) -> None:
    """The own dot is the only one on the phone, and goes with the consent."""
    anna, ben = Phone(api), Phone(api)
    anna.pair("tag:dot")
    assert anna.get("/v1/me/position").json() == {"place": None}
    rows = np.zeros(1, FIX_DTYPE)
    rows["x_m"], rows["y_m"] = 3.004, 4.0
    api.live.put(FixBatch(at_ms=UnixMs(api.now_ms), rows=rows), (TagId("tag:dot"),))
    found = anna.get("/v1/me/position")
    assert found.json() == {"place": {"floor": 0, "x_m": 3.0, "y_m": 4.0}}
    assert found.headers["Cache-Control"] == "no-store"
    assert ben.get("/v1/me/position").json() == {"place": None}
    anna.withdraw("locate")
    refused = anna.get("/v1/me/position")
    assert (refused.status_code, refused.json()["reason"]) == (409, "consent_missing")
