"""Give a shopper's app, a till or one of the staff a secret, and recognise them by it.

Layer: flow. Takes: a role and its holder. Gives: `IssuedCredential` once, and `Credential` at each
call. Storage keeps a keyed fingerprint: who steals the database cannot call us with it.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from offers.handlers.note_audit import note_audit, shopper_actor, shopper_pseudonym
from offers.handlers.random_id import random_id, random_secret
from offers.model.audit import SYSTEM, Actor, AuditAction, Detail
from offers.model.errors import NotFound
from offers.model.ids import CredentialId, ShopperId, StaffName, TillId
from offers.model.people.shopper import Credential, Role
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

PREFIXES: Final = MappingProxyType(
    {
        Role.SHOPPER: "shp",
        Role.TILL: "till",
        Role.MERCHANDISER: "mer",
        Role.STORE_ADMIN: "adm",
        Role.OPERATOR: "op",
    }
)
SECRET_PURPOSE: Final = "credential"  # noqa: S105 - the name of a use, not a secret
SECRET_CHARACTERS_MAX: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IssuedCredential:
    """A credential with its secret, which is shown this once. Not printed by `repr`."""

    credential: Credential
    secret: str


def issue_credential(
    role: Role,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    shopper: ShopperId | None = None,
    till: TillId | None = None,
    site: SiteId | None = None,
    staff: StaffName | None = None,
    expires_at_ms: UnixMs | None = None,
    by: Actor = SYSTEM,
) -> IssuedCredential:
    """Make a credential and return its secret, for the first and last time.

    Parameters
    ----------
    role
        What the holder may do.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    shopper
        For role `shopper`: whose app it is.
    till
        For role `till`: which till holds it.
    site
        For tills and staff: where it is good.
    staff, expires_at_ms
        Who has signed in, and until when that lasts; None for a key.
    by
        Who issues it; a shopper's own app is issued its credential by the shopper.
    """
    credential = Credential(
        credential=CredentialId(random_id(secrets)),
        role=role,
        created_at_ms=now_ms,
        shopper=shopper,
        till=till,
        site=site,
        staff=staff,
        expires_at_ms=expires_at_ms,
    )
    secret = random_secret(PREFIXES[role], secrets)
    fingerprint = secrets.fingerprint(secret, purpose=SECRET_PURPOSE)
    add_credential(credential, fingerprint=fingerprint, by=by, work=work, secrets=secrets)
    return IssuedCredential(credential=credential, secret=secret)


def add_credential(
    credential: Credential,
    *,
    fingerprint: str,
    by: Actor = SYSTEM,
    work: UnitOfWork,
    secrets: SecretSource,
) -> None:
    """Write a credential whose secret exists already, and note who issued it.

    Parameters
    ----------
    credential
        The new credential.
    fingerprint
        Of its secret, for `SECRET_PURPOSE`.
    by
        Who issues it.
    work, secrets
        The transaction, and the key of pseudonyms.
    """
    work.shoppers.add_credential(credential, fingerprint=fingerprint)
    shopper = credential.shopper
    details: dict[str, Detail] = {
        "role": credential.role.value,
        "till": credential.till,
        "site": credential.site,
    }
    if credential.staff is not None:
        details["staff"] = credential.staff
    note_audit(
        AuditAction.CREDENTIAL_ISSUED,
        subject=credential.credential
        if shopper is None
        else shopper_pseudonym(shopper, secrets=secrets),
        by=by if shopper is None else shopper_actor(shopper, secrets=secrets),
        details=details,
        work=work,
        now_ms=credential.created_at_ms,
    )


def fingerprint_of(secret: str, *, secrets: SecretSource) -> str | None:
    """Return what a secret is known by; None for what cannot be one of ours."""
    if not 1 <= len(secret) <= SECRET_CHARACTERS_MAX:
        return None
    return secrets.fingerprint(secret, purpose=SECRET_PURPOSE)


def caller_of(fingerprint: str | None, *, work: UnitOfWork, now_ms: UnixMs) -> Credential | None:
    """Return whose secret has this fingerprint, as `identify_caller` does."""
    found = None if fingerprint is None else work.shoppers.find_credential(fingerprint)
    return found if found is not None and found.is_live(now_ms) else None


def identify_caller(
    secret: str, *, work: UnitOfWork, secrets: SecretSource, now_ms: UnixMs
) -> Credential | None:
    """Return whose secret this is, or None where it is nobody's, or nobody's any more."""
    return caller_of(fingerprint_of(secret, secrets=secrets), work=work, now_ms=now_ms)


def revoke_credential(
    credential: CredentialId, *, work: UnitOfWork, now_ms: UnixMs, by: Actor = SYSTEM
) -> None:
    """End a credential; the next call with its secret is refused.

    Raises
    ------
    NotFound
        If it is unknown or ended already.
    """
    if not work.shoppers.revoke_credential(credential, at_ms=now_ms):
        raise NotFound(f"credential {credential} is unknown or revoked; expected a live one.")
    note_audit(AuditAction.CREDENTIAL_REVOKED, subject=credential, by=by, work=work, now_ms=now_ms)
