"""Sixteen shoppers with every combination of purposes: each purpose acts with its own flag only."""

from itertools import product

import pytest
import sqlalchemy as sa

from offers.handlers.people.pair_tag import pair_tag
from offers.model.errors import ConsentMissing
from offers.model.offering.offer import OfferCard
from offers.model.people.consent import Purpose
from offers.storage.tables import SHOPPER_FACTS
from rtls.model.units import TagId, UnixMs
from tests.unit.offers.shop import MINUTE_MS, START_MS, Shop, campaign, memory_engine, scratch_work

NOON_MS = START_MS + 10 * MINUTE_MS
COMBINATIONS = [
    frozenset(purpose for purpose, is_granted in zip(Purpose, flags, strict=True) if is_granted)
    for flags in product((False, True), repeat=len(Purpose))
]


@pytest.fixture
def shop():
    with memory_engine() as engine, scratch_work(engine) as work:
        yield Shop(work)


def enrol(shop: Shop, granted: frozenset[Purpose]):
    shopper = shop.shopper(Purpose.LOCATE, tag=None)
    shop.say(shopper, Purpose.LOCATE, is_granted=False)
    for purpose in granted:
        shop.say(shopper, purpose, is_granted=True)
    return shopper


@pytest.mark.parametrize(
    "granted", COMBINATIONS, ids=lambda granted: "+".join(sorted(granted)) or "none"
)
def test_each_purpose_acts_with_its_own_flag_only(shop: Shop, granted: frozenset[Purpose]) -> None:
    """GDPR Art. 7: one "yes" is no other; the app works without any of them."""
    shop.start(campaign())
    shopper = enrol(shop, granted)
    try:
        pair_tag(
            shopper,
            TagId("tag:1"),
            work=shop.work,
            now_ms=UnixMs(START_MS),
            secrets=shop.secrets,
        )
        is_followed = True
    except ConsentMissing:
        is_followed = False
    assert is_followed == (Purpose.LOCATE in granted)
    decision = shop.stand(at_ms=NOON_MS)
    is_offered = decision is not None and decision.chosen is not None
    assert is_offered == (granted >= {Purpose.LOCATE, Purpose.PERSONALISE})
    if is_offered:
        card = shop.offer_of(shopper)
        assert card is not None
        delivered = shop.deliver(card.offer.offer, now_ms=NOON_MS)
        assert isinstance(delivered, OfferCard)
        assert delivered.offer.may_notify == (Purpose.NOTIFY in granted)
    profile = shop.work.audit._connection.execute(sa.select(SHOPPER_FACTS)).all()
    assert not profile or Purpose.PERSONALISE in granted


def test_analytics_changes_nothing_that_a_shopper_sees(shop: Shop) -> None:
    """No report reads a single person today; until one does, the flag must not leak elsewhere."""
    shop.start(campaign())
    outcomes = []
    for n, extra in enumerate((frozenset(), {Purpose.ANALYTICS})):
        shopper = enrol(shop, frozenset({Purpose.LOCATE, Purpose.PERSONALISE} | extra))
        shop.pair(shopper, f"tag:{n}")
        decision = shop.stand(f"tag:{n}", at_ms=NOON_MS)
        assert decision is not None
        outcomes.append((decision.chosen is not None, len(decision.passed_over)))
    assert outcomes[0] == outcomes[1] == (True, 0)
