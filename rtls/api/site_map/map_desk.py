"""Say what the routes of the floor plan need from the door.

Layer: edges. Takes: nothing. Gives: the shape of `MapDesk`, and what it raises and returns, to the
routes and to the door that implements it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rtls.model.errors import InaisleError, InvalidSiteMap
from rtls.model.map_draft import Background, MapDraft, MapRevision, PublishedMap
from rtls.model.map_problem import MapProblem

Json = Mapping[str, object]


class StaleDraft(InaisleError):
    """Somebody else has saved since, or there is nothing new to publish."""

    def __init__(self, detail: str, *, version: int) -> None:
        super().__init__(detail)
        self.version = version
        """the newer one"""


class UnsoundMap(InvalidSiteMap):
    """A draft that cannot be published as it is."""

    def __init__(self, problems: Sequence[MapProblem]) -> None:
        super().__init__(
            f"{len(problems)} problems stand against the map; the first: {problems[0]}"
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """The draft, or the published map where there is none, and what is wrong with it."""

    draft: MapDraft
    is_kept: bool
    """False: nobody has saved anything since the map was published"""
    problems: tuple[MapProblem, ...]
    notice: str | None = None
    """what whoever draws should know of the draft itself"""


class MapDesk(Protocol):
    """The drafts and revisions of one site. Its methods block: not for the event loop."""

    def draft(self) -> DraftView:
        """Return what is being drawn."""
        ...

    def save(self, document: Json, backgrounds: Sequence[Background], *, version: int) -> DraftView:
        """Keep a document, faulty or not; `StaleDraft` if ``version`` is not the newest.

        A document that is no map at all is refused with `InvalidSiteMap`.
        """
        ...

    def discard(self) -> None:
        """Throw the draft away."""
        ...

    def revisions(self) -> tuple[int, tuple[MapRevision, ...]]:
        """Return which revision is in force (0 is the file), and all there are."""
        ...

    def publish(self, *, version: int, note: str, by: str) -> int:
        """Put the draft into force and return its revision; `UnsoundMap` says why not."""
        ...

    def published(self, revision: int | None) -> PublishedMap | None:
        """Return a revision, the one in force if None is asked for; None where there is none."""
        ...

    def keep_background(self, picture: bytes) -> str:
        """Keep a PNG, and return its id."""
        ...

    def background(self, name: str) -> bytes | None:
        """Return a picture."""
        ...
