"""Who may look at the live map, the anchors and the health of a site, and who may follow a tag."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from inaisle.service.operator_access import admit_looker, authorise_looker, authorise_operator
from offers.api.error_handlers import install_error_handlers
from offers.model.people.shopper import Role
from rtls.api.live_feed import LiveFeed
from rtls.api.live_routes import live_router
from rtls.api.operator_routes import operator_router
from rtls.model.units import SiteId
from rtls.storage.live_state import InMemoryLiveState
from tests.scenario.running_api import Phone, RunningApi, running_api
from tests.unit.rtls_api.small_site import parts

SEEN = ("/v1/operator/site-map", "/v1/operator/anchors", "/v1/operator/health")
FOLLOWED = ("/v1/operator/fixes",)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture(scope="module")
def client(api: RunningApi) -> Iterator[TestClient]:
    read = parts(InMemoryLiveState())
    feed = LiveFeed(site_map=read.site_map, live=read.live, now_ms=read.now_ms)
    app = FastAPI()
    app.state.services = api.app.state.services
    app.include_router(
        operator_router(read, authorise=authorise_operator, authorise_looker=authorise_looker)
    )
    app.include_router(live_router(feed, admit=admit_looker))
    install_error_handlers(app)
    with TestClient(app) as client:
        yield client


def holder(api: RunningApi, role: Role) -> dict[str, str]:
    if role is Role.SHOPPER:
        return Phone(api).headers
    return api.till() if role is Role.TILL else api.key(role)


@pytest.mark.parametrize("role", list(Role))
def test_dots_are_for_who_looks_after_the_site_and_names_of_tags_for_the_operator(
    api: RunningApi, client: TestClient, role: Role
) -> None:
    """A merchandiser sees sums, and a till nobody; whoever sees a tag's name can follow it."""
    headers = holder(api, role)
    is_looker = role in {Role.OPERATOR, Role.STORE_ADMIN}
    for path in SEEN:
        assert (client.get(path, headers=headers).status_code == 200) is is_looker, path
    for path in FOLLOWED:
        assert (client.get(path, headers=headers).status_code == 200) is (role is Role.OPERATOR)
    with client.websocket_connect("/v1/operator/live") as socket:
        socket.send_json({"token": headers["Authorization"].removeprefix("Bearer ")})
        if is_looker:
            assert socket.receive()["type"] == "websocket.send"
        else:
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
            assert (closed.value.code, closed.value.reason) == (1008, "role_forbidden")


def test_who_works_elsewhere_finds_nothing_here(api: RunningApi, client: TestClient) -> None:
    """One database may hold the keys of many sites; one process shows one."""
    headers = api.key(Role.OPERATOR, site=SiteId("elsewhere"))
    for path in (*SEEN, *FOLLOWED):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    nobody = client.get(SEEN[0])
    assert (nobody.status_code, nobody.json()["code"]) == (401, "credential_missing")
