"""A store admin edits the loyalty programme: tried, never overwritten unseen, kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.model.people.shopper import Role
from rtls.model.units import SiteId
from tests.scenario.running_api import Phone, RunningApi, running_api

PATH = "/v1/operator/programme"
DOCUMENT = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [{"unit": "points", "lasts_days": 365}],
    "unused_rewards": "forfeit",
    "settings": {"offers_a_trip_max": 3},
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        yield running


def put(api: RunningApi, document: object, *, match: str | None, role=Role.STORE_ADMIN):
    headers = api.key(role) | ({} if match is None else {"If-Match": match})
    return api.http.post(f"{PATH}/revisions", json=document, headers=headers)


def test_a_programme_is_tried_put_into_force_and_read_again(api: RunningApi) -> None:
    """Trying writes nothing; in force is what was sent, with what was left out filled in."""
    admin = api.key(Role.STORE_ADMIN)
    assert api.http.get(PATH, headers=admin).json()["code"] == "not_found"
    tried = api.http.post(f"{PATH}/check", json=DOCUMENT, headers=admin)
    assert tried.json() == {"is_new": True}
    assert api.http.get(f"{PATH}/revisions", headers=admin).json() == {"revisions": []}
    first = put(api, DOCUMENT, match="*")
    assert (first.status_code, first.headers["ETag"]) == (201, '"1"')
    read = api.http.get(PATH, headers=admin)
    assert (read.json(), read.headers["ETag"]) == (first.json(), '"1"')
    document = read.json()["document"]
    assert document["settings"]["offers_a_trip_max"] == 3
    assert document["settings"]["segments"]["at_risk_days"] == 90
    again = api.http.post(f"{PATH}/check", json=document, headers=admin)
    assert again.json() == {"is_new": False}


def test_the_app_wears_the_retailers_colours_before_anybody_signs_in(api: RunningApi) -> None:
    """C40, L13: a theme that needs a login comes too late; without a brand the site is named."""
    assert api.http.get("/v1/brand").json() == {
        "name": "Demo",
        "accent": "#1a1a1a",
        "logo_png": None,
    }
    brand = {"name": "Holz & Mehr", "accent": "#0A6B3B"}
    put(api, DOCUMENT | {"settings": {"brand": brand}}, match="*")
    told = api.http.get("/v1/brand")
    assert told.headers["Cache-Control"] == "public, max-age=300"
    assert told.json() == {"name": "Holz & Mehr", "accent": "#0a6b3b", "logo_png": None}
    paper = api.http.get("/v1/me/statement", headers=Phone(api).headers)
    assert "<p>Holz &amp; Mehr, Demo</p>" in paper.text
    pale = DOCUMENT | {"settings": {"brand": brand | {"accent": "#ffdd00"}}}
    refused = put(api, pale, match='"1"')
    assert refused.status_code == 422
    assert "Take a darker shade" in refused.json()["detail"]


def test_two_admins_cannot_overwrite_each_other_unseen(api: RunningApi) -> None:
    """Both have read revision 1; the second is told to read again. No revision is ever changed."""
    admin = api.key(Role.STORE_ADMIN)
    put(api, DOCUMENT, match="*")
    changed = DOCUMENT | {"unused_rewards": "give_back"}
    assert put(api, changed, match='"1"', role=Role.OPERATOR).json()["revision"] == 2
    late = put(api, DOCUMENT | {"units": []}, match='"1"')
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    missing = put(api, DOCUMENT, match=None)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    listed = api.http.get(f"{PATH}/revisions", headers=admin).json()["revisions"]
    assert [entry["revision"] for entry in listed] == [2, 1]
    first = api.http.get(f"{PATH}/revisions/1", headers=admin).json()
    assert first["document"]["unused_rewards"] == "forfeit"
    unknown = api.http.get(f"{PATH}/revisions/9", headers=admin)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    noted = api.writer.run(lambda work: work.audit.page(after=0, limit=100))
    assert [entry.action for entry in noted].count("programme_started") == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"site": "elsewhere"}, "site is 'elsewhere'; expected 'demo'"),
        ({"verzion": 1}, "unknown members ['verzion']"),
        ({"settings": {"offers_a_trip_max": 0}}, "settings.offers_a_trip_max is 0"),
        ({"units": [{"unit": "points"}] * 2}, "expected each to be named once"),
        (
            {"rewards": [{"reward": "mug", "campaign": "mug", "unit": "points", "cost_minor": 5}]},
            "Start the campaign first",
        ),
    ],
)
def test_a_document_that_cannot_work_is_refused_with_the_place(
    api: RunningApi, change: dict[str, object], told: str
) -> None:
    """By the try and by the deed in the same words, and nothing is in force."""
    admin = api.key(Role.STORE_ADMIN)
    answers = [
        api.http.post(f"{PATH}/check", json=DOCUMENT | change, headers=admin),
        put(api, DOCUMENT | change, match="*"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert told in answer.json()["detail"]
    assert api.http.get(PATH, headers=admin).status_code == 404


def test_all_faults_of_a_document_are_told_at_their_places(api: RunningApi) -> None:
    """A page marks each of them, so that nobody mends one and is told the next."""
    change = {"units": [{"unit": "points"}], "rewards": [{}], "settings": {"offers_a_trip_max": 0}}
    tried = api.http.post(
        f"{PATH}/check", json=DOCUMENT | change, headers=api.key(Role.STORE_ADMIN)
    )
    places = {fault["pointer"] for fault in tried.json()["errors"]}
    assert places == {"/rewards/0", "/settings/offers_a_trip_max"}


def test_another_site_sees_its_own_programme_only(api: RunningApi) -> None:
    """Foreign looks like unknown."""
    put(api, DOCUMENT, match="*")
    away = api.key(Role.STORE_ADMIN, site=SiteId("elsewhere"))
    for path in (PATH, f"{PATH}/revisions/1"):
        assert api.http.get(path, headers=away).status_code == 404
    assert api.http.get(f"{PATH}/revisions", headers=away).json() == {"revisions": []}
