"""Say whether an occasion is the one that a campaign waits for.

Layer: rules. Takes: a `Trigger` and a `Moment`. Gives: yes or no to decide.
"""

from offers.model.campaigns.trigger import (
    KIND_OF_TRIGGER,
    BasketTrigger,
    BirthdayTrigger,
    LeaveTrigger,
    MilestoneTrigger,
    PointsExpiringTrigger,
    RegularPurchaseTrigger,
    SegmentTrigger,
    SpendThresholdTrigger,
    SurveyTrigger,
    Trigger,
    VisitTrigger,
    zone_of,
)
from offers.model.conditions.fact import DAY_MS
from offers.model.offering.occasion import (
    BasketShown,
    BirthdayNear,
    BoughtRegularly,
    CountGrown,
    Moment,
    PointsExpire,
    Purchased,
    SegmentChanged,
    SurveyAnswered,
    ZoneOccasion,
)
from rtls.model.units import UnixMs


def is_triggered(trigger: Trigger, moment: Moment) -> bool:
    """Say whether this moment wakes the campaign: its kind, its zone and its bounds are met."""
    if KIND_OF_TRIGGER[type(trigger)] is not moment.kind or zone_of(trigger) != moment.zone:
        return False
    if isinstance(moment.occasion, ZoneOccasion):
        return _is_stay_met(trigger, moment)
    return _is_bound_met(trigger, moment)


def is_crossed(trigger: SpendThresholdTrigger, bought: Purchased) -> bool:
    """Say whether the newest purchase lifts the sum of the window over the amount.

    The window ends with the newest purchase and is half open: what was paid exactly `within_days`
    before no longer counts.
    """
    newest = bought.newest
    if newest.amount.currency != trigger.amount.currency:
        return False
    since_ms = UnixMs(newest.at_ms - trigger.within_days * DAY_MS)
    before_minor = sum(
        spent.amount.amount_minor
        for spent in bought.earlier
        if spent.at_ms > since_ms and spent.amount.currency == trigger.amount.currency
    )
    least_minor = trigger.amount.amount_minor
    return before_minor < least_minor <= before_minor + newest.amount.amount_minor


def _is_stay_met(trigger: Trigger, moment: Moment) -> bool:
    match trigger, moment.occasion:
        case VisitTrigger(), ZoneOccasion(dwell_s=reached_s):
            # The threshold must be the campaign's own: a stay of 300 s has passed 120 s before.
            # Both numbers come out of JSON files, where 300 and 300.0 are the same wish.
            return round(trigger.dwell_s * 1_000) == round(reached_s * 1_000)
        case LeaveTrigger(), ZoneOccasion(dwell_s=stayed_s):
            return stayed_s >= trigger.dwell_s_min
        case _:
            return True  # the kind says all


def _is_bound_met(trigger: Trigger, moment: Moment) -> bool:
    is_met = True
    match trigger, moment.occasion:
        case BirthdayTrigger(), BirthdayNear(days_ahead=days_ahead):
            is_met = trigger.days_before == days_ahead
        case BasketTrigger(), BasketShown():
            is_met = _is_basket_enough(trigger, moment.occasion)
        case SegmentTrigger(), SegmentChanged(segment=segment, movement=movement):
            is_met = (trigger.segment, trigger.movement) == (segment, movement)
        case SpendThresholdTrigger(), Purchased():
            is_met = is_crossed(trigger, moment.occasion)
        case MilestoneTrigger(), CountGrown(measure=measure, before=before, after=after):
            is_met = trigger.measure is measure and before < trigger.count <= after
        case _:
            is_met = _is_named(trigger, moment)
    return is_met


def _is_named(trigger: Trigger, moment: Moment) -> bool:
    match trigger, moment.occasion:
        case PointsExpiringTrigger(), PointsExpire(days_ahead=days_ahead):
            return trigger.within_days == days_ahead
        case RegularPurchaseTrigger(), BoughtRegularly(category=category):
            return trigger.category == category
        case SurveyTrigger(), SurveyAnswered(survey=survey):
            return trigger.survey == survey
        case _:
            return True


def _is_basket_enough(trigger: BasketTrigger, shown: BasketShown) -> bool:
    basket = shown.basket
    in_scope = [
        line.total_minor
        for line in basket.lines
        if trigger.applies_to.covers(sku=line.sku, category=line.category)
    ]
    least = trigger.basket_min
    if least is None:
        return bool(in_scope)
    return basket.currency == least.currency and sum(in_scope) >= least.amount_minor
