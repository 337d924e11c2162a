"""Turn what is known of drafts and revisions into JSON members and back.

Layer: edges. Takes: nouns of rtls.model.map_draft. Gives: heads of files to the stores of maps, and
nouns from heads.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import msgspec

from rtls.model.errors import InvalidSiteMap
from rtls.model.map_draft import Background, MapDraft, MapRevision

Json = Mapping[str, object]
VERSION: Final = 1
REVISION_FORMAT: Final = "inaisle-site-map-revision"
DRAFT_FORMAT: Final = "inaisle-site-map-draft"


class RevisionHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a published map."""

    format: str
    version: int
    about: MapRevision


class DraftHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a draft."""

    format: str
    version: int
    draft: int
    based_on: int
    is_kept: bool
    backgrounds: tuple[Background, ...]


def head_of_revision(about: MapRevision) -> Json:
    """Return the head of a published map."""
    return {"format": REVISION_FORMAT, "version": VERSION, "about": asdict(about)}


def head_of_draft(draft: MapDraft) -> Json:
    """Return the head of a draft."""
    return {
        "format": DRAFT_FORMAT,
        "version": VERSION,
        "draft": draft.version,
        "based_on": draft.based_on,
        "is_kept": draft.document is not None,
        "backgrounds": [asdict(background) for background in draft.backgrounds],
    }


def parse_revision(head: Json, *, source: str) -> MapRevision:
    """Return what a head says of a published map.

    Raises
    ------
    InvalidSiteMap
        If it is of another format or release.
    """
    _check(head, REVISION_FORMAT, source)
    try:
        return msgspec.convert(head, RevisionHead).about
    except msgspec.ValidationError as error:
        raise InvalidSiteMap(_unreadable(source, error)) from error


def parse_draft(head: Json, content: bytes, *, source: str) -> MapDraft:
    """Return the draft of a head and what follows it.

    Raises
    ------
    InvalidSiteMap
        If it is of another format or release.
    """
    _check(head, DRAFT_FORMAT, source)
    try:
        found = msgspec.convert(head, DraftHead)
        document = msgspec.json.decode(content, type=dict[str, object]) if found.is_kept else None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidSiteMap(_unreadable(source, error)) from error
    return MapDraft(
        version=found.draft,
        based_on=found.based_on,
        document=document,
        backgrounds=found.backgrounds,
    )


def _check(head: Json, wanted: str, source: str) -> None:
    if (head.get("format"), head.get("version")) != (wanted, VERSION):
        raise InvalidSiteMap(
            f"{source}: format is {head.get('format')!r} version {head.get('version')!r}; expected "
            f"{wanted!r} version {VERSION}. Run the release that wrote it, or move the file away."
        )


def _unreadable(source: str, error: Exception) -> str:
    return f"{source}: it is not ours ({error}). Move the file away."
