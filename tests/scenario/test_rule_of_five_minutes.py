"""The founding scene: who stands five minutes at the dowel shelf gets an offer, on the spot."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.scenario.shop_in_event_time import ALL_PURPOSES, TICK_MS, Shop, dowel_shopper
from tests.waiting import wait_until

pytestmark = pytest.mark.slow
RULE_MS = 300_000


def instant_ms(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp() * 1000.0


def shop_with_consented_shopper(folder: Path, *, seconds: float, **options) -> Shop:
    return Shop(folder, dowel_shopper(seconds=seconds), **options)


def enter(shop: Shop, purposes: tuple[str, ...] = ALL_PURPOSES) -> None:
    shop.app.enrol(purposes)
    shop.app.pair(shop.script.tag)
    shop.wait_for_admission()
    shop.app.connect()


def test_with_exact_ranges_the_offer_comes_at_five_minutes(tmp_path: Path) -> None:
    """Never early, exactly one, within two ticks of 300 s after he came to stand there.

    Walking does not count as dwell, and that he no longer walks takes a second look.
    """
    with shop_with_consented_shopper(tmp_path, seconds=400, channel="exact") as shop:
        enter(shop)
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        stood_from_ms = shop.stay("dowels").stood_from_ms
        assert stood_from_ms is not None
        [dwell] = shop.dwells(300)
        assert RULE_MS <= dwell.reached_at_ms - stood_from_ms <= RULE_MS + 2 * TICK_MS
        [(seen_at_ms, offer)] = shop.app.offers
        assert offer["zone"] == "dowels"
        assert instant_ms(offer["issued_at"]) - stood_from_ms >= RULE_MS
        assert seen_at_ms < shop.stay("dowels").left_at_ms


# 17, 19 and 41 were the latest of 45: little line of sight, a stand near the edge of the zone.
@pytest.mark.parametrize("seed", [1, 2, 17, 19, 41])
def test_with_measured_noise_the_offer_comes_within_fifteen_seconds(
    tmp_path: Path, seed: int
) -> None:
    """Bias, correlated noise and blocked paths may delay an offer, not lose or double it."""
    with shop_with_consented_shopper(
        tmp_path, seconds=400, channel="measured", seed=seed, rate_hz=2.0
    ) as shop:
        enter(shop)
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        stood_from_ms = shop.stay("dowels").stood_from_ms
        assert stood_from_ms is not None
        [(_, offer)] = shop.app.offers
        after_ms = instant_ms(offer["issued_at"]) - stood_from_ms
        assert RULE_MS <= after_ms <= RULE_MS + 15_000


def test_who_leaves_a_moment_before_five_minutes_gets_nothing(tmp_path: Path) -> None:
    """The rule is five minutes, not about five minutes."""
    with shop_with_consented_shopper(tmp_path, seconds=299, channel="exact") as shop:
        enter(shop)
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        shop.run_for(30)
        assert shop.dwells(120)
        assert not shop.dwells(300)
        assert shop.app.offers == []


def test_who_leaves_before_the_offer_is_delivered_gets_nothing(tmp_path: Path) -> None:
    """An offer for a shelf that he has left is spam: with the app closed it dies with the visit."""
    with shop_with_consented_shopper(tmp_path, seconds=310, channel="exact") as shop:
        shop.app.enrol(ALL_PURPOSES)
        shop.app.pair(shop.script.tag)
        shop.wait_for_admission()
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        assert shop.dwells(300), "else there was nothing to lose"
        shop.run_for(15)
        shop.app.connect()
        shop.run_for(5)
        assert shop.app.offers == []
        assert shop.app.client.get("/v1/me/offers")["offers"] == []


def test_who_opens_the_app_while_still_there_gets_the_offer(tmp_path: Path) -> None:
    """The counterpart: the same closed app, opened at the shelf, shows the offer that waited."""
    with shop_with_consented_shopper(tmp_path, seconds=330, channel="exact") as shop:
        shop.app.enrol(ALL_PURPOSES)
        shop.app.pair(shop.script.tag)
        shop.wait_for_admission()
        shop.run_until(lambda: bool(shop.dwells(300)))
        shop.run_for(5)
        shop.app.connect()
        wait_until(lambda: len(shop.app.offers) == 1, "the offer that waited did not come")


def test_without_consent_to_be_located_nobody_is_located(tmp_path: Path) -> None:
    """Nothing about the tag gets past admission: no fix, no visit, no offer."""
    with shop_with_consented_shopper(tmp_path, seconds=320, channel="exact") as shop:
        enter(shop)
        shop.app.consent("locate", is_granted=False)
        shop.wait_for_admission(is_admitted=False)
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        assert shop.events == []
        assert shop.engine.tag_ids() == {}
        assert shop.app.offers == []


def test_without_consent_to_personal_offers_there_is_none(tmp_path: Path) -> None:
    """He is located, the visit is seen, and the decision says why he gets nothing."""
    with shop_with_consented_shopper(tmp_path, seconds=320, channel="exact") as shop:
        enter(shop, ("locate", "notify"))
        shop.run_until(lambda: shop.stay("dowels").left_at_ms is not None)
        assert shop.dwells(300)
        assert shop.app.offers == []
        reasons = shop.app.client.get("/v1/me/why")
        assert "consent" in str(reasons)
