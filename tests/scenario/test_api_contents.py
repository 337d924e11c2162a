"""A merchandiser asks which content interests, over HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from offers.model.people.shopper import Role
from tests.scenario.running_api import Phone, frame, running_api, stored_state
from tests.unit.offers.shop import DWELL_S, START_MS, campaign
from tests.waiting import wait_until

PATH = "/v1/operator/contents"


def test_a_content_is_ranked_with_its_formula_and_few_stay_unseen(tmp_path: Path) -> None:
    """One shopper opened it: the row says that it was shown, and withholds what tells of her."""
    with running_api(tmp_path) as api:
        api.start_campaign(campaign())
        anna = Phone(api)
        anna.pair("tag:anna")
        api.advance(int(DWELL_S * 1000))
        with anna.stream() as stream:
            api.stand("tag:anna")
            assert frame(stream)["type"] == "offer"
            wait_until(lambda: stored_state(api, anna) == ["delivered"])  # noted after it is sent
        api.advance(30 * 86_400_000)
        first = datetime.fromtimestamp(START_MS / 1000, UTC).date()
        window = {"from": str(first), "until": str(first + timedelta(days=7))}
        headers = api.key(Role.MERCHANDISER)
        told = api.http.get(PATH, params=window, headers=headers).json()
        assert "Wilson" in told["formula"]
        [content] = told["contents"]
        assert (content["campaign"], content["shown_to"]) == (campaign().campaign, None)
        assert (content["share"], content["withheld"]) == (None, "few_shoppers")
        early = {"from": str(first), "until": str(first + timedelta(days=90))}
        refused = api.http.get(PATH, params=early, headers=headers)
        assert refused.status_code == 422
        assert "days that are over" in refused.json()["detail"]
