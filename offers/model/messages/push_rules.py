"""State what holds for all pushes of a site.

Layer: nouns. Takes: settings. Gives: `PushRules` to push_offer and send_mail.
"""

from dataclasses import dataclass
from typing import Final

from offers.model.errors import InvalidContact
from offers.model.messages.quiet_hours import QuietHours

PUSHES_A_TRIP_MAX: Final = 10
TTL_S_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRules:
    """How many pushes a trip, and when none at all."""

    quiet_hours: QuietHours
    pushes_a_trip: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.pushes_a_trip <= PUSHES_A_TRIP_MAX:
            raise InvalidContact(
                f"pushes_a_trip is {self.pushes_a_trip}; expected 0 (never push) to "
                f"{PUSHES_A_TRIP_MAX}."
            )
