"""Two replicas of the API share a database and a Redis: the offer finds the app."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from offers.delivery.fan_out import RedisFanOut
from offers.model.offering.offer import OfferState
from tests.conftest import Server
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import DWELL_S, campaign
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.fixture
def replicas(tmp_path: Path, redis_server: Server) -> Iterator[tuple[RunningApi, RunningApi]]:
    address = f"redis://{redis_server.host}:{redis_server.port}/0"
    with ExitStack() as stack:
        running = []
        for origin in ("deciding", "serving"):
            fan_out = RedisFanOut(address, channel="inaisle:demo:fan_out", origin=origin)
            stack.callback(fan_out.close)
            running.append(stack.enter_context(running_api(tmp_path, fan_out=fan_out)))
            fan_out.start()
            assert fan_out.wait_until_listening(10.0)
        deciding, serving = running
        # One relay works at a time here, so that only the fan-out can bring the offer.
        serving.relay.close()
        deciding.start_campaign(campaign())
        yield deciding, serving


def state(api: RunningApi, phone: Phone) -> list[OfferState]:
    cards = api.reader.run(
        lambda work: work.offers.cards_of(
            phone.shopper, after=0, limit=10, states=tuple(OfferState)
        )
    )
    return [card.offer.state for card in cards]


def test_an_offer_decided_here_reaches_the_app_that_is_connected_there(
    replicas: tuple[RunningApi, RunningApi],
) -> None:
    """The report comes back as well: the replica that wrote it marks it as delivered."""
    deciding, serving = replicas
    phone = Phone(serving)
    phone.pair("tag:1")
    for replica in replicas:
        replica.advance(int(DWELL_S * 1000))
    with phone.stream() as stream:
        deciding.stand("tag:1")
        assert frame(stream)["type"] == "offer"
        wait_until(lambda: state(deciding, phone) == [OfferState.DELIVERED])


def test_without_redis_the_own_apps_get_their_offers_and_the_others_when_they_connect(
    replicas: tuple[RunningApi, RunningApi], redis_server: Server
) -> None:
    """Losing Redis costs freshness only, never an offer."""
    deciding, serving = replicas
    here, there = Phone(deciding), Phone(serving)
    here.pair("tag:here")
    there.pair("tag:there")
    for replica in replicas:
        replica.advance(int(DWELL_S * 1000))
    redis_server.kill()
    with here.stream() as own, there.stream():
        deciding.stand("tag:here")
        deciding.stand("tag:there")
        assert frame(own)["type"] == "offer"
    assert state(deciding, there) == [OfferState.ISSUED]
    there.api = deciding
    with there.stream() as stream:
        assert frame(stream)["type"] == "offer"
