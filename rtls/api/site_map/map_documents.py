"""Say how drafts, revisions and problems of a map look to the floor plan.

Layer: edges. Takes: what the desk gives. Gives: the documents of the answers, and what a request
says, to the routes below /v1/operator/site-map.
"""

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from fastapi import Response
from typing_extensions import TypedDict

from rtls.api.site_map.map_desk import DraftView, StaleDraft, UnsoundMap
from rtls.model.errors import InvalidSiteMap, MissingExtra
from rtls.model.map_draft import Background, MapRevision, PublishedMap
from rtls.model.map_problem import MapProblem
from rtls.plan_files.limits import FILE_BYTES_MAX

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
BODY_BYTES_MAX: Final = 8 << 20
"""of a draft: a plan of 200,000 corners"""
MAP_BODIES: Final[Mapping[str, int]] = {
    "/v1/operator/site-map/draft": BODY_BYTES_MAX,
    "/v1/operator/coverage": BODY_BYTES_MAX,
    "/v1/operator/site-map/imports": FILE_BYTES_MAX,
}
"""What comes through on the paths that take whole maps."""
# The schema that the application has for the problems of all its routes.
PROBLEM: Final[dict[str, object]] = {
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
}
PROBLEMS: Final[dict[int | str, dict[str, object]]] = {
    401: PROBLEM | {"description": "No key, or none that is known."},
    403: PROBLEM | {"description": "The key is of another role."},
    404: PROBLEM | {"description": "There is none, or the key is of another site."},
    422: PROBLEM | {"description": "It cannot be read; `detail` says what and why."},
}
MEMBERS: Final[Mapping[str, object]] = {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "code": {"type": "string"},
    "detail": {"type": "string"},
    "instance": {"type": "string"},
}
AT: Final = {"type": "array", "items": {"type": "number"}}
Wanted = TypeVar("Wanted", bound=msgspec.Struct)


class ProblemDocument(TypedDict):
    """One thing that is wrong with a map, and where to look."""

    feature: str | None
    floor: int | None
    at: list[float] | None
    field: str | None
    message: str
    remedy: str


class BackgroundDocument(TypedDict):
    """A picture under the plan of a floor: its upper left corner, its scale, its turn."""

    background: str
    floor: int
    x_m: float
    y_m: float
    m_per_px: float
    rotation_deg: float
    width_px: int
    height_px: int
    opacity: float


class DraftDocument(TypedDict):
    """The map that is being drawn."""

    version: int
    is_kept: bool
    """False: nothing has been saved since the map in force was published; this is that map"""
    based_on: int
    document: dict[str, object]
    """as docs/site_map.md describes it"""
    backgrounds: list[BackgroundDocument]
    problems: list[ProblemDocument]
    notice: str | None
    """what whoever draws should know of the draft itself"""


class RevisionDocument(TypedDict):
    """One published map."""

    revision: int
    published_at: str
    published_by: str
    note: str


class RevisionList(TypedDict):
    """What was published, the newest first, and which of it is in force; 0 is the file."""

    published: int
    revisions: list[RevisionDocument]


class PublishedDocument(TypedDict):
    """What has just been published."""

    revision: int


class DraftBody(msgspec.Struct, frozen=True, kw_only=True):
    """What saves a draft."""

    version: int
    document: dict[str, object]
    backgrounds: tuple[Background, ...] = ()


class PublishBody(msgspec.Struct, frozen=True, kw_only=True):
    """What publishes a draft."""

    version: int
    note: str = ""


def problem_schema(**more: object) -> dict[str, object]:
    """Return the schema of a problem that says more than others do."""
    members = {**MEMBERS, **more}
    return {"type": "object", "properties": members, "required": list(members)}


def or_null(schema: Mapping[str, object]) -> dict[str, object]:
    """Return the schema of what may be missing."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


STALE: Final[dict[str, object]] = {
    "description": "Somebody has saved since; `version` is newer.",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": problem_schema(version={"type": "integer"})}},
}
UNSOUND: Final[dict[str, object]] = {
    "description": "It cannot be put into force; `problems` says why, where it is the map.",
    "content": {
        PROBLEM_MEDIA_TYPE: {
            "schema": {
                "anyOf": [
                    {"$ref": "#/components/schemas/ProblemBody"},
                    problem_schema(
                        problems={
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "feature": or_null({"type": "string"}),
                                    "floor": or_null({"type": "integer"}),
                                    "at": or_null(AT),
                                    "field": or_null({"type": "string"}),
                                    "message": {"type": "string"},
                                    "remedy": {"type": "string"},
                                },
                            },
                        }
                    ),
                ]
            }
        }
    },
}


def draft_response(view: DraftView) -> Response:
    """Return the draft as an answer."""
    document = DraftDocument(
        version=view.draft.version,
        is_kept=view.is_kept,
        based_on=view.draft.based_on,
        document=dict(view.draft.document or {}),
        backgrounds=[background_document(one) for one in view.draft.backgrounds],
        problems=[problem_document(problem) for problem in view.problems],
        notice=view.notice,
    )
    return Response(msgspec.json.encode(document), media_type="application/json")


def background_document(one: Background) -> BackgroundDocument:
    """Return a background as the floor plan places it."""
    return BackgroundDocument(
        background=one.background,
        floor=one.floor,
        x_m=one.x_m,
        y_m=one.y_m,
        m_per_px=one.m_per_px,
        rotation_deg=one.rotation_deg,
        width_px=one.width_px,
        height_px=one.height_px,
        opacity=one.opacity,
    )


def document_of(published: PublishedMap) -> dict[str, object]:
    """Return a published map as JSON."""
    return msgspec.json.decode(published.content, type=dict[str, object])


def problem_document(problem: MapProblem) -> ProblemDocument:
    """Return a problem as the floor plan shows it."""
    what = f"{problem.what}: " if problem.what else ""
    return ProblemDocument(
        feature=problem.feature,
        floor=problem.floor,
        at=None if problem.at is None else list(problem.at),
        field=problem.field,
        message=f"{what}{problem.message}",
        remedy=problem.remedy,
    )


def revision_document(revision: MapRevision) -> RevisionDocument:
    """Return what is known of a revision."""
    at = dt.datetime.fromtimestamp(revision.published_at_ms / 1000.0, tz=dt.UTC)
    return RevisionDocument(
        revision=revision.revision,
        published_at=at.isoformat().replace("+00:00", "Z"),
        published_by=revision.published_by,
        note=revision.note,
    )


def stale_response(error: StaleDraft) -> Response:
    """Return the answer to who has not seen the newest draft."""
    return _problem(409, "state_conflict", str(error), {"version": error.version})


def unsound_response(error: UnsoundMap) -> Response:
    """Return the answer to who publishes what cannot work."""
    problems = [problem_document(problem) for problem in error.problems]
    return _problem(422, "site_map_invalid", str(error), {"problems": problems})


def missing_response(detail: str) -> Response:
    """Return the answer where there is no such thing."""
    return _problem(404, "not_found", detail, {})


def busy_response(detail: str) -> Response:
    """Return the answer while the same is being done for somebody else."""
    return _problem(503, "reports_busy", detail, {}, headers={"Retry-After": str(RETRY_AFTER_S)})


def extra_response(error: MissingExtra) -> Response:
    """Return the answer where a library is not installed."""
    return _problem(501, "extra_missing", str(error), {})


def _problem(
    status: int,
    code: str,
    detail: str,
    more: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    title = HTTPStatus(status).phrase
    body = {
        "type": f"/v1/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": "/v1/operator/site-map",
        **more,
    }
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers=dict(headers or {}),
        media_type=PROBLEM_MEDIA_TYPE,
    )


def parse_body(content: bytes, wanted: type[Wanted]) -> Wanted:
    """Return what a request says.

    Raises
    ------
    InvalidSiteMap
        If it is no JSON, or lacks what is wanted.
    """
    try:
        return msgspec.json.decode(content, type=wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSiteMap(
            f"the body cannot be read ({error}); expected JSON as the OpenAPI document describes "
            "it. Send it anew; nothing was changed."
        ) from error


def body_schema(**members: object) -> dict[str, object]:
    """Return how the OpenAPI document describes a body that the route reads by itself."""
    schema = {"type": "object", "properties": members}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
