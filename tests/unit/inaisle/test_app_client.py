"""app_client: a kept-alive connection that the server has closed meanwhile."""

import http.client

import pytest

from inaisle.simulation.app_client import ApiAddress, ApiClient


@pytest.mark.parametrize(
    "closed",
    [http.client.RemoteDisconnected("closed"), BrokenPipeError("closed"), ConnectionResetError()],
    ids=["in reading", "in sending", "reset"],
)
def test_who_finds_the_connection_closed_asks_again_under_the_same_key(
    closed: ConnectionError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A till that idles for a minute would else break a played day, without a word."""
    asked: list[object] = []

    def exchange(_self: ApiClient, *question: object) -> tuple[int, dict[str, object]]:
        asked.append(question)
        if len(asked) == 1:
            raise closed
        return 201, {"held": "1"}

    monkeypatch.setattr(ApiClient, "_exchange", exchange)
    with ApiClient(ApiAddress(host="127.0.0.1", port=1)) as client:
        assert client.post("/v1/till/baskets", {}) == {"held": "1"}
    assert len(asked) == 2
    assert asked[0] == asked[1]
