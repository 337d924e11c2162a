"""Playing back the last day: who may, how much at a time, and that it is noted."""

import struct
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from inaisle.service.operator_access import authorise_looker
from inaisle.service.playback_audit import note_playback
from offers.api.error_handlers import install_error_handlers
from offers.model.people.shopper import Role
from rtls.api.playback_routes import PlaybackParts, playback_router
from rtls.model.units import UnixMs
from rtls.storage.history.playback_reader import PlaybackReader
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.rtls_api.live_crowd import Read, read
from tests.unit.storage.history_days import CLOCK, SITE, SITE_MAP, at, fixes, history_log

NOON_MS = at(12.0)
NOW_MS = NOON_MS + 60_000
TAGS = [f"tag:{number}" for number in range(30)]
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of thirty visitors before noon, and two on the floor above."""
    folder: Path = tmp_path_factory.mktemp("playback")
    log = history_log(folder)
    log.begin()
    for second in range(30):
        at_ms = NOON_MS - 30_000 + 1_000 * second
        log.take_fixes(fixes(at_ms, TAGS), now_ms=at_ms)
        log.take_fixes(fixes(at_ms, ["tag:up", "tag:top"], floor=1), now_ms=at_ms)
    log.close(now_ms=NOW_MS)
    return folder


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[RunningApi]:
    with running_api(folder, site_map=SITE_MAP) as running:
        yield running


@pytest.fixture(scope="module")
def client(api: RunningApi, folder: Path) -> Iterator[TestClient]:
    source = PlaybackReader(folder / "history", site=SITE, time_zone=CLOCK, report=pytest.fail)
    parts = PlaybackParts(
        site_map=SITE_MAP, source=source, now_ms=lambda: UnixMs(NOW_MS), note=note_playback
    )
    app = FastAPI()
    app.state.services = api.app.state.services
    app.include_router(playback_router(parts, authorise=authorise_looker))
    install_error_handlers(app)
    with TestClient(app) as client:
        yield client


def ask(
    client: TestClient, headers: dict[str, str], *, until_ms: int = NOON_MS, **query: object
) -> httpx2.Response:
    asked = {"floor": 0, "from": NOON_MS - 60_000, "until": until_ms} | query
    return client.get("/v1/operator/playback", params=asked, headers=headers)


def frames(content: bytes) -> list[Read]:
    found = []
    while content:
        (length,) = struct.unpack_from("<I", content)
        found.append(read(content[4 : 4 + length]))
        content = content[4 + length :]
    return found


def test_the_last_minutes_come_back_as_frames_and_it_is_noted_who_looked(
    api: RunningApi, client: TestClient
) -> None:
    """Following people is a deed; it has to be known afterwards who did it."""
    headers = api.key(Role.STORE_ADMIN, site=SITE)
    answer = ask(client, headers)
    assert answer.status_code == 200, answer.text
    roster, *pictures = frames(answer.content)
    assert (len(roster.refs), len(pictures)) == (30, 60)
    there = [sum(place is not None for place in one.places_m) for one in pictures]
    assert there == [0] * 30 + [30] * 30
    noted = api.reader.run(lambda work: work.audit.head())
    assert (noted.action, noted.actor_role, noted.subject) == (
        "positions_played",
        "store_admin",
        SITE,
    )
    assert f'"from_ms":{NOON_MS - 60_000}' in noted.details


@pytest.mark.parametrize("role", list(Role))
def test_only_who_looks_after_the_site_may_play_back(
    api: RunningApi, client: TestClient, role: Role
) -> None:
    """No single track for merchandisers, tills or other shoppers."""
    if role is Role.SHOPPER:
        headers = Phone(api).headers
    elif role is Role.TILL:
        headers = api.till(site=SITE)
    else:
        headers = api.key(role, site=SITE)
    may = role in {Role.OPERATOR, Role.STORE_ADMIN}
    assert ask(client, headers).status_code == (200 if may else 403)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"floor": 9}, "floor is 9"),
        ({"from": NOON_MS - 16 * 60_000}, "at most 900"),
        ({"from": NOON_MS}, "more than 0"),
        ({"from": NOW_MS - 25 * HOUR_MS, "until_ms": NOW_MS - 25 * HOUR_MS + 1}, "last 24 hours"),
        ({"from": NOW_MS + HOUR_MS, "until_ms": NOW_MS + HOUR_MS + 1}, "last 24 hours"),
        ({"step_s": 0}, "errors"),
        ({"from": "noon"}, "errors"),
    ],
)
def test_what_cannot_be_played_is_refused_and_not_noted(
    api: RunningApi, client: TestClient, query: dict[str, object], told: str
) -> None:
    """A quarter of an hour, of the last day: what is older is told of many together, or not."""
    headers = api.key(Role.OPERATOR, site=SITE)
    before = api.reader.run(lambda work: work.audit.head())
    answer = ask(client, headers, **query)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert told in answer.text
    after = api.reader.run(lambda work: work.audit.head())
    assert after == before
