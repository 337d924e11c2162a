"""Say what went wrong with a request, always in the same shape (RFC 9457).

Layer: edges. Takes: problems raised by routes, validation errors from FastAPI. Gives: JSON of media
type ``application/problem+json`` with a stable `code` that a client may branch on, and the table
that documents the codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

MEDIA_TYPE: Final = "application/problem+json"
ERRORS_MAX = 50
"""a body of a thousand faults needs no list of a thousand"""


class ProblemCode(StrEnum):
    """What went wrong, for machines. A code is never renamed and never changes its meaning."""

    REQUEST_MALFORMED = "request_malformed"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    CREDENTIAL_MISSING = "credential_missing"
    CREDENTIAL_INVALID = "credential_invalid"
    ROLE_FORBIDDEN = "role_forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    IN_FLIGHT = "in_flight"
    STATE_CONFLICT = "state_conflict"
    EXPIRED = "expired"
    PRECONDITION_FAILED = "precondition_failed"
    BODY_TOO_LARGE = "body_too_large"
    VALIDATION_FAILED = "validation_failed"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    REFUSED = "refused"
    PRECONDITION_REQUIRED = "precondition_required"
    TOO_MANY_FAILURES = "too_many_failures"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL_ERROR = "internal_error"
    BUSY = "busy"
    LOCATING_AWAY = "locating_away"
    REPORTS_BUSY = "reports_busy"
    EXTRA_MISSING = "extra_missing"
    PRODUCTS_AWAY = "products_away"
    SITE_MAP_INVALID = "site_map_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """What is the same for every problem of one code."""

    status: int
    title: str
    remedy: str


KINDS: Final[Mapping[ProblemCode, ProblemKind]] = {
    ProblemCode.REQUEST_MALFORMED: ProblemKind(
        status=400,
        title="The request cannot be read",
        remedy="Send JSON in UTF-8 with Content-Type: application/json.",
    ),
    ProblemCode.IDEMPOTENCY_KEY_MISSING: ProblemKind(
        status=400,
        title="Idempotency-Key is missing",
        remedy="Send a new random Idempotency-Key with each new request, the same with a repeat.",
    ),
    ProblemCode.IDEMPOTENCY_KEY_INVALID: ProblemKind(
        status=400,
        title="Idempotency-Key is not usable",
        remedy="Use 8 to 128 visible ASCII characters, for example a UUID.",
    ),
    ProblemCode.CREDENTIAL_MISSING: ProblemKind(
        status=401,
        title="A credential is needed",
        remedy="Send Authorization: Bearer with the token or key that was given to you.",
    ),
    ProblemCode.CREDENTIAL_INVALID: ProblemKind(
        status=401,
        title="The credential is not valid",
        remedy="Sign in or enrol again, or ask the operator for a new key.",
    ),
    ProblemCode.ROLE_FORBIDDEN: ProblemKind(
        status=403,
        title="This credential may not do that",
        remedy="Use a credential of the role that the route names.",
    ),
    ProblemCode.NOT_FOUND: ProblemKind(
        status=404,
        title="There is no such thing, or it is not yours",
        remedy="Check the id. What belongs to somebody else is answered in the same way.",
    ),
    ProblemCode.METHOD_NOT_ALLOWED: ProblemKind(
        status=405,
        title="The route has no such method",
        remedy="See the methods in the OpenAPI document.",
    ),
    ProblemCode.IN_FLIGHT: ProblemKind(
        status=409,
        title="The same request is being worked on",
        remedy="Repeat it with the same Idempotency-Key in a second.",
    ),
    ProblemCode.STATE_CONFLICT: ProblemKind(
        status=409,
        title="The thing is not in a state that allows this",
        remedy="Read it again; `reason` says what stands against it.",
    ),
    ProblemCode.EXPIRED: ProblemKind(
        status=410,
        title="It is no longer valid",
        remedy="Nothing to repeat: its time is over.",
    ),
    ProblemCode.PRECONDITION_FAILED: ProblemKind(
        status=412,
        title="Somebody else has changed it since",
        remedy="Read it again and repeat the edit with the new ETag in If-Match.",
    ),
    ProblemCode.BODY_TOO_LARGE: ProblemKind(
        status=413,
        title="The body is too large",
        remedy="Keep the body within 64 kB, a map within 8 MiB, a catalogue within 64 MiB.",
    ),
    ProblemCode.VALIDATION_FAILED: ProblemKind(
        status=422,
        title="The request does not fit its schema",
        remedy="`errors` names each place; compare with the OpenAPI document.",
    ),
    ProblemCode.IDEMPOTENCY_KEY_REUSED: ProblemKind(
        status=422,
        title="Idempotency-Key was used for another request",
        remedy="Use a new key for a new request; a repeat must be equal to the byte.",
    ),
    ProblemCode.REFUSED: ProblemKind(
        status=422,
        title="A rule stands against it",
        remedy="`reason` names the rule.",
    ),
    ProblemCode.PRECONDITION_REQUIRED: ProblemKind(
        status=428,
        title="If-Match is needed for an edit",
        remedy="Read the thing first and send its ETag in If-Match.",
    ),
    ProblemCode.TOO_MANY_FAILURES: ProblemKind(
        status=429,
        title="Too many failed attempts",
        remedy="Wait as many seconds as Retry-After says.",
    ),
    ProblemCode.TOO_MANY_REQUESTS: ProblemKind(
        status=429,
        title="Too many requests",
        remedy="Wait as many seconds as Retry-After says, and send less often.",
    ),
    ProblemCode.INTERNAL_ERROR: ProblemKind(
        status=500,
        title="The fault is ours",
        remedy="Repeat with the same Idempotency-Key; if it stays, tell the operator the time.",
    ),
    ProblemCode.BUSY: ProblemKind(
        status=503,
        title="The database is busy",
        remedy="Nothing was done. Repeat with the same key after Retry-After seconds.",
    ),
    ProblemCode.EXTRA_MISSING: ProblemKind(
        status=501,
        title="A library for this is not installed",
        remedy='Ask the operator to install it: pip install "inaisle[insight]".',
    ),
    ProblemCode.REPORTS_BUSY: ProblemKind(
        status=503,
        title="Other reports are being made",
        remedy="Ask again after Retry-After seconds; reports are made one after the other.",
    ),
    ProblemCode.PRODUCTS_AWAY: ProblemKind(
        status=503,
        title="Products and ways are not ready yet",
        remedy="Ask again after Retry-After seconds; the service has just started, or is busy.",
    ),
    ProblemCode.SITE_MAP_INVALID: ProblemKind(
        status=422,
        title="The map cannot be put into force",
        remedy="`problems` names each feature, its place and what helps; correct the draft.",
    ),
    ProblemCode.LOCATING_AWAY: ProblemKind(
        status=503,
        title="Locating takes no scans just now",
        remedy="Scan again after Retry-After seconds; an old scan is of no use.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place in the request that is wrong."""

    where: str
    """``body``, ``query``, ``path`` or ``header``"""
    pointer: str
    """JSON pointer (RFC 6901) into the body; the name of the parameter elsewhere"""
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return the members of one entry of ``errors``."""
        return {"in": self.where, "pointer": self.pointer, "detail": self.detail}


class Problem(Exception):
    """What a route raises to end a request; the one handler makes the answer of it.

    Parameters
    ----------
    code
        Decides the status and the title.
    detail
        This occurrence, for people: names the value, what was expected, and the remedy.
    reason
        A stable word that refines the code, e.g. the refusal of a coupon.
    faults
        The places in the request that are wrong.
    retry_after_s
        When a repeat may succeed.
    """

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        reason: str | None = None,
        faults: Sequence[Fault] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.reason = reason
        self.faults = tuple(faults)
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return KINDS[self.code].status


def problem_body(problem: Problem, *, instance: str) -> dict[str, object]:
    """Return the members of the problem document; `instance` is the path of the request."""
    body: dict[str, object] = {
        "type": f"/v1/problems/{problem.code}",
        "title": KINDS[problem.code].title,
        "status": problem.status,
        "code": problem.code.value,
        "detail": problem.detail,
        "instance": instance,
    }
    if problem.reason is not None:
        body["reason"] = problem.reason
    if problem.faults:
        body["errors"] = [fault.as_json() for fault in problem.faults[:ERRORS_MAX]]
    return body


def problem_response(problem: Problem, *, instance: str) -> JSONResponse:
    """Render the answer with its headers."""
    headers = {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if problem.status == KINDS[ProblemCode.CREDENTIAL_MISSING].status:
        headers["WWW-Authenticate"] = "Bearer"
    body = problem_body(problem, instance=instance)
    return JSONResponse(body, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)


async def send_problem(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer from below FastAPI, where a middleware ends the request."""
    response = problem_response(problem, instance=str(scope.get("path", "")))
    await response(scope, receive, send)
