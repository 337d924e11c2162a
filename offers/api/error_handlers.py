"""Make a problem document of every error that leaves a route.

Layer: edges. Takes: errors of handlers and storage, of FastAPI and Starlette. Gives: one shape of
answer. Values of the request are not repeated: a log or a screenshot must not hold a coupon's code.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from offers.api.problem import KINDS, Fault, Problem, ProblemCode, problem_response
from offers.model import errors
from rtls.model.errors import InaisleError

RETRY_BUSY_S: Final = 1
DETAIL_CHARACTERS_MAX: Final = 500

# From the special to the general: the first that fits decides.
_CODES: Final[tuple[tuple[type[InaisleError], ProblemCode], ...]] = (
    (errors.NotFound, ProblemCode.NOT_FOUND),
    (errors.Expired, ProblemCode.EXPIRED),
    (errors.WrongState, ProblemCode.STATE_CONFLICT),
    (errors.KeyReused, ProblemCode.IDEMPOTENCY_KEY_REUSED),
    (errors.Conflict, ProblemCode.STATE_CONFLICT),
    (errors.InvalidKey, ProblemCode.IDEMPOTENCY_KEY_INVALID),
    (errors.StorageError, ProblemCode.BUSY),
)
_REASONS: Final[Mapping[type[InaisleError], str]] = {
    errors.TagTaken: "tag_taken",
    errors.ConsentMissing: "consent_missing",
    errors.TooYoung: "too_young",
}
_STATUSES: Final[Mapping[int, ProblemCode]] = {
    400: ProblemCode.REQUEST_MALFORMED,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.BODY_TOO_LARGE,
    415: ProblemCode.REQUEST_MALFORMED,
}


def problem_of(error: InaisleError) -> Problem:
    """Return the problem for an error of ours."""
    detail = str(error)[:DETAIL_CHARACTERS_MAX]
    for kind, code in _CODES:
        if isinstance(error, kind):
            retry_after_s = RETRY_BUSY_S if code is ProblemCode.BUSY else None
            reason = _REASONS.get(type(error))
            return Problem(code, detail, reason=reason, retry_after_s=retry_after_s)
    if isinstance(error, ValueError):  # the nouns' own refusal of nonsense
        return Problem(ProblemCode.VALIDATION_FAILED, detail)
    return Problem(ProblemCode.INTERNAL_ERROR, "An error that no route foresees.")


def faults_of(entries: Sequence[Mapping[str, object]]) -> tuple[Fault, ...]:
    """Return where a request breaks its schema, without the values themselves."""
    return tuple(_fault(entry) for entry in entries)


def _fault(entry: Mapping[str, object]) -> Fault:
    place = entry.get("loc")
    where, *steps = place if isinstance(place, tuple | list) else ("body",)
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    pointer = "".join(f"/{step}" for step in escaped) if where == "body" else "/".join(escaped)
    return Fault(where=str(where), pointer=pointer, detail=str(entry.get("msg", "")))


def install_error_handlers(app: FastAPI) -> None:
    """Make the application answer every error with a problem document."""
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(InaisleError, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(Exception, _answer)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    return problem_response(_problem(error), instance=request.url.path)


def _problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case InaisleError():
            return problem_of(error)
        case RequestValidationError():
            return _invalid_request(error)
        case HTTPException():
            code = _STATUSES.get(error.status_code, ProblemCode.INTERNAL_ERROR)
            return Problem(code, KINDS[code].remedy)
        case _:
            # Starlette raises it again behind the answer, so that it is logged with its traceback.
            return Problem(ProblemCode.INTERNAL_ERROR, "An error that no route foresees.")


def _invalid_request(error: RequestValidationError) -> Problem:
    entries = error.errors()
    if any(entry.get("type") == "json_invalid" for entry in entries):
        return Problem(ProblemCode.REQUEST_MALFORMED, "The body is not JSON.")
    faults = faults_of(entries)
    return Problem(
        ProblemCode.VALIDATION_FAILED,
        f"{len(faults)} places of the request do not fit the schema; `errors` names them.",
        faults=faults,
    )
