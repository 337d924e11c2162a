"""The service desk and the privacy page: one card at a time, and numbers without names."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from inaisle.reports.kept_history import kept_history
from inaisle.settings import load_settings
from offers.handlers.loyalty.start_programme import start_programme
from offers.model.conditions.fact import DAY_MS
from offers.model.people.shopper import Role
from offers.storage.personal_data import personal_tables
from offers.storage.retention import ELSEWHERE, RULES, WHILE_ENROLLED
from rtls.model.units import SiteId, UnixMs
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.unit.offers.test_service_cases import LOW, programme
from tests.unit.storage import history_days as days

WORDS = {"text": "Nobody was at the saw for half an hour."}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("privacy")) as running:
        running.start_campaign(campaign())
        running.writer.run(
            lambda work: start_programme(programme(LOW), work=work, now_ms=running.now_ms)
        )
        yield running


@pytest.fixture
def anna(api: RunningApi) -> Phone:
    """Who stood at the shelf once, complained, and so is known at this site."""
    anna = Phone(api)
    anna.pair(f"tag:{anna.shopper[:8]}")
    api.advance(int(DWELL_S * 1000))
    api.stand(f"tag:{anna.shopper[:8]}")
    assert anna.post("/v1/me/cases", WORDS).status_code == 201
    return anna


def look_up(
    api: RunningApi, shopper: str, headers: dict[str, str] | None = None
) -> httpx2.Response:
    asked_by = headers or api.key(Role.STORE_ADMIN)
    return api.http.get(f"/v1/operator/shoppers/{shopper}", headers=asked_by)


def show_card(api: RunningApi, card: str, headers: dict[str, str]) -> httpx2.Response:
    return api.http.post("/v1/operator/shoppers/lookup", json={"card": card}, headers=headers)


def test_a_store_admin_sees_state_tier_points_and_segment_and_nothing_else(
    api: RunningApi, anna: Phone
) -> None:
    """To answer "why have I no points?" nobody needs to know where somebody stood."""
    answer = look_up(api, anna.shopper)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert told.keys() == {
        "shopper",
        "state",
        "enrolled_at",
        "locale",
        "tier",
        "balances",
        "segment",
        "segment_since",
        "suspension",
        "open_cases",
    }
    assert (told["shopper"], told["state"], told["open_cases"]) == (anna.shopper, "enrolled", 1)
    for private in ("dowels", "tag:", "saw"):  # where, by what, and what was said
        assert private not in answer.text


def test_each_look_is_in_the_audit_and_in_the_shoppers_own_export(
    api: RunningApi, anna: Phone
) -> None:
    """Who looks at a person's card has to stand by it."""
    look_up(api, anna.shopper)
    noted = api.reader.run(lambda work: work.audit.head())
    assert (noted.action, noted.actor_role) == ("shopper_looked_up", "store_admin")
    assert anna.shopper not in json.dumps([noted.subject, noted.details])
    exported = anna.get("/v1/me/export").json()
    assert "shopper_looked_up" in json.dumps(exported["audit"])


def test_the_card_that_is_shown_leads_to_the_same_once(api: RunningApi, anna: Phone) -> None:
    """A code is good for one look: who has seen it over a shoulder sees nothing."""
    admin = api.key(Role.STORE_ADMIN)
    code = anna.get("/v1/me/card/code").json()["code"]
    shown = show_card(api, code, admin)
    assert shown.status_code == 200, shown.text
    assert shown.json()["shopper"] == anna.shopper
    again = show_card(api, code, admin)
    assert (again.status_code, again.json()["reason"]) == (422, "card_not_valid")


def test_a_suspended_card_says_why_and_not_what_the_shopper_says_to_it(
    api: RunningApi, anna: Phone
) -> None:
    """Appeals are read without a name, by whoever decides about them."""
    admin = api.key(Role.STORE_ADMIN)
    anna.get("/v1/me/card/code")
    number = api.reader.run(lambda work: work.cards.number_of(anna.shopper))
    wish = {"card": str(number), "reason": "resale"}
    made = api.http.post("/v1/suspensions", json=wish, headers=admin).json()
    assert anna.put("/v1/me/suspension/appeal", {"text": "It was my brother."}).is_success
    answer = look_up(api, anna.shopper)
    told = answer.json()
    assert told["state"] == "suspended"
    assert (told["suspension"]["reason"], told["suspension"]["has_appealed"]) == ("resale", True)
    assert "brother" not in answer.text
    assert made["suspension"] not in answer.text


def test_who_guesses_cards_waits(api: RunningApi) -> None:
    """Ten codes that are not good, as at a till."""
    admin = api.key(Role.STORE_ADMIN)
    for _ in range(10):
        assert show_card(api, "1", admin).status_code == 422
    assert show_card(api, "1", admin).status_code == 429


def test_who_has_never_been_here_is_nobody_here(api: RunningApi, anna: Phone) -> None:
    """The same answer as for an id that does not exist: an id must not be worth trying."""
    stranger = Phone(api)
    answers = [
        look_up(api, stranger.shopper),
        look_up(api, "f" * 32),
        look_up(api, anna.shopper, api.key(Role.STORE_ADMIN, site=SiteId("elsewhere"))),
    ]
    told = {(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers}
    assert len(told) == 1
    assert answers[0].status_code == 404


def test_exports_and_erasures_are_told_without_names_for_a_month(api: RunningApi) -> None:
    """A controller must know that requests were answered; by whom they were made is theirs."""
    before = api.http.get("/v1/operator/privacy/requests", headers=api.key(Role.OPERATOR)).json()
    ben = Phone(api)
    ben.get("/v1/me/export")
    assert ben.delete("/v1/me").is_success
    answer = api.http.get("/v1/operator/privacy/requests", headers=api.key(Role.STORE_ADMIN))
    told = answer.json()
    assert (told["exports"], told["erasures"]) == (before["exports"] + 1, before["erasures"] + 1)
    assert [one["kind"] for one in told["requests"]][:2] == ["erasure", "export"]
    assert {key for one in told["requests"] for key in one} == {"kind", "at"}
    assert ben.shopper not in answer.text
    api.advance(30 * DAY_MS + 1)
    later = api.http.get("/v1/operator/privacy/requests", headers=api.key(Role.OPERATOR)).json()
    assert later["requests"] == []


def test_every_class_of_data_says_how_long_it_is_kept_and_how_much_there_is(
    api: RunningApi, anna: Phone
) -> None:
    """The page is made of the list that the sweep itself goes by."""
    assert anna
    answer = api.http.get("/v1/operator/privacy/retention", headers=api.key(Role.OPERATOR))
    told = answer.json()
    found = {one["data"]: one for one in told["kept"]}
    assert found.keys() == {table.name for table in RULES} | set(ELSEWHERE) | set(WHILE_ENROLLED)
    assert {table.name for table in personal_tables()} & found.keys()
    assert found["shoppers"]["days"] is None
    assert found["shoppers"]["rows"] >= 1
    assert found["decisions"]["days"] == 396
    assert found["decisions"]["rows"] >= 1
    assert found["decisions"]["oldest_at"] <= told["at"] < told["next_run_at"]
    assert found["purchases"] == {
        "data": "purchases",
        "days": 3_653,
        "reason": "tax law",
        "rows": 0,
        "oldest_at": None,
    }


def test_what_lies_outside_the_database_is_on_the_page_too(tmp_path: Path) -> None:
    """The history of positions is what people ask about first."""
    flags = {("site", "data"): tmp_path, ("history", "fixes_days"): 7}
    settings = load_settings(environment={}, flags=flags).settings
    found = {one.data: one for one in kept_history(settings, days.SITE_MAP)}
    assert found["history of positions"].oldest_at_ms is None
    log = days.history_log(tmp_path)
    log.begin()
    log.take_fixes(days.fixes(days.at(12.0), ["a", "b"]), now_ms=UnixMs(days.at(12.0)))
    log.close(now_ms=days.at(12.1))
    found = {one.data: one for one in kept_history(settings, days.SITE_MAP)}
    assert found["history of positions"].days == 7
    assert found["history of positions"].oldest_at_ms == days.at(0.0)
    assert found["history of visits"].days == 30
    assert found["history of visits"].oldest_at_ms is None
    assert found["live positions"].rows is None
