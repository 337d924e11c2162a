"""Shoppers who are not content, over HTTP: from the first word to the answer in the open app."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from offers.handlers.loyalty.start_programme import start_programme
from offers.model.people.service_case import ANSWERS_A_DAY_MAX, COMPLAINTS_A_DAY_MAX
from offers.model.people.shopper import Role
from offers.storage.tables import METADATA
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.test_service_cases import LOW, programme

SURVEY = {
    "titles": {"de": "Ihr Besuch", "en": "Your visit"},
    "opens": "2023-01-01T00:00:00Z",
    "closes": "2027-01-01T00:00:00Z",
    "questions": [
        {"question": "advice", "kind": "scale", "texts": {"de": "Zufrieden?", "en": "Content?"}}
    ],
}
WORDS = {"text": "Nobody was at the saw for half an hour."}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.writer.run(
            lambda work: start_programme(programme(LOW), work=work, now_ms=running.now_ms)
        )
        yield running


def answer(
    api: RunningApi, admin: dict[str, str], case: str, key: str, *, points: int | None = None
) -> httpx2.Response:
    body: dict[str, object] = {"text": "We are sorry."}
    if points is not None:
        body["goodwill"] = {"points": points, "reason": "long_wait"}
    headers = admin | {"Idempotency-Key": f"key-case-{key}"}
    return api.http.post(f"/v1/cases/{case}/answers", json=body, headers=headers)


def test_who_writes_is_answered_in_the_open_app_and_the_figures_say_how_fast(
    api: RunningApi,
) -> None:
    """C30, the whole way: written, read by staff, answered with points, shown within a moment."""
    anna, admin = Phone(api), api.key(Role.STORE_ADMIN)
    made = anna.post("/v1/me/cases", WORDS)
    assert made.status_code == 201, made.text
    case = made.json()["case"]
    listed = api.http.get("/v1/cases", headers=admin)
    assert [(one["case"], one["text"]) for one in listed.json()["cases"]] == [(case, WORDS["text"])]
    assert anna.shopper not in listed.text
    api.advance(90_000)
    with anna.stream() as stream:
        given = answer(api, admin, case, "first", points=50)
        assert given.status_code == 201, given.text
        frames = {told["type"]: told for told in (frame(stream), frame(stream))}
    told = given.json() | {"text": "We are sorry."}
    assert frames["case_answer"] == told | {"type": "case_answer", "case": case}
    assert frames["points"]["balances"][0]["balance_minor"] == 50
    assert (
        answer(api, admin, case, "first", points=50).json() == given.json()
    )  # the same, not once more

    [own] = anna.get("/v1/me/cases").json()["cases"]
    assert (own["state"], own["answers"]) == ("answered", [told])
    merchandiser = api.key(Role.MERCHANDISER)
    figures = api.http.get("/v1/case-figures?days=7", headers=merchandiser).json()
    assert (figures["opened"], figures["answered"], figures["answer_s_median"]) == (1, 1, 90.0)
    assert figures["waiting_since"] is None

    closed = api.http.post(f"/v1/cases/{case}/close", headers=admin)
    assert closed.json()["state"] == "closed"
    assert answer(api, admin, case, "late").json()["code"] == "state_conflict"
    assert api.http.get("/v1/cases?state=closed", headers=admin).json()["cases"] == [closed.json()]


def test_an_answer_to_a_closed_app_waits_for_the_next_look(api: RunningApi) -> None:
    """It is told once more to an app that connects, until it has been read."""
    anna, admin = Phone(api), api.key(Role.STORE_ADMIN)
    case = anna.post("/v1/me/cases", WORDS).json()["case"]
    given = answer(api, admin, case, "closed-app").json()
    with anna.stream() as stream:
        assert frame(stream)["answer"] == given["answer"]
    anna.get("/v1/me/cases")
    assert api.reader.run(lambda work: work.cases.unreached_of(anna.shopper)) == ()


def test_what_was_said_is_gone_with_the_shopper(api: RunningApi) -> None:
    """Also from what is kept for repeats of the staff's request, which names no shopper."""
    anna, admin = Phone(api), api.key(Role.STORE_ADMIN)
    case = anna.post("/v1/me/cases", WORDS).json()["case"]
    assert answer(api, admin, case, "gone").status_code == 201
    assert "We are sorry." in stored(api)
    assert anna.delete("/v1/me").status_code == 204
    for words in (WORDS["text"], "We are sorry.", case):
        assert words not in stored(api)


def stored(api: RunningApi) -> str:
    """Return every row of every table, as one text."""
    return api.writer.run(
        lambda work: "\n".join(
            str(tuple(row))
            for table in METADATA.sorted_tables
            for row in work.connection.execute(sa.select(table))
        )
    )


def test_a_poor_answer_to_a_survey_is_a_case_with_what_was_answered(api: RunningApi) -> None:
    """Asking and then not listening is worse than not asking."""
    staff, admin = api.key(Role.MERCHANDISER), api.key(Role.STORE_ADMIN)
    assert api.http.put("/v1/surveys/saw", json=SURVEY, headers=staff).status_code == 204
    [asked] = Phone(api).get("/v1/me/surveys").json()["surveys"]
    assert asked["is_heard"]  # nobody is asked under another promise
    for grade, phone in ((4, Phone(api)), (2, Phone(api))):
        sent = phone.post("/v1/me/surveys/saw/answers", {"answers": {"advice": grade}})
        assert sent.status_code == 204
    cases = api.http.get("/v1/cases", headers=admin).json()["cases"]
    [case] = [one["case"] for one in cases if one["survey"] == "saw"]
    file = api.http.get(f"/v1/cases/{case}", headers=admin).json()
    assert file["case"]["origin"] == "survey"
    [asked] = file["answered_questions"]
    assert (asked["texts"]["en"], asked["answer"], asked["scale_max"]) == ("Content?", 2, 5)


def test_each_side_has_a_bound_a_day(api: RunningApi) -> None:
    """What no cap counts must not become a way to pester, for either side."""
    anna, admin = Phone(api), api.key(Role.STORE_ADMIN)
    cases = [anna.post("/v1/me/cases", WORDS) for _ in range(COMPLAINTS_A_DAY_MAX + 1)]
    assert [made.status_code for made in cases] == [201] * COMPLAINTS_A_DAY_MAX + [422]
    assert cases[-1].json()["reason"] == "day_limit_reached"
    case = cases[0].json()["case"]
    given = [
        answer(api, admin, case, f"many-{n}").status_code for n in range(ANSWERS_A_DAY_MAX + 1)
    ]
    assert given == [201] * ANSWERS_A_DAY_MAX + [422]


@pytest.mark.parametrize("text", ["", "   ", "x" * 1_001, "a\u0000b", "a\u001b[2J"])
def test_what_is_no_message_is_refused(api: RunningApi, text: str) -> None:
    """One problem, and the words do not come back in it."""
    answered = Phone(api).post("/v1/me/cases", {"text": text})
    assert (answered.status_code, answered.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_twenty_thumbs_at_once_are_not_heard_more_often(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The bound is a key of the database, so that no race gets past it, on either side."""
    server = request.getfixturevalue("postgres") if kind == "postgresql" else None
    database = None if server is None else server.database()
    with running_api(tmp_path, database=database) as api, ThreadPoolExecutor(20) as thumbs:
        anna, admin = Phone(api), api.key(Role.STORE_ADMIN)
        made = list(thumbs.map(lambda _: anna.post("/v1/me/cases", WORDS), range(20)))
        heard = [one.json()["case"] for one in made if one.status_code == 201]
        assert len(heard) == COMPLAINTS_A_DAY_MAX
        assert {one.status_code for one in made} == {201, 422}
        given = list(
            thumbs.map(lambda n: answer(api, admin, heard[n % 3], f"at-once-{n}"), range(20))
        )
        statuses = [one.status_code for one in given]
        assert statuses.count(201) == ANSWERS_A_DAY_MAX
        assert set(statuses) <= {201, 422}
    if server is not None and database is not None:
        server.drop(database)
