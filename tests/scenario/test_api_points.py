"""What the app shows of points: balance, expiry and history, over HTTP."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from offers.handlers.loyalty.post_points import earn, spend
from offers.handlers.loyalty.review_tiers import count_spending
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.profile.answer_survey import publish_survey
from offers.model.campaigns.benefit import Gift
from offers.model.campaigns.trigger import ManualTrigger
from offers.model.ids import ShopperId, SurveyId
from offers.model.loyalty.earning_rule import EarningRule, EarningTerms, ForActivity, HowOften
from offers.model.loyalty.ledger import POINTS, LedgerUnit, PostingReason
from offers.model.loyalty.points import Earning, Spending
from offers.model.loyalty.programme import Programme
from offers.model.loyalty.reward import Reward
from offers.model.loyalty.tier import CountedSpending, Perk, Tier, TierLadder, TierWindow
from offers.model.people.shopper import Locale
from offers.model.people.survey import Question, QuestionKind, Survey
from rtls.model.units import UnixMs
from tests.scenario.running_api import Phone, RunningApi, frame, running_api
from tests.unit.offers.shop import SITE, START_MS, campaign

DAY_MS = 86_400_000
PROGRAMME = Programme(
    site=SITE,
    time_zone="Europe/Berlin",
    terms=(EarningTerms(unit=POINTS),),
    tiers=TierLadder(
        currency="EUR",
        window=TierWindow.ROLLING,
        time_zone="Europe/Berlin",
        tiers=(
            Tier(tier="silver", name="Silver", threshold_minor=20_000),
            Tier(
                tier="gold",
                name="Gold",
                threshold_minor=50_000,
                perks=frozenset({Perk.FREE_DELIVERY, Perk.EARLY_ACCESS}),
            ),
        ),
        grace_days=30,
    ),
)

SURVEY = Survey(
    survey=SurveyId("tell-us"),
    site=SITE,
    titles=dict.fromkeys(Locale, "Tell us"),
    questions=(
        Question(
            question="happy", kind=QuestionKind.SCALE, texts=dict.fromkeys(Locale, "Are you happy?")
        ),
    ),
    from_ms=UnixMs(0),
    until_ms=UnixMs(START_MS + 10**10),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


def grant(api: RunningApi, phone: Phone, amount: int, *, days: int, pending: int = 0) -> None:
    active_at_ms = api.now_ms + pending * DAY_MS
    earning = Earning(
        unit=POINTS if amount != 42 else LedgerUnit("EUR"),
        amount_minor=amount,
        reason=PostingReason.PURCHASE,
        reference=f"purchase of {phone.shopper[:8]}, {days} days",
        active_at_ms=UnixMs(active_at_ms),
        expires_at_ms=UnixMs(START_MS + days * DAY_MS),
    )
    act = partial(earn, ShopperId(phone.shopper), earning)
    api.writer.run(lambda work: act(work=work, now_ms=api.now_ms, secrets=api.secrets))


def pay(api: RunningApi, phone: Phone, amount: int) -> None:
    spending = Spending(
        unit=POINTS,
        amount_minor=amount,
        reason=PostingReason.PAYMENT,
        reference=f"basket of {phone.shopper[:8]}",
    )
    act = partial(spend, ShopperId(phone.shopper), spending)
    api.writer.run(lambda work: act(work=work, now_ms=api.now_ms, secrets=api.secrets))


@pytest.fixture(scope="module")
def anna(api: RunningApi) -> Phone:
    phone = Phone(api)
    grant(api, phone, 100, days=10)
    grant(api, phone, 60, days=40)
    grant(api, phone, 25, days=50, pending=14)
    grant(api, phone, 42, days=60)
    pay(api, phone, 30)
    return phone


def test_the_balance_says_what_is_there_what_is_pending_and_what_goes_next(anna: Phone) -> None:
    """The shopper plans with it; a pending point shown as spendable is a quarrel at the till."""
    euro, points = anna.get("/v1/me/points").json()["balances"]
    assert points == {
        "unit": "points",
        "balance_minor": 155,
        "available_minor": 130,
        "pending_minor": 25,
        "debt_minor": 0,
        "next_expiry": {
            "unit": "points",
            "amount_minor": 70,
            "expires_at": "2023-11-24T22:13:20.000Z",
        },
    }
    assert (euro["unit"], euro["available_minor"]) == ("EUR", 42)


def test_what_expires_soon_is_told_in_time(anna: Phone) -> None:
    """C42: a reminder needs the amounts and the days."""
    soon = anna.get("/v1/me/points/expiring?within_days=45").json()["expiring"]
    assert [(entry["unit"], entry["amount_minor"]) for entry in soon] == [
        ("points", 70),
        ("points", 60),
    ]
    assert anna.get("/v1/me/points/expiring?within_days=0").status_code == 422


def test_the_history_is_read_page_by_page_newest_first(anna: Phone) -> None:
    """Every line says why; together they explain the balance to the point."""
    first = anna.get("/v1/me/points/history?limit=2").json()
    assert [(e["kind"], e["change_minor"]) for e in first["entries"]] == [
        ("spend", -30),
        ("earn", 42),
    ]
    assert first["has_more"]
    rest = anna.get(f"/v1/me/points/history?before={first['cursor']}").json()
    assert [e["change_minor"] for e in rest["entries"]] == [25, 60, 100]
    assert not rest["has_more"]


def test_nobody_sees_the_points_of_another(api: RunningApi, anna: Phone) -> None:
    """A list without a filter is the commonest leak."""
    assert anna.get("/v1/me/points").json()["balances"]
    ben = Phone(api)
    assert ben.get("/v1/me/points").json() == {"balances": []}
    assert ben.get("/v1/me/points/expiring").json() == {"expiring": []}
    assert ben.get("/v1/me/points/history").json()["entries"] == []


def test_a_welcome_and_a_survey_earn_what_the_programme_says(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """C20 and C7: the first points are there with the first screen of the app."""
    with running_api(tmp_path_factory.mktemp("welcome")) as api:
        welcoming = replace(
            PROGRAMME,
            rules=tuple(
                EarningRule(
                    rule=activity.value,
                    unit=POINTS,
                    earns=ForActivity(
                        amount_minor=amount, activity=activity, how_often=HowOften.EACH
                    ),
                )
                for activity, amount in ((PostingReason.WELCOME, 100), (PostingReason.SURVEY, 50))
            ),
        )
        api.writer.run(lambda work: start_programme(welcoming, work=work, now_ms=api.now_ms))
        phone = Phone(api)
        assert phone.get("/v1/me/points").json()["balances"][0]["available_minor"] == 100
        api.writer.run(lambda work: publish_survey(SURVEY, work=work))
        answer = phone.post("/v1/me/surveys/tell-us/answers", {"answers": {"happy": 5}})
        assert answer.status_code == 204, answer.text
        again = phone.post("/v1/me/surveys/tell-us/answers", {"answers": {"happy": 1}})
        assert again.status_code == 409
        history = phone.get("/v1/me/points/history").json()["entries"]
        assert [(e["reason"], e["change_minor"]) for e in history] == [
            ("survey", 50),
            ("welcome", 100),
        ]


def test_the_tier_is_shown_with_its_end_and_the_way_to_the_next(api: RunningApi) -> None:
    """C11: the shopper sees what he has, until when, and what is missing."""
    phone = Phone(api)
    assert phone.get("/v1/me/tier").json()["code"] == "not_found"
    api.writer.run(lambda work: start_programme(PROGRAMME, work=work, now_ms=api.now_ms))
    assert phone.get("/v1/me/tier").json()["tier"] is None
    spending = CountedSpending(
        site=SITE,
        reference="purchase-1",
        currency="EUR",
        amount_minor=30_000,
        bought_at_ms=api.now_ms,
    )
    shopper = ShopperId(phone.shopper)
    api.writer.run(lambda work: count_spending(shopper, spending, work=work, now_ms=api.now_ms))
    stands = phone.get("/v1/me/tier").json()
    assert (stands["tier"]["tier"], stands["next_tier"]["tier"]) == ("silver", "gold")
    assert (stands["counted_minor"], stands["missing_minor"]) == (30_000, 20_000)
    assert stands["ends_at"] == "2024-12-13T22:13:20.000Z"
    assert stands["next_tier"]["perks"] == ["early_access", "free_delivery"]


def test_points_are_exchanged_for_a_reward_once_however_often_the_phone_asks(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """C8 over HTTP: the catalogue says what is missing, the exchange gives the coupon."""
    mug = replace(campaign("mug-reward", benefit=Gift(item="Mug")), trigger=ManualTrigger())
    reward = Reward(reward="mug", campaign=mug.campaign, unit=POINTS, cost_minor=80)
    with running_api(tmp_path_factory.mktemp("rewards")) as api:
        api.start_campaign(mug)
        offered = replace(PROGRAMME, rewards=(reward,))
        api.writer.run(lambda work: start_programme(offered, work=work, now_ms=api.now_ms))
        phone = Phone(api)
        shown = phone.get("/v1/me/rewards").json()["rewards"]
        assert [(r["reward"], r["benefit"]["kind"], r["missing_minor"]) for r in shown] == [
            ("mug", "gift", 80)
        ]
        path, once = "/v1/me/rewards/mug/exchange", {"Idempotency-Key": "wish-0001"}
        refused = api.http.post(path, headers=phone.headers | once)
        assert refused.json()["reason"] == "balance_too_low"
        grant(api, phone, 100, days=10)
        once = {"Idempotency-Key": "wish-0002"}
        first, again = (api.http.post(path, headers=phone.headers | once) for _ in range(2))
        assert first.status_code == 201, first.text
        assert first.content == again.content
        assert first.json()["offer"]["coupon"]["state"] == "issued"
        assert phone.get("/v1/me/points").json()["balances"][0]["balance_minor"] == 20
        assert phone.get("/v1/me/rewards").json()["rewards"][0]["missing_minor"] == 60


@pytest.mark.timed
def test_the_open_app_sees_what_is_earned_within_a_second(api: RunningApi) -> None:
    """Progress that is shown tomorrow delights nobody; each app hears of its own wallet only."""
    phone, stranger = Phone(api), Phone(api)
    with phone.stream() as stream, stranger.stream() as other:
        began = time.monotonic()
        grant(api, phone, 40, days=10)
        told = frame(stream)
        assert time.monotonic() - began < 1.0
        assert told["type"] == "points"
        assert told["balances"] == phone.get("/v1/me/points").json()["balances"]
        pay(api, phone, 15)
        [balance] = frame(stream)["balances"]
        assert balance["available_minor"] == 25
        with pytest.raises(TimeoutError):
            frame(other, timeout_s=0.3)
