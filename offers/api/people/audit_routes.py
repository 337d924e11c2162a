"""Let those who answer for a site see whether its audit still holds, and who may sign in.

Layer: edges. Takes: requests of store admins and operators. Gives: how far the chain of the audit
is sound, and the users of the caller's own site. Users are made by who holds the machine alone
(`inaisle user`): here they are read.
"""

from fastapi import APIRouter
from pydantic import Field

from offers.api.auth import SiteDep
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import ServicesDep
from offers.handlers.note_audit import AuditReport, verify_audit
from offers.model.people.shopper import Role
from offers.model.people.staff_user import StaffUser

audit_routes = APIRouter(prefix="/operator", tags=["operator"])


class AuditHeadBody(Body):
    """The last entry that is sound; note it down, and nobody can write the chain anew unseen."""

    sequence: int
    hash: str
    at: Instant


class AuditStateBody(Body):
    """How far the chain holds."""

    entries: int = Field(description="found sound, up to the first fault or the end")
    head: AuditHeadBody | None = Field(description="null: there is no entry")
    first_bad_entry: int | None = Field(description="null: every entry fits")
    reason: str | None = Field(description="why that entry does not fit")

    @classmethod
    def of(cls, report: AuditReport) -> "AuditStateBody":
        """Render a report."""
        head, fault = report.head, report.fault
        return cls(
            entries=report.entries,
            head=None
            if head is None
            else AuditHeadBody(
                sequence=head.sequence, hash=head.hash, at=render_instant(head.at_ms)
            ),
            first_bad_entry=None if fault is None else fault.sequence,
            reason=None if fault is None else fault.reason,
        )


class StaffUserBody(Body):
    """Somebody who may sign in."""

    name: str = Field(examples=["kasse"])
    role: Role
    till: str | None
    created_at: Instant
    password_set_at: Instant

    @classmethod
    def of(cls, user: StaffUser) -> "StaffUserBody":
        """Render a user without anything of the password."""
        return cls(
            name=user.name,
            role=user.role,
            till=user.till,
            created_at=render_instant(user.created_at_ms),
            password_set_at=render_instant(user.changed_at_ms),
        )


class StaffUsersBody(Body):
    """Who may sign in at the site, by name."""

    users: tuple[StaffUserBody, ...]


@audit_routes.get("/privacy/audit", operation_id="getAuditState", responses=problems())
async def get_audit_state(services: ServicesDep) -> AuditStateBody:
    """Compute the chain of the audit anew and name the first entry that does not fit."""
    async with services.report_turn:  # it reads every entry: one at a time
        report = await services.read(lambda work: verify_audit(work=work))
    return AuditStateBody.of(report)


@audit_routes.get("/staff", operation_id="getStaffUsers", responses=problems())
async def get_staff_users(site: SiteDep, services: ServicesDep) -> StaffUsersBody:
    """Return who may sign in at the caller's own site."""
    users = await services.read(lambda work: work.staff.users())
    own = sorted((user for user in users if user.site == site), key=lambda user: user.name)
    return StaffUsersBody(users=tuple(StaffUserBody.of(user) for user in own))
