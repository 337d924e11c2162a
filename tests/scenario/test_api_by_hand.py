"""A merchandiser starts a campaign by hand: told once, answered the same however often asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offers.model.campaigns.trigger import ManualTrigger
from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.offers.shop import campaign

PATH = "/v1/operator/campaigns/letter/issue"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(replace(campaign("letter"), trigger=ManualTrigger()))
        yield running


def test_the_answer_says_how_many_got_it_and_is_the_same_when_asked_again(
    api: RunningApi,
) -> None:
    """A page that lost the answer must not send a second letter to anybody."""
    for _ in range(3):
        Phone(api)
    staff = api.key(Role.MERCHANDISER)

    def issue(key: str, **body: object) -> tuple[int, dict[str, object]]:
        headers = staff | {"Idempotency-Key": f"key-{key:0>8}"}
        answer = api.http.post(PATH, json=body, headers=headers)
        return answer.status_code, answer.json()

    first = issue("1", wish="spring", shoppers_max=2)
    assert first == (201, {"wish": "spring", "issued": 2, "withheld": {}, "is_done": False})
    assert issue("1", wish="spring", shoppers_max=2) == first
    assert issue("2", wish="spring")[1]["issued"] == 1
    assert issue("3", wish="spring")[1] == {
        "wish": "spring",
        "issued": 0,
        "withheld": {},
        "is_done": True,
    }
    assert issue("4", wish="summer")[1]["withheld"] == {"frequency_cap": 3}
    status, problem = issue("5", wish="A wish")
    assert (status, problem["code"]) == (422, "validation_failed")
    noted = api.writer.run(lambda work: work.audit.page(after=0, limit=100))
    assert [entry.action for entry in noted].count("campaign_issued") == 4
