"""Serve who draws the map of a site: read and save the draft, throw it away, publish it.

Layer: edges. Takes: a `MapDesk` from the door. Gives: routes below /v1/operator/site-map. Bodies
are read after the key was checked, since they may be large.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response

from rtls.api.site_map.map_desk import MapDesk, StaleDraft, UnsoundMap
from rtls.api.site_map.map_documents import (
    PROBLEMS,
    STALE,
    UNSOUND,
    DraftBody,
    DraftDocument,
    PublishBody,
    PublishedDocument,
    RevisionList,
    body_schema,
    draft_response,
    parse_body,
    revision_document,
    stale_response,
    unsound_response,
)

Authorise = Callable[..., object]
"""a FastAPI dependency that raises for whoever may not, and returns by what name he acts"""
PREFIX: Final = "/v1/operator/site-map"
Answers = dict[int | str, dict[str, object]]
CONFLICT: Final[Answers] = {409: STALE}


def draft_router(desk: MapDesk, *, authorise: Authorise) -> APIRouter:
    """Return the routes of drafts and revisions."""
    router = APIRouter(prefix=PREFIX, tags=["operator"], dependencies=[Depends(authorise)])
    _add_revisions(router, desk)
    _add_draft(router, desk)
    _add_publish(router, desk, authorise)
    return router


def _add_revisions(router: APIRouter, desk: MapDesk) -> None:
    @router.get("/revisions", operation_id="getSiteMapRevisions", responses=PROBLEMS)
    def get_revisions() -> RevisionList:
        """Return what was published, the newest first."""
        published, revisions = desk.revisions()
        return RevisionList(
            published=published, revisions=[revision_document(one) for one in revisions]
        )


def _add_draft(router: APIRouter, desk: MapDesk) -> None:
    answers: Answers = {200: {"model": DraftDocument}, **PROBLEMS}

    @router.get("/draft", operation_id="getSiteMapDraft", responses=answers)
    def get_draft() -> Response:
        """Return the map that is being drawn, and what is wrong with it."""
        return draft_response(desk.draft())

    @router.put(
        "/draft",
        operation_id="putSiteMapDraft",
        responses=answers | CONFLICT,
        openapi_extra=body_schema(
            version={"type": "integer", "description": "of the draft that was edited"},
            document={"type": "object", "description": "the map, as docs/site_map.md has it"},
            backgrounds={"type": "array", "items": {"type": "object"}},
        ),
    )
    async def put_draft(request: Request) -> Response:
        """Save the map, faulty or not: what is wrong stops publishing, not saving."""
        content = await request.body()
        return await anyio.to_thread.run_sync(partial(_save, desk, content))

    @router.delete("/draft", operation_id="deleteSiteMapDraft", status_code=204, responses=PROBLEMS)
    def delete_draft() -> Response:
        """Throw the draft away; the map in force stays."""
        desk.discard()
        return Response(status_code=204)


def _save(desk: MapDesk, content: bytes) -> Response:
    body = parse_body(content, DraftBody)
    try:
        return draft_response(desk.save(body.document, body.backgrounds, version=body.version))
    except StaleDraft as error:
        return stale_response(error)


def _add_publish(router: APIRouter, desk: MapDesk, authorise: Authorise) -> None:
    @router.post(
        "/publish",
        operation_id="publishSiteMap",
        responses={200: {"model": PublishedDocument}, **PROBLEMS, **CONFLICT, 422: UNSOUND},
        openapi_extra=body_schema(
            version={"type": "integer", "description": "of the draft that is meant"},
            note={"type": "string", "description": "for those who read the list later"},
        ),
    )
    async def publish(request: Request, who: Annotated[str, Depends(authorise)]) -> Response:
        """Put the draft into force. The service takes it up within seconds; sockets come back."""
        content = await request.body()
        return await anyio.to_thread.run_sync(partial(_publish, desk, content, who))


def _publish(desk: MapDesk, content: bytes, who: str) -> Response:
    body = parse_body(content, PublishBody)
    try:
        revision = desk.publish(version=body.version, note=body.note, by=who)
    except StaleDraft as error:
        return stale_response(error)
    except UnsoundMap as error:
        return unsound_response(error)
    return Response(f'{{"revision":{revision}}}', media_type="application/json")
