"""Say whether an offer may be pushed while the app is closed, or why not.

Layer: rules. Takes: a `PushMoment`. Gives: `PushRefusal` or None to push_offer. One push a trip by
default: more than one message a place cut the use of an app by a factor of four in a field report
of 100 000 shoppers. What is not pushed waits in the app, silently.
"""

from dataclasses import dataclass, replace

from offers.model.messages.contact import ContactWishes, DeliveryChannel
from offers.model.offering.decision import Decision
from offers.model.offering.decision_ground import PushGround
from offers.model.offering.refusal import PushRefusal
from offers.model.visits.site_rules import SiteRules
from rtls.model.units import UnixMs

LEFT_MS_MIN = 2_000  # a push takes about a second to arrive; what comes after the end only annoys


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMoment:
    """What holds for one offer at one instant."""

    now_ms: UnixMs
    may_notify: bool
    """`notify` was granted at the decision, and is now"""
    wishes: ContactWishes
    has_browser: bool
    is_quiet: bool
    has_trip: bool
    has_slot: bool
    """the offer has a slot of the trip, or there is one left"""
    is_repeat: bool
    """the same offer was pushed before, and nobody took it yet"""
    last_pushed_at_ms: UnixMs | None
    left_ms: int
    """how long the offer's context lasts"""


def push_refusal(moment: PushMoment) -> PushRefusal | None:
    """Return what stands against a push, the weightiest first, or None.

    Parameters
    ----------
    moment
        What holds now.
    """
    rest_ms = moment.wishes.rest_ms(DeliveryChannel.PUSH)
    last = moment.last_pushed_at_ms
    is_rested = moment.is_repeat or last is None or moment.now_ms - last >= rest_ms
    reasons = (
        (not moment.may_notify, PushRefusal.NOTIFY_NOT_GRANTED),
        (not moment.wishes.wants(DeliveryChannel.PUSH), PushRefusal.CHANNEL_OFF),
        (not moment.has_browser, PushRefusal.NO_ADDRESS),
        (moment.is_quiet, PushRefusal.QUIET_HOURS),
        (not moment.has_trip, PushRefusal.NO_TRIP),
        (not moment.has_slot, PushRefusal.TRIP_CAP),
        (not is_rested, PushRefusal.TOO_SOON),
        (moment.left_ms < LEFT_MS_MIN, PushRefusal.TOO_LATE),
    )
    return next((refusal for stands, refusal in reasons if stands), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOutlook:
    """What is known of a push when the offer is decided on."""

    now_ms: UnixMs
    may_notify: bool
    is_place: bool
    """the offer is of a place: others are never pushed"""
    is_quiet: bool
    wishes: ContactWishes = ContactWishes()  # noqa: RUF009 - it cannot change
    last_pushed_at_ms: UnixMs | None = None


def foreseen_refusal(outlook: PushOutlook) -> PushRefusal | None:
    """Return what stands against a push already at the decision, the weightiest first, or None.

    Whether a browser has subscribed and the trip has a push left is asked when it is sent, as is
    all of this once more: a minute later another word may hold.
    """
    last = outlook.last_pushed_at_ms
    rest_ms = outlook.wishes.rest_ms(DeliveryChannel.PUSH)
    reasons = (
        (not outlook.may_notify, PushRefusal.NOTIFY_NOT_GRANTED),
        (not outlook.wishes.wants(DeliveryChannel.PUSH), PushRefusal.CHANNEL_OFF),
        (outlook.is_quiet, PushRefusal.QUIET_HOURS),
        (not outlook.is_place, PushRefusal.NO_TRIP),
        (last is not None and outlook.now_ms - last < rest_ms, PushRefusal.TOO_SOON),
    )
    return next((refusal for stands, refusal in reasons if stands), None)


def with_foreseen_push(decision: Decision, push: PushGround, rules: SiteRules) -> Decision:
    """Return a decision that says what stands against a push of its offer, and on what ground."""
    chosen, ground = decision.chosen, decision.ground
    assert chosen is not None
    assert ground is not None
    outlook = PushOutlook(
        now_ms=decision.at_ms,
        may_notify=chosen.may_notify,
        is_place=ground.needs_locate,
        is_quiet=rules.quiet_hours.covers(decision.at_ms),
        wishes=ContactWishes(wants_push=push.wants_push, frequency=push.frequency),
        last_pushed_at_ms=push.last_pushed_at_ms,
    )
    return replace(
        decision,
        chosen=replace(chosen, push_refusal=foreseen_refusal(outlook)),
        ground=replace(ground, push=push),
    )
