"""The operator's routes: what they show, in which words, and to whom."""

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from rtls.api.health_routes import HealthDocument
from rtls.api.live_stream import StreamSettings
from rtls.api.location_json import LocationList, LocationUpdates
from rtls.api.operator_routes import AnchorList, UnknownList, operator_router
from rtls.api.site_map_json import render_site_map
from rtls.model.site_map_geojson import parse_site_map
from rtls.model.units import Second
from rtls.ports import UnknownNames
from rtls.storage.live_state import InMemoryLiveState
from tests.contract.live_fix_samples import NOW_MS, fixes_at, tag_names
from tests.unit.rtls_api.small_site import AwayReader, parts, small_site

KEY = {"Authorization": "Bearer operator"}


def only_operators(connection: HTTPConnection) -> None:
    if connection.headers.get("authorization") != KEY["Authorization"]:
        raise HTTPException(401)


def client_over(live: InMemoryLiveState | AwayReader) -> TestClient:
    app = FastAPI()
    stream = StreamSettings(interval_s=Second(0.01))
    app.include_router(operator_router(parts(live), authorise=only_operators, stream=stream))
    return TestClient(app, headers=KEY)


@pytest.fixture
def live() -> InMemoryLiveState:
    return InMemoryLiveState()


@pytest.fixture
def client(live: InMemoryLiveState) -> TestClient:
    return client_over(live)


def test_a_fix_is_shown_as_an_omlox_location(live: InMemoryLiveState, client: TestClient) -> None:
    """Software written for an omlox hub draws our tags without a line of its own."""
    live.put(fixes_at(NOW_MS - 1000, 2.5), tag_names(7))
    (location,) = client.get("/v1/operator/fixes").json()["locations"]
    # cov 0.04, 0.01, 0.09: eigenvalue (0.13 + sqrt(0.05² + 0.02²)) / 2 = 0.09193, × 5.9915, sqrt
    assert location == {
        "position": {"type": "Point", "coordinates": [2.5, 2.75, 1.2]},
        "source": "demo",
        "provider_type": "uwb",
        "provider_id": "tag-7",
        "crs": "local",
        "accuracy": pytest.approx(0.742, abs=0.001),
        "floor": 1,
        "timestamp_generated": "2025-10-09T08:53:19.000Z",
        "speed": 0.5,
        "properties": {
            "covariance_m2": [0.04, 0.01, 0.09],
            "p_standing": 0.875,
            "evidence_at": "2025-10-09T08:53:18.960Z",
        },
    }


def test_who_is_heard_and_not_in_the_map_is_listed_the_most_heard_first() -> None:
    """The integrator sees under which name the gateway goes that he has just hung up."""
    app = FastAPI()
    unknown = UnknownNames(
        gateways={"ac233fc03641": 7} | {f"g{n}": 1 for n in range(300)}, anchors={"cellar": 2}
    )
    asked = replace(parts(InMemoryLiveState()), unknown=lambda: unknown)
    app.include_router(operator_router(asked, authorise=only_operators))
    document = TestClient(app, headers=KEY).get("/v1/operator/unknown-names").json()
    TypeAdapter(UnknownList).validate_python(document)
    assert document["gateways"][0] == {"name": "ac233fc03641", "count": 7}
    assert len(document["gateways"]) == 200
    assert document["anchors"] == [{"name": "cellar", "count": 2}]


def test_an_unknown_height_is_left_out(live: InMemoryLiveState, client: TestClient) -> None:
    """JSON has no NaN; null in a coordinate breaks every map."""
    batch = fixes_at(NOW_MS, 2.5)
    batch.rows["z_m"] = math.nan
    live.put(batch, tag_names(1))
    (location,) = client.get("/v1/operator/fixes").json()["locations"]
    assert location["position"]["coordinates"] == [2.5, 2.75]


def test_only_those_heard_lately_are_shown(live: InMemoryLiveState, client: TestClient) -> None:
    """The default is ten seconds; an operator may ask for up to the retention."""
    live.put(fixes_at(NOW_MS - 11_000, 1.0), tag_names(1))
    live.put(fixes_at(NOW_MS - 9_000, 2.0), tag_names(2))
    shown = client.get("/v1/operator/fixes").json()
    assert [location["provider_id"] for location in shown["locations"]] == ["tag-2"]
    shown = client.get("/v1/operator/fixes?age_ms_max=12000").json()
    assert len(shown["locations"]) == 2
    assert client.get("/v1/operator/fixes?age_ms_max=900001").status_code == 422


def test_a_live_state_that_is_away_is_said_and_not_shown_as_an_empty_site() -> None:
    """An empty map at noon would send the operator looking for the wrong fault."""
    answer = client_over(AwayReader()).get("/v1/operator/fixes")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "live_state_away"


def test_the_site_map_can_be_read_back_to_an_equal_map(client: TestClient) -> None:
    """A tool that edits zones starts from what the running system uses."""
    answer = client.get("/v1/operator/site-map")
    assert answer.headers["content-type"] == "application/vnd.inaisle.site-map+json"
    assert parse_site_map(answer.content, source="answer") == small_site()


def test_the_shipped_site_map_comes_back_equal_too() -> None:
    """It has every kind of feature in every combination that we ship."""
    path = Path(__file__).resolve().parents[3] / "config" / "demo" / "site.geojson"
    site_map = parse_site_map(path.read_bytes(), source=path.name)
    assert parse_site_map(render_site_map(site_map), source="answer") == site_map


def test_an_anchor_never_heard_is_listed_too(client: TestClient) -> None:
    """The one that is silent since the ladder fell on it is the one to look for."""
    heard, silent = client.get("/v1/operator/anchors").json()["anchors"]
    assert (heard["anchor"], heard["readings"], heard["silent_ms"]) == ("u1", 42, 1500)
    assert heard["gateway"] == "gw-1"
    assert (silent["anchor"], silent["readings"], silent["silent_ms"]) == ("b1", 0, None)


def test_what_is_wrong_with_an_anchor_stands_beside_it(client: TestClient) -> None:
    """Moved by three metres or covered by a poster: somebody has to go and look."""
    heard, silent = client.get("/v1/operator/anchors").json()["anchors"]
    assert heard["alarms"] == [{"kind": "biased", "since_ms": NOW_MS - 60_000, "figure": -2.512}]
    assert silent["alarms"] == []


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("fixes", LocationList),
        ("anchors", AnchorList),
        ("health", HealthDocument),
    ],
)
def test_answers_are_what_the_openapi_document_promises(
    live: InMemoryLiveState, client: TestClient, path: str, model: type
) -> None:
    """The bodies are rendered by hand for speed, so the schema must be held by a test."""
    live.put(fixes_at(NOW_MS, *range(5)), tag_names(*range(5)))
    body = client.get(f"/v1/operator/{path}").json()
    TypeAdapter(model).validate_python(body, extra="forbid", strict=True)
    schema = client.get("/openapi.json").json()
    promised = schema["paths"][f"/v1/operator/{path}"]["get"]["responses"]["200"]["content"]
    assert promised["application/json"]["schema"]["$ref"].endswith(model.__name__)


@pytest.mark.parametrize("path", ["fixes", "site-map", "anchors", "health"])
def test_nobody_else_sees_anything(client: TestClient, path: str) -> None:
    """Positions of people are for those who run the site."""
    answer = client.get(f"/v1/operator/{path}", headers={"Authorization": "Bearer till"})
    assert answer.status_code == 401
    assert "demo" not in answer.text


def test_the_stream_asks_for_the_same_credential(client: TestClient) -> None:
    """A WebSocket is another door into the same room."""
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/v1/operator/stream", headers={"Authorization": "Bearer till"}),
    ):
        pass


def test_the_stream_follows_the_tags(live: InMemoryLiveState, client: TestClient) -> None:
    """What moves in the aisle moves on the screen."""
    live.put(fixes_at(NOW_MS, 1.0), tag_names(1))
    with client.websocket_connect("/v1/operator/stream") as socket:
        first = socket.receive_json()
        TypeAdapter(LocationUpdates).validate_python(first, extra="forbid", strict=True)
        assert first["payload"][0]["position"]["coordinates"][0] == 1.0
        live.put(fixes_at(NOW_MS + 100, 2.0), tag_names(1))
        while first["payload"][0]["position"]["coordinates"][0] == 1.0:
            first = socket.receive_json()
        assert first["payload"][0]["position"]["coordinates"][0] == 2.0


def test_no_word_of_a_shopper_is_in_the_schema(client: TestClient) -> None:
    """Tag to person is joined on the other side of the seam, with consent, and not here."""
    schema = client.get("/openapi.json").text.lower()
    assert not any(word in schema for word in ("shopper", "customer", "e-mail", "pairing"))


def test_two_thousand_fixes_are_rendered_within_a_frame(
    live: InMemoryLiveState, client: TestClient
) -> None:
    """The stream renders four times a second in the process that serves offers."""
    numbers = np.arange(2000)
    live.put(fixes_at(NOW_MS, *numbers.tolist()), tag_names(*numbers.tolist()))
    took_s = []
    for _ in range(5):
        began = time.process_time()
        answer = client.get("/v1/operator/fixes")
        took_s.append(time.process_time() - began)
    assert len(answer.json()["locations"]) == 2000
    # Of processor time, about 0.02; the shortest, since threads of the whole process are counted.
    assert min(took_s) < 0.25
