"""Every kind of trigger and benefit: written, read again, and woken by its own occasion only."""

import json
from dataclasses import replace

import pytest

from offers.decision.trigger import is_triggered
from offers.model.campaigns.basket_scope import Scope
from offers.model.campaigns.benefit import (
    Cashback,
    EarlyAccess,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
    Service,
)
from offers.model.campaigns.benefit_json import KIND_OF_BENEFIT, BenefitKind
from offers.model.campaigns.campaign import Budget
from offers.model.campaigns.campaign_json import parse_campaign, render_campaign
from offers.model.campaigns.trigger import (
    KIND_OF_TRIGGER,
    AnniversaryTrigger,
    BasketTrigger,
    BirthdayTrigger,
    EnterTrigger,
    LeaveTrigger,
    ManualTrigger,
    Measure,
    MilestoneTrigger,
    Movement,
    PointsExpiringTrigger,
    ReferralTrigger,
    RegularPurchaseTrigger,
    SegmentTrigger,
    SpendThresholdTrigger,
    SurveyTrigger,
    TriggerKind,
    TripEndTrigger,
    TripStartTrigger,
    VisitTrigger,
    WelcomeTrigger,
)
from offers.model.errors import InvalidCampaign
from offers.model.ids import ShopperId, VisitId
from offers.model.loyalty.segment import Segment
from offers.model.money import Money
from offers.model.offering.occasion import (
    AnniversaryReached,
    BasketShown,
    BirthdayNear,
    BoughtRegularly,
    CountGrown,
    Enrolled,
    PointsExpire,
    Purchased,
    ReferralConverted,
    Requested,
    SegmentChanged,
    Spent,
    SurveyAnswered,
    TripOccasion,
    ZoneOccasion,
    moment_of,
)
from rtls.model.units import Second, UnixMs
from tests.unit.offers.shop import SHELF, SITE, START_MS, basket, campaign

DAY_MS = 86_400_000
DOWELS = Scope(categories=frozenset({"dowels"}))
BENEFITS = (
    MoneyOff(amount=Money(amount_minor=200, currency="EUR"), applies_to=DOWELS),
    PercentOff(percent=10, discount_max=Money(amount_minor=500, currency="EUR")),
    FreeItem(applies_to=DOWELS, quantity=1, with_bought=2),
    Gift(item="pencil", basket_min=Money(amount_minor=1_000, currency="EUR")),
    Points(points=100),
    PointsMultiplier(percent=200, applies_to=DOWELS),
    Cashback(percent=5, cashback_max=Money(amount_minor=300, currency="EUR")),
    FreeDelivery(basket_min=Money(amount_minor=5_000, currency="EUR")),
    EarlyAccess(item="New drill", public_from_ms=UnixMs(START_MS + DAY_MS)),
    Event(name="Tiling course", starts_at_ms=UnixMs(START_MS + DAY_MS)),
    Service(service="Cutting wood to size"),
    Information(),
)


def euro(amount: int) -> Money:
    return Money(amount_minor=amount * 100, currency="EUR")


def stay(kind: TriggerKind, dwell_s: float = 0.0) -> ZoneOccasion:
    return ZoneOccasion(
        kind=kind,
        zone=SHELF,
        visit=VisitId("1" * 32),
        dwell_s=Second(dwell_s),
        is_late=False,
        is_visit_open=kind is not TriggerKind.LEAVE,
    )


def bought(amount: int, *earlier: tuple[int, int]) -> Purchased:
    """The purchase now, and others as (euro, days ago)."""
    return Purchased(
        purchase="p-1",
        newest=Spent(amount=euro(amount), at_ms=START_MS),
        earlier=tuple(
            Spent(amount=euro(spent), at_ms=UnixMs(START_MS - days * DAY_MS))
            for spent, days in earlier
        ),
    )


# A trigger, an occasion that wakes it, and one of the same kind that does not (None: all do).
PAIRS = (
    (
        VisitTrigger(zone=SHELF, dwell_s=Second(300.0)),
        stay(TriggerKind.VISIT, 300.0),
        stay(TriggerKind.VISIT, 120.0),
    ),
    (EnterTrigger(zone=SHELF), stay(TriggerKind.ENTER), stay(TriggerKind.LEAVE, 9.0)),
    (
        LeaveTrigger(zone=SHELF, dwell_s_min=Second(60.0)),
        stay(TriggerKind.LEAVE, 60.0),
        stay(TriggerKind.LEAVE, 59.9),
    ),
    (TripStartTrigger(), TripOccasion(kind=TriggerKind.TRIP_START, trip="t"), None),
    (TripEndTrigger(), TripOccasion(kind=TriggerKind.TRIP_END, trip="t"), None),
    (WelcomeTrigger(), Enrolled(), None),
    (
        BirthdayTrigger(days_before=7),
        BirthdayNear(days_ahead=7, year=2026),
        BirthdayNear(days_ahead=0, year=2026),
    ),
    (AnniversaryTrigger(), AnniversaryReached(years=2), None),
    (
        MilestoneTrigger(measure=Measure.PURCHASES, count=10),
        CountGrown(measure=Measure.PURCHASES, before=9, after=10),
        CountGrown(measure=Measure.PURCHASES, before=10, after=11),
    ),
    (
        SpendThresholdTrigger(amount=euro(100), within_days=30),
        bought(40, (60, 29)),
        bought(40, (60, 30)),
    ),
    (
        SegmentTrigger(segment=Segment.AT_RISK),
        SegmentChanged(segment=Segment.AT_RISK, movement=Movement.ENTERED, change="1"),
        SegmentChanged(segment=Segment.AT_RISK, movement=Movement.LEFT, change="2"),
    ),
    (
        BasketTrigger(applies_to=DOWELS, basket_min=euro(20)),
        BasketShown(basket=basket(1_500, 500), reference="b"),
        BasketShown(basket=basket(1_500, 499), reference="b"),
    ),
    (
        PointsExpiringTrigger(within_days=14),
        PointsExpire(lot="l", days_ahead=14),
        PointsExpire(lot="l", days_ahead=13),
    ),
    (
        RegularPurchaseTrigger(category="paint"),
        BoughtRegularly(category="paint"),
        BoughtRegularly(category="dowels"),
    ),
    (ReferralTrigger(), ReferralConverted(referral="r"), None),
    (SurveyTrigger(survey="spring"), SurveyAnswered(survey="spring"), SurveyAnswered(survey="x")),
    (ManualTrigger(), Requested(request="r"), None),
)


def moment(occasion):
    return moment_of(occasion, shopper=ShopperId("a" * 32), site=SITE, now_ms=START_MS)


def test_every_kind_is_tried_below() -> None:
    """A kind that somebody adds must come here too."""
    assert {KIND_OF_TRIGGER[type(trigger)] for trigger, _, _ in PAIRS} == set(TriggerKind)
    assert {KIND_OF_BENEFIT[type(benefit)] for benefit in BENEFITS} == set(BenefitKind)


@pytest.mark.parametrize("benefit", BENEFITS, ids=lambda benefit: type(benefit).__name__)
def test_every_benefit_is_read_again_as_it_was_written(benefit) -> None:
    """A coupon is honoured under the document that it was issued under."""
    budget = Budget(redemptions_max=40) if isinstance(benefit, Event) else None
    revision = campaign(benefit=benefit, budget=budget)
    assert parse_campaign(json.loads(render_campaign(revision))) == revision


@pytest.mark.parametrize(
    "trigger", [pair[0] for pair in PAIRS], ids=lambda trigger: type(trigger).__name__
)
def test_every_trigger_is_read_again_as_it_was_written(trigger) -> None:
    """What wakes a campaign must survive a restart to the bit."""
    revision = replace(campaign(), trigger=trigger)
    assert parse_campaign(json.loads(render_campaign(revision))) == revision


@pytest.mark.parametrize(
    ("trigger", "waking", "other"), PAIRS, ids=[type(pair[0]).__name__ for pair in PAIRS]
)
def test_a_campaign_wakes_at_its_own_bound_and_at_nobody_elses_occasion(
    trigger, waking, other
) -> None:
    """Each bound is tried at its edge: 60 s of 60, 29 days of 30, the tenth purchase."""
    assert is_triggered(trigger, moment(waking))
    if other is not None:
        assert not is_triggered(trigger, moment(other))
    foreign = [occasion for known, occasion, _ in PAIRS if type(known) is not type(trigger)]
    assert not any(is_triggered(trigger, moment(occasion)) for occasion in foreign)


def test_who_stays_above_the_spend_threshold_does_not_meet_it_again() -> None:
    """Otherwise each further purchase would bring the same present."""
    trigger = SpendThresholdTrigger(amount=euro(100), within_days=30)
    assert is_triggered(trigger, moment(bought(1, (99, 3))))
    assert not is_triggered(trigger, moment(bought(50, (60, 5), (41, 3))))
    dollars = replace(
        bought(500), newest=Spent(amount=Money(amount_minor=50_000, currency="USD"), at_ms=START_MS)
    )
    assert not is_triggered(trigger, moment(dollars))


def test_an_occasion_has_one_name_for_one_shopper() -> None:
    """The name is the key under which a campaign makes one offer, and replay finds it again."""
    names = {moment(occasion).event_id for _, occasion, _ in PAIRS}
    assert len(names) == len(PAIRS)
    again = moment_of(Enrolled(), shopper=ShopperId("a" * 32), site=SITE, now_ms=UnixMs(1))
    other = moment_of(Enrolled(), shopper=ShopperId("b" * 32), site=SITE, now_ms=UnixMs(1))
    assert again.event_id == moment(Enrolled()).event_id != other.event_id


def test_only_a_stay_ties_an_offer_to_a_visit_and_to_the_consent_to_be_located() -> None:
    """A birthday needs no place; after leaving there is no visit that an offer could end with."""
    entering, leaving, birth = (
        moment(stay(TriggerKind.ENTER)),
        moment(stay(TriggerKind.LEAVE)),
        moment(BirthdayNear(days_ahead=0, year=2026)),
    )
    assert (entering.open_visit, leaving.open_visit, birth.open_visit) == ("1" * 32, None, None)
    assert (entering.needs_locate, leaving.needs_locate, birth.needs_locate) == (True, True, False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FreeItem(applies_to=Scope()), "applies_to is empty"),
        (lambda: Points(points=0), "points is 0; expected a whole number, 1 to"),
        (lambda: PointsMultiplier(percent=100), "percent is 100; expected a whole number above"),
        (lambda: Gift(item=""), "benefit.item is ''"),
        (lambda: Cashback(percent=5, basket_min=euro(0)), "basket_min is 0 EUR"),
        (
            lambda: Cashback(
                percent=5, basket_min=euro(1), cashback_max=Money(amount_minor=1, currency="CHF")
            ),
            "basket_min and cashback_max differ in currency",
        ),
        (lambda: EarlyAccess(item="x", public_from_ms=UnixMs(0)), "public_from is 0"),
        (
            lambda: campaign(benefit=Event(name="x", starts_at_ms=START_MS)),
            "expected how many seats",
        ),
        (lambda: LeaveTrigger(zone=SHELF, dwell_s_min=Second(-1.0)), "dwell_s_min is -1.0"),
        (lambda: BirthdayTrigger(days_before=61), "days_before is 61; expected a whole number, 0"),
        (lambda: SpendThresholdTrigger(amount=euro(0), within_days=1), "trigger.amount is 0"),
        (lambda: SpendThresholdTrigger(amount=euro(1), within_days=0), "within_days is 0"),
        (lambda: SurveyTrigger(survey="Spring!"), "trigger.survey is 'Spring!'"),
        (lambda: BasketTrigger(basket_min=euro(0)), "basket_min is 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_field_and_remedy(make, message: str) -> None:
    """An error here costs a minute; the same mistake in force costs money."""
    with pytest.raises(InvalidCampaign, match=message):
        make()
