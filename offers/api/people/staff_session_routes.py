"""Let the staff sign in with a name and a password, say who they are, and sign out.

Layer: edges. Takes: names and passwords. Gives: tokens that do what a key of the role does, for
twelve hours. Whether the name or the password was wrong cannot be told, neither from the answer nor
from its time; who guesses waits.
"""

from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Request, Response, status
from pydantic import Field, StrictStr

from offers.api.auth import CallerDep
from offers.api.failure_limit import FailureLimit
from offers.api.problem import Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import Services, ServicesDep
from offers.handlers.people.issue_credential import IssuedCredential
from offers.handlers.people.staff_users import close_session, open_session
from offers.model.ids import NAME_PATTERN, StaffName
from offers.model.people.shopper import Credential, Role
from offers.model.people.staff_user import StaffUser
from rtls.model.units import UnixMs

staff_session_routes = APIRouter(tags=["staff"])


class SignInBody(Body):
    """A name and a password."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=128, examples=["merchandiser"])]
    password: Annotated[StrictStr, Field(min_length=1, max_length=1024)]


class StaffBody(Body):
    """One of the staff, or the till that a key is of."""

    role: Role = Field(examples=[Role.MERCHANDISER])
    name: str | None = Field(description="null for a key", examples=["merchandiser"])
    site: str = Field(examples=["demo"])
    till: str | None = Field(description="null but for tills", examples=[None])
    expires_at: Instant | None = Field(description="null for a key")

    @classmethod
    def of(cls, credential: Credential) -> "StaffBody":
        """Render whose a credential is."""
        assert credential.site is not None  # no route here lets shoppers in
        expires_at_ms = credential.expires_at_ms
        return cls(
            role=credential.role,
            name=credential.staff,
            site=credential.site,
            till=credential.till,
            expires_at=None if expires_at_ms is None else render_instant(expires_at_ms),
        )


class StaffSessionBody(StaffBody):
    """A session that has just been opened."""

    token: str = Field(description="shown this once; what Authorization: Bearer takes")

    @classmethod
    def of_issued(cls, issued: IssuedCredential) -> "StaffSessionBody":
        """Render a session with its token."""
        whose = StaffBody.of(issued.credential)
        return cls(**whose.model_dump(), token=issued.secret)


@staff_session_routes.post(
    "/staff/sessions",
    operation_id="openStaffSession",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.CREDENTIAL_INVALID, ProblemCode.TOO_MANY_FAILURES, is_open=True),
)
async def open_staff_session(
    body: SignInBody, request: Request, response: Response, services: ServicesDep
) -> StaffSessionBody:
    """Sign in; the token is good for twelve hours and shown this once.

    Raises
    ------
    Problem
        401 where it is no name and password of ours, 429 after too many of them.
    """
    name = body.name.strip().lower()
    address = "" if request.client is None else request.client.host
    user = await _recognise(name, body.password, address, services)
    issued = None
    if user is not None:
        act = partial(open_session, user, now_ms=services.now_ms(), secrets=services.secrets)
        issued = await services.write(lambda work: act(work=work))
    if issued is None:
        raise Problem(
            ProblemCode.CREDENTIAL_INVALID,
            "There is no user with this name and this password.",
        )
    response.headers["Cache-Control"] = "no-store"
    return StaffSessionBody.of_issued(issued)


@staff_session_routes.get("/staff/me", operation_id="getStaffMe", responses=problems())
async def get_staff_me(caller: CallerDep) -> StaffBody:
    """Say whose session or key this is."""
    return StaffBody.of(caller)


@staff_session_routes.delete(
    "/staff/sessions/current",
    operation_id="closeStaffSession",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(ProblemCode.STATE_CONFLICT),
)
async def close_staff_session(caller: CallerDep, services: ServicesDep) -> None:
    """Sign out; the token opens nothing from now on. A key is not ended in this way."""
    now_ms = services.now_ms()
    await services.write(lambda work: close_session(caller, work=work, now_ms=now_ms))


async def _recognise(
    name: str, password: str, address: str, services: Services
) -> StaffUser | None:
    """Return the user if it is the password; it takes as long where there is no such user."""
    # What nobody can be called is looked for and compared all the same, and like all the others.
    wanted = StaffName(name if NAME_PATTERN.match(name) else "-")
    async with services.password_turn:  # within it, or guesses side by side would not be counted
        limits = (
            (services.sign_in_failures, f"{address} {wanted}"),
            (services.sign_in_failures_at_large, f"name {wanted}"),
            (services.sign_in_failures_at_large, f"address {address}"),
        )
        _refuse_who_guesses(limits, now_ms=services.now_ms())
        user = await services.read(lambda work: work.staff.find(wanted))
        password_hash = None if user is None else user.password_hash
        compare = partial(services.secrets.is_password, password, password_hash)
        if await anyio.to_thread.run_sync(compare):
            return user
        for limit, identity in limits:
            limit.count_failure(identity, now_ms=services.now_ms())
    return None


def _refuse_who_guesses(limits: tuple[tuple[FailureLimit, str], ...], *, now_ms: UnixMs) -> None:
    wait_s = max(limit.wait_s(identity, now_ms=now_ms) for limit, identity in limits)
    if wait_s:
        raise Problem(
            ProblemCode.TOO_MANY_FAILURES,
            f"Too many attempts to sign in have failed; again in {wait_s} s.",
            retry_after_s=wait_s,
        )
