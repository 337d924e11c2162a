"""Let one shopper bring another, and reward both when the new one first buys.

Layer: nouns. Takes: a referrer's code, a new shopper. Gives: `Referral` and why one is not taken to
handlers and storage. A referral pays nothing until the first purchase: enrolling costs nothing, so
a reward for enrolling alone would be farmed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import ReferralId, ShopperId, check_random_id
from rtls.model.units import UnixMs

PENDING_MS_MAX: Final = 90 * 86_400_000
# A keen friend brings a handful; who brings more in a month is a farm or a job.
REFERRALS_IN_WINDOW_MAX: Final = 20
WINDOW_MS: Final = 30 * 86_400_000


class ReferralState(StrEnum):
    """How far a referral has come."""

    PENDING = "pending"
    CONVERTED = "converted"
    """the referred shopper has bought, and both were rewarded"""
    LAPSED = "lapsed"
    """no purchase in time"""
    REFUSED = "refused"
    """found at the first purchase to be one person with two cards"""


class ReferralRefusal(StrEnum):
    """Why a code is not taken."""

    CODE_UNKNOWN = "code_unknown"
    OWN_CODE = "own_code"
    ALREADY_REFERRED = "already_referred"
    ALREADY_BOUGHT = "already_bought"
    """only who is new can be brought"""
    TOO_MANY = "too_many"
    """the referrer has brought as many as a window allows"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """One shopper brought by another."""

    referral: ReferralId
    referrer: ShopperId
    referred: ShopperId
    state: ReferralState
    at_ms: UnixMs
    ended_at_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_random_id("referral", self.referral, error=InvalidShopper)
        if self.referrer == self.referred:
            raise InvalidShopper(
                f"referrer and referred are both {self.referrer}; expected two shoppers."
            )
        if (self.state is ReferralState.PENDING) != (self.ended_at_ms is None):
            raise InvalidShopper(
                f"state is {self.state} and ended_at_ms {self.ended_at_ms}; expected an end "
                "exactly where the referral is no longer pending."
            )

    def is_over(self, now_ms: UnixMs) -> bool:
        """Say whether it has waited too long for a purchase."""
        return now_ms - self.at_ms >= PENDING_MS_MAX
