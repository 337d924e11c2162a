"""Shoppers who have stood at the shelf for five minutes, and what offers made of it."""

from offers.model.offering.offer import OfferState
from offers.visit_feed.visit_feed import VisitFeed
from rtls.model.units import TagId
from rtls.model.visit import DwellReached, TransitionKind, ZoneEvent
from tests.scenario.running_api import Phone, RunningApi
from tests.unit.offers.shop import DWELL_S, dwell_event, transition


def all_standing(api: RunningApi, *tags: str) -> list[tuple[Phone, list[ZoneEvent]]]:
    """Shoppers, each with the events of five minutes at the shelf that end now."""
    phones = [Phone(api) for _ in tags]
    for phone, tag in zip(phones, tags, strict=True):
        phone.pair(tag)
    api.advance(int(DWELL_S * 1000))
    return [(phone, stay(api, tag)) for phone, tag in zip(phones, tags, strict=True)]


def stay(api: RunningApi, tag: str) -> list[ZoneEvent]:
    reached = dwell_event(TagId(tag), at_ms=api.now_ms)
    entered = transition(reached, TransitionKind.ENTERED, at_ms=reached.entered_at_ms)
    return [entered, reached]


def standing(api: RunningApi, tag: str) -> tuple[Phone, list[ZoneEvent]]:
    return all_standing(api, tag)[0]


def offers_of(api: RunningApi, phone: Phone) -> list[str]:
    cards = api.reader.run(
        lambda work: work.offers.cards_of(
            phone.shopper, after=0, limit=10, states=tuple(OfferState)
        )
    )
    return [card.offer.campaign for card in cards]


class FailingFeed(VisitFeed):
    """A feed whose handler fails for one tag, as often as told."""

    def __init__(self, api: RunningApi, error: Exception, *, times: int) -> None:
        super().__init__(writer=api.writer, now_ms=lambda: api.now_ms, secrets=api.secrets)
        self._error = error
        self._times = times

    def _decide(self, event: ZoneEvent, work):
        if isinstance(event, DwellReached) and event.tag == "tag:1" and self._times:
            self._times -= 1
            raise self._error
        return super()._decide(event, work)
