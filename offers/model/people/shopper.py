"""Know a shopper by a random key, and each caller by a credential.

Layer: nouns. Takes: ids. Gives: `Shopper`, `Credential` to handlers and storage.
A shopper is a pseudonym: no name, no address, no birth date stands here. What identifies the
person, if ever given, belongs in a table of its own that can be erased.
"""

from dataclasses import dataclass
from enum import StrEnum

from offers.model.errors import InvalidShopper
from offers.model.ids import (
    CredentialId,
    ShopperId,
    StaffName,
    TillId,
    check_name,
    check_random_id,
)
from rtls.model.units import SiteId, UnixMs


class Locale(StrEnum):
    """A language that messages are written in."""

    DE = "de"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """The person with the app, under a random key."""

    shopper: ShopperId
    enrolled_at_ms: UnixMs
    locale: Locale = Locale.DE

    def __post_init__(self) -> None:
        check_random_id("shopper", self.shopper, error=InvalidShopper)


class Role(StrEnum):
    """What a credential may do."""

    SHOPPER = "shopper"
    TILL = "till"
    MERCHANDISER = "merchandiser"
    """runs campaigns and reads reports; never a single shopper"""
    STORE_ADMIN = "store_admin"
    """looks after shoppers' cards, tills and staff of a site"""
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret that somebody holds, without the secret: storage keeps its keyed fingerprint."""

    credential: CredentialId
    role: Role
    created_at_ms: UnixMs
    shopper: ShopperId | None = None
    """whose app it is; for role `shopper` only"""
    till: TillId | None = None
    """which till holds it; for role `till` only"""
    site: SiteId | None = None
    """where it is good; None for a shopper, who may shop anywhere"""
    revoked_at_ms: UnixMs | None = None
    staff: StaffName | None = None
    """who has signed in; None for a key"""
    expires_at_ms: UnixMs | None = None
    """when it ends by itself; None: never"""

    def __post_init__(self) -> None:
        check_random_id("credential", self.credential, error=InvalidShopper)
        if (self.role is Role.SHOPPER) != (self.shopper is not None):
            raise InvalidShopper(
                f"role is {self.role} and shopper {self.shopper!r}; expected a shopper with the "
                "role shopper, and only there."
            )
        if (self.role is Role.TILL) != (self.till is not None):
            raise InvalidShopper(
                f"role is {self.role} and till {self.till!r}; expected a till with the role till, "
                "and only there."
            )
        if self.till is not None:
            check_name("till", self.till, error=InvalidShopper)
        if self.role is not Role.SHOPPER and self.site is None:
            raise InvalidShopper(f"site is missing; expected the site where the {self.role} works.")
        if self.staff is not None and (self.role is Role.SHOPPER or self.expires_at_ms is None):
            raise InvalidShopper(
                f"staff is {self.staff!r} with the role {self.role} and expires_at_ms "
                f"{self.expires_at_ms}; expected one of the staff and an end."
            )

    def is_live(self, now_ms: UnixMs) -> bool:
        """Return whether it opens anything at an instant."""
        is_over = self.expires_at_ms is not None and now_ms >= self.expires_at_ms
        return self.revoked_at_ms is None and not is_over
