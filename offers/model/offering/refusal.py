"""Name each reason for which a campaign is passed over or a coupon is not taken.

Layer: nouns. Takes: nothing. Gives: reasons to decisions, checkout and the answer to "why?".
A reason is a member of an enum, so that a `match` over all of them can be checked by mypy.
"""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a campaign was passed over in a decision."""

    CARD_SUSPENDED = "card_suspended"
    PAUSED = "paused"
    """the shopper wants to be left alone at the shelves today"""
    OTHER_TRIGGER = "other_trigger"
    """the campaign waits for another zone, another dwell, another sum"""
    EVENT_LATE = "event_late"
    """the event stands on readings from a spool, or reached us too late to be of use"""
    VISIT_ENDED = "visit_ended"
    CONSENT_LOCATE_MISSING = "consent_locate_missing"
    CONSENT_PERSONALISE_MISSING = "consent_personalise_missing"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    OUT_OF_SCHEDULE = "out_of_schedule"
    """not on this day, or not at this hour, by the clocks of the site"""
    CONDITION_UNMET = "condition_unmet"
    """the shopper is not of the audience, or the situation is another; with the place"""
    HELD_OUT = "held_out"
    """the shopper is of those whom no campaign addresses, so that all can be judged"""
    EXPERIMENT_NOT_RUNNING = "experiment_not_running"
    """the campaign plays in an experiment that has not begun, is over or was stopped"""
    OTHER_ARM = "other_arm"
    """the campaign plays for shoppers of another arm of its experiment"""
    ALREADY_OFFERED = "already_offered"
    """on this very occasion, e.g. in this visit"""
    FREQUENCY_CAP = "frequency_cap"
    COOL_DOWN = "cool_down"
    """the shopper dismissed this campaign not long ago"""
    TRIP_CAP = "trip_cap"
    """enough offers for one trip, whatever the campaign"""
    BUDGET_SPENT = "budget_spent"
    OUTRANKED = "outranked"
    """eligible, but another campaign was chosen"""


class DeliveryRefusal(StrEnum):
    """Why an issued offer was not brought to the app."""

    NOT_ISSUED = "not_issued"
    """delivered, expired or revoked before"""
    EXPIRED = "expired"
    VISIT_ENDED = "visit_ended"
    CONSENT_WITHDRAWN = "consent_withdrawn"


class PushRefusal(StrEnum):
    """Why an offer was not pushed, or a mail not sent. The offer still waits in the app."""

    NOTIFY_NOT_GRANTED = "notify_not_granted"
    CHANNEL_OFF = "channel_off"
    """the shopper has switched this way of messages off"""
    NO_ADDRESS = "no_address"
    """no browser has subscribed, or no mail address is confirmed"""
    QUIET_HOURS = "quiet_hours"
    NO_TRIP = "no_trip"
    """the offer is not of this shopper's stay in the site: there is no context to push for"""
    TRIP_CAP = "trip_cap"
    """another offer of the same trip was pushed"""
    TOO_SOON = "too_soon"
    """the shopper's own frequency asks for a longer rest"""
    TOO_LATE = "too_late"
    """less of the context is left than a push takes to arrive"""


class TillRefusal(StrEnum):
    """Why a step with a card, a held basket or a purchase was not done."""

    CARD_NOT_VALID = "card_not_valid"
    """unknown, too old, or shown before: never told apart"""
    CARD_SUSPENDED = "card_suspended"
    """its holder may appeal in the app; without points and coupons the basket can be paid"""
    NOTHING_TO_HOLD = "nothing_to_hold"
    """no card, and no coupon that is taken: the basket needs us for nothing"""
    HOLD_EXPIRED = "hold_expired"
    """its coupons may be in another basket by now: hold the basket again"""
    HOLD_CANCELLED = "hold_cancelled"
    HOLD_COMMITTED = "hold_committed"
    """under another key: the purchase is made, and ends by returns"""
    SPEND_WITHOUT_CARD = "spend_without_card"
    UNIT_NOT_TAKEN = "unit_not_taken"
    """points that are worth no money here, or cashback in another currency"""
    BALANCE_TOO_LOW = "balance_too_low"
    """less can be spent now than is asked for"""
    RETURN_TOO_LARGE = "return_too_large"
    """more of a line than was bought and has not been returned yet"""


class CheckoutRefusal(StrEnum):
    """Why a coupon was not taken at the checkout."""

    COUPON_UNKNOWN = "coupon_unknown"
    COUPON_FOREIGN = "coupon_foreign"
    """of another site"""
    COUPON_EXPIRED = "coupon_expired"
    COUPON_USED = "coupon_used"
    COUPON_HELD = "coupon_held"
    """by a basket at a till that is neither paid nor given up"""
    COUPON_REVOKED = "coupon_revoked"
    CARD_SUSPENDED = "card_suspended"
    """its holder may appeal in the app"""
    COUPON_NOT_VALID = "coupon_not_valid"
    """what strangers are told instead of the six above"""
    BASKET_CURRENCY = "basket_currency"
    BASKET_TOO_SMALL = "basket_too_small"
    BASKET_WITHOUT_MATCH = "basket_without_match"
    """no line that the benefit applies to"""
    BUDGET_SPENT = "budget_spent"
    OUTSTACKED = "outstacked"
    """good, but the basket saves most without it; it stays in the shopper's hand"""
    STACK_FULL = "stack_full"
    """good, but as many as are taken with one basket save more"""
    CARD_NEEDED = "card_needed"
    """it brings points or cashback, and nobody knows whose wallet they belong in"""
    CODE_NEEDED = "code_needed"
    """it is used when the shopper asks for it: show its own code"""

    @property
    def for_strangers(self) -> "CheckoutRefusal":
        """Return the reason as a till may know it.

        Six reasons look alike: the difference between "unknown" and "expired" would tell a
        guesser that a code exists. The shopper, who owns the coupon, sees its state in the app.
        """
        return CheckoutRefusal.COUPON_NOT_VALID if self in _ONLY_FOR_OWNERS else self


class CardRefusal(StrEnum):
    """Why the code of a card was not taken."""

    CODE_WRONG = "card_code_wrong"
    CODE_OUT_OF_TIME = "card_code_out_of_time"
    """good, but minutes or hours off: an old picture, or a clock that is wrong"""
    CODE_USED = "card_code_used"
    """shown and taken before"""


_ONLY_FOR_OWNERS = frozenset(
    {
        CheckoutRefusal.COUPON_UNKNOWN,
        CheckoutRefusal.COUPON_FOREIGN,
        CheckoutRefusal.COUPON_EXPIRED,
        CheckoutRefusal.COUPON_USED,
        CheckoutRefusal.COUPON_HELD,
        CheckoutRefusal.COUPON_REVOKED,
    }
)
