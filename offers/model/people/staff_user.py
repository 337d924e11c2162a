"""Know one of the staff by a name and a password, and how long a sign-in lasts.

Layer: nouns. Takes: what the operator types. Gives: `StaffUser` to handlers and storage. A user
signs in and then acts with a `Credential` that expires; keys for machines need no user.
"""

from dataclasses import dataclass, field
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.ids import StaffName, TillId, check_name
from offers.model.people.shopper import Role
from rtls.model.units import SiteId, UnixMs

SESSION_MS: Final = 12 * 3_600_000
"""a shift and what comes before and after it"""
SESSIONS_MAX: Final = 20
"""of one user at a time; a further one ends the oldest"""
PASSWORD_CHARACTERS_MIN: Final = 10
PASSWORD_CHARACTERS_MAX: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffUser:
    """One of the staff, or the people who share a till."""

    name: StaffName
    role: Role
    site: SiteId
    till: TillId | None = None
    """which till it is; for role `till` only"""
    password_hash: str = field(repr=False)
    created_at_ms: UnixMs
    changed_at_ms: UnixMs
    """when the password was last set"""

    def __post_init__(self) -> None:
        check_name("name", self.name, error=InvalidShopper)
        if self.role is Role.SHOPPER:
            raise InvalidShopper(
                "role is shopper; expected one of the staff. Shoppers enrol in the app."
            )
        if (self.role is Role.TILL) != (self.till is not None):
            raise InvalidShopper(
                f"role is {self.role} and till {self.till!r}; expected a till with the role till, "
                "and only there."
            )
        if self.till is not None:
            check_name("till", self.till, error=InvalidShopper)


def check_password(password: str) -> None:
    """Refuse a password that is too short to hold, or too long to be one.

    Raises
    ------
    InvalidShopper
        If it has fewer than `PASSWORD_CHARACTERS_MIN` characters or more than the most.
    """
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise InvalidShopper(
            f"the password has {len(password)} characters; expected {PASSWORD_CHARACTERS_MIN} to "
            f"{PASSWORD_CHARACTERS_MAX}. A sentence of four words will do."
        )
