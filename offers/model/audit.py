"""Chain the entries of the audit, so that none can be changed or taken out unseen.

Layer: nouns. Takes: who did what to whom. Gives: `AuditEntry` to handlers and storage,
`first_fault` to who verifies. Each entry carries the hash of the one before and its own, SHA-256
over a canonical form of all its fields. Whoever can write the database can write the whole chain
anew: so the head should be noted elsewhere now and then, and verified against that note.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offers.model.errors import InvalidShopper
from offers.model.people.shopper import Credential, Role
from rtls.model.units import UnixMs

NO_HASH: Final = "0" * 64
"""what stands before the first entry"""
SYSTEM_ROLE: Final = "system"
DETAILS_CHARACTERS_MAX: Final = 1_000

Detail = str | int | bool | None


class AuditAction(StrEnum):
    """What happened. A member is never renamed: entries with it are kept for years."""

    CONSENT_GRANTED = "consent_granted"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_ISSUED = "campaign_issued"
    CATALOGUE_REPLACED = "catalogue_replaced"
    SITE_MAP_PUBLISHED = "site_map_published"
    EXPERIMENT_STARTED = "experiment_started"
    EXPERIMENT_STOPPED = "experiment_stopped"
    PROGRAMME_STARTED = "programme_started"
    CREDENTIAL_ISSUED = "credential_issued"
    CREDENTIAL_REVOKED = "credential_revoked"
    STAFF_ADDED = "staff_added"
    STAFF_REMOVED = "staff_removed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a deed, not a secret
    COUPON_REDEEMED = "coupon_redeemed"
    REDEMPTION_REVERSED = "redemption_reversed"
    GOODWILL_GRANTED = "goodwill_granted"
    CARD_SUSPENDED = "card_suspended"
    SUSPENSION_APPEALED = "suspension_appealed"
    CARD_RESTORED = "card_restored"
    CARD_CODES_AHEAD = "card_codes_ahead"
    CASE_ANSWERED = "case_answered"
    CASE_CLOSED = "case_closed"
    PARTNER_SETTLED = "partner_settled"
    POSITIONS_PLAYED = "positions_played"
    SHOPPER_LOOKED_UP = "shopper_looked_up"
    SHOPPER_EXPORTED = "shopper_exported"
    SHOPPER_ERASED = "shopper_erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it: a role with the id of a credential or till, or the system by itself."""

    role: Role | None = None
    ref: str | None = None
    """a shopper stands here as in `AuditEntry.subject`: by pseudonym"""

    def __post_init__(self) -> None:
        if (self.role is None) != (self.ref is None):
            raise InvalidShopper(
                f"the actor has role {self.role} and ref {self.ref!r}; expected both, or none for "
                "the system."
            )

    @classmethod
    def of(cls, credential: Credential) -> "Actor":
        """Return one of the staff or a till, by credential."""
        return cls(role=credential.role, ref=credential.credential)


SYSTEM: Final = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry as it is stored. It checks nothing: a forged entry must be readable to be named."""

    sequence: int
    at_ms: UnixMs
    actor_role: str
    actor_ref: str | None
    action: str
    subject: str
    """what it was done to; a shopper stands here as a keyed fingerprint, and nothing else does"""
    details: str
    """JSON in canonical form; no secret, no text that a person wrote, no key of a shopper"""
    previous: str
    hash: str

    @property
    def expected_hash(self) -> str:
        """Return what `hash` is if nobody has touched the entry."""
        return _hash_of(
            self.sequence,
            self.at_ms,
            self.actor_role,
            self.actor_ref,
            self.action,
            self.subject,
            self.details,
            self.previous,
        )


def next_entry(
    head: AuditEntry | None,
    action: AuditAction,
    *,
    at_ms: UnixMs,
    by: Actor,
    subject: str,
    details: Mapping[str, Detail],
) -> AuditEntry:
    """Return the entry that follows ``head``.

    Raises
    ------
    InvalidShopper
        If ``details`` are longer than an entry may be.
    """
    told = _canonical(dict(details))
    if len(told) > DETAILS_CHARACTERS_MAX:
        raise InvalidShopper(
            f"the details of an audit entry have {len(told)} characters; expected at most "
            f"{DETAILS_CHARACTERS_MAX}. Name things by their ids."
        )
    sequence, previous = (1, NO_HASH) if head is None else (head.sequence + 1, head.hash)
    role = SYSTEM_ROLE if by.role is None else by.role.value
    return AuditEntry(
        sequence=sequence,
        at_ms=at_ms,
        actor_role=role,
        actor_ref=by.ref,
        action=action.value,
        subject=subject,
        details=told,
        previous=previous,
        hash=_hash_of(sequence, at_ms, role, by.ref, action.value, subject, told, previous),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFault:
    """The first entry that does not fit, and why."""

    sequence: int
    reason: str


def first_fault(entries: Iterable[AuditEntry], *, after: AuditEntry | None) -> AuditFault | None:
    """Return the first of ``entries`` that does not follow from what stands before it, or None.

    Parameters
    ----------
    entries
        In the order of their sequence, the first of them behind ``after``.
    after
        The last entry that has been verified; None at the beginning.
    """
    before = after
    for entry in entries:
        expected = (1, NO_HASH) if before is None else (before.sequence + 1, before.hash)
        if entry.sequence != expected[0]:
            reason = f"entry {expected[0]} is missing before it"
        elif entry.previous != expected[1]:
            reason = "it does not carry the hash of the entry before"
        elif entry.hash != entry.expected_hash:
            reason = "its fields do not give its hash"
        else:
            before = entry
            continue
        return AuditFault(sequence=entry.sequence, reason=reason)
    return None


def _hash_of(*fields: str | int | None) -> str:
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


# ASCII, sorted, without blanks: the same bytes on every machine. What no database of ours holds,
# but a forger's may (SQLite takes any type in any column), is told apart by its repr.
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr)


def _canonical(value: object) -> str:
    return _ENCODER.encode(value)
