"""Say in plain words on what occasion a campaign makes its offer.

Layer: rules. Takes: a `Trigger`. Gives: a sentence in German and English to terms. It tells the
shopper what has been noticed: nobody should have to guess why a message came.
"""

from typing import Final, assert_never

from offers.decision.said import Said, money, scope, span_of
from offers.model.campaigns.trigger import (
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
    Trigger,
    TripEndTrigger,
    TripStartTrigger,
    VisitTrigger,
    WelcomeTrigger,
    ZoneTrigger,
)
from offers.model.loyalty.segment import Segment

_FIXED: Final[dict[type[Trigger], Said]] = {
    TripStartTrigger: Said(de="Ihr Einkauf bei uns beginnt", en="your visit to the shop begins"),
    TripEndTrigger: Said(de="Ihr Einkauf bei uns beendet ist", en="your visit to the shop is over"),
    WelcomeTrigger: Said(de="Sie neu dabei sind", en="you have just joined"),
    AnniversaryTrigger: Said(
        de="sich Ihr erster Einkauf jährt", en="it is the anniversary of your first purchase"
    ),
    ReferralTrigger: Said(
        de="jemand einkauft, den Sie empfohlen haben", en="somebody you referred has bought"
    ),
    SurveyTrigger: Said(de="Sie unsere Umfrage beantworten", en="you answer our survey"),
    ManualTrigger: Said(de="unsere Mitarbeiter es Ihnen anbieten", en="our staff offer it to you"),
}
_MEASURES: Final = {
    Measure.PURCHASES: Said(de="Einkäufe", en="purchases"),
    Measure.TRIPS: Said(de="Besuche", en="visits"),
}
_SEGMENTS: Final = {
    (Segment.NEW, Movement.ENTERED): Said(
        de="Sie das erste Mal einkaufen", en="you buy for the first time"
    ),
    (Segment.AT_RISK, Movement.ENTERED): Said(
        de="Sie länger nicht bei uns waren", en="you have not been here for a while"
    ),
    (Segment.HIGH_VALUE, Movement.ENTERED): Said(
        de="Sie besonders viel bei uns einkaufen", en="you buy a great deal here"
    ),
}
_OTHER_SEGMENT: Final = Said(
    de="sich Ihr Einkaufsverhalten ändert", en="the way you shop here changes"
)


def trigger_sentence(trigger: Trigger) -> Said:
    """Return when the offer is made."""
    when = _when(trigger)
    return Said(de=f"Das Angebot kommt, wenn {when.de}.", en=f"The offer comes when {when.en}.")


def _when(trigger: Trigger) -> Said:
    fixed = _FIXED.get(type(trigger))
    if fixed is not None:
        return fixed
    if isinstance(trigger, ZoneTrigger):
        return _in_zone(trigger)
    match trigger:
        case SegmentTrigger():
            said = _SEGMENTS.get((trigger.segment, trigger.movement), _OTHER_SEGMENT)
        case SpendThresholdTrigger():
            amount = money(trigger.amount)
            said = Said(
                de=f"Sie in {trigger.within_days} Tagen für {amount.de} eingekauft haben",
                en=f"you have spent {amount.en} within {trigger.within_days} days",
            )
        case MilestoneTrigger():
            what = _MEASURES[trigger.measure]
            said = Said(
                de=f"Sie {trigger.count} {what.de} erreichen",
                en=f"you reach {trigger.count} {what.en}",
            )
        case BasketTrigger():
            said = _basket(trigger)
        case _:
            said = _by_date(trigger)
    return said


def _by_date(trigger: Trigger) -> Said:
    match trigger:
        case BirthdayTrigger(days_before=0):
            return Said(de="Sie Geburtstag haben", en="it is your birthday")
        case BirthdayTrigger():
            days = trigger.days_before
            return Said(
                de=f"Ihr Geburtstag in {days} Tagen ist", en=f"your birthday is in {days} days"
            )
        case PointsExpiringTrigger():
            days = trigger.within_days
            return Said(
                de=f"Punkte von Ihnen in {days} Tagen verfallen",
                en=f"some of your points expire in {days} days",
            )
        case RegularPurchaseTrigger():
            return Said(
                de=f"Sie regelmäßig {trigger.category} kaufen",
                en=f"you buy {trigger.category} regularly",
            )
        case _:
            raise AssertionError(trigger)  # the others are said already


def _in_zone(trigger: ZoneTrigger) -> Said:
    match trigger:
        case VisitTrigger():
            stay = span_of(trigger.dwell_s)
            return Said(
                de=f"Sie seit {stay.de} im Bereich „{trigger.zone}“ sind",
                en=f"you have been in the area “{trigger.zone}” for {stay.en}",
            )
        case EnterTrigger():
            return Said(
                de=f"Sie den Bereich „{trigger.zone}“ betreten",
                en=f"you enter the area “{trigger.zone}”",
            )
        case LeaveTrigger():
            return Said(
                de=f"Sie den Bereich „{trigger.zone}“ verlassen",
                en=f"you leave the area “{trigger.zone}”",
            )
        case _:
            assert_never(trigger)


def _basket(trigger: BasketTrigger) -> Said:
    where = scope(trigger.applies_to).en.removeprefix(" on")
    named = f" ({where.strip()})" if where else ""
    least = Said(de="", en="")
    if trigger.basket_min is not None:
        amount = money(trigger.basket_min)
        least = Said(de=f" für mindestens {amount.de}", en=f" for at least {amount.en}")
    return Said(
        de=f"Sie Ihre Karte an der Kasse zeigen und{least.de} einkaufen{named}",
        en=f"you show your card at the till and buy{least.en}{named}",
    )
