"""Writing a campaign: its terms before it starts, and what earlier revisions said."""

from collections.abc import Iterator

import pytest

from offers.model.people.shopper import Role
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import campaign

PATH = "/v1/operator/campaigns/dowels-2-off"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("drafts")) as running:
        running.start_campaign(campaign())
        yield running


@pytest.fixture(scope="module")
def staff(api: RunningApi) -> dict[str, str]:
    return api.key(Role.MERCHANDISER)


def test_a_draft_shows_the_terms_that_it_will_have(api: RunningApi, staff: dict[str, str]) -> None:
    """A merchandiser reads what shoppers will read before anybody is promised anything."""
    document = api.http.get(PATH, headers=staff).json()["document"]
    answer = api.http.post(f"{PATH}/preview", json={"document": document}, headers=staff)
    assert answer.status_code == 200, answer.text
    for locale, terms in answer.json()["terms"].items():
        started = api.http.get(
            "/v1/campaigns/dowels-2-off/terms", params={"locale": locale}, headers=staff
        )
        assert terms == started.json()["terms"]


def test_a_draft_that_could_not_start_is_refused_by_its_member(
    api: RunningApi, staff: dict[str, str]
) -> None:
    """What is wrong is said while it is written, and where."""
    current = api.http.get(PATH, headers=staff).json()
    document = current["document"] | {
        "trigger": current["document"]["trigger"] | {"zone": "nowhere"}
    }
    answer = api.http.post(f"{PATH}/preview", json={"document": document}, headers=staff)
    assert answer.status_code == 422
    assert "trigger.zone is 'nowhere'" in answer.json()["detail"]
    assert api.http.get(PATH, headers=staff).json() == current


def test_an_earlier_revision_can_be_read_and_one_to_come_cannot(
    api: RunningApi, staff: dict[str, str]
) -> None:
    """Who asks why something was offered in May needs the wording of May."""
    document = api.http.get(PATH, headers=staff).json()["document"]
    changed = document | {"name": "Another name"}
    answer = api.http.post(f"{PATH}/revisions", json=changed, headers=staff | {"If-Match": '"1"'})
    assert answer.status_code == 201, answer.text
    first = api.http.get(f"{PATH}/revisions/1", headers=staff).json()
    assert (first["revision"], first["document"]) == (1, document)
    assert api.http.get(f"{PATH}/revisions/2", headers=staff).json()["document"] == changed
    assert api.http.get(f"{PATH}/revisions/3", headers=staff).status_code == 404
