"""Call somebody to a shelf.

Layer: nouns. Takes: a shopper's wish. Gives: `StaffRequest` to handlers, storage and the staff's
page. It names the zone and never the shopper: whoever comes will see who stands there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import ShopperId, StaffRequestId, check_random_id
from rtls.model.units import SiteId, UnixMs, ZoneId

# After ten minutes nobody stands there any more.
WAITING_MS_MAX: Final = 600_000


class StaffRequestState(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"

    @property
    def is_open(self) -> bool:
        """Say whether somebody still waits."""
        return self in {StaffRequestState.WAITING, StaffRequestState.TAKEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRequest:
    """One shopper who wants advice at one zone."""

    request: StaffRequestId
    shopper: ShopperId
    site: SiteId
    zone: ZoneId
    state: StaffRequestState
    at_ms: UnixMs
    ended_at_ms: UnixMs | None = None

    def __post_init__(self) -> None:
        check_random_id("request", self.request, error=InvalidShopper)
        if self.state.is_open != (self.ended_at_ms is None):
            raise InvalidShopper(
                f"state is {self.state} and ended_at_ms {self.ended_at_ms}; expected an end "
                "exactly where nobody waits any more."
            )
