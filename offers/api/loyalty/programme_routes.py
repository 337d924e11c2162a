"""Serve who answers for the loyalty programme: read it, try a document, put one into force.

Layer: edges. Takes: requests of store admins and operators. Gives: the programme of the key's own
site with its revisions. A revision is added against the one that was read (If-Match), and none is
ever changed: what was promised on a day can be read for ever.
"""

import json
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response, status
from fastapi import Body as RequestBody
from pydantic import Field, JsonValue

from offers.api.auth import CallerDep, SiteDep
from offers.api.operator_routes import IfMatchHeader
from offers.api.problem import Fault, Problem, ProblemCode
from offers.api.problem_docs import problems
from offers.api.schema import Body, Instant, render_instant
from offers.api.services import ServicesDep
from offers.handlers.loyalty.start_programme import check_programme, start_programme
from offers.handlers.note_audit import note_audit
from offers.model.audit import Actor, AuditAction
from offers.model.errors import InvalidProgramme, NotFound
from offers.model.loyalty.programme import Programme, ProgrammeRevision
from offers.model.loyalty.programme_faults import faults_of_programme
from offers.model.loyalty.programme_json import parse_programme, render_programme
from offers.model.people.shopper import Credential
from offers.ports import UnitOfWork
from rtls.model.units import SiteId, UnixMs

NEW: Final = "*"
SOURCE: Final = "programme"
REVISIONS_MAX: Final = 100
EXAMPLE: Final[dict[str, JsonValue]] = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [{"unit": "points", "worth_minor_per_100": 100}],
    "earning": [
        {
            "rule": "each-euro",
            "unit": "points",
            "earns": {
                "kind": "per_amount",
                "amount_minor": 1,
                "per_minor": 100,
                "currency": "EUR",
            },
        }
    ],
    "settings": {"offers_a_trip_max": 5},
}

programme_routes = APIRouter(prefix="/operator/programme", tags=["operator"])

Document = Annotated[dict[str, JsonValue], RequestBody(examples=[EXAMPLE])]
NumberPath = Annotated[int, Path(ge=1, le=10**9, examples=[3])]


class ProgrammeBody(Body):
    """A revision of the programme."""

    revision: int = Field(description="its ETag; what If-Match takes", examples=[3])
    started_at: Instant
    document: dict[str, JsonValue] = Field(examples=[EXAMPLE])

    @classmethod
    def of(cls, found: ProgrammeRevision) -> "ProgrammeBody":
        """Render a revision."""
        return cls(
            revision=found.revision,
            started_at=render_instant(found.at_ms),
            document=json.loads(render_programme(found.programme)),
        )


class RevisionBody(Body):
    """When a revision came into force."""

    revision: int = Field(examples=[3])
    started_at: Instant


class RevisionsBody(Body):
    """The newest revisions, newest first."""

    revisions: tuple[RevisionBody, ...]


class CheckedBody(Body):
    """A document that could be put into force."""

    is_new: bool = Field(description="false: it says what is in force already")


@programme_routes.get("", operation_id="getProgramme", responses=problems(ProblemCode.NOT_FOUND))
async def get_programme(site: SiteDep, services: ServicesDep, response: Response) -> ProgrammeBody:
    """Return the programme in force; the ETag is for If-Match."""
    found = await services.read(partial(_newest, site))
    response.headers["ETag"] = _etag(found)
    return ProgrammeBody.of(found)


@programme_routes.get("/revisions", operation_id="getProgrammeRevisions", responses=problems())
async def get_revisions(site: SiteDep, services: ServicesDep) -> RevisionsBody:
    """Return when the programme changed."""
    found = await services.read(lambda work: work.programmes.revisions(site, limit=REVISIONS_MAX))
    return RevisionsBody(
        revisions=tuple(
            RevisionBody(revision=one.revision, started_at=render_instant(one.at_ms))
            for one in found
        )
    )


@programme_routes.get(
    "/revisions/{number}",
    operation_id="getProgrammeRevision",
    responses=problems(ProblemCode.NOT_FOUND),
)
async def get_revision(number: NumberPath, site: SiteDep, services: ServicesDep) -> ProgrammeBody:
    """Return what was promised by a revision.

    Raises
    ------
    NotFound
        If the site's programme has no such revision.
    """
    found = await services.read(lambda work: work.programmes.revision(site, number))
    if found is None:
        raise NotFound("no such revision; expected one of the programme of the key's own site.")
    return ProgrammeBody.of(found)


@programme_routes.post("/check", operation_id="checkProgramme", responses=problems())
async def check(document: Document, site: SiteDep, services: ServicesDep) -> CheckedBody:
    """Say whether the document could be put into force; nothing is written."""
    programme = _parsed(document, site)

    def look(work: UnitOfWork) -> CheckedBody:
        check_programme(programme, work=work)
        return CheckedBody(is_new=work.programmes.current(site) != programme)

    return await services.read(look)


@programme_routes.post(
    "/revisions",
    operation_id="addProgrammeRevision",
    status_code=status.HTTP_201_CREATED,
    responses=problems(ProblemCode.PRECONDITION_FAILED, ProblemCode.PRECONDITION_REQUIRED),
)
async def add_revision(
    document: Document,
    staff: CallerDep,
    site: SiteDep,
    services: ServicesDep,
    response: Response,
    if_match: IfMatchHeader = None,
) -> ProgrammeBody:
    """Put a new wording into force; what was earned and exchanged before stays as it was."""
    programme = _parsed(document, site)
    started = await services.write(
        partial(_start, programme, if_match=if_match, staff=staff, now_ms=services.now_ms())
    )
    response.headers["ETag"] = _etag(started)
    return ProgrammeBody.of(started)


def _parsed(document: dict[str, JsonValue], site: SiteId) -> Programme:
    try:
        programme = parse_programme(json.dumps(document), source=SOURCE)
    except InvalidProgramme as error:
        faults = faults_of_programme(document, source=SOURCE)
        raise Problem(
            ProblemCode.VALIDATION_FAILED,
            str(error),
            faults=[
                Fault(where="body", pointer=fault.pointer, detail=fault.message) for fault in faults
            ],
        ) from error
    if programme.site != site:
        raise InvalidProgramme(
            f"programme: site is {programme.site!r}; expected {site!r}, as the key says."
        )
    return programme


def _start(
    programme: Programme,
    work: UnitOfWork,
    *,
    if_match: str | None,
    staff: Credential,
    now_ms: UnixMs,
) -> ProgrammeRevision:
    _check_if_match(if_match, work.programmes.newest(programme.site))
    number = start_programme(programme, work=work, now_ms=now_ms)
    if number is not None:
        note_audit(
            AuditAction.PROGRAMME_STARTED,
            subject=programme.site,
            by=Actor.of(staff),
            details={"revision": number},
            work=work,
            now_ms=now_ms,
        )
    return _newest(programme.site, work)


def _check_if_match(if_match: str | None, found: ProgrammeRevision | None) -> None:
    if if_match is None:
        raise Problem(
            ProblemCode.PRECONDITION_REQUIRED,
            'If-Match is missing; expected the ETag of the revision you edited, e.g. "3", '
            f"or {NEW} for the first one.",
        )
    current = NEW if found is None else _etag(found)
    if if_match.strip().removeprefix("W/") != current:
        raise Problem(
            ProblemCode.PRECONDITION_FAILED,
            f"If-Match does not name the current revision; expected {current}.",
        )


def _newest(site: SiteId, work: UnitOfWork) -> ProgrammeRevision:
    found = work.programmes.newest(site)
    if found is None:
        raise NotFound("the site has no programme; expected one that was put into force.")
    return found


def _etag(found: ProgrammeRevision) -> str:
    return f'"{found.revision}"'
