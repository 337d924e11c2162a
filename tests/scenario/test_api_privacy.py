"""A shopper asks for his data, and then to be forgotten, over HTTP and down to the bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.storage.checkpoint import empty_log
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.waiting import wait_until

BASKET = {
    "currency": "EUR",
    "lines": [{"sku": "1", "category": "dowels", "quantity": 1, "unit_price_minor": 1000}],
}
TAG = "tag:canary-5d7e"
# Of the campaign, of the till's books, and the hash by which an event is known for 30 days.
NOT_THEIRS = {"campaign_id", "redemption_id", "purchase_id", "event_id"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path) as running:
        running.start_campaign(campaign())
        yield running


def anna_who_redeemed(api: RunningApi) -> Phone:
    anna = Phone(api)
    anna.pair(TAG)
    api.advance(int(DWELL_S * 1000))
    with anna.stream() as stream:
        api.stand(TAG)
        offer = frame(stream)["offer"]
    assert isinstance(offer, dict)
    code = anna.get(f"/v1/me/coupons/{offer['coupon']['coupon']}/code").json()["code"]
    answer = api.http.post(
        "/v1/till/redemptions",
        json={"code": code, "basket": BASKET},
        headers=api.till() | {"Idempotency-Key": "key-00000001"},
    )
    assert answer.status_code == 201
    return anna


def names_of(export: dict[str, dict[str, list[dict[str, object]]]]) -> set[str]:
    """Every id of a row that is the shopper's alone."""
    return {
        str(value)
        for rows in export["tables"].values()
        for row in rows
        for column, value in row.items()
        if column.endswith("_id") and column not in NOT_THEIRS and value is not None
    } | {TAG}


def test_an_erased_shopper_leaves_no_byte_in_the_file(api: RunningApi, tmp_path: Path) -> None:
    """Not in a table, not in a freed page, not in the log: 0 hits for each name."""
    anna = anna_who_redeemed(api)
    export = anna.get("/v1/me/export")
    assert export.headers["content-disposition"].startswith("attachment")
    names = names_of(export.json())
    assert len(names) >= 12
    assert anna.delete("/v1/me").status_code == 204
    gone = anna.get("/v1/me/card")
    assert (gone.status_code, gone.json()["code"]) == (401, "credential_invalid")
    assert anna.delete("/v1/me").status_code == 401
    wait_until(lambda: api.tags.get(TAG) is False)
    wait_until(lambda: not api.reader.run(lambda work: work.outbox.waiting(limit=1)))
    path = tmp_path / "offers.sqlite3"
    wait_until(lambda: empty_log(path))
    content = b"".join(file.read_bytes() for file in tmp_path.glob("offers.sqlite3*"))
    assert [name for name in names if name.encode() in content] == []
    assert b"dowels-2-off" in content


def test_two_exports_of_one_shopper_differ_by_the_first_export_alone(api: RunningApi) -> None:
    """What is told about a person is told whole, each time."""
    anna = anna_who_redeemed(api)
    wait_until(lambda: not api.reader.run(lambda work: work.outbox.waiting(limit=1)))
    first, second = (anna.get("/v1/me/export").json() for _ in range(2))
    assert second["tables"] == first["tables"]
    assert [entry["action"] for entry in second["audit"]] == [
        *[entry["action"] for entry in first["audit"]],
        "shopper_exported",
    ]
    assert first["tables"]["redemptions"][0]["discount_minor"] == 200
    assert Phone(api).get("/v1/me/export").json()["tables"].keys() == {
        "shoppers",
        "credentials",
        "consents",
    }
