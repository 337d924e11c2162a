"""Keep who of the staff may sign in, and the sessions they have opened.

Layer: ports. Takes: nouns. Gives: `Staff` to storage. A session is a credential that expires and
names its user; how it is found by its secret is `Shoppers.find_credential`.
"""

from typing import Protocol

from offers.model.ids import StaffName
from offers.model.people.shopper import Credential
from offers.model.people.staff_user import StaffUser
from rtls.model.units import UnixMs


class Staff(Protocol):
    """The users among the staff, and their sessions."""

    def add(self, user: StaffUser) -> bool:
        """Write a new user; False where the name is taken."""
        ...

    def find(self, name: StaffName) -> StaffUser | None:
        """Return the user, or None."""
        ...

    def users(self) -> tuple[StaffUser, ...]:
        """Return all users, by name."""
        ...

    def change_password(self, name: StaffName, *, password_hash: str, at_ms: UnixMs) -> bool:
        """Write another password; False where there is no such user."""
        ...

    def remove(self, name: StaffName) -> bool:
        """Delete a user; False where there is none."""
        ...

    def sessions_of(self, name: StaffName) -> tuple[Credential, ...]:
        """Return the sessions that have not been ended, expired ones too, oldest first."""
        ...
