"""Audiences over the API: how many, and never who."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, RunningApi, running_api

GARDEN = {"kind": "attribute", "name": "interest", "in": ["garden"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        yield running


def size(api: RunningApi, conditions: object) -> httpx2.Response:
    headers = api.key(Role.MERCHANDISER)
    return api.http.post("/v1/audiences/size", json={"conditions": conditions}, headers=headers)


def test_what_shoppers_say_makes_an_audience_of_ten_or_more(api: RunningApi) -> None:
    """The merchandiser sees the size before the campaign starts, and no single shopper in it."""
    for number in range(12):
        phone = Phone(api)
        answer = phone.put("/v1/me/attributes/interest", {"values": ["garden", f"x-{number}"]})
        assert answer.status_code == 204, answer.text
        if number == 8:
            assert size(api, GARDEN).json() == {"shoppers": None, "shown": "<10"}
    assert size(api, GARDEN).json() == {"shoppers": 10, "shown": "10"}
    assert size(api, None).json() == {"shoppers": 10, "shown": "10"}
    zone = {"and": [GARDEN, {"kind": "zone", "in": ["dowels"]}]}
    assert size(api, zone).json()["shown"] == "10"
    assert size(api, {"not": GARDEN}).json()["shown"] == "<10"
    (said,) = phone.get("/v1/me/attributes").json()["attributes"]
    assert said == {"attribute": "interest", "values": ["garden", "x-11"]}
    assert phone.put("/v1/me/attributes/interest", {"values": []}).status_code == 204
    assert phone.get("/v1/me/attributes").json() == {"attributes": []}


def test_who_did_not_agree_to_be_profiled_says_nothing_and_is_in_no_audience(
    api: RunningApi,
) -> None:
    """The refusal names the purpose, so that the app can ask for it."""
    phone = Phone(api, purposes=("locate", "notify"))
    answer = phone.put("/v1/me/attributes/interest", {"values": ["garden"]})
    assert (answer.status_code, answer.json()["reason"]) == (409, "consent_missing")


@pytest.mark.parametrize(
    ("conditions", "place"),
    [
        ({"and": [GARDEN, GARDEN | {"in": []}]}, "conditions.and[1].in has 0 entries"),
        ({"kind": "wish"}, "conditions.kind is 'wish'"),
    ],
)
def test_a_wrong_condition_is_named_with_its_place(
    api: RunningApi, conditions: object, place: str
) -> None:
    """One problem, with the place in the document and what was expected."""
    answer = size(api, conditions)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert place in answer.json()["detail"]


def test_the_segments_of_a_site_are_listed_with_their_sizes(api: RunningApi) -> None:
    """A segment of nobody looks like one of nine."""
    answer = api.http.get("/v1/segments", headers=api.key(Role.MERCHANDISER)).json()
    assert [entry["segment"] for entry in answer["segments"]] == [
        "new",
        "occasional",
        "high_value",
        "at_risk",
    ]
    assert {entry["shown"] for entry in answer["segments"]} == {"<10"}
