"""Let one of the staff sign in with a name and a password, and make and remove those who may.

Layer: flow. Takes: names, hashes of passwords, a transaction. Gives: a session, which is a
credential that expires, or an error that says what stands against it. Passwords are hashed and
compared before the transaction, for that takes long on purpose.
"""

from typing import Final

from offers.handlers.note_audit import note_audit
from offers.handlers.people.issue_credential import IssuedCredential, issue_credential
from offers.model.audit import SYSTEM, Actor, AuditAction
from offers.model.errors import Conflict, NotFound, WrongState
from offers.model.ids import StaffName
from offers.model.people.shopper import Credential
from offers.model.people.staff_user import SESSION_MS, SESSIONS_MAX, StaffUser
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import UnixMs

SUBJECT: Final = "staff:"
UNKNOWN: Final = "user {name!r} is unknown; expected one that `inaisle user list` prints."


def add_staff_user(
    user: StaffUser, *, work: UnitOfWork, now_ms: UnixMs, by: Actor = SYSTEM
) -> None:
    """Write a user.

    Raises
    ------
    Conflict
        If the name is taken.
    """
    if not work.staff.add(user):
        raise Conflict(
            f"name {user.name!r} is taken; expected another. Remove the user first, or set a new "
            "password."
        )
    note_audit(
        AuditAction.STAFF_ADDED,
        subject=SUBJECT + user.name,
        by=by,
        details={"role": user.role.value, "till": user.till, "site": user.site},
        work=work,
        now_ms=now_ms,
    )


def remove_staff_user(
    name: StaffName, *, work: UnitOfWork, now_ms: UnixMs, by: Actor = SYSTEM
) -> None:
    """Remove a user and end all sessions.

    Raises
    ------
    NotFound
        If there is none.
    """
    if not work.staff.remove(name):
        raise NotFound(UNKNOWN.format(name=name))
    _end(work.staff.sessions_of(name), work=work, now_ms=now_ms)
    note_audit(AuditAction.STAFF_REMOVED, subject=SUBJECT + name, by=by, work=work, now_ms=now_ms)


def change_password(
    name: StaffName, *, password_hash: str, work: UnitOfWork, now_ms: UnixMs, by: Actor = SYSTEM
) -> None:
    """Write another password, and end the sessions that were opened with the one before.

    Raises
    ------
    NotFound
        If there is no such user.
    """
    if not work.staff.change_password(name, password_hash=password_hash, at_ms=now_ms):
        raise NotFound(UNKNOWN.format(name=name))
    _end(work.staff.sessions_of(name), work=work, now_ms=now_ms)
    note_audit(
        AuditAction.PASSWORD_CHANGED, subject=SUBJECT + name, by=by, work=work, now_ms=now_ms
    )


def open_session(
    user: StaffUser, *, work: UnitOfWork, now_ms: UnixMs, secrets: SecretSource
) -> IssuedCredential | None:
    """Open a session for who has just given the right password.

    Parameters
    ----------
    user
        As it was when the password was compared. None is the answer if it has changed since.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    """
    if work.staff.find(user.name) != user:
        return None
    sessions = work.staff.sessions_of(user.name)
    live = [one for one in sessions if one.is_live(now_ms)]
    over = [one for one in sessions if not one.is_live(now_ms)]
    _end((*over, *live[: max(0, len(live) - SESSIONS_MAX + 1)]), work=work, now_ms=now_ms)
    return issue_credential(
        user.role,
        work=work,
        now_ms=now_ms,
        secrets=secrets,
        till=user.till,
        site=user.site,
        staff=user.name,
        expires_at_ms=UnixMs(now_ms + SESSION_MS),
    )


def close_session(session: Credential, *, work: UnitOfWork, now_ms: UnixMs) -> None:
    """End the caller's own session.

    Raises
    ------
    WrongState
        If it is a key: keys of machines do not end because somebody leaves a screen.
    """
    if session.staff is None:
        raise WrongState(
            "the credential is a key and no session; expected the token of a sign-in. Revoke a key "
            "with `inaisle key revoke`."
        )
    if work.shoppers.revoke_credential(session.credential, at_ms=now_ms):
        note_audit(
            AuditAction.CREDENTIAL_REVOKED,
            subject=session.credential,
            by=Actor.of(session),
            work=work,
            now_ms=now_ms,
        )


def _end(sessions: tuple[Credential, ...], *, work: UnitOfWork, now_ms: UnixMs) -> None:
    for session in sessions:
        # An expired one has ended when it expired, not when somebody came by to note it.
        ended_ms = min(now_ms, now_ms if session.expires_at_ms is None else session.expires_at_ms)
        work.shoppers.revoke_credential(session.credential, at_ms=UnixMs(ended_ms))
