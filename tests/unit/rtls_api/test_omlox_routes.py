"""omlox over HTTP: what a provider puts reaches the decoder, from operators only."""

from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

from rtls.api.omlox_routes import TOPIC, omlox_router
from rtls.ingest.formats.decoded import Decoded
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.queue_source import QueueSource
from rtls.model.units import UnixMs
from tests.unit.ingest.formats.position_payloads import OMLOX_PUT, OMLOX_ROW, rows_of

KEY = {"Authorization": "Bearer operator"}


def only_operators(connection: HTTPConnection) -> None:
    if connection.headers.get("authorization") != KEY["Authorization"]:
        raise HTTPException(401)


def client_of(queue: QueueSource) -> TestClient:
    app = FastAPI()
    app.include_router(omlox_router(queue.put, authorise=only_operators))
    return TestClient(app)


def test_a_location_that_a_provider_puts_is_decoded_as_it_came() -> None:
    """A locating system that was made for a hub needs an address and a key, and no code."""
    queue = QueueSource(clock=lambda: UnixMs(7))
    client = client_of(queue)
    one = client.put("/v2/providers/x/location", content=OMLOX_PUT.payload, headers=KEY)
    many = client.put(
        "/v2/providers/locations", content=b"[" + OMLOX_PUT.payload + b"]", headers=KEY
    )
    assert (one.status_code, many.status_code) == (204, 204)
    formats = FormatSettings(on=(FormatName.OMLOX,), prefixes={FormatName.OMLOX: "shops/7"})
    registry = Registry(formats)
    for message in queue.poll(0.0):
        outcome = registry.decode(message.topic, message.payload, message.received_at_ms)
        assert isinstance(outcome, Decoded)
        assert rows_of(outcome) == [OMLOX_ROW]
    assert TOPIC not in registry.topics


def test_nobody_else_may_put_a_location() -> None:
    """He could put every shopper at the till."""
    queue = QueueSource(clock=lambda: UnixMs(7))
    answer = client_of(queue).put("/v2/providers/x/location", content=OMLOX_PUT.payload)
    assert answer.status_code == 401
    assert list(queue.poll(0.0)) == []


def test_a_full_queue_is_no_success() -> None:
    """The provider counts what it lost."""
    queue = QueueSource(clock=lambda: UnixMs(7), waiting_max=0)
    answer = client_of(queue).put("/v2/providers/x/location", content=b"{}", headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (503, "locating_away")
    assert answer.headers["Retry-After"] == "1"
