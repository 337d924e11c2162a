"""The demo's second act, on the demo's own programme: every figure can be checked by hand."""

import threading
from datetime import date
from pathlib import Path

from inaisle.demo.demo_loyalty import Counter, play_loyalty
from inaisle.demo.demo_settings import day_in_shop, opening_ms
from inaisle.simulation.app_client import ApiAddress, ApiClient
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.daily_round import daily_round
from offers.model.campaigns.campaign_json import parse_campaigns
from offers.model.campaigns.trigger import VisitTrigger
from offers.model.loyalty.programme_json import parse_programme
from rtls.model.units import UnixMs
from tests.scenario.running_api import RunningApi, running_api
from tests.unit.offers.shop import SITE

DEMO = Path(__file__).resolve().parents[2] / "config" / "demo"
CAMPAIGNS, PROGRAMME = DEMO / "campaigns.json", DEMO / "programme.json"
ELEVEN_MS = opening_ms(UnixMs(1_780_000_000_000), "Europe/Berlin")
HALF_A_MINUTE_MS = 30_000


def clients(api: RunningApi) -> tuple[ApiClient, ApiClient]:
    address = ApiAddress(host="127.0.0.1", port=int(api.url.rpartition(":")[2]))
    app = ApiClient(address)
    app.token = str(app.post("/v1/enrolments", {"locale": "de"})["token"])
    app.put("/v1/me/consents/personalise", {"is_granted": True, "text_version": "v1"})
    key = api.till()["Authorization"].removeprefix("Bearer ")
    return app, ApiClient(address, token=key)


def test_points_are_earned_spent_and_taken_back_and_a_tier_is_climbed(tmp_path: Path) -> None:
    """Welcome, purchase, payment, tier and return within minutes, over the public API alone."""
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        api.advance(HALF_A_MINUTE_MS)  # or the card would show the same code again

    def today() -> date:
        # The round that brings birthdays is made by the service's sweep, behind the app's back.
        threading.Timer(0.3, make_the_round).start()
        return day_in_shop(api.now_ms, "Europe/Berlin")

    def make_the_round() -> None:
        api.writer.run(
            lambda work: daily_round(SITE, work=work, now_ms=api.now_ms, secrets=api.secrets)
        )

    with running_api(tmp_path) as api:
        api.now_ms = ELEVEN_MS
        campaigns = parse_campaigns(CAMPAIGNS.read_bytes(), source=CAMPAIGNS.name)
        api.start_campaign(*(c for c in campaigns if not isinstance(c.trigger, VisitTrigger)))
        programme = parse_programme(PROGRAMME.read_bytes(), source=PROGRAMME.name)
        api.writer.run(lambda work: start_programme(programme, work=work, now_ms=api.now_ms))
        app, till = clients(api)
        with app, till:
            act = play_loyalty(Counter(app, till, tell=tell, today=today))
    assert act.welcome_points == 100
    # A point a euro, two on dowels: 2 × 17.96 + 29.99 = 65.91.
    assert act.earned_points == 65
    assert (act.spent_points, act.spent_worth_minor) == (165, 165)
    assert act.tier == "silver"  # 47.95 + 248.00 is more than 200
    # 346 were earned: 246 for 246.35 paid in money, 100 for a big basket; 189/248 of it goes back.
    assert act.clawed_back_points == 264
    # What is left of that, and the drill's share of the points that had paid: 82 + 126.
    assert act.points_after == 208
    assert act.tier_after is None  # 106.95 is less
    assert act.birthday_campaign == "birthday-present"
    assert len(told) == 5
