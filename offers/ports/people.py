"""Keep who the shoppers are, what they agreed to, and which tag stands for them.

Layer: ports. Takes: nouns. Gives: `Shoppers`, `Consents`, `Pairings` to storage.
"""

from typing import Protocol

from offers.model.ids import CredentialId, PairingId, ShopperId
from offers.model.people.consent import Consent, ConsentState
from offers.model.people.consent_text import ConsentText
from offers.model.people.pairing import Pairing, PairingEnd
from offers.model.people.shopper import Credential, Shopper
from rtls.model.counted_tag import CountedTag
from rtls.model.units import SiteId, TagId, UnixMs


class Shoppers(Protocol):
    """Shoppers and their credentials."""

    def add(self, shopper: Shopper) -> None:
        """Write a new shopper."""
        ...

    def find(self, shopper: ShopperId) -> Shopper | None:
        """Return the shopper, or None."""
        ...

    def add_credential(self, credential: Credential, *, fingerprint: str) -> None:
        """Write a new credential under the fingerprint of its secret."""
        ...

    def find_credential(self, fingerprint: str) -> Credential | None:
        """Return the credential whose secret has this fingerprint, revoked or not, or None."""
        ...

    def staff_credentials(self) -> tuple[Credential, ...]:
        """Return all keys of tills and staff, oldest first, revoked or not; no sessions."""
        ...

    def revoke_credential(self, credential: CredentialId, *, at_ms: UnixMs) -> bool:
        """End a credential; False where it is unknown or ended."""
        ...


class Consents(Protocol):
    """The history of what shoppers agreed to. There is no way to change a record."""

    def append(self, consent: Consent) -> None:
        """Write one grant or withdrawal behind all earlier ones."""
        ...

    def state_of(self, shopper: ShopperId) -> ConsentState:
        """Return what counts now."""
        ...

    def keep_text(self, text: ConsentText) -> bool:
        """Keep what is shown under a version; False where another text is kept under it."""
        ...

    def texts_of(self, version: str) -> tuple[ConsentText, ...]:
        """Return the texts of a version, one a language."""
        ...

    def newest_text_version(self) -> str | None:
        """Return the version to show: the last by name, so that dates do; None without texts."""
        ...

    def has_texts(self) -> bool:
        """Say whether any text is kept: then a version that is not cannot have been shown."""
        ...

    def history_of(self, shopper: ShopperId) -> tuple[Consent, ...]:
        """Return every record, oldest first."""
        ...


class Pairings(Protocol):
    """Which tag stands for which shopper. A tag has at most one pairing that has not ended."""

    def add(self, pairing: Pairing) -> bool:
        """Write a new pairing; False where the tag has one that has not ended."""
        ...

    def open_of_tag(self, tag: TagId) -> Pairing | None:
        """Return the pairing of the tag that has not been ended, or None. It may have expired."""
        ...

    def active_of_shopper(self, shopper: ShopperId, *, now_ms: UnixMs) -> tuple[Pairing, ...]:
        """Return the active pairings of the shopper, oldest first."""
        ...

    def open_of_shopper(self, shopper: ShopperId) -> tuple[Pairing, ...]:
        """Return the pairings of the shopper that have not been ended, expired or not."""
        ...

    def end(self, pairing: PairingId, *, at_ms: UnixMs, end: PairingEnd) -> bool:
        """End a pairing; False where it is unknown or ended."""
        ...

    def overdue(self, *, now_ms: UnixMs, limit: int) -> tuple[Pairing, ...]:
        """Return pairings that have expired but are not ended yet."""
        ...

    def admitted_tags(self, *, now_ms: UnixMs) -> frozenset[TagId]:
        """Return all tags with an active pairing: what locating may follow."""
        ...

    def counted_tags(
        self, site: SiteId, *, now_ms: UnixMs, tag: TagId | None = None
    ) -> tuple[CountedTag, ...]:
        """Return those of them, or ``tag`` if it is one, whose shopper granted `analytics`.

        Each with the instant from which on it counts (of the consent, or later when the shopper
        took the tag) and with the shopper's segment at the site.
        """
        ...
