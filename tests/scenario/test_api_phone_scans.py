"""A shopper's phone says what it hears: whose tag it moves, who may, how much, how often."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from offers.api.services import ApiSettings
from offers.model.people.shopper import Role
from rtls.ingest.formats.decoded import PHONE_GATEWAY, Decoded
from rtls.ingest.formats.phone_scan import TOPIC_OF_TAG
from rtls.ingest.formats.registry import decode
from rtls.model.reading import ReadingKind
from rtls.model.units import UnixMs
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.waiting import wait_until

HEARD = {"a": "a17", "k": "rssi", "v": -67, "dt": -80, "ch": 38}
SCAN = {"obs": [HEARD, {"a": "a18", "k": "range", "v": 4.31, "sd": 0.5}]}
SCANS_MAX = 5


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with running_api(tmp_path, settings=ApiSettings(scans_in_10_s_max=SCANS_MAX)) as running:
        yield running


def paired(api: RunningApi, tag: str = "app:9f3c") -> Phone:
    phone = Phone(api)
    phone.pair(tag)
    return phone


def test_what_the_phone_hears_reaches_the_decoder_under_the_paired_tag(api: RunningApi) -> None:
    """The two halves agree on the bytes, which no type checker sees."""
    answer = paired(api).post("/v1/me/scans", SCAN)
    assert (answer.status_code, answer.json()) == (202, {"readings": 2})
    ((tag, readings),) = api.scans.taken
    decoded = decode(TOPIC_OF_TAG.format(tag), readings, UnixMs(0))
    assert isinstance(decoded, Decoded)
    assert decoded.gateway == PHONE_GATEWAY
    rssi, distance = decoded.columns
    assert (rssi.kind, rssi.tags, rssi.anchors) == (ReadingKind.RSSI, ["app:9f3c"], ["a17"])
    assert (rssi.values, rssi.ages_ms, rssi.channels) == ([-67.0], [-80], [38])
    assert (distance.anchors, distance.values, distance.sigmas) == (["a18"], [4.31], [0.5])


def test_a_body_cannot_name_a_tag(api: RunningApi) -> None:
    """A phone that chose its tag could move somebody else, or somebody else's offer."""
    phone = paired(api)
    for body in (SCAN | {"tag": "app:other"}, {"obs": [HEARD | {"id": "app:other"}]}):
        assert phone.post("/v1/me/scans", body).status_code == 422
    assert api.scans.taken == []


def test_nobody_scans_without_a_token_or_with_a_key_of_another_role(api: RunningApi) -> None:
    """A till or a stranger has no place to report."""
    assert api.http.post("/v1/me/scans", json=SCAN).status_code == 401
    for role in (Role.TILL, Role.OPERATOR):
        headers = api.till() if role is Role.TILL else api.key(role)
        assert api.http.post("/v1/me/scans", json=SCAN, headers=headers).status_code == 403
    assert api.scans.taken == []


def test_without_consent_to_be_located_a_scan_is_refused_also_after_a_withdrawal(
    api: RunningApi,
) -> None:
    """A withdrawal counts from the next scan on."""
    never = Phone(api, purposes=("notify",)).post("/v1/me/scans", SCAN)
    phone = paired(api)
    assert phone.post("/v1/me/scans", SCAN).status_code == 202
    phone.withdraw("locate")
    after = phone.post("/v1/me/scans", SCAN)
    for answer in (never, after):
        assert answer.status_code == 409
        assert answer.json()["reason"] == "consent_missing"
    assert len(api.scans.taken) == 1


def test_of_several_pairings_the_phone_says_which_it_is(api: RunningApi) -> None:
    """A shopper may push a trolley with a tag of its own, which the phone must not drag along."""
    phone = paired(api, "app:1")
    trolley = phone.post("/v1/me/pairings", {"tag": "tag:trolley"}).json()["pairing"]
    assert phone.post("/v1/me/scans", SCAN).status_code == 409
    own = next(p for p in phone.get("/v1/me/pairings").json()["pairings"] if p["tag"] == "app:1")
    assert phone.post("/v1/me/scans", SCAN | {"pairing": own["pairing"]}).status_code == 202
    assert [tag for tag, _ in api.scans.taken] == ["app:1"]
    stranger = paired(api, "app:2")
    assert stranger.post("/v1/me/scans", SCAN | {"pairing": trolley}).status_code == 404


@pytest.mark.parametrize(
    "reading",
    [
        HEARD | {"v": 1.0},
        HEARD | {"v": "-67"},
        HEARD | {"dt": 1},
        HEARD | {"dt": -30_001},
        HEARD | {"k": "aoa"},
        HEARD | {"a": ""},
        HEARD | {"k": "range", "v": -1},
        HEARD | {"k": "range", "v": 3.0, "sd": 0},
        {"a": "a17"},
    ],
)
def test_a_reading_that_no_radio_can_have_given_is_refused_by_place(
    api: RunningApi, reading: dict[str, object]
) -> None:
    """The app's developer reads `errors`."""
    answer = paired(api).post("/v1/me/scans", {"obs": [HEARD, reading]})
    assert answer.status_code == 422
    assert all(fault["pointer"].startswith("/obs/1") for fault in answer.json()["errors"])


def test_a_scan_is_bounded_in_size(api: RunningApi) -> None:
    """A phone hears dozens of anchors, not thousands."""
    phone = paired(api)
    assert phone.post("/v1/me/scans", {"obs": [HEARD] * 257}).status_code == 422
    assert phone.post("/v1/me/scans", {"obs": []}).status_code == 422
    long = HEARD | {"a": "x" * 70_000}
    assert phone.post("/v1/me/scans", {"obs": [long]}).status_code == 413


def test_a_phone_that_scans_too_often_is_told_when_to_go_on(api: RunningApi) -> None:
    """A fault in an app on ten thousand phones must not stop locating."""
    phone = paired(api)
    codes = [phone.post("/v1/me/scans", SCAN).status_code for _ in range(SCANS_MAX + 1)]
    assert codes == [202] * SCANS_MAX + [429]
    refused = phone.post("/v1/me/scans", SCAN)
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert paired(api, "app:2").post("/v1/me/scans", SCAN).status_code == 202
    api.advance(10_000)
    assert phone.post("/v1/me/scans", SCAN).status_code == 202


def test_a_scan_that_locating_cannot_take_is_not_said_to_be_taken(api: RunningApi) -> None:
    """The app shows that it is not being located, instead of waiting for offers."""
    phone = paired(api)
    api.scans.has_room = False
    answer = phone.post("/v1/me/scans", SCAN)
    assert (answer.status_code, answer.json()["code"]) == (503, "locating_away")
    assert answer.headers["Retry-After"] == "1"


def test_the_stream_takes_scans_too_and_says_only_what_it_refuses(api: RunningApi) -> None:
    """One socket for both ways spares the phone a connection a second."""
    phone = paired(api)
    with phone.stream() as stream:
        stream.send(json.dumps({"type": "scan", **SCAN}))
        wait_until(lambda: len(api.scans.taken) == 1)
        phone.withdraw("locate")
        stream.send(json.dumps({"type": "scan", **SCAN}))
        refused = frame(stream)
    assert (refused["type"], refused["code"]) == ("scan_refused", "state_conflict")
    assert refused["reason"] == "consent_missing"
    assert [tag for tag, _ in api.scans.taken] == ["app:9f3c"]
