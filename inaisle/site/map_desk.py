"""Keep the draft of a site's map, and publish it when nothing stands against it.

Layer: doors. Takes: the folder of maps, the map in force, and from offers what a new map must not
break. Gives: `rtls.api.site_map.map_desk.MapDesk` to the routes, and word of a published map to
inaisle.map_keeper.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog

from inaisle.site.map_in_force import MapInForce
from rtls.api.site_map.map_desk import DraftView, StaleDraft, UnsoundMap
from rtls.geofence.site_map_problems import problems_of
from rtls.model.map_draft import Background, MapDraft, MapRevision, PublishedMap
from rtls.model.map_problem import MapProblem
from rtls.model.site_map import SiteMap
from rtls.model.site_map_geojson import parse_site_map, read_head
from rtls.model.units import UnixMs
from rtls.storage.site_maps.background_folder import BackgroundFolder
from rtls.storage.site_maps.map_folder import MapFolder

log = structlog.get_logger("inaisle.maps")
Json = Mapping[str, object]
Objections = Callable[[SiteMap], Iterator[MapProblem]]
NOT_NEW: Final = "nothing has been saved since the last map was published. Save a change first."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What the desk works with.

    Parameters
    ----------
    folder
        Drafts and revisions.
    in_force
        The map that this process runs on.
    objections
        Says what a sound map would break: campaigns, formats, another site.
    published
        Told of each new revision: number, and who published it.
    """

    folder: MapFolder
    in_force: MapInForce
    now_ms: Callable[[], UnixMs]
    objections: Objections
    published: Callable[[MapRevision], None]


class MapDesk:
    """The drafts and revisions of one site; safe to use from several threads and processes."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._folder = parts.folder
        self._pictures = BackgroundFolder(parts.folder.folder / "backgrounds")

    def draft(self) -> DraftView:
        """Return what is being drawn; where nothing was saved, the map in force."""
        return self._view(self._folder.draft())

    def save(self, document: Json, backgrounds: Sequence[Background], *, version: int) -> DraftView:
        """Keep a document, faulty or not.

        `InvalidSiteMap` if it is no map at all, `StaleDraft` if somebody has saved since.
        """
        read_head(document)
        with self._folder.alone():
            kept = self._folder.draft()
            self._refuse_stale(kept, version)
            is_begun = kept is not None and kept.document is not None
            draft = MapDraft(
                version=version + 1,
                based_on=kept.based_on if kept is not None and is_begun else self._newest(),
                document=document,
                backgrounds=tuple(backgrounds),
            )
            self._folder.save_draft(draft)
        return self._view(draft)

    def discard(self) -> None:
        """Throw the draft away; its version goes on."""
        with self._folder.alone():
            kept = self._folder.draft()
            if kept is not None and kept.document is not None:
                self._folder.save_draft(self._emptied(kept))

    def revisions(self) -> tuple[int, tuple[MapRevision, ...]]:
        """Return which revision is in force, and all there are."""
        return self._parts.in_force.revision, self._folder.revisions()

    def publish(self, *, version: int, note: str, by: str) -> int:
        """Put the draft into force, and return its revision.

        Raises
        ------
        StaleDraft
            If somebody has saved since ``version``, or nobody has saved anything. What stands
            against the map itself is an `UnsoundMap`.
        """
        with self._folder.alone():
            kept = self._folder.draft()
            self._refuse_stale(kept, version)
            if kept is None or kept.document is None or self._is_published(kept):
                raise StaleDraft(NOT_NEW, version=version)
            self._refuse_unsound(kept.document)
            about = MapRevision(
                revision=0,
                published_at_ms=self._parts.now_ms(),
                published_by=by,
                note=note,
                backgrounds=kept.backgrounds,
            )
            # The revision is there with this; a kill from here on leaves it published, and a draft
            # that is equal to it, which `_view` takes for none.
            published = self._folder.publish(msgspec.json.encode(kept.document), about)
            self._folder.save_draft(self._emptied(kept))
        log.info("a map was published", revision=published.revision, by=by)
        self._parts.published(published)
        return published.revision

    def published(self, revision: int | None) -> PublishedMap | None:
        """Return a revision; that in force where none is named, None where there is no such."""
        in_force = self._parts.in_force
        if revision is None or revision == in_force.revision:
            return in_force.published
        return self._folder.published(revision) if revision else None

    def keep_background(self, picture: bytes) -> str:
        """Keep a PNG, and return its id."""
        kept = self._folder.draft()
        revisions = self._folder.revisions()
        shown = {one.background for one in (() if kept is None else kept.backgrounds)}
        shown |= {one.background for about in revisions for one in about.backgrounds}
        return self._pictures.keep(picture, shown=shown)

    def background(self, name: str) -> bytes | None:
        """Return a picture."""
        return self._pictures.read(name)

    def _view(self, kept: MapDraft | None) -> DraftView:
        notice = self._folder.trouble()
        if kept is not None and kept.document is not None and not self._is_published(kept):
            problems = problems_of(kept.document)
            return DraftView(draft=kept, is_kept=True, problems=problems, notice=notice)
        # Not the map in force: what was published a second ago, or cannot be taken up, goes on.
        newest = next(self._folder.newest_first(), None) or self._parts.in_force.published
        draft = MapDraft(
            version=0 if kept is None else kept.version,
            based_on=newest.about.revision,
            document=json.loads(newest.content),
            backgrounds=newest.about.backgrounds,
        )
        return DraftView(draft=draft, is_kept=False, problems=(), notice=notice)

    def _refuse_stale(self, kept: MapDraft | None, version: int) -> None:
        newest = 0 if kept is None else kept.version
        if version != newest:
            raise StaleDraft(
                f"version is {version}; expected {newest}: somebody else has saved, published or "
                "thrown the draft away since. Read it again and repeat the edit.",
                version=newest,
            )

    def _refuse_unsound(self, document: Json) -> None:
        problems = problems_of(document)
        if not problems:
            content = msgspec.json.encode(document)
            site_map = parse_site_map(content, source="the draft")
            problems = tuple(self._parts.objections(site_map))
        if problems:
            raise UnsoundMap(problems)

    def _is_published(self, kept: MapDraft) -> bool:
        """Return whether a draft is what was published last, as a kill in between leaves it."""
        newest = next(self._folder.newest_first(), None)
        return newest is not None and newest.content == msgspec.json.encode(kept.document)

    def _newest(self) -> int:
        return max(self._folder.newest_number(), self._parts.in_force.revision)

    def _emptied(self, kept: MapDraft) -> MapDraft:
        return replace(
            kept, version=kept.version + 1, based_on=self._newest(), document=None, backgrounds=()
        )
